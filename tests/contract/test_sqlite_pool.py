"""Fewer connections than threads: each is served in turn or told busy, and none waits forever."""

from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier

import pytest

from esflow import Engine
from esflow.errors import StoreError
from esflow.store import JobQuery
from esflow.stores import sqlite_pool
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append, versions
from tests.engine.flows import support

THREADS = 50
PATIENCE_SECONDS = 60.0


@pytest.fixture(params=[1, 2])
def limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many connections a store may have from now on."""
    found: int = request.param
    monkeypatch.setattr(sqlite_pool, "_POOL_SIZE", found)
    return found


@pytest.fixture
def store(limit: int, path: Path) -> Generator[SQLiteStore]:
    """Return a store of one job, with so many connections and nobody writing."""
    with closing(SQLiteStore(str(path), synchronous="normal")) as before:
        append(before, "job")
    with closing(SQLiteStore(str(path), synchronous="normal", busy_seconds=0.3)) as store:
        yield store


def _all_at_once(act: Callable[[int], object]) -> Counter[str]:
    """Have every thread act at the same moment; count those served and those told busy."""
    barrier = Barrier(THREADS)

    def told(number: int) -> str:
        barrier.wait(PATIENCE_SECONDS)
        try:
            act(number)
        except StoreError as refused:
            return "busy" if refused.retry and " is busy: " in str(refused) else str(refused)
        return "served"

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(told, number) for number in range(THREADS)]
        return Counter(each.result(PATIENCE_SECONDS) for each in futures)


def test_readers_are_served_in_turn(store: SQLiteStore) -> None:
    def read(number: int) -> None:
        assert versions(store, "job") == [1]
        assert store.head("job") is not None
        assert len(store.jobs(JobQuery())) == 1

    told = _all_at_once(read)
    assert set(told) <= {"served", "busy"}
    assert told["served"] >= 1
    assert store.position() == 1


def test_who_finds_every_connection_in_use_is_told_busy(store: SQLiteStore, limit: int) -> None:
    with ExitStack() as stack:
        for _ in range(limit):
            stack.enter_context(store.connections.reading())
        assert _all_at_once(lambda _: store.head("job")) == {"busy": THREADS}
        assert _all_at_once(lambda number: append(store, f"job-{number}")) == {"busy": THREADS}
    assert store.position() == 1, "who was told busy has written nothing"
    assert append(store, "job", after=1) == 2


def test_writers_and_readers_never_wait_for_each_other_forever(store: SQLiteStore) -> None:
    def both(number: int) -> None:
        append(store, f"job-{number}")
        assert versions(store, f"job-{number}") == [1]

    told = _all_at_once(both)
    assert set(told) <= {"served", "busy"}
    assert told.total() == THREADS
    store.close()
    with closing(SQLiteStore(store.url.removeprefix("sqlite:///").partition("?")[0])) as again:
        written = [row.job_id for row in again.jobs(JobQuery(limit=100))]
        assert len(written) - 1 >= told["served"]
        assert again.position() == len(written), "each is there once, with its index row"


def test_jobs_of_many_threads_end_on_two_connections(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    """One connection writes, and is kept; the other is everybody's."""
    monkeypatch.setattr(sqlite_pool, "_POOL_SIZE", 2)
    with (
        Engine(f"sqlite:///{path}?synchronous=normal", [support()]) as engine,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        request = ("support", "agent.note", {"line": "x"})
        futures = [pool.submit(engine.start, *request) for _ in range(THREADS)]
        statuses = {each.result(PATIENCE_SECONDS).status for each in futures}
        assert statuses == {"completed"}
        assert engine.verify().jobs == THREADS
        assert engine.verify().ok
