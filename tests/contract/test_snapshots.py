"""Snapshots beside the log: the newest few of each job, which anybody may delete."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from esflow.errors import StoreError
from esflow.store import SnapshotRow, Store
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append, versions
from tests.stores import OpenStore


def make_snapshot(version: int, *, fold_version: int = 1, mark: str = "") -> SnapshotRow:
    return SnapshotRow(
        version=version,
        fold_version=fold_version,
        head=f"{version:064d}",
        created_at_ms=1763690000000 + version,
        state=f'{{"mark":"{mark}"}}'.encode(),
    )


def kept(store: Store, job_id: str, fold_version: int = 1) -> list[int]:
    """Return the versions that there are snapshots at, newest first."""
    found = list[int]()
    newest = store.snapshot(job_id, fold_version=fold_version)
    while newest is not None:
        found.append(newest.version)
        newest = store.snapshot(job_id, fold_version=fold_version, upto=newest.version - 1)
    return found


def test_a_snapshot_comes_back_as_it_was_given(open_again: OpenStore) -> None:
    one, two = open_again(), open_again()
    snapshot = make_snapshot(7, mark="naïve")
    one.put_snapshot("job", snapshot, keep=3)
    assert two.snapshot("job", fold_version=1) == snapshot


def test_the_newest_at_or_before_a_version_is_found(store: Store) -> None:
    for version in (20, 10, 30):
        store.put_snapshot("job", make_snapshot(version), keep=9)
    for upto, found in ((None, 30), (99, 30), (30, 30), (29, 20), (10, 10)):
        snapshot = store.snapshot("job", fold_version=1, upto=upto)
        assert snapshot == make_snapshot(found)
    assert store.snapshot("job", fold_version=1, upto=9) is None
    assert store.snapshot("job", fold_version=2) is None
    assert store.snapshot("nobody", fold_version=1) is None


def test_the_newest_few_are_kept(store: Store) -> None:
    for version in range(1, 6):
        store.put_snapshot("job", make_snapshot(version), keep=3)
        store.put_snapshot("other", make_snapshot(version), keep=1)
    assert kept(store, "job") == [5, 4, 3]
    assert kept(store, "other") == [5]
    store.put_snapshot("job", make_snapshot(1), keep=3)
    assert kept(store, "job") == [5, 4, 3]
    store.put_snapshot("job", make_snapshot(6), keep=0)
    assert kept(store, "job") == []


def test_a_snapshot_takes_the_place_of_one_at_the_same_version(store: Store) -> None:
    for mark in ("one", "two"):
        store.put_snapshot("job", make_snapshot(5, mark=mark), keep=3)
    assert store.snapshot("job", fold_version=1) == make_snapshot(5, mark="two")
    assert kept(store, "job") == [5]


def test_those_of_another_fold_version_go(store: Store) -> None:
    for version in (1, 2):
        store.put_snapshot("job", make_snapshot(version), keep=3)
        store.put_snapshot("other", make_snapshot(version), keep=3)
    store.put_snapshot("job", make_snapshot(2, fold_version=2), keep=3)
    assert kept(store, "job", 1) == []
    assert kept(store, "job", 2) == [2]
    assert kept(store, "other", 1) == [2, 1]


def test_snapshots_are_dropped_for_one_job_or_for_all(store: Store) -> None:
    for job_id in ("one", "two", "three"):
        store.put_snapshot(job_id, make_snapshot(1), keep=3)
    store.drop_snapshots("one")
    store.drop_snapshots("nobody")
    assert [kept(store, job_id) for job_id in ("one", "two", "three")] == [[], [1], [1]]
    store.drop_snapshots()
    assert [kept(store, job_id) for job_id in ("one", "two", "three")] == [[], [], []]


def test_snapshots_leave_log_and_index_alone(store: Store) -> None:
    append(store, "job", count=2, lease="mine")
    before = store.head("job")
    store.put_snapshot("job", make_snapshot(2), keep=3)
    store.drop_snapshots()
    assert store.head("job") == before
    assert versions(store, "job") == [1, 2]
    assert store.position() == 2


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError):
        store.put_snapshot("job", make_snapshot(1), keep=3)
    with pytest.raises(StoreError):
        store.snapshot("job", fold_version=1)
    with pytest.raises(StoreError):
        store.drop_snapshots()


def test_any_program_may_delete_them(sqlite_store: SQLiteStore, path: Path) -> None:
    sqlite_store.put_snapshot("job", make_snapshot(1, mark="readable"), keep=3)
    with closing(sqlite3.connect(path)) as other:
        read = "SELECT json_extract(CAST(state AS TEXT), '$.mark') FROM esflow_snapshots"
        assert other.execute(read).fetchall() == [("readable",)]
        other.execute("UPDATE esflow_snapshots SET state = x'00'")
        other.execute("DELETE FROM esflow_snapshots")
        other.commit()
    assert sqlite_store.snapshot("job", fold_version=1) is None
