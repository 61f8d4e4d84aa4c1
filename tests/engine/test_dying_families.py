"""A host may die anywhere: timers fire, children start and outcomes are told once all the same.

The host that dies takes back nothing, as a killed one: its leases lapse, and another host goes on.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias, final

import attrs
import pytest

from esflow import Answer, Engine, errors, failpoints
from esflow.events import Json
from esflow.store import JobQuery
from esflow.stores.memory import MemoryStore
from esflow.testing import ManualClock
from tests.engine.reminders import family, reminders

Act: TypeAlias = Callable[[Engine], object]
Moment: TypeAlias = "tuple[float, Act]"  # After so many seconds, somebody does this.

LEASE_SECONDS: Final = 30.0
POINTS: Final = frozenset(
    {
        *("append.begun", "append.inserted", "append.committed"),
        *("execution.claimed", "handler.returned"),
    }
)


@final
class Died(BaseException):
    """The host is dead, from here on."""


def _start(slot: str, **payload: Any) -> Act:
    flow = slot.partition(":")[0]
    return lambda engine: engine.start(flow, slot.partition(":")[2], payload, job_id="one")


def _run(engine: Engine) -> object:
    return engine.run("one")


def _answer(job_id: str) -> Act:
    def act(engine: Engine) -> None:
        with suppress(errors.AnswerRefused, errors.NotPaused, errors.JobClosed):
            engine.resume(job_id, Answer("fine", "1.1/q0"))

    return act


def _cancel(engine: Engine) -> None:
    with suppress(errors.JobClosed):
        engine.cancel("one")


STORIES: Final[dict[str, tuple[Moment, ...]]] = {
    "timers": (
        (0, _start("reminders:clerk.plan", delays=[900, 900, 1800])),
        *((900, _run), (900, _run)),
    ),
    "pause": (
        (0, _start("reminders:clerk.stop", delays=[900])),
        (900, lambda engine: engine.state("one").status == "paused" and engine.resume("one")),
    ),
    "deadline": ((0, _start("reminders:clerk.ask", seconds=900)), (900, _run)),
    "family": (
        (0, _start("family:home.begin", children=["work", "fail", "ask", "sleep", "grow"])),
        (900, _answer("one/1.1/c2")),
        (900, _run),
    ),
    "cancelled_family": (
        (0, _start("family:home.begin", children=["ask", "work", "grow", "sleep"])),
        (20, _cancel),
        (900, _run),
    ),
}
HOWS: Final[dict[str, Act]] = {
    "recover": lambda engine: engine.recover(),
    "worker": lambda engine: engine.worker().run(once=True),
}


@final
@attrs.define
class Fate:
    """Where a host dies: at the how-many-th place that it comes to."""

    at: int
    count: int = 0
    is_dead: bool = False

    def reach(self, point: str) -> None:
        """Come to a place."""
        if point in POINTS:
            self.count += 1
            self.is_dead = self.is_dead or self.count == self.at
        if self.is_dead:
            raise Died


def _told(story: tuple[Moment, ...], fate: Fate, how: Act) -> dict[str, object]:
    """Play a story, on another host from where one died; return what came of every job."""
    clock, store = ManualClock(), MemoryStore()
    flows = (reminders(), family())

    def host(name: str) -> Engine:
        return Engine(store, flows, clock=clock, host=name, lease_seconds=LEASE_SECONDS)

    engine = host("first")
    for seconds, act in story:
        clock.advance(seconds)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(failpoints, "hook", fate.reach)
            patch.setattr(store, "release", _unless_dead(store.release, fate))
            with suppress(Died):
                act(engine)
        if fate.is_dead:
            fate.at, fate.is_dead = 0, False
            clock.advance(LEASE_SECONDS)
            engine = host("second")
            how(engine)
            act(engine)
    assert list(store.jobs(JobQuery(leased=True))) == []
    assert engine.verify().ok
    return {row.job_id: _came_of(engine, row.job_id) for row in engine.jobs()}


def _unless_dead(release: Callable[[str, str], bool], fate: Fate) -> Callable[[str, str], bool]:
    return lambda job_id, lease: not fate.is_dead and release(job_id, lease)


def _came_of(engine: Engine, job_id: str) -> object:
    """Return what a job came to, in whatever order its children ended."""
    state = engine.state(job_id)
    events = Counter(each.event.name for each in engine.history(job_id))
    del events["ExecutionClaimed"]
    outputs = sorted(repr(_unordered(each.payload)) for each in state.outputs)
    timers = [each.id for each in state.timers]
    return state.status, outputs, timers, sorted(events.items())


def _unordered(payload: Mapping[str, Json]) -> object:
    told = sorted(repr(each) for each in payload.get("outputs", ()))
    return {**payload, "outputs": told}


def _places(story: tuple[Moment, ...]) -> Iterator[int]:
    fate = Fate(at=0)
    _told(story, fate, HOWS["recover"])
    yield from range(1, fate.count + 1)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name", STORIES)
def test_a_host_may_die_anywhere(name: str, how: str) -> None:
    story = STORIES[name]
    expected = _told(story, Fate(at=0), HOWS[how])
    for place in _places(story):
        assert _told(story, Fate(at=place), HOWS[how]) == expected, f"it died at place {place}"
