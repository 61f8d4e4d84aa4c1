"""An append at once: it is whole or nothing of it is there, and it waits for nobody."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from esflow import failpoints
from esflow.errors import StoreError, VersionConflict
from esflow.store import Store, WouldWait
from esflow.stores import open_store
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append, marks, versions

PAGE_BYTES: Final = 4096 + 24  # And what the write-ahead log puts before each.
MANY: Final = 1_500


@pytest.fixture
def locked(path: Path) -> sqlite3.Connection:
    """Return a connection of somebody else, which can take the lock of the file."""
    return sqlite3.connect(path, isolation_level=None)


def test_only_what_syncs_nothing_is_quick(path: Path) -> None:
    found = {}
    for url in ("memory://", f"sqlite:///{path}?synchronous=normal", f"sqlite:///{path}"):
        with closing(open_store(url)) as store:
            found[url.rpartition(".db")[2]] = store.is_quick
    assert found == {"memory://": True, "?synchronous=normal": True, "": False}


def test_what_is_appended_at_once_is_as_any_other(store: Store) -> None:
    append(store, "job", mark="one")
    position = append(store, "job", after=1, count=2, mark="two", status="paused", at_once=True)
    assert store.wait(position - 1, 0) == position
    assert marks(store, "job") == ["one", "two", "two"]
    head = store.head("job")
    assert head is not None
    assert (head.version, head.status) == (3, "paused")
    append(store, "job", after=3, mark="three")
    assert append(store, "job", after=4, at_once=True) == store.position()


def test_what_another_version_stands_for_is_not_appended(store: Store) -> None:
    append(store, "job", mark="one")
    before = store.head("job")
    for expected in (0, 2):
        with pytest.raises((VersionConflict, WouldWait)):
            append(store, "job", after=expected, mark="two", at_once=True)
    assert marks(store, "job") == ["one"]
    assert store.head("job") == before


def test_a_closed_store_takes_nothing(store: Store) -> None:
    append(store, "job", at_once=True)
    store.close()
    with pytest.raises((StoreError, WouldWait)):
        append(store, "job", after=1, at_once=True)


def test_somebody_who_writes_is_not_waited_for(
    sqlite_store: SQLiteStore, locked: sqlite3.Connection
) -> None:
    append(sqlite_store, "job", mark="one", at_once=True)
    with sqlite_store.connections.writing(at_once=True) as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone()[0] == 0
    with closing(locked):
        locked.execute("BEGIN IMMEDIATE")
        with pytest.raises(WouldWait):
            append(sqlite_store, "job", after=1, mark="two", at_once=True)
        locked.execute("ROLLBACK")
    assert append(sqlite_store, "job", after=1, mark="three", at_once=True) == 2
    assert marks(sqlite_store, "job") == ["one", "three"]


def test_another_thread_that_writes_is_not_waited_for(sqlite_store: SQLiteStore) -> None:
    with sqlite_store.connections.writing(), pytest.raises(WouldWait):
        append(sqlite_store, "job", at_once=True)
    assert append(sqlite_store, "job", at_once=True) == 1


def test_an_append_at_once_that_is_interrupted_leaves_nothing_and_blocks_nobody(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, "job")

    def interrupt(point: str) -> None:
        if point == "append.indexed":
            raise KeyboardInterrupt

    monkeypatch.setattr(failpoints, "hook", interrupt)
    with pytest.raises(KeyboardInterrupt):
        append(sqlite_store, "job", after=1, mark="lost", at_once=True)
    monkeypatch.undo()
    assert append(sqlite_store, "job", after=1, mark="two") == 2
    assert append(sqlite_store, "job", after=2, mark="three", at_once=True) == 3
    assert marks(sqlite_store, "job") == ["", "two", "three"]


def test_the_log_ahead_is_written_back_by_those_who_may_wait(
    sqlite_store: SQLiteStore, path: Path
) -> None:
    long_ways = 0
    for version in range(MANY):
        try:
            append(sqlite_store, "job", after=version, at_once=True)
        except WouldWait:
            append(sqlite_store, "job", after=version)
            long_ways += 1
    assert versions(sqlite_store, "job") == list(range(1, MANY + 1))
    assert 0 < long_ways < MANY / 50
    ahead = path.with_name(f"{path.name}-wal").stat().st_size
    assert ahead < 2_000 * PAGE_BYTES
