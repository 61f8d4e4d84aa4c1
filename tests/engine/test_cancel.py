"""A cancelled job has ended: nothing more is recorded of it, whatever its handlers still do."""

from collections.abc import Callable
from typing import Any

import pytest

from esflow import Answer, Context, Continue, Engine, Flow, Goto, JobState, Update, errors
from esflow import events as ev
from esflow.store import Store
from tests.engine.desk import board, desk
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    check_refusal,
    held,
    names,
    stored,
)


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host with the flow of most examples."""
    return hosts(desk())


def _paused(engine: Engine) -> JobState:
    return engine.start("desk", "clerk.begin", job_id="one")


def _asked(engine: Engine) -> JobState:
    return engine.start("desk", "clerk.ask", job_id="one")


def _held(engine: Engine) -> JobState:
    _asked(engine)
    return engine.pause("one", "audit")


def _pending(engine: Engine) -> JobState:
    engine.submit("desk", "clerk.begin", job_id="one")
    return engine.state("one")


RESTING = [_paused, _asked, _held, _pending]


@pytest.mark.parametrize("begin", RESTING)
def test_a_job_that_rests_is_cancelled_at_once(
    hosts: Hosts, engine: Engine, begin: Callable[[Engine], JobState]
) -> None:
    before = begin(engine)
    state = hosts().cancel("one", "no need", actor="boss")
    assert (state.status, state.version) == ("cancelled", before.version + 1)
    assert state == engine.state("one")
    last = engine.history("one")[-1]
    assert (last.event, last.actor) == (ev.JobCancelled(reason="no need"), "boss")
    assert [each.job_id for each in engine.jobs(status="cancelled")] == ["one"]
    assert (engine.run("one"), engine.recover()) == (state, [])
    assert engine.wait("one", 0) == state
    assert (state.pause, repr(state)) == ((), f"<JobState one cancelled v{state.version}>")


@pytest.mark.parametrize("begin", RESTING)
def test_a_cancelled_job_refuses_everything(
    engine: Engine, store: Store, begin: Callable[[Engine], JobState]
) -> None:
    begin(engine)
    engine.cancel("one")
    acts: list[Callable[[], object]] = [
        lambda: engine.resume("one", Continue()),
        lambda: engine.resume("one", Answer(value=True)),
        lambda: engine.resume("one", Update({"x": 1})),
        lambda: engine.resume("one", Goto("clerk.look")),
        lambda: engine.send("one", "clerk.look", {}),
        lambda: engine.pause("one"),
        lambda: engine.update("one", {"x": 1}),
        lambda: engine.cancel("one"),
    ]
    for act in acts:
        with check_refusal(store, errors.JobClosed, "'one'", "cancelled", "new job"):
            act()


def test_an_ended_job_is_not_cancelled(engine: Engine, store: Store) -> None:
    engine.start("desk", "clerk.look", job_id="one")
    with check_refusal(store, errors.JobClosed, "completed", "a cancellation"):
        engine.cancel("one")
    with check_refusal(store, errors.JobNotFound, "'nobody'"):
        engine.cancel("nobody")


@pytest.mark.parametrize("reason", [5, None, "\ud800"])
def test_a_reason_is_text(engine: Engine, store: Store, reason: Any) -> None:
    _pending(engine)
    with check_refusal(store, errors.PayloadError, "reason"):
        engine.cancel("one", reason)


def test_a_cancelled_job_waits_for_no_answer(engine: Engine) -> None:
    _asked(engine)
    assert engine.jobs()[0].question == "Go?"
    state = engine.cancel("one")
    assert ([each.text for each in state.questions], engine.jobs()[0].question) == (["Go?"], None)


def test_messages_that_were_not_delivered_are_listed(engine: Engine) -> None:
    _paused(engine)
    engine.send("one", "clerk.go", {"answer": True}, key="k")
    state = engine.cancel("one")
    assert [each.payload for each in state.messages] == [{"answer": True}]
    assert engine.send("one", "clerk.go", {"answer": True}, key="k") == state.version - 1


def test_a_running_handler_sees_it_and_nothing_late_is_recorded(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate, flow = Gate(), Flow("late")
    seen: list[object] = []
    calls: list[str] = []

    @flow.slot
    def work(ctx: Context) -> None:
        ctx.effect(calls.append, "before")
        seen.append(ctx.cancelled)
        gate.hold()
        seen.append(ctx.cancelled)
        ctx.log("late")
        try:
            ctx.effect(calls.append, "after")
        except errors.EsflowError as refusal:
            seen.append(type(refusal))

    driver, operator = hosts(flow), hosts()
    start = lambda: driver.start("late", "work", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        cancelled = operator.cancel("one", "too slow")
        before = stored(store)
        state = released()
    assert (state, state.status) == (cancelled, "cancelled")
    assert seen == [False, True, errors.JobClosed]
    assert names(operator, "one")[-2:] == ["EffectRecorded", "JobCancelled"]
    assert stored(store)[0] == before[0]
    assert driver.jobs()[0].status == "cancelled"


@pytest.mark.parametrize("fails", [False, True])
def test_a_late_result_is_not_recorded(hosts: Hosts, threads: Threads, *, fails: bool) -> None:
    gate, flow = Gate(), Flow("late")

    @flow.slot(outputs=("done",))
    def work(ctx: Context) -> None:
        gate.hold()
        ctx.emit("done")
        if fails:
            raise RuntimeError("too late")

    driver = hosts(flow)
    start = lambda: driver.start("late", "work", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        hosts().cancel("one")
        state = released()
    assert (state.status, state.outputs, state.failure) == ("cancelled", (), None)
    assert names(driver, "one")[-1] == "JobCancelled"


@pytest.mark.parametrize("max_parallel", [1, 4])
def test_no_more_members_of_a_wave_start(hosts: Hosts, threads: Threads, max_parallel: int) -> None:
    gate = Gate()
    driver = hosts(board(gate), max_parallel=max_parallel)
    start = lambda: driver.start("board", "member.begin", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        if max_parallel > 1:  # The second has settled, and its neighbour never will.
            position = 0
            while "ActivationCompleted" not in names(driver, "one")[6:]:
                position = driver.store.wait(position, PATIENCE_SECONDS)
        hosts().cancel("one")
        state = released()
    assert (state.status, state.log, state.outputs) == ("cancelled", (), ())
    assert names(driver, "one")[-1] == "JobCancelled"
    assert driver.verify("one").ok


def test_no_handler_starts_once_its_job_is_cancelled(hosts: Hosts, threads: Threads) -> None:
    begun: list[int] = []
    flow = Flow("pair")
    source = flow.routine("source", outputs=("items",))

    @source.slot
    def spread(ctx: Context) -> None:
        ctx.emit("items", number=0)
        ctx.emit("items", number=1)

    @flow.slot
    def item(ctx: Context, number: int) -> None:
        begun.append(number)
        threads.submit(hosts().cancel, ctx.job_id).result(PATIENCE_SECONDS)

    flow.connect("source.items", "item")
    state = hosts(flow, max_parallel=1).start("pair", "source.spread")
    assert (state.status, begun) == ("cancelled", [0])


def test_a_cancellation_wakes_whoever_waits_or_follows(
    hosts: Hosts, engine: Engine, threads: Threads
) -> None:
    _pending(engine)
    waiting = threads.submit(hosts().wait, "one", PATIENCE_SECONDS)
    follower = hosts().follow("one")
    next(follower)
    following = threads.submit(next, follower)
    engine.cancel("one")
    assert waiting.result(PATIENCE_SECONDS).status == "cancelled"
    assert following.result(PATIENCE_SECONDS).event.name == "JobCancelled"


def test_the_same_request_again_is_the_cancelled_job(engine: Engine, store: Store) -> None:
    _pending(engine)
    state = engine.cancel("one")
    before = stored(store)
    assert engine.start("desk", "clerk.begin", job_id="one") == state
    assert stored(store) == before
