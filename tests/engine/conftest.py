"""Hosts to judge: engines that share nothing but a store, in memory and in SQLite."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from esflow import Engine, Flow
from esflow.clock import Clock
from esflow.store import Store
from tests.awaited import awaited_engine
from tests.engine.flows import support
from tests.engine.world import Hosts, Threads
from tests.stores import KINDS, OpenStore, handles

ENGINES: Final[dict[str, Callable[..., Engine]]] = {"sync": Engine, "async": awaited_engine}


@pytest.fixture(params=KINDS)
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return a factory of handles on one store of each kind."""
    with handles(request.param, tmp_path) as open_one:
        yield open_one


@pytest.fixture
def store(open_again: OpenStore) -> Store:
    """Return a new, empty store."""
    return open_again()


@pytest.fixture(params=ENGINES)
def make_engine(request: pytest.FixtureRequest) -> Callable[..., Engine]:
    """Return what makes an engine of each kind, with the face of `Engine`."""
    return ENGINES[request.param]


@pytest.fixture
def hosts(
    store: Store, open_again: OpenStore, make_engine: Callable[..., Engine]
) -> Iterator[Hosts]:
    """Return a factory of engines, each with a handle of its own on the store."""
    engines: list[Engine] = []

    def open_host(
        *flows: Flow,
        max_parallel: int = 4,
        clock: Clock | None = None,
        lease_seconds: float = 30.0,
        durability: str = "step",
    ) -> Engine:
        engine = make_engine(
            open_again(),
            flows,
            host=f"host-{len(engines)}",
            max_parallel=max_parallel,
            clock=clock,
            lease_seconds=lease_seconds,
            durability=durability,
        )
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
