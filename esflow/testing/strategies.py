"""Strategies for Hypothesis: payloads, flows, histories, and where to stop a job."""

from __future__ import annotations

from typing import Any, Final

from esflow.chance import seeded
from esflow.events import Json, Recorded
from esflow.replay import read_history
from esflow.stores import open_store
from esflow.testing.answering import Answering
from esflow.testing.driving import carry_on
from esflow.testing.hosts import JOB, SEED, Hosts
from esflow.testing.sketches import (
    Ask,
    Call,
    Defer,
    Draw,
    Emit,
    Fail,
    Interrupt,
    Log,
    Operation,
    Pause,
    Remember,
    SketchedFlow,
    SketchedRoutine,
    Write,
)
from esflow.testing.stops import HOWS, Schedule, Stop

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("the strategies need the extra: esflow-jobs[testing]") from error

max_operations: Final = 4
"""Of one handler."""
_MOST_EMISSIONS: Final = 2
_NAMES: Final = ("first", "second", "third", "fourth")
_KEYS: Final = ("a", "b", "list", "sum")

AWKWARD: Final[tuple[Json, ...]] = (
    *(None, "", [], {}, 0, -0.0, 1.0, True, 2**53 + 1, 2**63 - 1, -(2**63)),
    *(5e-324, 1e308, 0.1 + 0.2, "\x00", "a\u2028b\u0085", "e\u0301 \u202e 😀", "NaN", "1e3"),
    *('\\ud800"}', "2026-03-29T02:30:00+01:00", "1.1/e0", {"": ""}, {"e\u0301": 1, "é": 2}),
    *({"$type": "JobFailed"}, {"b": 1, "a": 1.0, "B": True}, [[], {}, [None], [1, 1.0, True]]),
)
"""Values that are easily spoilt on the way."""

_texts: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_leaves: Final[st.SearchStrategy[Any]] = (
    st.sampled_from(AWKWARD)
    | st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts
)


def values(*, max_leaves: int = 8) -> st.SearchStrategy[Json]:
    """Return values that can be recorded and come back as they were, awkward ones among them."""
    return st.recursive(
        _leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
        max_leaves=max_leaves,
    )


_SMALL: Final = values(max_leaves=3)


def payloads(*, max_size: int = 3, max_leaves: int = 8) -> st.SearchStrategy[dict[str, Json]]:
    """Return payloads that can be recorded and come back as they were, awkward ones among them."""
    return st.dictionaries(_texts, values(max_leaves=max_leaves), max_size=max_size)


def schedules(*, max_appends: int = 20, max_stops: int = 3) -> st.SearchStrategy[Schedule]:
    """Return what befalls the hosts of a job, at some of its first appends.

    Shape: at most one stop at an append; those that a job never comes to befall nobody.
    """
    stops = st.builds(Stop, st.sampled_from(HOWS), st.integers(1, max_appends))
    return st.lists(stops, max_size=max_stops, unique_by=lambda stop: stop.at).map(_in_order)


def _in_order(stops: list[Stop]) -> Schedule:
    return tuple(sorted(stops, key=lambda stop: stop.at))


@st.composite
def flows(draw: st.DrawFn, *, max_routines: int = 4) -> SketchedFlow:
    """Draw a small flow that always ends, with handlers as data, and how to begin a job of it."""
    names = _NAMES[: min(draw(st.sampled_from((3, 2, 4, 1))), max_routines)]
    routines = list[SketchedRoutine]()
    for place, name in enumerate(names):
        later = names[place + 1 :]
        connected = draw(st.lists(st.sampled_from(later), min_size=1, unique=True)) if later else []
        chosen = draw(st.lists(_operations(later), min_size=1, max_size=max_operations))
        chosen += [draw(st.builds(Emit, _SMALL))] if bool(later) and draw(st.booleans()) else []
        routines.append(SketchedRoutine(name, _bounded(chosen), tuple(connected)))
    return SketchedFlow(tuple(routines), draw(payloads(max_size=2, max_leaves=3)))


def _operations(later: tuple[str, ...]) -> st.SearchStrategy[Operation]:
    """Return what a handler may do whose routine has these behind it."""
    choices = st.none() | st.lists(_SMALL, min_size=1, max_size=2).map(tuple)
    found: list[st.SearchStrategy[Operation]] = [
        st.builds(Emit, _SMALL),
        st.builds(Defer, _SMALL),
        st.builds(Write, st.sampled_from(_KEYS), _SMALL, st.just("set")),
        st.builds(Write, st.just("list"), _SMALL, st.just("append")),
        st.builds(Write, st.just("sum"), st.integers(-9, 9), st.just("add")),
        st.builds(Remember, st.sampled_from(_KEYS)),
        st.builds(Log, _texts),
        st.builds(Call, _SMALL, st.booleans()),
        st.builds(Draw),
        st.builds(Interrupt, _SMALL, choices),
        st.builds(Pause, _texts),
        st.builds(Fail, _texts),
    ]
    if later:
        found.append(st.builds(Ask, _texts, st.sampled_from(later), choices))
    return st.one_of(found)


def _bounded(operations: list[Operation]) -> tuple[Operation, ...]:
    """Return operations of which no more emit than a small job can take."""
    kept, emissions = list[Operation](), 0
    for operation in operations:
        emissions += isinstance(operation, Emit | Defer | Ask)
        if emissions <= _MOST_EMISSIONS or not isinstance(operation, Emit | Defer | Ask):
            kept.append(operation)
    return tuple(kept)


def histories(
    *, sketches: st.SearchStrategy[SketchedFlow] | None = None
) -> st.SearchStrategy[list[Recorded]]:
    """Return histories of ended jobs, recorded by flows and disturbed by schedules.

    Each prefix that ends with an append is the history of a job that goes on.
    """
    return st.builds(_recorded, flows() if sketches is None else sketches, schedules())


def _recorded(sketch: SketchedFlow, schedule: Schedule) -> list[Recorded]:
    """Return what is recorded of a job that schedules disturb."""
    hosts = Hosts(open_store("memory://"), sketch.flow, schedule)
    try:
        with seeded(SEED):
            carry_on(
                hosts,
                lambda engine: engine.start(hosts.flow, sketch.slot, sketch.payload, job_id=JOB),
                Answering(sketch.answer),
            )
    finally:
        hosts.close()
    return list(read_history(hosts.store, JOB))
