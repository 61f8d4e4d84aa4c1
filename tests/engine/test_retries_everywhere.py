"""A job of retries and routes is the same wherever its hosts die, and counts no attempt twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, final

import attrs
import pytest

from esflow import Context, Engine, Flow, JobState, Recorded, Retry, effect, errors, failpoints
from esflow import events as ev
from esflow.ids import activation_of
from esflow.state import ENDED
from esflow.store import Store
from esflow.stores.memory import MemoryStore
from esflow.testing import ManualClock
from tests.laws.stripping import stripped

LATER: Final = Retry(attempts=4, delay=10)
AT_ONCE: Final = Retry(attempts=3, delay=0)
FRESH: Final = Retry(attempts=3, delay=5, effects="fresh")


class Crash(BaseException):
    """The host dies here."""


@final
@attrs.define
class Death:
    """Ends a host at its n-th visit to a fail point, and everything that it tries afterwards."""

    point: str
    at: int
    reached: Counter[str] = attrs.field(factory=Counter[str])
    dead: bool = False

    def __call__(self, point: str) -> None:
        """Come to a fail point."""
        self.reached[point] += 1
        if self.dead or (point == self.point and self.reached[point] == self.at):
            self.dead = True
            raise Crash


def failures_of(store: Store, item: str) -> int:
    """Return how many attempts at an effect are recorded to have failed.

    What the world outside answers depends on it, and on nothing that a crash changes.
    """
    with Engine(store) as engine:
        recorded = [each.event for each in engine.history("one")]
    return sum(isinstance(each, ev.EffectAttemptFailed) and each.id == item for each in recorded)


def by_attempt(attempt: int, good: int) -> int:
    """Fail up to an attempt of the handler."""
    if attempt < good:
        raise OSError(f"attempt {attempt}")
    return attempt


by_attempt_loosely = effect(name="by attempt", arguments="off")(by_attempt)


def flow_on(store: Store) -> Flow:
    """Return a flow that fails in every way, and comes to an end."""
    flow = Flow("retries")

    @effect(name="flaky", retry=AT_ONCE)
    def flaky(item: str, times: int) -> str:
        failed = failures_of(store, item)
        if failed < times:
            raise LookupError(f"{item} {failed}")
        return f"{item} after {failed}"

    @flow.slot(outputs=("out",))
    def source(ctx: Context) -> None:
        ctx.emit("out", kept=ctx.effect(flaky, f"{ctx.activation_id}/e0", 2))

    @flow.slot(outputs=("done",), retry=LATER)
    def escaping(ctx: Context, kept: str) -> None:
        with pytest.raises(errors.EffectError, match="attempt 1"):
            ctx.effect(by_attempt_loosely, ctx.attempt, 9)
        second = ctx.effect(flaky, f"{ctx.activation_id}/e1", 1)
        third = ctx.effect(by_attempt_loosely, ctx.attempt, 3)
        ctx.emit("done", seen=[kept, second, third], attempt=ctx.attempt)

    _add_others(flow, flaky)
    for name in ("escaping", "anew", "lost.always"):
        flow.connect("source.out", name)
    flow.connect("lost.error", "heard")
    return flow


def _add_others(flow: Flow, flaky: Callable[[str, int], str]) -> None:
    @flow.slot(outputs=("done",), retry=FRESH)
    def anew(ctx: Context, kept: str) -> None:
        seen = ctx.effect(by_attempt_loosely, ctx.attempt, 1)
        ctx.write("seen", seen, "append")
        if ctx.attempt < 3:
            raise ValueError(kept)
        ctx.emit("done", seen=[seen], attempt=ctx.attempt)

    lost = flow.routine("lost")

    @lost.slot(on_error="route", retry=AT_ONCE)
    def always(ctx: Context, kept: str) -> None:
        ctx.effect(flaky, f"{ctx.activation_id}/e0", 9)
        raise AssertionError(kept)

    @flow.slot(outputs=("done",))
    def heard(ctx: Context, message: str, attempts: int, **_: Any) -> None:
        ctx.emit("done", seen=[message], attempt=attempts)


@contextmanager
def dying(death: Death | None) -> Generator[None]:
    """Let hosts in the block die."""
    before, failpoints.hook = failpoints.hook, death or failpoints.hook
    try:
        yield
    finally:
        failpoints.hook = before


def play(death: Death | None, snapshot_every: int = 1000) -> list[Recorded]:
    """Run the job to its end, on hosts of which the first may die; return its history."""
    store, clock = MemoryStore(), ManualClock()
    flow = flow_on(store)

    def act(do: Callable[[Engine], JobState]) -> None:
        engine = Engine(store, [flow], max_parallel=1, clock=clock, snapshot_every=snapshot_every)
        try:
            do(engine)
        except Crash:
            assert death is not None
            failpoints.hook = before
        engine.close()

    before = failpoints.hook
    with dying(death):
        act(lambda it: it.start("retries", "source", job_id="one"))
        while True:
            with Engine(store, [flow], clock=clock) as looking:
                if store.head("one") is None:
                    act(lambda it: it.start("retries", "source", job_id="one"))
                    continue
                state = looking.state("one")
                if state.status in ENDED:
                    return list(looking.history("one"))
            if state.status == "waiting" and state.wakes_at is not None:
                clock.set(state.wakes_at)
            act(lambda it: it.run("one"))


def essence(history: list[Recorded]) -> dict[str, list[object]]:
    """Return what of a history may not depend on where hosts died."""
    kept = [each for each in history if not isinstance(each.event, ev.TimerFired)]
    timeless = [
        attrs.evolve(each, event=attrs.evolve(each.event, again_at_ms=0))
        if isinstance(each.event, ev.ActivationFailed | ev.EffectAttemptFailed)
        else each
        for each in kept
    ]
    return stripped(timeless)


def attempts_of(history: list[Recorded]) -> Counter[str]:
    """Return how many attempts at each effect and each activation are recorded."""
    counted: Counter[str] = Counter()
    for recorded in history:
        match recorded.event:
            case ev.EffectAttemptFailed(id=item) | ev.EffectRecorded(id=item):
                counted[item] += 1
            case ev.ActivationFailed(activation=item) | ev.ActivationCompleted(activation=item):
                counted[item] += 1
            case _:
                pass
    return counted


def test_the_job_fails_in_every_way_and_comes_to_its_end() -> None:
    history = play(None)
    names = Counter(each.event.name for each in history)
    failed = [each.event for each in history if isinstance(each.event, ev.ActivationFailed)]
    assert Counter(each.outcome for each in failed) == {"retry": 6, "route": 1}
    assert names["EffectAttemptFailed"] == 9
    outputs = [each.event for each in history if isinstance(each.event, ev.Emitted)]
    seen = [each.payload for each in outputs if each.output == "done"]
    assert [each["attempt"] for each in seen] == [3, 3, 3]
    assert attempts_of(history)["2.1/e0"] == 1
    assert isinstance(history[-1].event, ev.JobCompleted)


@pytest.mark.parametrize(
    ("point", "snapshot_every"),
    [*((each, 1000) for each in failpoints.POINTS), ("append.committed", 1)],
)
def test_wherever_a_host_dies_the_job_is_the_same_and_no_attempt_counts_twice(
    point: str, snapshot_every: int
) -> None:
    undisturbed = play(None)
    expected, attempts = essence(undisturbed), attempts_of(undisturbed)
    never = Death(point, 10**6)
    play(never)
    assert never.reached[point]
    for at in range(1, never.reached[point] + 1):
        death = Death(point, at)
        history = play(death, snapshot_every)
        assert death.dead
        assert essence(history) == expected, f"died at visit {at} to {point}"
        assert attempts_of(history) == attempts
    assert {activation_of(each) for each in attempts} == {"1.1", "2.1", "2.2", "2.3", "3.1"}
