"""Ten thousand paused jobs are rows in a file: who opens it pays for none of them."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from esflow import Engine
from tests.simulation.crowd import crowd
from tests.simulation.places import ROOT

FEW, MANY = 1_000, 10_000
WALKS = re.compile(r"SCAN (?:esflow_|stored_)|TEMP B-TREE")


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """Return a store, and what a process of its own paid on one of few jobs and on one of many."""
    folder = tmp_path_factory.mktemp("crowds")
    files = [folder / "small.db", folder / "large.db"]
    for file, count in zip(files, (FEW, MANY), strict=True):
        crowd(f"sqlite:///{file}?synchronous=normal", count)
    shutil.copyfile(files[0], f"{files[0]}-first")
    shutil.copyfile(files[1], folder / "plans.db")
    command = [sys.executable, "-m", "tests.simulation.crowd"]
    run = subprocess.run(
        [*command, *(f"sqlite:///{file}" for file in files)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    small, large = json.loads(run.stdout)
    return folder / "plans.db", small, large


def test_the_jobs_of_the_crowd_are_jobs(looked: tuple[Path, Any, Any]) -> None:
    with Engine(f"sqlite:///{looked[0]}?synchronous=normal") as engine:
        for job_id in ("job-00000", "job-05000", "job-09999"):
            assert engine.verify(job_id).ok
            state = engine.state(job_id)
            assert (state.status, len(state.questions)) == ("paused", 1)


ACTS = ["open", "page", "next_page", "recover", "work", "look", "answer"]


@pytest.mark.parametrize("act", ACTS)
def test_many_paused_jobs_cost_what_few_cost(looked: tuple[Path, Any, Any], act: str) -> None:
    _, small, large = looked
    few, many = small[act], large[act]
    assert len(many["statements"]) == len(few["statements"])
    assert abs(many["instructions"] - few["instructions"]) <= 200, "a walk over them is 27,000 more"
    assert many["bytes"] - few["bytes"] < 16_384, "9,000 of anything is more"


@pytest.mark.parametrize("act", ACTS)
def test_every_statement_is_found_by_an_index(looked: tuple[Path, Any, Any], act: str) -> None:
    path, _, large = looked
    with closing(sqlite3.connect(path)) as connection:
        for statement in large[act]["statements"]:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            steps = [str(step[3]) for step in plan]
            assert not [step for step in steps if WALKS.search(step)], (statement, steps)


def test_paused_jobs_have_no_thread(looked: tuple[Path, Any, Any]) -> None:
    for costs in looked[1:]:
        for act in ("open", "page", "next_page", "recover", "work", "look"):
            assert set(costs[act]["threads"]) <= {"esflow-watcher"}
            assert bool(costs[act]["threads"]) <= (act in {"work", "look"}), "one per process"
        assert costs["threads"] == ["MainThread"]


def test_recovering_and_working_read_no_paused_job(looked: tuple[Path, Any, Any]) -> None:
    _, _, large = looked
    for act in ("recover", "work"):
        assert 0 < len(large[act]["statements"]) <= 8
        assert large[act]["instructions"] < 1_000, "nothing is there to be read"
