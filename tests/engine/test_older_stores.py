"""A store that was written before there were forks, retries and timers is read and carried on.

Its file is kept as text: three jobs as they were left, with snapshots of an older fold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from esflow import Answer, Context, Continue, Engine, Flow

OLD = Path(__file__).parents[1] / "contract" / "schema_2.sql"


def flow() -> Flow:
    """Return the flow that the jobs were started with."""
    flow = Flow("f", reducers={"l": "append"})
    routine = flow.routine("r", outputs=("n", "x"))

    @routine.slot
    def a(ctx: Context, n: int) -> None:
        ctx.shared["l"] = n
        ctx.memory["m"] = n
        ctx.log("a")
        ctx.defer("x", v=n)
        ctx.emit("n", n=n + 1)
        ctx.effect(len, "abc")
        ctx.ask("go?", to="r.b", choices=["y", "n"])

    @routine.slot
    def b(ctx: Context, answer: str) -> None:
        ctx.emit("x", v=answer)

    @routine.slot
    def c(ctx: Context, n: int) -> None:
        ctx.shared["l"] = n

    flow.connect("r.n", "r.c")
    return flow


@pytest.fixture
def engine(tmp_path: Path) -> Generator[Engine]:
    file = tmp_path / "jobs.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(OLD.read_text("utf-8"))
    with Engine(f"sqlite:///{file}", flows=[flow()]) as engine:
        yield engine


def test_every_job_of_an_older_store_verifies_and_checks(engine: Engine) -> None:
    assert engine.verify().ok
    assert [each.job_id for each in engine.jobs()] == ["asking", "submitted", "held"]
    report = engine.check()
    assert (report.ok, report.jobs) == (True, 3)
    assert engine.verify().events == 26


def test_a_question_of_an_older_store_is_answered(engine: Engine) -> None:
    job = engine.resume("asking", Answer("y"))
    assert job.status == "completed"
    assert job.shared == {"l": [1, 2]}
    assert job.memory == {"r": {"m": 1}}
    assert [each.payload for each in job.outputs] == [{"v": 1}, {"v": "y"}]
    effects = [each for each in engine.history("asking") if each.event.name == "EffectRecorded"]
    assert len(effects) == 1


def test_a_job_that_was_submitted_to_an_older_store_runs(engine: Engine) -> None:
    job = engine.run("submitted")
    assert (job.status, job.questions[0].text) == ("paused", "go?")
    assert engine.resume("submitted", Answer("n")).shared == {"l": [5, 6]}


def test_a_job_that_was_held_in_an_older_store_goes_on_with_its_message(engine: Engine) -> None:
    assert engine.send("held", "r.c", {"n": 9}, key="k") == 14
    assert engine.resume("held", Continue()).status == "paused"
    job = engine.resume("held", Answer("y"))
    assert job.status == "completed"
    assert job.shared == {"l": [7, 8, 9]}


def test_a_job_of_an_older_store_is_forked(engine: Engine) -> None:
    fork = engine.fork("asking", 11, new_job_id="fork", command=Answer("n"))
    assert [each.payload for each in fork.outputs] == [{"v": 1}, {"v": "n"}]
    assert engine.state("asking").status == "paused"
    assert engine.verify().ok
