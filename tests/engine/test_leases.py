"""A lease says who drives a job: a process of this machine that lives, and for how long."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from esflow import Context, Engine, Flow, Status
from esflow.errors import Fenced, PayloadError
from esflow.runtime.lease import is_abandoned, is_gone, new_lease
from esflow.testing import ManualClock
from tests.engine.flows import gated, support
from tests.engine.world import Gate, Hosts, Threads, held, names


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
    assert is_gone(_of_an_earlier_boot(new_lease()))
    assert not is_gone(_of_another_machine(new_lease()))
    assert not is_gone(_of_both(new_lease()))


@pytest.mark.parametrize("of", [str, _of_another_machine, _of_both])
def test_a_lease_lapses_at_its_end_whoever_holds_it(of: Callable[[str], str]) -> None:
    lease = of(new_lease())
    assert not is_abandoned(lease, None, 1_000)
    assert not is_abandoned(lease, 1_001, 1_000)
    assert is_abandoned(lease, 1_000, 1_000)
    assert is_abandoned(lease, -1, 1_000)
    assert is_abandoned(None, 2_000, 1_000)


@pytest.mark.parametrize("seconds", [0, -1, 86_401, float("inf"), float("nan")])
def test_a_lease_is_given_for_a_time(hosts: Hosts, seconds: float) -> None:
    with pytest.raises(PayloadError, match="lease_seconds"):
        hosts(lease_seconds=seconds)


def _open_gate() -> Gate:
    gate = Gate()
    gate.opened.set()
    return gate


def test_a_host_that_lets_its_lease_lapse_loses_the_job(hosts: Hosts, threads: Threads) -> None:
    gate, clock = Gate(), ManualClock()
    driver = hosts(gated(gate), clock=clock)
    other = hosts(gated(_open_gate()), clock=clock)
    with held(threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")) as go_on:
        clock.advance(29.999)
        assert other.recover() == []
        assert other.run("one").status == "running"
        clock.advance(0.001)
        assert [each.status for each in other.recover()] == ["completed"]
        before = other.history("one")
        with pytest.raises(Fenced):
            go_on()
        assert other.history("one") == before


def test_a_pause_is_recorded_in_place_of_a_host_that_has_gone(
    hosts: Hosts, threads: Threads
) -> None:
    gate, clock = Gate(), ManualClock()
    driver = hosts(gated(gate), clock=clock)
    other = hosts(gated(_open_gate()), clock=clock)
    with held(threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")) as go_on:
        assert other.pause("one", "to look").status == "running"
        assert other.run("one").status == "running"
        clock.advance(30)
        assert other.run("one").status == "paused"
        before = other.history("one")
        assert names(other, "one")[-3:] == ["PauseRequested", "ExecutionClaimed", "JobPaused"]
        with pytest.raises(Fenced):
            go_on()
        assert other.history("one") == before
        assert other.run("one").version == len(before)
        assert other.resume("one").status == "completed"


def test_every_append_moves_the_end_of_the_lease(hosts: Hosts) -> None:
    clock, ends = ManualClock(), list[int | None]()
    flow = Flow("steps")

    @flow.slot
    def step(ctx: Context) -> None:
        for _ in range(3):
            clock.advance(20)
            ctx.effect(len, "abc")
            row = engine.store.head("one")
            assert row is not None
            ends.append(row.lease_until_ms)

    engine = hosts(flow, clock=clock)
    begun = clock.now_ms()
    engine.start("steps", "step", job_id="one")
    assert ends == [begun + 50_000, begun + 70_000, begun + 90_000]
    row = engine.store.head("one")
    assert row is not None
    assert (row.lease, row.lease_until_ms) == (None, None)


@pytest.mark.parametrize("hours", [-24 * 400, -1, 1, 24 * 400])
def test_a_clock_that_jumps_changes_who_drives_and_nothing_else(
    hosts: Hosts, threads: Threads, hours: float
) -> None:
    gate, clock = Gate(), ManualClock()
    driver = hosts(gated(gate), clock=clock)
    other = hosts(gated(_open_gate()), clock=clock)
    with held(threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")) as go_on:
        clock.advance(hours * 3600)
        taken = [each.status for each in other.recover()]
        assert taken == (["completed"] if hours > 0 else [])
        if taken:
            with pytest.raises(Fenced):
                go_on()
        else:
            assert go_on().status == "completed"
    claims = 2 if taken else 1
    assert [each.version for each in other.history("one")] == list(range(1, 7 + claims))
    assert names(other, "one").count("ExecutionClaimed") == claims
    assert names(other, "one").count("ActivationCompleted") == 2
    assert other.state("one").outputs[0].payload == {"number": 2}
    assert other.verify("one").ok


def test_a_pause_waits_for_a_host_that_let_its_lease_lapse_but_lives(
    hosts: Hosts, threads: Threads
) -> None:
    gate, clock = Gate(), ManualClock()
    driver, other = hosts(gated(gate), clock=clock), hosts(clock=clock)
    with held(threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")) as go_on:
        clock.advance(3600)
        assert other.pause("one").status == "running"
        assert go_on().status == "paused"
    assert names(other, "one")[-1] == "JobPaused"
