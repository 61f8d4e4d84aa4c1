"""A disk that is really full: what was acknowledged stays, and with room again the job goes on."""

import resource
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from esflow import Engine
from esflow.errors import StoreError
from tests.faults.jobs import Jobs
from tests.laws.stripping import stripped
from tests.simulation.places import shown
from tests.simulation.voyage import Ledger, build, carry_on

MakeRoom = Callable[[], None]
MAX_JOBS = 200  # Far more than the room that there is.


@contextmanager
def _small_disk(folder: Path) -> Generator[MakeRoom]:
    """Mount a disk of half a megabyte; limit the size of files where nothing may be mounted."""
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        with _limited_files(folder) as make_room:
            yield make_room
        return
    filler = folder / "filler"
    filler.write_bytes(bytes(250_000))
    try:
        yield filler.unlink
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def _limited_files(_: Path) -> Generator[MakeRoom]:
    """Refuse whatever would make a file larger; Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, hard))
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("small", [_small_disk, _limited_files])
def test_a_full_disk_keeps_what_was_acknowledged_and_goes_on_with_room(
    tmp_path: Path, small: Callable[[Path], AbstractContextManager[MakeRoom]]
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    with small(folder) as make_room:
        jobs = Jobs(folder, [f"job-{number:03}" for number in range(MAX_JOBS)])
        with jobs.engine() as engine:
            refused, failed = _filled(engine, jobs)
            assert refused.retry is False
            assert "disk" in refused.problem
            assert engine.verify().ok
            before = engine.history(failed)
            assert [engine.state(name).status for name in _done(jobs, failed)] == ["completed"] * (
                jobs.names.index(failed)
            )
            make_room()
            engine.recover(older_than=0)  # The lease could not be given back to a full disk.
            carry_on(engine, failed)
            assert engine.history(failed)[: len(before)] == before
            assert _seen(engine, failed) == _undisturbed(failed)
            assert engine.verify().ok
        with jobs.engine() as another:
            assert _seen(another, failed) == _undisturbed(failed)


def _filled(engine: Engine, jobs: Jobs) -> tuple[StoreError, str]:
    """Do jobs until the disk is full; return what is said then, and of which job."""
    for name in jobs.names:
        try:
            carry_on(engine, name)
        except StoreError as refused:
            return refused, name
    raise AssertionError("the disk is larger than it was meant to be")


def _done(jobs: Jobs, failed: str) -> list[str]:
    return list(jobs.names[: jobs.names.index(failed)])


def _seen(engine: Engine, name: str) -> tuple[dict[str, object], dict[str, list[object]]]:
    return shown(engine.state(name)), stripped(engine.history(name))


def _undisturbed(name: str) -> tuple[dict[str, object], dict[str, list[object]]]:
    with Engine("memory://", flows=[build(Ledger(Path("/dev/null")))], max_parallel=1) as engine:
        carry_on(engine, name)
        return _seen(engine, name)
