"""A job has one driver: who wants it too is told so, unless the driver has gone."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from sqlite3 import connect

import pytest

from esflow import Answer, Context, Engine, Flow, JobState, errors
from esflow.runtime.lease import is_gone, new_lease
from esflow.store import Store
from esflow.testing import ManualClock
from esflow.testing.manual_clock import START
from tests.engine.flows import gated, support
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    check_refusal,
    count,
    held,
    names,
    stored,
)

SPOIL = """
UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '"x"', '"y"') AS BLOB)
WHERE originator_id = 'changed'
"""


def _start(engine: Engine) -> Callable[[], JobState]:
    return lambda: engine.start("gated", "worker.first", job_id="one")


def test_a_driven_job_is_left_to_its_driver(hosts: Hosts, store: Store, threads: Threads) -> None:
    gate = Gate()
    driver, other = hosts(gated(gate)), hosts(gated(Gate()))
    with held(threads, gate, _start(driver)) as released:
        before = stored(store)
        for engine in (driver, other):
            assert engine.run("one").status == "running"
            assert _start(engine)().status == "running"
            assert engine.recover() == []
            assert engine.recover(older_than=3600) == []
            with pytest.raises(errors.NotPaused, match="running on host-0"):
                engine.resume("one")
            with pytest.raises(errors.InterruptNotFound):
                engine.resume("one", Answer(1))
        assert stored(store) == before
        assert released().status == "completed"
    assert count(driver, "one", "ExecutionClaimed") == 1


def test_a_message_to_a_driven_job_leaves_it_to_its_driver(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate = Gate()
    driver, other = hosts(gated(gate)), hosts(gated(_open_gate()))
    with held(threads, gate, _start(driver)) as released:
        before = store.head("one")
        other.send("one", "worker.note", {"line": "x"})
        after = store.head("one")
        assert before is not None
        assert after is not None
        assert (after.lease, after.lease_until_ms) == (before.lease, before.lease_until_ms)
        assert other.run("one").status == "running"
        assert released().status == "completed"
    assert count(driver, "one", "ExecutionClaimed") == 1


def _abandoned(hosts: Hosts) -> None:
    flow = Flow("gated")
    worker = flow.routine("worker", outputs=("next", "done"))

    @worker.slot
    def first(ctx: Context) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hosts(flow).start("gated", "worker.first", job_id="one")


def _open_gate() -> Gate:
    gate = Gate()
    gate.opened.set()
    return gate


CARRY_ON: list[Callable[[Engine], JobState]] = [
    lambda engine: engine.run("one"),
    lambda engine: engine.resume("one"),
    lambda engine: engine.start("gated", "worker.first", job_id="one"),
    lambda engine: engine.recover()[0],
    lambda engine: engine.recover(older_than=0)[0],
    lambda engine: engine.recover(older_than=3600)[0],
]


@pytest.mark.parametrize("carry_on", CARRY_ON)
def test_a_job_whose_driver_has_gone_is_anybodys(
    hosts: Hosts, carry_on: Callable[[Engine], JobState]
) -> None:
    _abandoned(hosts)
    engine = hosts(gated(_open_gate()))
    state = carry_on(engine)
    assert (state.status, state.outputs[0].payload) == ("completed", {"number": 2})
    assert count(engine, "one", "ExecutionClaimed") == 2


DRIVE_AND_DIE = """
import os
from esflow import Engine, Flow
flow = Flow("gated")
worker = flow.routine("worker", outputs=("next", "done"))
@worker.slot
def first(ctx):
    os._exit(7)
Engine({url!r}, [flow]).start("gated", "worker.first", job_id="one")
"""


@pytest.mark.parametrize("carry_on", CARRY_ON)
def test_a_job_of_a_process_that_died_is_anybodys(
    tmp_path: Path, carry_on: Callable[[Engine], JobState]
) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db?synchronous=normal"
    died = subprocess.run([sys.executable, "-c", DRIVE_AND_DIE.format(url=url)], check=False)
    assert died.returncode == 7
    with Engine(url, [gated(_open_gate())]) as engine:
        row = engine.store.head("one")
        assert row is not None
        assert row.lease is not None
        assert engine.state("one").status == "running"
        assert carry_on(engine).status == "completed"
        assert names(engine, "one").count("ExecutionClaimed") == 2


def test_recover_drives_what_is_ready_and_nothing_else(hosts: Hosts, engine: Engine) -> None:
    _abandoned(hosts)
    engine.submit("support", "agent.note", {"line": "x"}, job_id="pending")
    engine.submit("support", "agent.note", {"line": "x"}, job_id="held")
    engine.pause("held")
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="asked")
    engine.start("support", "agent.note", {"line": "x"}, job_id="ended")
    assert [each.job_id for each in engine.recover()] == ["pending"]
    both = hosts(support(), gated(_open_gate()))
    assert [each.job_id for each in both.recover()] == ["one"]
    assert both.recover() == []


def test_a_job_that_is_taken_over_is_appended_to_by_its_new_driver_alone(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate = Gate()
    driver, other = hosts(gated(gate)), hosts(gated(_open_gate()))
    with held(threads, gate, _start(driver)) as released:
        (state,) = other.recover(older_than=0)
        assert state.status == "completed"
        with check_refusal(store, errors.Fenced, "'one'", "host-1", "wait()") as caught:
            released()
    claims = [each for each in other.history("one") if each.event.name == "ExecutionClaimed"]
    assert (caught.value.token, caught.value.found) == tuple(each.version for each in claims)
    assert [each.token for each in other.history("one")[-2:]] == [claims[1].version] * 2


@pytest.mark.parametrize("hours", [-24 * 400, -1, 0, 1])
def test_taking_over_regardless_asks_no_clock(hosts: Hosts, threads: Threads, hours: float) -> None:
    gate = Gate()
    driver = hosts(gated(gate), clock=ManualClock())
    other = hosts(gated(_open_gate()), clock=ManualClock(START + timedelta(hours=hours)))
    with held(threads, gate, _start(driver)) as released:
        assert [each.status for each in other.recover(older_than=0)] == ["completed"]
        with pytest.raises(errors.Fenced):
            released()


def test_a_driver_is_stale_only_after_so_many_seconds(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    clock = ManualClock()
    driver = hosts(gated(gate), clock=clock, lease_seconds=3600)
    other = hosts(gated(_open_gate()), clock=clock)
    with held(threads, gate, _start(driver)) as released:
        clock.advance(59)
        assert other.recover(older_than=60) == []
        clock.advance(1)
        assert [each.status for each in other.recover(older_than=60)] == ["completed"]
        with pytest.raises(errors.Fenced):
            released()


def test_one_job_that_can_not_be_recovered_keeps_no_other_waiting(hosts: Hosts) -> None:
    flow = Flow("mixed")
    endings: list[type[BaseException]] = [KeyboardInterrupt]

    @flow.slot
    def work(ctx: Context, argument: str) -> None:
        ctx.effect(str.upper, argument + "!" * (1 - len(endings)))
        if endings and argument == "fragile":
            raise endings.pop()

    engine = hosts(flow)
    with pytest.raises(KeyboardInterrupt):
        engine.start("mixed", "work", {"argument": "fragile"}, job_id="changed")
    engine.submit("mixed", "work", {"argument": "sound"}, job_id="sound")
    assert [(each.job_id, each.status) for each in engine.recover()] == [("sound", "completed")]
    with pytest.raises(errors.NondeterminismError):
        engine.run("changed")


def test_a_job_that_became_active_again_is_left_alone(hosts: Hosts, threads: Threads) -> None:
    clock, gate, recorded = ManualClock(), Gate(), Gate()
    flow = Flow("two")

    @flow.slot
    def slow(ctx: Context) -> None:
        clock.advance(120)
        gate.opened.set()
        recorded.await_handler()

    @flow.slot
    def live(ctx: Context) -> None:
        gate.hold()
        ctx.effect(len, "abc")
        recorded.hold()

    driver, other = hosts(flow, clock=clock), hosts(flow, clock=clock)
    driver.submit("two", "slow", job_id="slow")
    start = threads.submit(driver.start, "two", "live", job_id="live")
    gate.await_handler()
    assert [each.job_id for each in other.recover(older_than=60)] == ["slow"]
    recorded.opened.set()
    assert start.result(PATIENCE_SECONDS).status == "completed"


def test_a_history_that_was_changed_keeps_no_other_job_waiting(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db?synchronous=normal"
    with Engine(url, [support()]) as engine:
        for job_id in ("changed", "sound"):
            engine.submit("support", "agent.note", {"line": "x"}, job_id=job_id)
    with closing(connect(tmp_path / "jobs.db")) as connection:
        connection.execute("DROP TRIGGER stored_events_are_never_changed")
        connection.execute(SPOIL)
        connection.commit()
    with Engine(url, [support()]) as engine:
        assert [each.job_id for each in engine.recover()] == ["sound"]
        with pytest.raises(errors.CorruptHistory):
            engine.run("changed")


def test_a_lease_is_abandoned_when_its_process_has_gone() -> None:
    def lease(**changed: str) -> str:
        machine, *boot, process, began, number = new_lease().split("|")
        parts = {"machine": machine, "process": process, "began": began, "number": number}
        parts |= changed
        return "|".join((parts.pop("machine"), *boot, *parts.values()))

    assert is_gone(None)
    assert not is_gone(lease())
    assert not is_gone(lease(number="another"))
    assert not is_gone(lease(machine="elsewhere", began="0"))
    assert is_gone(lease(began="0"))
    assert is_gone(lease(process="999999999"))
