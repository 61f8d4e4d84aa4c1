"""Hosts to judge: engines that share nothing but a store, in memory and in SQLite."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from esflow import Engine, Flow
from esflow.clock import Clock
from esflow.store import Store
from esflow.stores import open_store
from tests.engine.flows import support
from tests.engine.world import Hosts, Threads


@pytest.fixture(params=["memory", "sqlite"])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
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
def store(open_again: Callable[[], Store]) -> Store:
    """Return a new, empty store."""
    return open_again()


@pytest.fixture
def hosts(store: Store, open_again: Callable[[], Store]) -> Iterator[Hosts]:
    """Return a factory of engines, each with a handle of its own on the store."""
    engines: list[Engine] = []

    def open_host(*flows: Flow, max_parallel: int = 4, clock: Clock | None = None) -> Engine:
        name = f"host-{len(engines)}"
        handle = open_again()
        engine = Engine(handle, flows, host=name, max_parallel=max_parallel, clock=clock)
        engines.append(engine)
        return engine

    yield open_host
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host that knows the flow of most examples."""
    return hosts(support())


@pytest.fixture
def threads() -> Iterator[Threads]:
    """Return what runs calls beside the test."""
    with ThreadPoolExecutor(8) as pool:
        yield pool
