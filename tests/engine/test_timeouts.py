"""What takes longer than it may is left behind, a slot or an effect, and is refused later on."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from esflow import Answer, Context, Engine, Flow, Retry, effect, errors
from esflow import events as ev
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    effects,
    names,
    stored,
)

AT_ONCE = Retry(attempts=2, delay=0)


def slow(handler: Callable[[Context], None], *, retry: Retry | None = None) -> Flow:
    """Return a flow with a slot that has five seconds."""
    flow = Flow("slow")
    flow.routine("agent", outputs=("done",)).slot(name="act", timeout=5, retry=retry)(handler)
    return flow


def let_go(gate: Gate) -> None:
    """Let what was left behind go on, and wait until it has ended."""
    gate.opened.set()
    for thread in threading.enumerate():
        if thread.name == "esflow-limited":
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "what is left behind never came to its end"


def timed_out(hosts: Hosts, threads: Threads, flow: Flow, clock: ManualClock, gate: Gate) -> Engine:
    """Return a host whose job was started, and has run out of time at the gate."""
    engine = hosts(flow, clock=clock)
    future = threads.submit(engine.start, "slow", "agent.act", job_id="one")
    gate.await_handler()
    clock.advance(5)
    future.result(PATIENCE_SECONDS)
    return engine


def test_a_handler_that_comes_back_in_time_is_like_any_other(hosts: Hosts) -> None:
    seen: list[str] = []

    def act(ctx: Context) -> None:
        seen.append(threading.current_thread().name)
        ctx.shared["result"] = ctx.effect(lambda: 1)
        ctx.emit("done", result=ctx.shared["result"])

    state = hosts(slow(act)).start("slow", "agent.act", job_id="one")
    assert (state.status, state.shared) == ("completed", {"result": 1})
    assert [each.payload for each in state.outputs] == [{"result": 1}]
    assert seen == ["esflow-limited"]


def test_a_handler_that_takes_too_long_fails_and_what_it_does_later_is_refused(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    clock, gate = ManualClock(), Gate()
    refused: list[BaseException] = []
    late: list[str] = []

    def act(ctx: Context) -> None:
        gate.hold()
        for call in (
            lambda: ctx.effect(late.append, "called"),
            lambda: ctx.emit("done"),
            lambda: ctx.log("late"),
            ctx.now,
        ):
            try:
                call()
            except errors.ContextClosed as closed:
                refused.append(closed)

    engine = timed_out(hosts, threads, slow(act), clock, gate)
    state = engine.state("one")
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "ActivationTimeout")
    assert state.failure.message == (
        "activation 1.1 took more than 5.0 s; give it more time, or let it be retried"
    )
    before = stored(store)
    let_go(gate)
    assert (len(refused), late) == (4, [])
    assert stored(store) == before


def test_an_effect_that_comes_back_behind_its_handler_is_not_recorded(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    clock, gate = ManualClock(), Gate()
    ends: list[BaseException] = []

    def act(ctx: Context) -> None:
        try:
            ctx.effect(gate.hold)
        except errors.EsflowError as end:
            ends.append(end)
            raise

    engine = timed_out(hosts, threads, slow(act), clock, gate)
    before = stored(store)
    let_go(gate)
    assert [type(each) for each in ends] == [errors.ContextClosed]
    assert stored(store) == before
    assert effects(engine, "one") == []


def test_a_time_that_is_over_is_a_failure_like_another_and_can_be_retried(
    hosts: Hosts, threads: Threads
) -> None:
    clock, gate, calls = ManualClock(), Gate(), Counter[str]()

    def act(ctx: Context) -> None:
        ctx.effect(calls.update, ["before"])
        if ctx.attempt == 1:
            gate.hold()
            ctx.log("late")
        ctx.emit("done", attempt=ctx.attempt)

    engine = timed_out(hosts, threads, slow(act, retry=AT_ONCE), clock, gate)
    state = engine.state("one")
    assert (state.status, [each.payload for each in state.outputs]) == (
        "completed",
        [{"attempt": 2}],
    )
    let_go(gate)
    assert calls == {"before": 1}
    assert (engine.state("one").version, engine.state("one").log) == (state.version, ())


def test_a_late_attempt_does_not_settle_the_next_one(hosts: Hosts, threads: Threads) -> None:
    clock, first, second, left = ManualClock(), Gate(), Gate(), list[threading.Thread]()

    def act(ctx: Context) -> None:
        if ctx.attempt == 1:
            left.append(threading.current_thread())
            first.hold()
        else:
            second.hold()
        ctx.emit("done", attempt=ctx.attempt)

    engine = hosts(slow(act, retry=AT_ONCE), clock=clock)
    future = threads.submit(engine.start, "slow", "agent.act", job_id="one")
    first.await_handler()
    clock.advance(5)
    second.await_handler()
    first.opened.set()  # While the second attempt is still going.
    left[0].join(PATIENCE_SECONDS)
    assert names(engine, "one")[-1] == "TimerFired"
    second.opened.set()
    state = future.result(PATIENCE_SECONDS)
    assert [each.payload for each in state.outputs] == [{"attempt": 2}]


def test_what_ends_the_process_in_a_limited_handler_ends_the_execution(hosts: Hosts) -> None:
    endings: list[type[BaseException]] = [KeyboardInterrupt]

    def act(ctx: Context) -> None:
        if endings:
            raise endings.pop()
        ctx.log("at last")

    engine = hosts(slow(act))
    with pytest.raises(KeyboardInterrupt):
        engine.start("slow", "agent.act", job_id="one")
    assert names(engine, "one") == ["JobStarted", "ExecutionClaimed"]
    assert engine.run("one").status == "completed"


def test_a_limited_handler_can_be_interrupted(hosts: Hosts) -> None:
    def act(ctx: Context) -> None:
        ctx.emit("done", answer=ctx.interrupt("go?"))

    engine = hosts(slow(act))
    assert engine.start("slow", "agent.act", job_id="one").status == "paused"
    state = engine.resume("one", Answer("yes"))
    assert [each.payload for each in state.outputs] == [{"answer": "yes"}]


def test_a_member_of_a_wave_runs_out_of_time_by_itself(hosts: Hosts, threads: Threads) -> None:
    clock, gate = ManualClock(), Gate()
    flow = Flow("slow")

    @flow.slot(outputs=("out",))
    def source(ctx: Context) -> None:
        ctx.emit("out")

    @flow.slot(timeout=5, on_error="skip")
    def late(_: Context) -> None:
        gate.hold()

    @flow.slot(outputs=("done",))
    def fine(ctx: Context) -> None:
        ctx.emit("done")

    flow.connect("source.out", "late")
    flow.connect("source.out", "fine")
    engine = hosts(flow, clock=clock)
    future = threads.submit(engine.start, "slow", "source", job_id="one")
    gate.await_handler()
    clock.advance(5)
    state = future.result(PATIENCE_SECONDS)
    let_go(gate)
    assert state.status == "completed"
    assert [each.output for each in state.outputs] == ["done"]


# Effects.


def limited(gate: Gate, calls: Counter[str], retry: Retry | None) -> Callable[[Context], None]:
    """Return a handler whose effect has three seconds, and is held the first time."""

    @effect(name="call", timeout=3, retry=retry)
    def call(key: str) -> int:
        calls[key] += 1
        if calls[key] == 1:
            gate.hold()
        return calls[key]

    def act(ctx: Context) -> None:
        ctx.shared["result"] = ctx.effect(call, "key")

    return act


def unlimited(handler: Callable[[Context], None]) -> Flow:
    """Return a flow with a slot that has all the time."""
    flow = Flow("slow")
    flow.routine("agent").slot(name="act")(handler)
    return flow


@pytest.mark.parametrize("retry", [None, AT_ONCE])
def test_an_effect_that_takes_too_long_is_a_recorded_failure(
    hosts: Hosts, store: Store, threads: Threads, retry: Retry | None
) -> None:
    clock, gate, calls = ManualClock(), Gate(), Counter[str]()
    flow = unlimited(limited(gate, calls, retry))
    engine = timed_out(hosts, threads, flow, clock, gate)
    state = engine.state("one")
    recorded = [each.event for each in engine.history("one")]
    if retry is None:
        (failed,) = effects(engine, "one")
        assert failed.error is not None
        assert failed.error.type == "ActivationTimeout"
        assert failed.error.message.startswith("effect call took more than 3.0 s")
        assert state.failure is not None
        assert state.failure.type == "EffectError"
    else:
        (again,) = [each for each in recorded if isinstance(each, ev.EffectAttemptFailed)]
        assert (again.attempt, again.error.type) == (1, "ActivationTimeout")
        assert (state.status, state.shared) == ("completed", {"result": 2})
        assert [each.attempt for each in effects(engine, "one")] == [2]
    before = stored(store)
    let_go(gate)
    assert stored(store) == before


def test_time_that_is_over_is_a_timeout_to_who_names_it(hosts: Hosts, threads: Threads) -> None:
    clock, gate, calls = ManualClock(), Gate(), Counter[str]()
    retry = Retry(attempts=2, delay=0, on=(TimeoutError,))
    flow = unlimited(limited(gate, calls, retry))
    engine = timed_out(hosts, threads, flow, clock, gate)
    assert engine.state("one").status == "completed"
    let_go(gate)


def test_a_limited_effect_knows_its_key_and_has_no_context(hosts: Hosts) -> None:
    seen: list[object] = []

    def act(ctx: Context) -> None:
        @effect(timeout=3)
        def call() -> None:
            seen.append(ctx.idempotency_key)
            with pytest.raises(errors.ReentrantCall):
                ctx.log("inside")

        ctx.effect(call)
        ctx.effect(call)

    assert hosts(unlimited(act)).start("slow", "agent.act", job_id="one").status == "completed"
    assert seen == ["one/1.1/e0", "one/1.1/e1"]


def test_what_ends_the_process_in_a_limited_effect_ends_the_execution(hosts: Hosts) -> None:
    endings: list[type[BaseException]] = [KeyboardInterrupt]

    @effect(timeout=3)
    def call() -> int:
        if endings:
            raise endings.pop()
        return 1

    def act(ctx: Context) -> None:
        ctx.shared["result"] = ctx.effect(call)

    engine = hosts(unlimited(act))
    with pytest.raises(KeyboardInterrupt):
        engine.start("slow", "agent.act", job_id="one")
    assert effects(engine, "one") == []
    assert engine.run("one").shared == {"result": 1}
