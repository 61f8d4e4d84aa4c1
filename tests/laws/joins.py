"""Jobs whose slots gather and whose data is merged by code, led to their ends past any stop.

Each course is one job, led by what its state shows, so that whoever takes it up goes on with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any, Final, TypeAlias, final

import attrs

from esflow import (
    Answer,
    Context,
    Continue,
    Engine,
    Flow,
    JobState,
    Recorded,
    Update,
    errors,
    failpoints,
)
from esflow.store import Store
from tests.laws.faults import Crash

JOB: Final = "job"
Lead: TypeAlias = Callable[[Engine, JobState], object]


@final
@attrs.frozen
class Course:
    """A job: the flow, where it starts, and what is done when it stands still."""

    flow: Callable[[], Flow]
    slot: str
    lead: Lead


@final
@attrs.define
class Stopping:
    """Stops a run where it comes to a point for the how-many-th time, and counts its visits."""

    store: Store
    flow: Callable[[], Flow]
    kind: str = ""
    point: str = ""
    at: int = 0
    parallel: int = 1
    durability: str = "step"
    visits: Counter[str] = attrs.field(factory=Counter[str])
    befell: bool = False

    def __call__(self, point: str) -> None:
        """Come to a point."""
        self.visits[point] += 1
        if (point, self.visits[point]) != (self.point, self.at) or self.befell:
            return
        self.befell = True
        if self.kind == "crash":
            raise Crash
        with unwatched():
            somebody = Thread(target=self._hold)  # Who is inside of no handler.
            somebody.start()
            somebody.join()

    def _hold(self) -> None:
        with suppress(errors.JobNotFound, errors.JobClosed):
            Engine(self.store).pause(JOB, "inspection")


def _pass_by(_: str) -> None:
    """Let a point pass."""


@contextmanager
def unwatched() -> Generator[None]:
    """Let what somebody else does be no visit."""
    hook, failpoints.hook = failpoints.hook, _pass_by
    try:
        yield
    finally:
        failpoints.hook = hook


def run(course: Course, stopping: Stopping) -> tuple[JobState, list[Recorded]]:
    """Lead a job to its end, on a new host after each death."""
    hook, failpoints.hook = failpoints.hook, stopping
    try:
        for _ in range(40):
            with suppress(Crash, errors.NotPaused, errors.VersionConflict, errors.Fenced):
                state = _carried_on(course, stopping)
                if state is not None:
                    return state, list(Engine(stopping.store).history(JOB))
    finally:
        failpoints.hook = hook
    raise AssertionError("the job doesn't come to an end")


def _carried_on(course: Course, how: Stopping) -> JobState | None:
    """Do one thing with a job; return it when it has ended."""
    store, flows = how.store, [course.flow()]
    engine = Engine(store, flows, max_parallel=how.parallel, durability=how.durability)
    if store.head(JOB) is None:
        engine.start(course.flow().name, course.slot, job_id=JOB)
        return None
    state = engine.state(JOB)
    if state.status in ("completed", "failed"):
        return state
    if any(each.kind == "operator" for each in state.pause):
        engine.resume(JOB, Continue())
    elif state.status == "paused":
        course.lead(engine, state)
    else:
        engine.recover(older_than=0)
    return None


def joining() -> Flow:
    """Return a flow of two rounds of a join, with stragglers, and a collection of two."""
    flow = Flow("joining")
    source = flow.routine("source", outputs=("left", "right", "early"))
    slow = flow.routine("slow", outputs=("right",))

    @source.slot
    def begin(ctx: Context) -> None:
        for number in range(2):
            ctx.emit("left", number=ctx.effect(int, str(number)))
            ctx.emit("right", number=number)
        ctx.defer("early", by="deferral")
        ctx.ask("And?", to="collect")

    @slow.slot
    def straggle(ctx: Context, number: int) -> None:
        ctx.emit("right", number=-number)

    @flow.slot(gather="all", outputs=("out",))
    def join(ctx: Context, items: list[dict[str, int]]) -> None:
        ctx.emit("out", by="join", items=items)
        ctx.write("joined", [each["number"] for each in items], "append")

    @flow.slot(gather=2, outputs=("out",))
    def collect(ctx: Context, items: list[dict[str, Any]]) -> None:
        ctx.emit("out", items=items)

    flow.connect("source.right", "slow.straggle")
    flow.connect("source.left", "join")
    flow.connect("slow.right", "join")
    flow.connect("source.early", "collect")
    flow.connect("join", "collect")
    return flow


def answering(engine: Engine, state: JobState) -> None:
    """Answer what is asked."""
    engine.resume(JOB, Answer("so", to=state.questions[0].id))


def capped(_: object, field: Any, value: int) -> None:
    """Refuse what is too much."""
    if value > 100:
        raise ValueError(field.name)


def stripped(text: str) -> str:
    """Return text without space around it."""
    return text.strip()


@attrs.define
class Data:
    """What the members of a wave write to."""

    total: int = attrs.field(default=0, validator=capped)
    words: dict[str, int] = attrs.field(factory=dict[str, int])
    title: str = attrs.field(default=" none ", converter=stripped)
    updated: bool = False


def tally(current: dict[str, int], value: dict[str, int]) -> dict[str, int]:
    """Add counts to counts."""
    return {key: current.get(key, 0) + value.get(key, 0) for key in [*current, *value]}


def merging() -> Flow:
    """Return a flow whose waves write to data with a type and a reducer of its own."""
    flow = Flow("merging", shared=Data, reducers={"words": tally, "total": "add"})
    source = flow.routine("source", outputs=("word",))

    @source.slot
    def begin(ctx: Context) -> None:
        for word in "aba":
            ctx.emit("word", word=word)

    @flow.slot(outputs=("seen",))
    def count(ctx: Context, word: str) -> None:
        ctx.shared.words = {ctx.effect(str.upper, word): 1}
        ctx.shared.total = 1
        ctx.emit("seen", words=ctx.shared.words)
        if word == "b":
            ctx.pause()

    @flow.slot(gather=3)
    def look(ctx: Context, items: list[dict[str, Any]]) -> None:
        ctx.shared.words = {"looks": 1}
        ctx.log("looked", items=items, words=ctx.shared.words, title=ctx.shared.title)

    flow.connect("source.word", "count")
    flow.connect("count.seen", "look")
    return flow


def updating(engine: Engine, state: JobState) -> None:
    """Update the data once, then carry on."""
    if not state.shared["updated"]:
        engine.update(JOB, {"updated": True, "words": {"outside": 2}, "title": " told "})
    else:
        engine.resume(JOB, Update({"words": {"last": 1}}))


COURSES: Final = {
    "joins": Course(joining, "source.begin", answering),
    "merges": Course(merging, "source.begin", updating),
}
