"""Stores to judge: each a factory, which opens one more handle on the same data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esflow import failpoints
from esflow.store import Store
from esflow.stores.sqlite import SQLiteStore
from tests.stores import KINDS, OpenStore, handles


@pytest.fixture(params=KINDS)
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return a factory of handles on one store of each kind."""
    with handles(request.param, tmp_path) as open_one:
        yield open_one


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
