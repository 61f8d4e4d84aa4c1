"""Who waits for a moment is woken when the clock comes to it, or by somebody else."""

from datetime import UTC, datetime
from threading import Event

import pytest

from esflow.clock import SystemClock, wait_until
from esflow.testing import ManualClock
from tests.engine.world import PATIENCE_SECONDS, Threads


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_clock_that_is_moved_wakes_who_waits(threads: Threads, by_hand: bool) -> None:
    clock, woken = ManualClock(), Event()
    waiting = threads.submit(wait_until, clock, clock.now_ms() + 5_000, woken)
    clock.advance(4.9)
    clock.advance(-100)
    assert not waiting.done()
    if by_hand:
        clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    else:
        clock.advance(100.1)
    waiting.result(PATIENCE_SECONDS)


@pytest.mark.parametrize("seconds", [None, 3600])
def test_somebody_else_ends_the_waiting(threads: Threads, seconds: int | None) -> None:
    clock, woken = ManualClock(), Event()
    at_ms = None if seconds is None else clock.now_ms() + seconds * 1000
    waiting = threads.submit(wait_until, clock, at_ms, woken)
    assert not waiting.done()
    woken.set()
    waiting.result(PATIENCE_SECONDS)


def test_a_moment_that_is_past_is_not_waited_for() -> None:
    woken = Event()
    for clock in (SystemClock(), ManualClock()):
        wait_until(clock, clock.now_ms(), woken)
    assert not woken.is_set()


def test_an_alarm_rings_at_once_where_its_moment_is_past_and_never_behind_its_block() -> None:
    clock, rung = ManualClock(), list[str]()
    with clock.alarm(clock.now_ms(), lambda: rung.append("at once")):
        assert rung == ["at once"]
    with clock.alarm(clock.now_ms() + 1000, lambda: rung.append("later")):
        clock.advance(0.5)
    clock.advance(1)
    assert rung == ["at once"]


def test_the_clock_of_the_machine_is_looked_at_again_before_long() -> None:
    clock, woken = SystemClock(), Event()
    with clock.alarm(clock.now_ms() - 1, woken.set) as seconds:
        assert seconds == 0
    with clock.alarm(clock.now_ms() + 10**9, woken.set) as seconds:
        assert seconds == 60
    woken.set()
    wait_until(clock, clock.now_ms() + 10**9, woken)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ManualClock().set(datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused
