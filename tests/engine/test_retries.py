"""A slot that retries: how often, when, with which effects, and by whom."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Never

import pytest

from esflow import Answer, Context, Engine, Flow, Retry, errors
from esflow import events as ev
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.world import (
    Gate,
    Hosts,
    Threads,
    check_refusal,
    count,
    held,
    names,
    stored,
)

AT_ONCE = Retry(attempts=3, delay=0)
LATER = Retry(attempts=3, delay=10, jitter=0)


def one(handler: Callable[[Context], None], retry: Retry = AT_ONCE) -> Flow:
    """Return a flow with one slot that retries."""
    flow = Flow("one")
    flow.routine("agent").slot(name="act", retry=retry)(handler)
    return flow


def failing(times: int, calls: Counter[str]) -> Callable[[Context], None]:
    """Return a handler that fails so many times."""

    def act(ctx: Context) -> None:
        calls["runs"] += 1
        ctx.log(f"attempt {ctx.attempt}")
        if calls["runs"] <= times:
            raise ValueError(f"failure {calls['runs']}")

    return act


def failures(engine: Engine, job_id: str = "one") -> list[ev.ActivationFailed]:
    """Return the failures of activations that are recorded of a job."""
    recorded = [each.event for each in engine.history(job_id)]
    return [each for each in recorded if isinstance(each, ev.ActivationFailed)]


def effect_ids(engine: Engine, job_id: str = "one") -> list[str]:
    """Return the ids of the effects that are recorded of a job, in their order."""
    recorded = [each.event for each in engine.history(job_id)]
    return [each.id for each in recorded if isinstance(each, ev.EffectRecorded)]


def test_what_fails_is_tried_again_and_a_failed_attempt_leaves_nothing_but_its_failure(
    hosts: Hosts,
) -> None:
    engine = hosts(one(failing(2, Counter())))
    state = engine.start("one", "agent.act", job_id="one")
    assert (state.status, [each.message for each in state.log]) == ("completed", ["attempt 3"])
    assert [(each.outcome, each.attempt) for each in failures(engine)] == [
        ("retry", 1),
        ("retry", 2),
    ]
    completed = next(
        each.event
        for each in engine.history("one")
        if isinstance(each.event, ev.ActivationCompleted)
    )
    assert completed.attempt == 3


def test_the_last_attempt_ends_the_job(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    engine = hosts(one(failing(9, calls)))
    state = engine.start("one", "agent.act", job_id="one")
    assert (state.status, calls["runs"]) == ("failed", 3)
    assert state.failure is not None
    assert state.failure.message == "failure 3"
    assert [each.outcome for each in failures(engine)] == ["retry", "retry", "stop"]


def test_only_the_errors_that_are_named_are_tried_again(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    engine = hosts(one(failing(2, calls), Retry(delay=0, on=(LookupError, OSError))))
    assert engine.start("one", "agent.act", job_id="one").status == "failed"
    assert calls["runs"] == 1


def test_a_handler_that_swallows_an_interrupt_is_not_tried_again(hosts: Hosts) -> None:
    def act(ctx: Context) -> None:
        try:
            ctx.interrupt("go?")
        except BaseException:  # noqa: BLE001 - that is what is refused
            return

    state = hosts(one(act)).start("one", "agent.act", job_id="one")
    assert state.failure is not None
    assert state.failure.type == "InterruptSwallowed"


# Waiting.


def test_a_job_waits_for_its_next_attempt_and_holds_nothing(hosts: Hosts, store: Store) -> None:
    clock, calls = ManualClock(), Counter[str]()
    engine = hosts(one(failing(1, calls), LATER), clock=clock)
    state = engine.start("one", "agent.act", job_id="one")
    assert (state.status, [each.id for each in state.ready]) == ("waiting", ["1.1"])
    assert state.wakes_at is not None
    assert state.wakes_at.timestamp() * 1000 == clock.now_ms() + 10_000
    row = store.head("one")
    assert row is not None
    assert (row.status, row.lease, row.wakes_at_ms) == ("waiting", None, clock.now_ms() + 10_000)


@pytest.mark.parametrize("call", ["run", "start", "recover"])
def test_what_is_not_due_yet_is_left_alone_and_what_is_due_runs(
    hosts: Hosts, store: Store, call: str
) -> None:
    clock, calls = ManualClock(), Counter[str]()
    flow = one(failing(1, calls), LATER)
    hosts(flow, clock=clock).start("one", "agent.act", job_id="one")
    other = hosts(flow, clock=clock)

    def act() -> None:
        if call == "run":
            other.run("one")
        elif call == "start":
            other.start("one", "agent.act", job_id="one")
        else:
            other.recover()

    clock.advance(9.9)
    before = stored(store)
    act()
    assert stored(store) == before
    clock.advance(0.1)
    act()
    assert (other.state("one").status, calls["runs"]) == ("completed", 2)
    expected = ["ActivationFailed", "TimerFired", "ExecutionClaimed", "Logged"]
    assert names(other, "one")[2:-2] == expected


def test_back_off_grows_from_the_last_event_on(hosts: Hosts) -> None:
    clock, calls = ManualClock(), Counter[str]()
    retry = Retry(attempts=5, delay=10, factor=2, max_delay=25, jitter=0)
    engine = hosts(one(failing(9, calls), retry), clock=clock)
    began_ms = clock.now_ms()
    engine.start("one", "agent.act", job_id="one")
    clock.advance(-3600)  # Nothing is due before its time by a clock that is behind.
    due = list[int]()
    while (state := engine.state("one")).status == "waiting":
        assert state.wakes_at is not None
        due.append(round(state.wakes_at.timestamp() * 1000) - began_ms)
        clock.set(state.wakes_at)
        engine.run("one")
    assert due == [10_000, 30_000, 55_000, 80_000]


def test_an_attempt_is_due_after_the_last_event_though_the_clock_was_set_back(
    hosts: Hosts,
) -> None:
    clock = ManualClock()

    def act(ctx: Context) -> None:
        clock.advance(-100)
        raise ValueError(ctx.attempt)

    began_ms = clock.now_ms()
    state = hosts(one(act, LATER), clock=clock).start("one", "agent.act", job_id="one")
    assert state.wakes_at is not None
    assert state.wakes_at.timestamp() * 1000 == began_ms + 10_000


def wave(handlers: dict[str, Callable[[Context], None]], retry: Retry = LATER) -> Flow:
    """Return a flow whose second wave has a slot that retries for each of some handlers."""
    flow = Flow("wave")

    @flow.slot(outputs=("out",))
    def source(ctx: Context) -> None:
        ctx.emit("out")

    for name, handler in handlers.items():
        flow.routine(name, outputs=("done",)).slot(name="act", retry=retry)(handler)
        flow.connect("source.out", f"{name}.act")
    return flow


def test_neighbours_finish_while_one_waits_and_the_wave_closes_behind_it(hosts: Hosts) -> None:
    clock, calls = ManualClock(), Counter[str]()

    def good(ctx: Context) -> None:
        calls["good"] += 1
        ctx.emit("done", name="good")

    def bad(ctx: Context) -> None:
        if ctx.attempt == 1:
            raise ValueError
        ctx.emit("done", name="bad")

    engine = hosts(wave({"bad": bad, "good": good}), clock=clock)
    state = engine.start("wave", "source", job_id="one")
    assert (state.status, state.outputs) == ("waiting", ())
    clock.advance(10)
    state = engine.run("one")
    assert [each.payload["name"] for each in state.outputs] == ["bad", "good"]
    assert (state.status, calls["good"]) == ("completed", 1)


def test_a_driver_that_still_drives_the_job_fires_what_is_due(
    hosts: Hosts, threads: Threads
) -> None:
    clock, gate, again = ManualClock(), Gate(), Gate()
    failed = list[int]()

    def long(ctx: Context) -> None:
        ctx.log("long")
        gate.hold()

    def bad(ctx: Context) -> None:
        failed.append(ctx.attempt)
        if ctx.attempt == 1:
            raise ValueError
        again.reached.set()

    engine = hosts(wave({"bad": bad, "long": long}), clock=clock)
    other = hosts()
    with held(threads, gate, lambda: engine.start("wave", "source", job_id="one")) as released:
        for recorded in other.follow("one"):
            if isinstance(recorded.event, ev.ActivationFailed):
                break
        assert other.state("one").status == "running"
        clock.advance(10)
        again.await_handler()
        assert not gate.opened.is_set()
        state = released()
    assert (state.status, failed) == ("completed", [1, 2])


def test_an_operator_holds_the_next_attempt_back(hosts: Hosts) -> None:
    clock, calls = ManualClock(), Counter[str]()
    engine = hosts(one(failing(1, calls), LATER), clock=clock)
    engine.start("one", "agent.act", job_id="one")
    assert engine.pause("one", "inspection").status == "paused"
    clock.advance(60)
    assert engine.run("one").status == "paused"
    assert calls["runs"] == 1
    assert engine.resume("one").status == "completed"


def test_a_job_that_waits_is_cancelled_like_any_other(hosts: Hosts) -> None:
    clock, calls = ManualClock(), Counter[str]()
    engine = hosts(one(failing(1, calls), LATER), clock=clock)
    engine.start("one", "agent.act", job_id="one")
    engine.cancel("one")
    clock.advance(60)
    assert (engine.run("one").status, calls["runs"]) == ("cancelled", 1)


# Effects across attempts.


def counted(calls: Counter[str], name: str, *, fails: int = 0) -> Callable[[], int]:
    """Return what is called as an effect, and fails so many times."""

    def call() -> int:
        calls[name] += 1
        if calls[name] <= fails:
            raise LookupError(f"{name} {calls[name]}")
        return calls[name]

    return call


def test_effects_are_reused_by_the_next_attempt(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        result = ctx.effect(counted(calls, "first"))
        if ctx.attempt == 1:
            raise ValueError
        ctx.shared["result"] = result

    engine = hosts(one(act))
    state = engine.start("one", "agent.act", job_id="one")
    assert (state.shared, calls, effect_ids(engine)) == ({"result": 1}, {"first": 1}, ["1.1/e0"])


def test_the_effect_whose_error_escaped_is_called_again_and_those_after_it(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        before = ctx.effect(counted(calls, "before"))
        kept: errors.EffectError | None = None
        try:
            ctx.effect(counted(calls, "held", fails=1))
        except errors.EffectError as error:
            kept = error
        after = ctx.effect(counted(calls, "after"))
        if kept is not None:
            raise kept
        ctx.shared["seen"] = [before, after]

    engine = hosts(one(act))
    state = engine.start("one", "agent.act", job_id="one")
    assert state.shared == {"seen": [1, 2]}
    assert calls == {"before": 1, "held": 2, "after": 2}
    assert [each.escaped for each in failures(engine)] == ["1.1/e1"]
    assert effect_ids(engine) == ["1.1/e0", "1.1/e1", "1.1/e2", "1.1/e1", "1.1/e2"]


def test_an_error_that_was_caught_stays_what_it_was_at_the_next_attempt(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    seen: list[str] = []

    def act(ctx: Context) -> None:
        try:
            ctx.effect(counted(calls, "caught", fails=1))
        except errors.EffectError as error:
            seen.append(str(error))
        if ctx.attempt == 1:
            raise ValueError

    engine = hosts(one(act))
    assert engine.start("one", "agent.act", job_id="one").status == "completed"
    assert (seen, calls) == (["LookupError: caught 1"] * 2, {"caught": 1})


def test_an_error_of_another_effect_with_the_same_text_is_not_the_one_that_escaped(
    hosts: Hosts,
) -> None:
    calls: Counter[str] = Counter()

    def fail() -> Never:
        calls["fail"] += 1
        raise LookupError("same")

    def act(ctx: Context) -> None:
        with pytest.raises(errors.EffectError):
            ctx.effect(fail)
        raise errors.EffectError("LookupError", "same")

    engine = hosts(one(act))
    assert engine.start("one", "agent.act", job_id="one").status == "failed"
    assert calls["fail"] == 1
    assert [each.escaped for each in failures(engine)] == [None] * 3


def test_a_result_that_can_not_be_recorded_is_asked_for_again(hosts: Hosts) -> None:
    answers: list[Any] = [float("nan"), 1.5]

    def act(ctx: Context) -> None:
        ctx.shared["answer"] = ctx.effect(lambda: answers.pop(0))

    state = hosts(one(act)).start("one", "agent.act", job_id="one")
    assert state.shared == {"answer": 1.5}


def test_a_fresh_attempt_calls_every_effect_anew(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        ctx.shared["result"] = ctx.effect(counted(calls, "asked"))
        if ctx.attempt == 1:
            raise ValueError

    engine = hosts(one(act, Retry(delay=0, effects="fresh")))
    assert engine.start("one", "agent.act", job_id="one").shared == {"result": 2}
    assert [each.effects for each in failures(engine)] == ["fresh"]


def test_keys_stay_the_same_across_attempts(hosts: Hosts) -> None:
    keys: list[str] = []

    def act(ctx: Context) -> None:
        def call() -> None:
            keys.append(ctx.idempotency_key)
            if len(keys) == 1:
                raise LookupError

        ctx.effect(call)

    hosts(one(act)).start("one", "agent.act", job_id="one")
    assert keys == ["one/1.1/e0"] * 2


def test_an_answer_is_kept_for_the_next_attempt_and_asked_for_anew_by_a_fresh_one(
    hosts: Hosts,
) -> None:
    plans: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        plan = ctx.effect(counted(plans, "plan"))
        answer = ctx.interrupt({"plan": plan})
        if ctx.attempt == 1:
            raise ValueError
        ctx.shared["answer"] = answer

    engine = hosts(one(act))
    engine.start("one", "agent.act", job_id="reused")
    state = engine.resume("reused", Answer("yes"))
    assert (state.status, state.shared) == ("completed", {"answer": "yes"})
    fresh = hosts(one(act, Retry(delay=0, effects="fresh")))
    fresh.start("one", "agent.act", job_id="fresh")
    state = fresh.resume("fresh", Answer("old"))
    assert (state.status, [each.payload for each in state.interrupts]) == (
        "paused",
        [{"plan": 3}],
    )
    state = fresh.resume("fresh", Answer("new"))
    assert (state.status, state.shared) == ("completed", {"answer": "new"})


# Crashes.


def test_an_attempt_whose_host_ended_is_not_counted(hosts: Hosts) -> None:
    endings, attempts = [KeyboardInterrupt], list[int]()

    def act(ctx: Context) -> None:
        attempts.append(ctx.attempt)
        if endings and ctx.attempt == 2:
            raise endings.pop()
        if ctx.attempt < 3:
            raise ValueError

    flow = one(act)
    with pytest.raises(KeyboardInterrupt):
        hosts(flow).start("one", "agent.act", job_id="one")
    assert hosts(flow).run("one").status == "completed"
    assert attempts == [1, 2, 2, 3]


def test_a_worker_gives_up_what_ended_five_executions(hosts: Hosts, store: Store) -> None:
    calls: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        calls["runs"] += 1
        if calls["runs"] <= 5:
            raise KeyboardInterrupt
        ctx.log("at last")

    flow = one(act)
    with pytest.raises(KeyboardInterrupt):
        hosts(flow).start("one", "agent.act", job_id="one")
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            hosts(flow).run("one")
    engine = hosts(flow)
    engine.worker().run(once=True)
    state = engine.state("one")
    assert (state.status, calls["runs"]) == ("failed", 5)
    assert state.failure is not None
    assert state.failure.type == "NoProgress"
    assert "1.1 did not get anywhere in 5 executions" in state.failure.message
    assert engine.retry("one").status == "completed"


def test_who_asks_for_a_job_by_its_name_may_run_it_as_often_as_they_like(hosts: Hosts) -> None:
    endings = [KeyboardInterrupt] * 7

    def act(ctx: Context) -> None:
        if endings:
            raise endings.pop()
        ctx.log("at last")

    flow = one(act)
    with pytest.raises(KeyboardInterrupt):
        hosts(flow).start("one", "agent.act", job_id="one")
    for _ in range(6):
        with pytest.raises(KeyboardInterrupt):
            hosts(flow).run("one")
    assert hosts(flow).run("one").status == "completed"


def test_what_is_decided_while_nothing_is_due_is_refused_by_name(
    hosts: Hosts, store: Store
) -> None:
    clock = ManualClock()
    engine = hosts(one(failing(1, Counter()), LATER), clock=clock)
    engine.start("one", "agent.act", job_id="one")
    with check_refusal(store, errors.NotPaused, "is waiting", "not paused"):
        engine.resume("one")
    with check_refusal(store, errors.NotPaused, "is waiting, not failed"):
        engine.retry("one")
    engine.update("one", {"k": 1})
    clock.advance(10)
    assert engine.run("one").shared == {"k": 1}
    assert count(engine, "one", "TimerFired") == 1
