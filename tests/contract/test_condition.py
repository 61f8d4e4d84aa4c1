"""A store says what it is made of and how full it is, and writes for real where it is asked to."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from esflow.errors import StoreError
from esflow.store import Store
from esflow.stores.sqlite import SQLiteStore
from esflow.stores.sqlite_condition import COUNT, version_warnings
from tests.contract.rows import append
from tests.stores import OpenStore


def test_jobs_are_counted_by_status(store: Store) -> None:
    assert dict(store.condition().jobs) == {}
    for number, status in enumerate(("paused", "completed", "paused")):
        append(store, f"job{number}", status=status)
    assert dict(store.condition().jobs) == {"paused": 2, "completed": 1}


def test_a_touch_changes_nothing(store: Store) -> None:
    append(store, "job", status="paused")
    before = (store.position(), store.head("job"), [row.state for row in store.read("job")])
    store.touch()
    assert (store.position(), store.head("job"), [r.state for r in store.read("job")]) == before


def test_a_closed_store_has_no_condition_and_is_not_touched(open_again: OpenStore) -> None:
    store = open_again()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.condition()
    with pytest.raises(StoreError, match="closed"):
        store.touch()


def test_a_touch_is_written_to_the_file(path: Path, sqlite_store: SQLiteStore) -> None:
    log = path.with_name("jobs.db-wal")
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert log.stat().st_size == 0
        sqlite_store.touch()
        assert log.stat().st_size > 0


def test_a_touch_fails_where_an_append_would(path: Path, sqlite_store: SQLiteStore) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="busy") as refused:
            sqlite_store.touch()
    assert refused.value.retry
    sqlite_store.touch()


def test_jobs_are_counted_in_the_index_of_statuses(path: Path, sqlite_store: SQLiteStore) -> None:
    append(sqlite_store, "job", status="paused")
    with closing(sqlite3.connect(path)) as connection:
        (step,) = connection.execute(f"EXPLAIN QUERY PLAN {COUNT}")
    assert step[3] == "SCAN esflow_jobs USING COVERING INDEX esflow_jobs_status"


def test_a_sqlite_store_says_which_sqlite_and_which_schema_it_is(sqlite_store: SQLiteStore) -> None:
    condition = sqlite_store.condition()
    assert condition.database == f"SQLite {sqlite3.sqlite_version}"
    assert condition.schema == 3


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_versions_that_can_damage_a_file_are_warned_of(
    version: tuple[int, int, int], *, warned: bool
) -> None:
    assert bool(version_warnings(version)) is warned


@pytest.mark.parametrize(("synchronous", "warned"), [("full", False), ("normal", True)])
def test_a_store_that_power_cuts_can_cost_events_says_so(
    path: Path, synchronous: str, *, warned: bool
) -> None:
    with closing(SQLiteStore(str(path), synchronous=synchronous)) as store:
        found = [each for each in store.condition().warnings if "power cut" in each]
    assert bool(found) is warned
