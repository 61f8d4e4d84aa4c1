"""Timers fire once, when they are due, in the order in which they are, whoever drives the job."""

from datetime import timedelta

import pytest

from esflow import Context, Engine, Flow, JobState, errors
from esflow import events as ev
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.reminders import reminders
from tests.engine.world import Hosts, count, names


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of the host."""
    return ManualClock()


@pytest.fixture
def engine(hosts: Hosts, clock: ManualClock) -> Engine:
    """Return a host that reminds."""
    return hosts(reminders(), clock=clock)


def numbers(state: JobState) -> list[int]:
    """Return what a job was reminded of."""
    return [each.payload["number"] for each in state.outputs]


def fired(engine: Engine, job_id: str) -> list[tuple[str, ...]]:
    """Return the timers of each firing."""
    events = [each.event for each in engine.history(job_id)]
    return [each.ids for each in events if isinstance(each, ev.TimerFired)]


def test_a_job_with_nothing_but_a_timer_waits_for_it(engine: Engine, clock: ManualClock) -> None:
    state = engine.start("reminders", "clerk.plan", {"delays": [60]}, job_id="one")
    assert state.status == "waiting"
    assert state.wakes_at is not None
    assert state.wakes_at.timestamp() * 1000 == clock.now_ms() + 60_000
    assert [each.id for each in state.timers] == ["1.1/t0"]
    clock.advance(59.999)
    assert engine.run("one") == state
    clock.advance(0.001)
    assert numbers(engine.run("one")) == [0]
    assert engine.state("one").status == "completed"


def test_what_is_due_at_once_fires_together_by_its_moment_and_then_by_its_id(
    engine: Engine, clock: ManualClock
) -> None:
    engine.start("reminders", "clerk.plan", {"delays": [30, 10, 20, 10]}, job_id="one")
    clock.advance(25)
    state = engine.run("one")
    assert (state.status, numbers(state)) == ("waiting", [1, 3, 2])
    clock.advance(5)
    assert numbers(engine.run("one")) == [1, 3, 2, 0]
    assert fired(engine, "one") == [("1.1/t1", "1.1/t3", "1.1/t2"), ("1.1/t0",)]


def test_a_timer_without_a_delay_fires_in_the_same_call(engine: Engine) -> None:
    state = engine.start("reminders", "clerk.plan", {"delays": [0, 0]})
    assert (state.status, numbers(state)) == ("completed", [0, 1])


def test_a_timer_may_put_out_what_nothing_is_connected_to(
    engine: Engine, clock: ManualClock
) -> None:
    engine.start("reminders", "clerk.announce", {"delay": 5}, job_id="one")
    clock.advance(5)
    state = engine.run("one")
    assert state.status == "completed"
    assert [(each.id, each.payload) for each in state.outputs] == [("1.1/t0", {"announced": True})]
    assert count(engine, "one", "ExecutionClaimed") == 1, "there was nothing to run"


def test_a_delay_counts_from_the_last_event_when_the_clock_has_gone_back(hosts: Hosts) -> None:
    clock = ManualClock()
    later: list[int] = []
    flow = Flow("back")
    routine = flow.routine("routine", outputs=("out",))

    @routine.slot
    def go(ctx: Context) -> None:
        later.append(clock.now_ms())
        clock.advance(-3600)
        ctx.emit_after(timedelta(seconds=1), "out")

    state = hosts(flow, clock=clock).start("back", "routine.go")
    assert [each.due_at_ms for each in state.timers] == [later[0] + 1000]


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), "1", True, None, 10**12])
def test_a_delay_that_is_none_is_refused_and_names_itself(hosts: Hosts, delay: float) -> None:
    refused: list[errors.PayloadError] = []
    flow = Flow("refusing")
    routine = flow.routine("routine", outputs=("out",))

    @routine.slot
    def go(ctx: Context) -> None:
        with pytest.raises(errors.PayloadError) as caught:
            ctx.emit_after(delay, "out")
        refused.append(caught.value)
        with pytest.raises(errors.FlowError, match="nowhere"):
            ctx.emit_after(1, "nowhere")
        with pytest.raises(errors.PayloadError, match="now"):
            ctx.emit_after(1, "out", now=object())

    state = hosts(flow).start("refusing", "routine.go")
    assert (state.status, state.timers) == ("completed", ())
    assert [each.path for each in refused] == ["emit_after.delay"]


def test_what_becomes_due_while_a_job_is_driven_joins_the_wave_after_the_open_one(
    hosts: Hosts,
) -> None:
    clock = ManualClock()
    flow = Flow("busy")
    routine = flow.routine("routine", outputs=("next", "later", "out"))

    @routine.slot
    def go(ctx: Context, left: int) -> None:
        if left == 3:
            ctx.emit_after(5, "later")
        clock.advance(3)
        if left:
            ctx.emit("next", left=left - 1)

    @routine.slot
    def remind(ctx: Context) -> None:
        ctx.emit("out", at=ctx.activation_id)

    flow.connect("routine.next", "routine.go")
    flow.connect("routine.later", "routine.remind")
    engine = hosts(flow, clock=clock)
    state = engine.start("busy", "routine.go", {"left": 3}, job_id="one")
    assert state.status == "completed"
    assert [each.payload for each in state.outputs] == [{"at": "4.2"}]
    assert count(engine, "one", "ExecutionClaimed") == 1


def test_timers_wait_while_a_program_pauses_and_join_what_comes_next(
    engine: Engine, clock: ManualClock, store: Store
) -> None:
    engine.start("reminders", "clerk.stop", {"delays": [10, 99]}, job_id="one")
    clock.advance(20)
    state = engine.run("one")
    assert (state.status, fired(engine, "one")) == ("paused", [])
    assert engine.recover() == []
    row = store.head("one")
    assert row is not None
    assert row.due_at_ms is None, "no worker looks at it"
    assert row.wakes_at_ms is not None, "it is shown all the same"
    state = engine.resume("one")
    assert state.status == "waiting"
    assert [each.activation for each in state.outputs] == ["2.1", "2.2"]
    told = names(engine, "one")
    place = told.index("TimerFired")
    assert told[place : place + 3] == ["TimerFired", "JobResumed", "ExecutionClaimed"]


def test_timers_wait_for_an_operator_too(engine: Engine, clock: ManualClock) -> None:
    engine.start("reminders", "clerk.plan", {"delays": [10]}, job_id="one")
    assert engine.pause("one", "inspection").status == "paused"
    clock.advance(20)
    assert (engine.run("one").status, fired(engine, "one")) == ("paused", [])
    assert numbers(engine.resume("one")) == [0]
    assert fired(engine, "one") == [("1.1/t0",)]


def test_lifting_an_operators_hold_fires_nothing_while_the_program_pauses(
    engine: Engine, clock: ManualClock
) -> None:
    engine.start("reminders", "clerk.stop", {"delays": [10]}, job_id="one")
    engine.pause("one", "inspection")
    clock.advance(20)
    assert engine.resume("one").status == "paused"
    assert fired(engine, "one") == []
    assert engine.resume("one").status == "completed"
    assert fired(engine, "one") == [("1.1/t0",)]


def test_a_host_that_recovers_fires_what_is_due(hosts: Hosts, clock: ManualClock) -> None:
    first, other = hosts(reminders(), clock=clock), hosts(reminders(), clock=clock)
    for job_id, delay in (("one", 10), ("two", 20), ("three", 30)):
        first.start("reminders", "clerk.plan", {"delays": [delay]}, job_id=job_id)
    assert other.recover() == []
    clock.advance(20)
    assert [(each.job_id, each.status) for each in other.recover()] == [
        ("one", "completed"),
        ("two", "completed"),
    ]
    assert hosts(clock=clock).recover() == [], "a host without the flow fires nothing"
    assert other.state("three").status == "waiting"


def test_a_host_whose_flow_lacks_the_slot_leaves_a_timer_alone(
    hosts: Hosts, clock: ManualClock
) -> None:
    hosts(reminders(), clock=clock).start("reminders", "clerk.plan", {"delays": [1]}, job_id="one")
    poor = Flow("reminders")
    routine = poor.routine("clerk")

    @routine.slot
    def plan(ctx: Context, delays: list[float]) -> None:
        """Plan nothing."""

    clock.advance(1)
    other = hosts(poor, clock=clock)
    before = other.history("one")
    with pytest.raises(errors.FlowChanged, match=r"clerk\.remind"):
        other.run("one")
    assert other.recover() == []
    assert other.history("one") == before


def test_a_fork_has_the_timers_of_its_origin(engine: Engine, clock: ManualClock) -> None:
    engine.start("reminders", "clerk.plan", {"delays": [10]}, job_id="one")
    version = engine.state("one").version
    clock.advance(10)
    assert numbers(engine.fork("one", version, new_job_id="other")) == [0]
    assert fired(engine, "one") == []
    assert engine.check("other").ok
