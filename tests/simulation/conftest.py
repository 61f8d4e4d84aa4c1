"""A fork server for the whole suite, places for jobs, and the run that nothing disturbs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulation.places import Place, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return a process that has imported everything and forks."""
    started = Server.started()
    yield started
    started.close()


@pytest.fixture
def new_place(tmp_path: Path) -> Callable[[], Place]:
    """Return a factory of places, each with a store and a ledger of its own."""
    made: list[Place] = []

    def make() -> Place:
        place = Place(tmp_path / f"{len(made)}")
        place.folder.mkdir()
        made.append(place)
        return place

    return make


@pytest.fixture
def undisturbed(server: Server, new_place: Callable[[], Place]) -> Place:
    """Return the place of a run that nothing disturbed."""
    place = new_place()
    assert server.do("drive", folder=str(place.folder), parallel=1)["ended"] == "done"
    return place
