"""How much is tried: a sample, or everything with ``FAULTS=full``."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.server import Server, running
from tests.faults.sizes import Sizes, fast_folder, sizes


def pytest_report_header() -> str:
    """Say what would repeat this run."""
    return f"esflow faults: {sizes(os.environ)}"


@pytest.fixture(scope="session")
def size() -> Sizes:
    """Return how much is tried."""
    return sizes(os.environ)


@pytest.fixture
def workshop() -> Iterator[Path]:
    """Return a folder for thousands of stores."""
    with TemporaryDirectory(dir=fast_folder()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a process under the library."""
    with running(tmp_path_factory.mktemp("library")) as started:
        yield started
