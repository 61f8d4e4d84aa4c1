"""Hostile names, filters and payloads are data: they are bound or refused, and nothing is run."""

import json
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from esflow import Engine
from esflow.errors import EsflowError, JobNotFound, PayloadError
from esflow.payloads import max_nodes
from esflow.stores import open_store
from tests.simulation.places import ROOT
from tests.stores import KINDS
from tests.tampering.corpus import TEXTS, VALUES
from tests.tampering.hostile import answer, catcher, fill


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Engine]:
    """Return a host on a store of each kind, in which something else is kept."""
    folder = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/jobs.db"
    with closing(open_store(folder)) as store, Engine(store, [catcher()]) as engine:
        fill(engine, 0, "innocent", "plain", {"plain": 1})
        yield engine


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_text_is_a_name_like_any_other(engine: Engine, text: str, tmp_path: Path) -> None:
    before = engine.history("innocent")
    fill(engine, 1, text, text, text)
    assert [each.job_id for each in engine.jobs()] == ["innocent", text]
    assert [each.job_id for each in engine.jobs(labels={text: text})] == [text]
    assert engine.jobs(labels={"number": text}) == ()
    assert engine.jobs(flow=text) == ()
    assert [each.job_id for each in engine.jobs(after="innocent")] == [text]
    assert engine.jobs(after=text) == ()
    assert engine.store.find(text) == [text]
    with pytest.raises(PayloadError, match="status"):
        engine.jobs(status=text)
    state = answer(engine, text, text)
    assert state.status == "completed"
    assert {"answer": text, "value": text} in [each.payload for each in state.outputs]
    assert state.shared[text] == [text, {text: text}]
    assert engine.export(text, tmp_path / "bundle") == state.version
    with Engine("memory://") as elsewhere:
        assert elsewhere.import_job(tmp_path / "bundle") == state
    assert sorted(each.name for each in tmp_path.iterdir() if "jobs.db" not in each.name) == [
        "bundle"
    ]
    assert engine.history("innocent") == before
    assert engine.verify().ok


@pytest.mark.parametrize("text", [*TEXTS, "a\x00b", "\ud800", ""])
def test_a_hostile_name_of_nothing_finds_nothing(engine: Engine, text: str) -> None:
    for look in (engine.state, engine.history, engine.run, engine.resume, engine.cancel):
        with pytest.raises(JobNotFound):
            look(text)
    with pytest.raises(EsflowError):
        engine.jobs(after=text)
    assert text not in TEXTS or list(engine.store.find(text)) == []
    with pytest.raises(EsflowError):
        engine.start(text, "catch.begin")
    with pytest.raises(EsflowError):
        engine.start("catcher", text)
    assert engine.verify().ok
    assert [each.job_id for each in engine.jobs()] == ["innocent"]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_hostile_payload_comes_back_as_it_was(engine: Engine, value: Any) -> None:
    fill(engine, 1, "hostile", "text", value)
    state = engine.state("hostile")
    assert state.shared["value"] == value
    assert [each.payload for each in state.outputs] == [{"value": value}]
    assert state.log[0].fields == {"value": value}
    state = answer(engine, "hostile", "yes")
    assert {"answer": "yes", "value": value} in [each.payload for each in state.outputs]
    assert engine.verify().ok


def _doubled(times: int) -> list[Any]:
    value: list[Any] = ["lol"]
    for _ in range(times):
        value = [value] * 10
    return value


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _entangled() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = {"again": value}
    return value


@pytest.mark.parametrize(
    "bomb",
    [
        _doubled(12),  # A trillion values, of a hundred lists.
        _nested(100_000),
        _entangled(),
        [0] * (max_nodes + 1),
        "x" * (16 * 1024 * 1024 + 1),
        {f"{number}": "x" * 1024 for number in range(20_000)},
    ],
    ids=["doubled", "nested", "entangled", "wide", "long", "heavy"],
)
def test_a_bomb_is_refused_within_its_budget_and_recorded_nowhere(
    engine: Engine, bomb: Any
) -> None:
    before = engine.store.position()
    for act in (
        lambda: engine.start("catcher", "catch.begin", {"value": bomb, "text": "x"}),
        lambda: engine.send("innocent", "catch.begin", {"value": bomb, "text": "x"}),
        lambda: engine.update("innocent", {"value": bomb}),
    ):
        with pytest.raises(PayloadError):
            act()
    assert engine.store.position() == before


def test_loading_and_replaying_hostile_jobs_imports_opens_and_runs_nothing(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("plain", "hostile")]
    for url in urls:
        with Engine(url, [catcher()]) as engine:
            for number, value in enumerate(VALUES):
                text = TEXTS[number % len(TEXTS)]
                if url == urls[0]:
                    fill(engine, number, f"job-{number}", f"text {number}", {"n": number})
                else:
                    fill(engine, number, f"{number} {text}"[:200], text, value)
    run = subprocess.run(
        [sys.executable, "-m", "tests.tampering.replayer", *urls],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(run.stdout)
    assert (found["jobs"], found["events"] > 10 * len(VALUES)) == (len(VALUES), True)
    # Its own file, and when its own process was started, which tells a lease from another.
    own = re.compile(rf"sqlite3.connect {tmp_path}/hostile.db|open /proc/[0-9]+/stat")
    assert [each for each in found["told"] if not own.fullmatch(each)] == []
    assert any(each.startswith("sqlite3.connect") for each in found["told"]), "the hook listens"
