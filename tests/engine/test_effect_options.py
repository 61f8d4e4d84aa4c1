"""What a function says of itself as an effect: its name, its attempts, how it is compared."""

import functools
import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from esflow import Context, Engine, Flow, Retry, effect, errors
from esflow import events as ev
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.outside import Outside, driver, interrupted
from tests.engine.world import PATIENCE_SECONDS, Hosts, Threads, effects, names

AT_ONCE = Retry(attempts=3, delay=0)
LATER = Retry(attempts=3, delay=10, jitter=0)


def attempts(engine: Engine, job_id: str = "one") -> list[ev.EffectAttemptFailed]:
    """Return the attempts of effects that failed and were not the last."""
    recorded = [each.event for each in engine.history(job_id)]
    return [each for each in recorded if isinstance(each, ev.EffectAttemptFailed)]


def failing(times: int, calls: Counter[str], retry: Retry = AT_ONCE) -> Callable[[], int]:
    """Return an effect that fails so many times."""

    @effect(name="call", retry=retry)
    def call() -> int:
        calls["call"] += 1
        if calls["call"] <= times:
            raise LookupError(f"call {calls['call']}")
        return calls["call"]

    return call


def keeping(call: Callable[[], int]) -> Callable[[Context], None]:
    """Return a handler that keeps the result of an effect."""

    def act(ctx: Context) -> None:
        ctx.shared["result"] = ctx.effect(call)

    return act


# Declaring.


def test_a_function_stays_what_it_is() -> None:
    def plain(number: int) -> int:
        return number + 1

    assert effect(plain) is plain
    assert effect(name="other", retry=Retry(), timeout=timedelta(seconds=1))(plain) is plain
    assert plain(1) == 2


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"name": ""}, "effect.name"),
        ({"name": "two\nlines"}, "effect.name"),
        ({"name": 7}, "effect.name"),
        ({"retry": 3}, "is no Retry"),
        ({"timeout": 0}, "leave no time"),
        ({"timeout": -1}, "effect.timeout"),
        ({"timeout": float("nan")}, "effect.timeout"),
        ({"arguments": "loose"}, "'strict', 'warn' or 'off'"),
    ],
)
def test_options_that_can_not_be_are_refused(options: dict[str, Any], shown: str) -> None:
    with pytest.raises(errors.PayloadError, match=shown):
        effect(**options)


def test_what_can_not_be_told_anything_is_refused() -> None:
    with pytest.raises(errors.PayloadError, match="wrap it in a function of yours"):
        effect(len)


def test_options_are_found_wherever_the_function_is_called(hosts: Hosts) -> None:
    class Service:
        @effect(name="service.get")
        def get(self, number: int) -> int:
            return number

    @effect(name="base")
    def base(number: int) -> int:
        return number

    @functools.wraps(base)
    def wrapped(number: int) -> int:
        return base(number)

    @effect
    def plain(number: int) -> int:
        return number

    def act(ctx: Context) -> None:
        for call in (Service().get, partial(base), wrapped, plain):
            ctx.effect(call, 1)

    engine = driver(hosts, act)
    assert engine.start("outside", "agent.act", job_id="one").status == "completed"
    own = plain.__qualname__
    functions = [each.function for each in effects(engine, "one")]
    assert functions == ["service.get", "base", "base", own]


# Attempts.


def test_an_effect_is_tried_again_and_every_attempt_is_recorded(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    engine = driver(hosts, keeping(failing(2, calls)))
    state = engine.start("outside", "agent.act", job_id="one")
    assert (state.shared, calls["call"]) == ({"result": 3}, 3)
    assert [(each.attempt, each.error.message) for each in attempts(engine)] == [
        (1, "call 1"),
        (2, "call 2"),
    ]
    (made,) = effects(engine, "one")
    assert (made.attempt, made.result, made.key) == (3, 3, "one/1.1/e0")


def test_the_last_attempt_of_an_effect_is_its_error(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    seen: list[str] = []

    def act(ctx: Context) -> None:
        try:
            ctx.effect(failing(9, calls))
        except errors.EffectError as error:
            seen.append(f"{error} {type(error.__cause__).__name__}")

    engine = driver(hosts, act)
    assert engine.start("outside", "agent.act", job_id="one").status == "completed"
    assert seen == ["LookupError: call 3 LookupError"]
    assert [each.attempt for each in effects(engine, "one")] == [3]


def test_an_effect_is_tried_again_for_the_errors_that_are_named(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    only = Retry(attempts=3, delay=0, on=(OSError,))
    engine = driver(hosts, keeping(failing(1, calls, only)))
    assert engine.start("outside", "agent.act", job_id="one").status == "failed"
    assert (calls["call"], attempts(engine)) == (1, [])


def test_a_result_that_can_not_be_recorded_is_tried_again(hosts: Hosts) -> None:
    answers: list[Any] = [float("nan"), 5]

    @effect(retry=AT_ONCE)
    def call() -> Any:
        return answers.pop(0)

    state = driver(hosts, keeping(call)).start("outside", "agent.act", job_id="one")
    assert state.shared == {"result": 5}


def _waiting(threads: Threads, engine: Engine) -> Any:
    """Start the job beside the test, up to the first attempt of its effect."""
    future = threads.submit(engine.start, "outside", "agent.act", job_id="one")
    _until(engine, "EffectAttemptFailed")
    return future


def _until(engine: Engine, name: str) -> None:
    """Wait until an event of a job is recorded."""
    position = engine.store.position()
    while engine.store.head("one") is None or name not in names(engine, "one"):
        position = engine.store.wait(position, PATIENCE_SECONDS)


def test_an_effect_waits_in_place_until_the_clock_wakes_it(hosts: Hosts, threads: Threads) -> None:
    clock, calls = ManualClock(), Counter[str]()
    engine = driver(hosts, keeping(failing(2, calls, LATER)), clock=clock)
    future = _waiting(threads, engine)
    assert engine.state("one").status == "running"
    clock.advance(9)
    assert not future.done()
    clock.advance(1)
    while len(attempts(engine)) < 2:
        engine.store.wait(engine.store.position() - 1, PATIENCE_SECONDS)
    clock.advance(20)
    assert future.result(PATIENCE_SECONDS).shared == {"result": 3}
    due = [each.again_at_ms for each in attempts(engine)]
    assert due[1] - due[0] == 20_000


def test_a_cancellation_ends_the_waiting(hosts: Hosts, threads: Threads) -> None:
    clock, calls = ManualClock(), Counter[str]()
    engine = driver(hosts, keeping(failing(9, calls, LATER)), clock=clock)
    future = _waiting(threads, engine)
    hosts().cancel("one")
    assert future.result(PATIENCE_SECONDS).status == "cancelled"
    assert calls["call"] == 1


def test_a_closed_engine_ends_the_waiting_and_any_host_goes_on(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    clock, calls = ManualClock(), Counter[str]()
    handler = keeping(failing(1, calls, LATER))
    engine = driver(hosts, handler, clock=clock)
    future = _waiting(threads, engine)
    engine.close()
    with pytest.raises(errors.StoreError, match="closed; try again"):
        future.result(PATIENCE_SECONDS)
    row = store.head("one")
    assert row is not None
    assert row.lease is None
    clock.advance(10)
    state = driver(hosts, handler, clock=clock).run("one")
    assert (state.shared, calls["call"]) == ({"result": 2}, 2)


def test_the_count_and_the_waiting_go_on_after_a_crash(hosts: Hosts, threads: Threads) -> None:
    clock, world = ManualClock(), Outside(interruptions=2)

    @effect(name="call", retry=LATER)
    def call() -> int:
        world.calls["call"] += 1
        if world.calls["call"] == 1:
            raise LookupError("no")
        world.interrupt()
        return world.calls["call"]

    engine = driver(hosts, keeping(call), clock=clock)
    future = _waiting(threads, engine)
    engine.close()
    with pytest.raises(errors.StoreError):
        future.result(PATIENCE_SECONDS)
    for _ in range(2):  # The host ends in the second attempt, twice.
        again = threads.submit(driver(hosts, keeping(call), clock=clock).run, "one")
        clock.advance(10)
        with pytest.raises(KeyboardInterrupt):
            again.result(PATIENCE_SECONDS)
    last = driver(hosts, keeping(call), clock=clock)
    assert last.run("one").shared == {"result": 4}
    assert [each.attempt for each in attempts(last)] == [1]
    assert [each.attempt for each in effects(last, "one")] == [2]


def test_another_call_in_the_place_of_one_that_is_tried_again_is_refused(
    hosts: Hosts, threads: Threads
) -> None:
    clock, calls = ManualClock(), Counter[str]()
    engine = driver(hosts, keeping(failing(9, calls, LATER)), clock=clock)
    future = _waiting(threads, engine)
    engine.close()
    with pytest.raises(errors.StoreError):
        future.result(PATIENCE_SECONDS)
    clock.advance(10)
    other = driver(hosts, keeping(lambda: 1), clock=clock)
    with pytest.raises(errors.NondeterminismError, match="recorded as call"):
        other.run("one")


# Comparing.


@pytest.mark.parametrize("arguments", ["strict", "warn", "off"])
def test_other_arguments_are_refused_or_told_or_let_be(
    hosts: Hosts, caplog: pytest.LogCaptureFixture, arguments: Any
) -> None:
    world = Outside()

    @effect(name="call", arguments=arguments)
    def call(number: int) -> int:
        world.calls["call"] += 1
        return number

    def act(ctx: Context) -> None:
        ctx.shared["result"] = ctx.effect(call, len(world.seen))
        world.seen.append(None)
        world.interrupt()

    engine = driver(hosts, act)
    interrupted(engine)
    with caplog.at_level(logging.WARNING, "esflow"):
        if arguments == "strict":
            with pytest.raises(errors.NondeterminismError):
                engine.run("one")
        else:
            assert engine.run("one").shared == {"result": 0}
    told = [each.getMessage() for each in caplog.records]
    assert any(
        "effect 1.1/e0 is recorded with other arguments than call(1)" in each for each in told
    ) == (arguments == "warn")
    assert world.calls["call"] == 1


@pytest.mark.parametrize("arguments", ["warn", "off"])
def test_another_function_is_refused_whatever_its_arguments_may_be(
    hosts: Hosts, arguments: Any
) -> None:
    world = Outside()

    def act(ctx: Context) -> None:
        ctx.effect(effect(name=f"call {len(world.seen)}", arguments=arguments)(lambda: 1))
        world.seen.append(None)
        world.interrupt()

    engine = driver(hosts, act)
    interrupted(engine)
    with pytest.raises(errors.NondeterminismError, match="call 0"):
        engine.run("one")


def test_a_flow_needs_no_list_of_its_effects(hosts: Hosts) -> None:
    flow = Flow("outside")
    flow.routine("agent").slot(name="act")(keeping(failing(0, Counter())))
    assert hosts(flow).start("outside", "agent.act").shared == {"result": 1}
