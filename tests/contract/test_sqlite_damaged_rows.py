"""A damaged row is read as far as it goes: it hides no other, and verifying names it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from esflow import Engine
from esflow.errors import CorruptHistory, StoreError
from esflow.store import JobQuery
from esflow.verification import rebuild_index
from tests.engine.flows import support

JOBS = ("a", "b", "c")


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    """Return a host, and leave it three jobs that wait for an answer."""
    with Engine(f"sqlite:///{path}?synchronous=normal", [support()]) as engine:
        for job_id in JOBS:
            labels = {"team": "blue"}
            engine.start("support", "agent.trigger", {"task": "x"}, job_id=job_id, labels=labels)
        yield engine


def _change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER stored_events_are_never_changed")
        connection.execute(statement)
        connection.commit()


def test_a_name_that_is_no_text_is_a_changed_row(engine: Engine, path: Path) -> None:
    _change(
        path,
        "UPDATE stored_events SET topic = CAST(x'E6' || topic AS TEXT)"
        " WHERE originator_id = 'b' AND originator_version = 3",
    )
    with pytest.raises(CorruptHistory) as refused:
        engine.history("b")
    assert (refused.value.job, refused.value.version) == ("b", 3)
    assert [each.split(":")[0] for each in engine.verify().problems] == ["job 'b', version 3"]
    assert [row.originator_id for row in engine.store.read_all(limit=1000)].count("b") == 6
    assert engine.state("c").status == "paused"


def test_an_id_that_is_no_text_is_a_missing_row(engine: Engine, path: Path) -> None:
    _change(
        path,
        "UPDATE stored_events SET originator_id = CAST(x'E6' AS TEXT)"
        " WHERE originator_id = 'b' AND originator_version = 1",
    )
    with pytest.raises(CorruptHistory) as refused:
        engine.state("b")
    assert (refused.value.job, refused.value.version) == ("b", 1)
    problems = engine.verify().problems
    assert [each.split(":")[0] for each in problems] == ["job '\\\\xe6'", "job 'b', version 1"]


CHANGES = [
    ("status", "UPDATE esflow_jobs SET status = 'resting' WHERE job_id = 'b'"),
    ("status", "UPDATE esflow_jobs SET status = 'completed' WHERE job_id = 'b'"),
    ("flow", "UPDATE esflow_jobs SET flow = CAST(x'E6' AS TEXT) WHERE job_id = 'b'"),
    ("flow_version", "UPDATE esflow_jobs SET flow_version = '9' WHERE job_id = 'b'"),
    ("labels", "UPDATE esflow_jobs SET labels = CAST(x'E6' AS TEXT) WHERE job_id = 'b'"),
    ("labels", "UPDATE esflow_jobs SET labels = '{]' WHERE job_id = 'b'"),
    ("labels", "UPDATE esflow_jobs SET labels = '[]' WHERE job_id = 'b'"),
    ("labels", "UPDATE esflow_jobs SET labels = '{\"team\": \"red\"}' WHERE job_id = 'b'"),
    ("created_at_ms", "UPDATE esflow_jobs SET created_at_ms = 1 << 62 WHERE job_id = 'b'"),
    ("updated_at_ms", "UPDATE esflow_jobs SET updated_at_ms = -1 WHERE job_id = 'b'"),
    ("wakes_at_ms", "UPDATE esflow_jobs SET wakes_at_ms = 5 WHERE job_id = 'b'"),
    ("question", "UPDATE esflow_jobs SET question = NULL WHERE job_id = 'b'"),
    ("error", "UPDATE esflow_jobs SET error = 'x' WHERE job_id = 'b'"),
    ("host", "UPDATE esflow_jobs SET host = 'another' WHERE job_id = 'b'"),
]


@pytest.mark.parametrize(("column", "statement"), CHANGES)
def test_an_index_row_that_is_not_what_the_log_makes_of_it_is_named(
    engine: Engine, path: Path, column: str, statement: str
) -> None:
    _change(path, statement)
    (problem,) = engine.verify().problems
    assert problem.startswith(f"job 'b': at version 6, the index has another {column}; ")
    assert engine.state("b").status == "paused"
    assert [row.job_id for row in engine.store.jobs(JobQuery())] == list(JOBS)
    assert list(engine.store.find("")) == list(JOBS)
    rebuild_index(engine.store)
    assert engine.verify().ok


def test_an_id_in_the_index_that_is_no_text_hides_no_other(engine: Engine, path: Path) -> None:
    _change(path, "UPDATE esflow_jobs SET job_id = CAST(x'E6' AS TEXT) WHERE job_id = 'b'")
    assert [row.job_id for row in engine.store.jobs(JobQuery())] == ["a", "\\xe6", "c"]
    assert list(engine.store.find("")) == ["a", "c", "\\xe6"]
    problems = engine.verify().problems
    assert [each.split(":")[0] for each in problems] == ["job 'b'", "job '\\\\xe6'"]
    assert engine.store.head("a") == engine.store.jobs(JobQuery())[0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE esflow_jobs SET status = 'resting' WHERE job_id = 'b'",
        "UPDATE esflow_jobs SET created_at_ms = 1 << 62 WHERE job_id = 'b'",
    ],
)
def test_a_list_that_can_not_be_shown_names_the_row(
    engine: Engine, path: Path, statement: str
) -> None:
    _change(path, statement)
    with pytest.raises(StoreError, match="listing job 'b': the index row is damaged"):
        engine.jobs()


def test_a_fault_of_sqlite_itself_is_no_damaged_text(engine: Engine, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE esflow_jobs")
    with pytest.raises(StoreError, match="no such table"):
        engine.jobs()
