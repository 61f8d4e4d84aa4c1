"""A fork server for the whole suite, places for jobs, and the run that nothing disturbs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulation.places import Place, Server, places_in, undisturbed_in


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return a process that has imported everything and forks."""
    started = Server.started()
    yield started
    started.close()


@pytest.fixture
def new_place(tmp_path: Path) -> Callable[[], Place]:
    """Return a factory of places, each with a store and a ledger of its own."""
    return places_in(tmp_path)


@pytest.fixture
def undisturbed(server: Server, new_place: Callable[[], Place]) -> Place:
    """Return the place of a run that nothing disturbed."""
    return undisturbed_in(server, new_place())
