"""Watching a file for the commits of others: only while somebody waits, and never silently deaf."""

import sqlite3
import threading
from contextlib import AbstractContextManager, nullcontext

import pytest

from esflow.errors import StoreError
from esflow.stores.sqlite import SQLiteStore
from esflow.stores.watcher import Watcher
from tests.contract.rows import append

PATIENCE_SECONDS = 60.0
A_MOMENT_SECONDS = 0.05  # In which a watcher would look 25 times.


def watchers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "esflow-watcher"]


def test_the_file_is_watched_only_while_somebody_waits(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()

    def look(_: Watcher) -> None:
        looked.set()

    monkeypatch.setattr(Watcher, "_observe", look)
    assert watchers() == []
    assert sqlite_store.wait(0, 0.01) == 0
    assert looked.wait(PATIENCE_SECONDS)
    looked.clear()
    looked.wait(A_MOMENT_SECONDS)  # A look that had begun may end.
    looked.clear()
    assert not looked.wait(A_MOMENT_SECONDS)


def test_one_thread_watches_however_many_wait_and_it_ends_with_the_store(
    sqlite_store: SQLiteStore,
) -> None:
    for _ in range(3):
        assert sqlite_store.wait(0, 0.001) == 0
    threads = watchers()
    sqlite_store.close()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert [thread.is_alive() for thread in threads] == [False]


def test_an_append_of_this_process_needs_no_watcher(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwatched(_: Watcher) -> AbstractContextManager[None]:
        return nullcontext()

    monkeypatch.setattr(Watcher, "watching", unwatched)
    found: list[int] = []
    waiter = threading.Thread(target=lambda: found.append(sqlite_store.wait(0, PATIENCE_SECONDS)))
    waiter.start()
    while not sqlite_store.bell.waiting:
        assert waiter.is_alive()
    append(sqlite_store, "job")
    waiter.join(PATIENCE_SECONDS)
    assert found == [1]


def test_a_watcher_that_cannot_look_tells_whoever_waits(
    sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> sqlite3.Connection:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sqlite_store.watcher, "_connect", failing)
    with pytest.raises(StoreError, match="watching for events"):
        sqlite_store.wait(0, PATIENCE_SECONDS)
    monkeypatch.undo()
    append(sqlite_store, "job")
    assert sqlite_store.wait(0, PATIENCE_SECONDS) == 1
    assert sqlite_store.wait(1, 0.01) == 1
