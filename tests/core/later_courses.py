"""Courses of real jobs that wait: for timers, for further attempts, and for the jobs they start.

Where nothing is left to do but to wait, whatever somebody outside does comes in its own way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, Final, TypeAlias, final

import attrs

from esflow import Answer, Context, Continue, Engine, Flow, Retry, Routine, effect, errors
from esflow import events as ev
from esflow.events import Json
from esflow.store import Store
from esflow.stores import open_store
from esflow.testing import ManualClock

JOB: Final = "job"
AGAIN: Final = Retry(attempts=2, delay=10.0, jitter=0.0)
AT_ONCE: Final = Retry(attempts=2, delay=0.0, jitter=0.0)


@final
@attrs.frozen
class Place:
    """Where a course takes place: a store, a clock, and hosts that are there only to disturb."""

    store: Store = attrs.field(factory=lambda: open_store("memory://"))
    clock: ManualClock = attrs.field(factory=ManualClock)
    drivers: list[Engine] = attrs.field(factory=list[Engine])

    def host(self) -> Engine:
        """Return another host with the flow."""
        engine = Engine(self.store, flows=[_waiting(self)], clock=self.clock, max_parallel=1)
        self.drivers.append(engine)
        return engine

    def elsewhere(self, act: Callable[[Engine], object]) -> None:
        """Let another host do something outside of the handler that waits for it."""
        thread = Thread(target=act, args=(self.host(),))
        thread.start()
        thread.join()

    def hold(self) -> None:
        """Let the job be held after its driver has given up its lease."""
        self.drivers[0].close()
        self.elsewhere(lambda other: other.pause(JOB, "inspection"))


Then: TypeAlias = Callable[[Place, Engine], object]
"""What is done once the job stands still."""


def waiting() -> dict[str, list[ev.Event]]:
    """Return what is recorded of jobs that have to wait."""
    return {
        "waiting for a timer": _course("sleep", _later),
        "waiting for two timers": _course("doze", _woken_twice),
        "a timer while others run": _course("oversleep", _look),
        "a timer while it is paused": _course("rest", _woken_by_continue),
        "a timer under a hold": _course("nap", _look),
        "waiting, and sent something": _course("sleep", _sent),
        "waiting, and changed": _course("sleep", _changed),
        "waiting, and held": _course("sleep", _held),
        "waiting, and cancelled": _course("sleep", lambda _, engine: engine.cancel(JOB)),
        "waiting behind a merge by code": _course("join", _changed),
        "waiting once it is mended": _course("clash", _mended),
        "failing twice": _course("fall", _retried),
        "failing for now": _course("trip", _later),
        "failing for now, and asking": _course("stumble", _answered),
        "an effect that fails for now": _course("reach", _look),
        "an effect that fails for now, under a hold": _course("overreach", _look),
        "waiting for two children": _course("family", _look),
        "a child that ends while others run": _course("nursery", _later),
        "a child that ends while it is paused": _course("holiday", _child_ends),
        "a child under a hold": _course("foster", _look),
    }


def _course(slot: str, then: Then) -> list[ev.Event]:
    place = Place()
    engine = place.host()
    with suppress(errors.StoreError):
        engine.start("waiting", f"a.{slot}", job_id=JOB)
    then(place, place.host())
    return [recorded.event for recorded in place.host().history(JOB)]


def _waiting(place: Place) -> Flow:
    flow = Flow("waiting", reducers={"joined": _joined})
    routine = flow.routine("a", outputs=("out", "free", "both", "two", "late", "clashing"))
    for add in (_add_timers, _add_writes, _add_failures, _add_children):
        add(place, routine)

    @routine.slot
    def told(ctx: Context, **_: Any) -> None:
        """Take whatever comes."""

    flow.connect("a.out", "a.told")
    flow.connect("a.two", "a.yawn")
    flow.connect("a.two", "a.told")
    flow.connect("a.late", "a.visit")
    flow.connect("a.clashing", "a.word")
    flow.connect("a.clashing", "a.number")
    flow.connect("a.both", "a.trip")
    flow.connect("a.both", "a.wonder")
    return flow


def _joined(current: Json, value: Json) -> Json:
    return f"{current}{value}"


# What the handlers do.


def _add_timers(place: Place, routine: Routine) -> None:
    @routine.slot
    def sleep(ctx: Context) -> None:
        ctx.emit_after(10, "out")

    @routine.slot
    def doze(ctx: Context) -> None:
        ctx.emit_after(10, "free")
        ctx.emit_after(20, "out")

    @routine.slot
    def rest(ctx: Context) -> None:
        ctx.emit_after(10, "out")
        ctx.pause("tea")

    @routine.slot
    def nap(ctx: Context) -> None:
        place.hold()
        ctx.emit_after(10, "out")

    @routine.slot
    def oversleep(ctx: Context) -> None:
        ctx.emit_after(10, "out")
        ctx.emit("two")

    @routine.slot
    def yawn(ctx: Context) -> None:
        place.clock.advance(60)


def _add_writes(place: Place, routine: Routine) -> None:
    @routine.slot
    def join(ctx: Context) -> None:
        ctx.shared["joined"] = "a"
        ctx.emit_after(10, "out")

    @routine.slot
    def clash(ctx: Context) -> None:
        ctx.emit("clashing")

    @routine.slot
    def word(ctx: Context) -> None:
        ctx.shared["n"] = "text"
        ctx.emit_after(10, "out")

    @routine.slot
    def number(ctx: Context) -> None:
        ctx.write("n", 1, reducer="add")


def _add_failures(place: Place, routine: Routine) -> None:
    @routine.slot
    def fall(ctx: Context) -> None:
        raise ValueError("no")

    @routine.slot
    def stumble(ctx: Context) -> None:
        ctx.emit("both")

    @routine.slot(retry=AGAIN)
    def trip(ctx: Context) -> None:
        raise ValueError("not yet")

    @routine.slot
    def wonder(ctx: Context) -> None:
        ctx.interrupt("sure?")

    @routine.slot
    def reach(ctx: Context) -> None:
        with suppress(errors.EffectError):
            ctx.effect(_unreachable)

    @routine.slot
    def overreach(ctx: Context) -> None:
        place.hold()
        ctx.effect(_unreachable)


@effect(retry=AT_ONCE)
def _unreachable() -> None:
    raise ConnectionError("no")


def _add_children(place: Place, routine: Routine) -> None:
    @routine.slot
    def family(ctx: Context) -> None:
        ctx.start("waiting", "a.told", then="a.gather")
        ctx.start("waiting", "a.told", then="a.gather")

    @routine.slot(gather=2)
    def gather(ctx: Context, items: list[Any]) -> None:
        """Take both."""

    @routine.slot
    def holiday(ctx: Context) -> None:
        ctx.start("waiting", "a.told", then="a.told")
        ctx.pause("tea")

    @routine.slot
    def foster(ctx: Context) -> None:
        place.hold()
        ctx.start("waiting", "a.told", then="a.told")

    @routine.slot
    def nursery(ctx: Context) -> None:
        ctx.start("waiting", "a.rest", then="a.told")
        ctx.emit_after(10, "late")

    @routine.slot
    def visit(ctx: Context) -> None:
        place.elsewhere(lambda other: other.cancel(f"{JOB}/1.1/c0"))


# What happens afterwards.


def _look(place: Place, engine: Engine) -> None:
    engine.state(JOB)


def _later(place: Place, engine: Engine) -> None:
    place.clock.advance(60)
    engine.run(JOB)


def _woken_twice(place: Place, engine: Engine) -> None:
    place.clock.advance(15)
    engine.run(JOB)
    place.clock.advance(15)
    engine.run(JOB)


def _woken_by_continue(place: Place, engine: Engine) -> None:
    place.clock.advance(60)
    engine.resume(JOB, Continue())


def _sent(place: Place, engine: Engine) -> None:
    engine.send(JOB, "a.told", {})


def _changed(place: Place, engine: Engine) -> None:
    engine.update(JOB, {"n": 1, "joined": "b"})


def _held(place: Place, engine: Engine) -> None:
    engine.pause(JOB, "inspection")
    engine.resume(JOB, Continue())


def _mended(place: Place, engine: Engine) -> None:
    engine.update(JOB, {"n": 1})
    engine.retry(JOB)


def _retried(place: Place, engine: Engine) -> None:
    engine.retry(JOB)


def _answered(place: Place, engine: Engine) -> None:
    engine.send(JOB, "a.told", {})
    engine.resume(JOB, Answer("yes"))
    _later(place, engine)


def _child_ends(place: Place, engine: Engine) -> None:
    engine.run(f"{JOB}/1.1/c0")
