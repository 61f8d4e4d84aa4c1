"""What folding costs: the same for every event, however many there were before it.

Calls are counted, not seconds, so that a machine under load says the same as an idle one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from esflow import events as ev
from esflow.fold import fold_events
from tests.core.scenario import CLAIMED, JOB, done, emitted, started, wrote

SMALL, LARGE = 1_000, 100_000


def chain(events: int) -> Iterator[ev.Event]:
    """Yield a job that goes from wave to wave, growing a list, a log and the outputs."""
    yield from (started(limit=events), CLAIMED)
    for wave in range(1, events // 5):
        name = f"{wave}.1"
        records = (emitted(f"{name}/o0", "a.in"), emitted(f"{name}/o1"))
        line = ev.Logged(activation=name, message="line")
        yield from done(name, *records, wrote("l", "append", wave, name), line)


def fan_out(events: int) -> Iterator[ev.Event]:
    """Yield a job of one wide wave, whose members all write to the same keys."""
    width = events // 4
    yield from (started(limit=events), CLAIMED)
    yield from done("1.1", emitted("1.1/o0", *["b.in"] * width))
    for index in reversed(range(1, width + 1)):
        name = f"2.{index}"
        writes = (wrote("n", "add", 1, name), wrote("l", "append", index, name))
        yield from done(name, *writes, emitted(f"{name}/o0"))


def calls_of(act: Callable[[], object]) -> int:
    """Count the functions that are called, those of the interpreter included."""
    calls = 0

    def count(_frame: FrameType, kind: str, _argument: Any) -> None:
        nonlocal calls
        calls += kind in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("course", [chain, fan_out])
def test_an_event_costs_the_same_however_many_came_before(
    course: Callable[[int], Iterator[ev.Event]],
) -> None:
    def calls_per_event(number: int) -> float:
        events = list(course(number))
        return calls_of(lambda: fold_events(JOB, events)) / len(events)

    few, many = calls_per_event(SMALL), calls_per_event(LARGE)
    assert many == pytest.approx(few, rel=0.02)
    assert many < 20
