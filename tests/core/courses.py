"""Courses of real jobs, for laws of the core: generated ones, and ones steered into corners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from esflow import Answer, Context, Continue, Engine, Flow, Goto, errors
from esflow import events as ev
from esflow.store import Store
from esflow.stores import open_store
from tests.core.later_courses import waiting
from tests.laws import joins
from tests.laws.faults import Fault, Kind
from tests.laws.play import Play
from tests.reference.generator import examples
from tests.reference.program import Program, Script

Body: TypeAlias = Callable[[Context, Engine, Engine], None]
"""What the first handler does, given the engine that drives it and another."""

POINTS: Final = ("execution.claimed", "handler.returned", "effect.returned", "append.committed")
KINDS: Final[tuple[Kind, ...]] = ("crash", "pause", "steal")
JOB: Final = "job"
IN: Final = ("a.in",)


@st.composite
def plays(draw: st.DrawFn) -> Play:
    """Draw a play that is over, undisturbed or with up to three faults."""
    program, script = draw(examples())
    fault = st.builds(Fault, st.sampled_from(KINDS), st.integers(1, 12), st.sampled_from(POINTS))
    return played(program, script, draw(st.lists(fault, max_size=3)))


def played(program: Program, script: Script, faults: Sequence[Fault] = ()) -> Play:
    """Play a program to its end."""
    play = Play(program, script, open_store("memory://"), faults=faults)
    play.run()
    return play


def steered() -> dict[str, list[ev.Event]]:
    """Return what is recorded of jobs that go where generated ones hardly ever do."""
    courses = _steered() | waiting()
    failing, asking = courses["failing"], courses["asking in its middle"]
    sleeping = courses["waiting for a timer"]
    asked = next(at for at, each in enumerate(asking) if isinstance(each, ev.JobPaused))
    slept = next(at for at, each in enumerate(sleeping) if isinstance(each, ev.ActivationCompleted))
    origins = {
        "pending": failing[:1],
        "running": failing[:2],
        "waiting": sleeping[: slept + 1],
        "paused": asking[: asked + 1],
        "failed": failing,
        "completed": asking,
        "cancelled": courses["cancelled while paused"],
    }
    forked = ev.JobForked(origin="another", version=1, live=False)
    return courses | {f"forked, {name}": [*events, forked] for name, events in origins.items()}


def _steered() -> dict[str, list[ev.Event]]:
    return {
        "held before it is claimed": _course(_nothing, _held_before_the_claim),
        "held while running, finished": _course(_abandoned(_nothing), _look),
        "held while running, paused": _course(_abandoned(_everything), _answered_under_the_hold),
        "held while running, failed": _course(_abandoned(_failing), _look),
        "held and let go while running": _course(_held_and_let_go, _look),
        "taken over while running": _course(_taken_over, _look),
        "answered while running": _course(_asking, _answered_while_running),
        "paused by its program": _course(_everything, _continued),
        "deferring without a pause": _course(_deferring, _look),
        "asking in its middle": _course(_interrupting, _answered),
        "asking in its middle under a hold": _course(_abandoned(_interrupting), _answered_later),
        "stopped before and after": _course(_nothing, _passed, before=IN, after=IN),
        "led away before it is claimed": _course(_nothing, _led_elsewhere, before=IN),
        "led away from an interrupt": _course(_interrupting, _led_elsewhere),
        "led elsewhere as earlier formats have it": _older_goto(_led_elsewhere),
        "led elsewhere under a hold, earlier": _older_goto(_led_elsewhere_under_a_hold),
        "failing": _course(_failing, _look),
        "led elsewhere": _course(_everything, _led_elsewhere),
        "led elsewhere under a hold": _course(_everything, _led_elsewhere_under_a_hold),
        "cancelled before it is claimed": _course(_nothing, _cancelled_before_the_claim),
        "cancelled while running": _course(_cancelled, _look),
        "cancelled while paused": _course(_everything, _cancelled_afterwards),
        "joining what comes by several connections": _led(joins.COURSES["joins"]),
        "merging by code, and updated": _led(joins.COURSES["merges"]),
        "failing at a join, and updated by code": _updated(joins.COURSES["merges"].flow()),
    }


def _updated(flow: Flow) -> list[ev.Event]:
    """Return a course of a job that fails because nothing comes to a slot that gathers."""
    engine = Engine("memory://", flows=[flow])
    state = engine.start(flow.name, "count", {"word": "a"}, job_id=JOB)
    assert state.failure is not None
    assert state.failure.type == "GatherIncomplete"
    engine.update(JOB, {"words": {"more": 1}, "title": " told "})
    return [recorded.event for recorded in engine.history(JOB)]


def _led(course: joins.Course) -> list[ev.Event]:
    _, history = joins.run(course, joins.Stopping(open_store("memory://"), course.flow))
    return [recorded.event for recorded in history]


def _course(
    body: Body,
    then: Callable[[Engine], None],
    before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> list[ev.Event]:
    store = open_store("memory://")
    other = Engine(store, flows=[_flow(_nothing, store)])
    driver = Engine(store, flows=[_flow(body, store, lambda: driver)])
    if then in (_held_before_the_claim, _cancelled_before_the_claim):
        driver.submit("flow", "a.in", job_id=JOB)
    else:
        with suppress(errors.Fenced):
            driver.start("flow", "a.in", job_id=JOB, before=before, after=after)
    then(driver if then is _answered_while_running else other)
    return [recorded.event for recorded in other.history(JOB)]


def _older_goto(then: Callable[[Engine], None]) -> list[ev.Event]:
    """Return a course whose Goto dropped the work first, and then lifted the pause."""
    events = _course(_everything, then)
    at = next(place for place, each in enumerate(events) if isinstance(each, ev.WorkDropped))
    assert isinstance(events[at - 1], ev.JobResumed)
    events[at - 1], events[at] = events[at], events[at - 1]
    return events


def _flow(body: Body, store: Store, driver: Callable[[], Engine] | None = None) -> Flow:
    flow = Flow("flow")
    routine = flow.routine("a", outputs=("out", "free"))

    @routine.slot(name="in")
    def first(ctx: Context) -> None:
        if driver is not None:
            body(ctx, driver(), Engine(store, flows=[_flow(_nothing, store)]))

    @routine.slot
    def told(ctx: Context, answer: Any = None) -> None:
        """Take whatever comes."""

    @routine.slot
    def second(ctx: Context) -> None:
        if driver is not None and body is _asking:
            other = Engine(store, flows=[_flow(_nothing, store)])
            _elsewhere(lambda: other.resume(JOB, Answer("yes", "1.1/q0")))
            _elsewhere(lambda: other.send(JOB, "a.told", {}))

    flow.connect("a.out", "a.second")
    return flow


def _elsewhere(act: Callable[[], object]) -> None:
    """Do something outside of the handler that waits for it."""
    thread = Thread(target=act)
    thread.start()
    thread.join()


# What the first handler does.


def _nothing(ctx: Context, driver: Engine, other: Engine) -> None:
    """Return at once."""


def _abandoned(body: Body) -> Body:
    """Return a body whose job is held after its driver has given up its lease."""

    def act(ctx: Context, driver: Engine, other: Engine) -> None:
        driver.close()
        _elsewhere(lambda: other.pause(JOB, "inspection"))
        body(ctx, driver, other)

    return act


def _everything(ctx: Context, driver: Engine, other: Engine) -> None:
    ctx.shared["n"] = ctx.effect(int)
    ctx.memory["n"] = 1
    ctx.log("line")
    ctx.emit("free")
    ctx.defer("free")
    ctx.pause("tea")
    ctx.ask("which?", to="a.told")


def _interrupting(ctx: Context, driver: Engine, other: Engine) -> None:
    ctx.shared["n"] = ctx.effect(int)
    ctx.interrupt("sure?")


def _failing(ctx: Context, driver: Engine, other: Engine) -> None:
    raise ValueError("no")


def _held_and_let_go(ctx: Context, driver: Engine, other: Engine) -> None:
    _elsewhere(lambda: other.pause(JOB, "inspection"))
    with suppress(errors.NotPaused):
        _elsewhere(lambda: other.resume(JOB, Continue()))


def _taken_over(ctx: Context, driver: Engine, other: Engine) -> None:
    _elsewhere(lambda: other.recover(older_than=0))


def _cancelled(ctx: Context, driver: Engine, other: Engine) -> None:
    _elsewhere(lambda: other.cancel(JOB, "enough"))


def _asking(ctx: Context, driver: Engine, other: Engine) -> None:
    ctx.emit("out")
    ctx.ask("which?", to="a.told")


def _deferring(ctx: Context, driver: Engine, other: Engine) -> None:
    ctx.defer("free")


# What happens afterwards.


def _look(other: Engine) -> None:
    other.state(JOB)


def _held_before_the_claim(other: Engine) -> None:
    other.send(JOB, "a.told", {})
    other.pause(JOB, "inspection")
    other.resume(JOB, Continue())


def _continued(other: Engine) -> None:
    other.send(JOB, "a.told", {})
    other.resume(JOB, Continue())
    other.resume(JOB, Answer("yes"))


def _answered_under_the_hold(other: Engine) -> None:
    other.resume(JOB, Answer("yes"))
    other.resume(JOB, Continue())


def _answered_while_running(other: Engine) -> None:
    other.resume(JOB, Continue())


def _answered(other: Engine) -> None:
    other.resume(JOB, Answer("yes"))


def _answered_later(other: Engine) -> None:
    other.resume(JOB, Continue())
    other.resume(JOB, Answer("yes"))


def _passed(other: Engine) -> None:
    other.update(JOB, {"n": 1})
    other.resume(JOB)
    other.resume(JOB, before=[], after=())


def _led_elsewhere(other: Engine) -> None:
    other.update(JOB, {"n": 2})
    other.resume(JOB, Goto("a.told", {"answer": 1}))


def _led_elsewhere_under_a_hold(other: Engine) -> None:
    other.pause(JOB, "inspection")
    other.resume(JOB, Goto("a.told", {"answer": 1}))
    other.resume(JOB, Continue())


def _cancelled_before_the_claim(other: Engine) -> None:
    other.cancel(JOB, "enough")


def _cancelled_afterwards(other: Engine) -> None:
    other.cancel(JOB)
