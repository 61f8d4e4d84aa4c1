"""Around a fork a thread holds every lock of every store, so nothing may come in between."""

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from esflow.stores import open_store
from esflow.stores.forks import protect
from tests.contract.rows import append

CHILDS_PATIENCE_SECONDS = 60


class Witness:
    """Sees whether anything can be collected, and leaves stores that nobody closed behind."""

    def __init__(self) -> None:
        self.saw: list[tuple[str, bool]] = []
        self.litter: list[object] = []
        protect(self)

    def suspend(self) -> None:
        """Look, before the fork."""
        self._look("suspend")

    def resume(self) -> None:
        """Look, in the parent."""
        self._look("resume")

    def renew(self) -> None:
        """Look, in the child."""
        self._look("renew")

    def _look(self, moment: str) -> None:
        self.saw.append((moment, gc.isenabled()))
        self.litter = []  # What only a collection can find.


@pytest.fixture
def often_collected() -> Iterator[None]:
    """Collect garbage at nearly every allocation."""
    before = gc.get_threshold()
    gc.set_threshold(1)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("often_collected")
def test_a_store_that_nobody_closed_is_not_finalized_in_the_middle_of_a_fork(
    tmp_path: Path,
) -> None:
    witness = Witness()
    for number in range(8):
        cycle: list[object] = [open_store(f"sqlite:///{tmp_path}/{number}.db")]
        cycle.append(cycle)
        witness.litter.append(cycle)
        cycle = []
    child = os.fork()
    if child == 0:
        signal.alarm(CHILDS_PATIENCE_SECONDS)  # Of a child that waits for itself nothing is heard.
        os._exit(0 if witness.saw[1:] == [("renew", False)] and gc.isenabled() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert witness.saw == [("suspend", False), ("resume", False)]
    assert gc.isenabled()


def test_nothing_of_a_file_is_open_in_a_child(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        append(store, "job")
        append(store, "job", after=1, at_once=True)
        assert _opened(path)
        child = os.fork()
        if child == 0:
            os._exit(len(_opened(path)))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert append(store, "job", after=2, at_once=True) == 3


def _opened(path: Path) -> list[str]:
    """Return what this process has open of a file, its write-ahead log included."""
    found = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return [each for each in found if each.startswith(str(path))]


def test_what_was_not_collected_before_a_fork_is_not_collected_after_it() -> None:
    gc.disable()
    try:
        child = os.fork()
        if child == 0:
            os._exit(int(gc.isenabled()))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert not gc.isenabled()
    finally:
        gc.enable()
