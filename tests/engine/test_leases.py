"""A lease says who drives a job: a process of this machine, since it was last started."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from esflow import Engine, Status
from esflow.runtime.lease import is_abandoned, new_lease
from tests.engine.flows import support


def _of_another_machine(lease: str) -> str:
    machine, *rest = lease.split("|")
    return "|".join((f"not-{machine}", *rest))


def _of_an_earlier_boot(lease: str) -> str:
    machine, boot, *rest = lease.split("|")
    return "|".join((machine, f"not-{boot}", *rest))


def _of_both(lease: str) -> str:
    return _of_another_machine(_of_an_earlier_boot(lease))


def _driven(folder: Path, held: Callable[[str], str]) -> Engine:
    """Return a host, and leave it a job that somebody else says to be driving."""
    engine = Engine(f"sqlite:///{folder}/jobs.db?synchronous=normal", [support()])
    engine.submit("support", "agent.note", {"line": "x"}, job_id="one")
    with closing(connect(folder / "jobs.db")) as connection:
        connection.execute("UPDATE esflow_jobs SET lease = ?", [held(new_lease())])
        connection.commit()
    return engine


def test_a_job_that_was_driven_before_the_machine_was_started_again_is_recovered(
    tmp_path: Path,
) -> None:
    with _driven(tmp_path, _of_an_earlier_boot) as engine:
        assert [each.status for each in engine.recover()] == [Status.COMPLETED]


@pytest.mark.parametrize("held", [_of_another_machine, _of_both, str])
def test_a_job_that_is_driven_elsewhere_is_left_to_its_driver(
    tmp_path: Path, held: Callable[[str], str]
) -> None:
    with _driven(tmp_path, held) as engine:
        assert engine.recover() == []
        assert engine.run("one").status == Status.PENDING
        assert [each.status for each in engine.recover(older_than=0)] == [Status.COMPLETED]


def test_only_what_an_earlier_boot_of_this_machine_left_is_abandoned() -> None:
    assert is_abandoned(_of_an_earlier_boot(new_lease()))
    assert not is_abandoned(_of_another_machine(new_lease()))
    assert not is_abandoned(_of_both(new_lease()))
