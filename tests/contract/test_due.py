"""What is due is found by its moment, of the flows that are asked for, among any number of jobs."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from esflow.store import Store
from esflow.stores import sqlite_index
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import make_index, make_rows
from tests.contract.test_sqlite_tables import WALKS_THE_TABLE, plan

DUE: Mapping[str, int | None] = {"c": 30, "a": 10, "never": None, "b": 20, "b2": 20, "d": 40}


def put(
    store: Store, job_id: str, due_at_ms: int | None, *, after: int = 0, flow: str = "f"
) -> None:
    """Append to a job, and say when it is due."""
    row = make_index(job_id, after + 1, status="waiting", flow=flow)
    row = attrs.evolve(row, due_at_ms=due_at_ms)
    store.append(make_rows(job_id, after, 1), row, expected=after, keep_lease=False)


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store with jobs that are due at moments."""
    for job_id, due_at_ms in DUE.items():
        put(store, job_id, due_at_ms)
    put(store, "other", 15, flow="g")
    return store


def due(store: Store, *flows: str, limit: int = 100) -> list[str]:
    """Return the ids of what is due first."""
    return [row.job_id for row in store.due(flows, limit=limit)]


def test_the_earliest_comes_first_and_no_more_than_wanted(filled: Store) -> None:
    assert due(filled, "f") == ["a", "b", "b2", "c", "d"]
    assert due(filled, "f", limit=2) == ["a", "b"]
    assert due(filled, "f", limit=0) == due(filled, "f", limit=-1) == []
    (first,) = filled.due(["f"], limit=1)
    assert first == filled.head("a")


def test_only_the_flows_that_are_asked_for_count(filled: Store) -> None:
    assert due(filled, "g", "f", limit=3) == ["a", "other", "b"]
    assert due(filled, "g") == ["other"]
    assert due(filled) == due(filled, "nobody") == []


def test_a_moment_moves_and_goes(filled: Store) -> None:
    put(filled, "a", 35, after=1)
    put(filled, "b", None, after=1)
    put(filled, "never", 5, after=1)
    assert due(filled, "f") == ["never", "b2", "c", "a", "d"]
    put(filled, "a", 35, after=2)
    assert due(filled, "f") == ["never", "b2", "c", "a", "d"]


def test_a_rebuilt_index_knows_what_is_due(filled: Store) -> None:
    rows = [filled.head(job_id) for job_id in (*DUE, "other")]
    filled.reindex(row for row in rows if row is not None)
    assert due(filled, "f", "g") == ["a", "other", "b", "b2", "c", "d"]
    put(filled, "a", None, after=1)
    assert due(filled, "f", limit=1) == ["b"]


def test_what_is_due_is_found_by_a_seek(path: Path, sqlite_store: SQLiteStore) -> None:
    for number in range(90):
        put(sqlite_store, f"job-{number}", number if number % 3 else None)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")
        steps = plan(connection, sqlite_index.DUE, ("f", 10))
    assert steps[0].startswith("SEARCH esflow_jobs USING INDEX esflow_jobs_due"), steps
    assert not [step for step in steps if WALKS_THE_TABLE.search(step)], steps
