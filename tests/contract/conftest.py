"""Stores to judge: each a factory, which opens one more handle on the same data."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esflow import failpoints
from esflow.store import Store
from esflow.stores import open_store
from esflow.stores.sqlite import SQLiteStore

OpenStore = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite"])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return a factory of handles; in memory a second handle is the same object."""
    opened: list[Store] = []

    def open_one() -> Store:
        if request.param == "memory":
            store = opened[0] if opened else open_store("memory://")
        else:
            store = open_store(f"sqlite:///{tmp_path}/jobs.db?synchronous=normal")
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: OpenStore) -> Store:
    """Return a new, empty store."""
    return open_again()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a SQLite store may be."""
    return tmp_path / "jobs.db"


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[SQLiteStore]:
    """Return a new SQLite store that doesn't wait long for others."""
    store = SQLiteStore(str(path), synchronous="normal", busy_seconds=0.1)
    yield store
    store.close()


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the fail points that were passed, as they are."""
    passed: list[str] = []
    monkeypatch.setattr(failpoints, "hook", passed.append)
    return passed
