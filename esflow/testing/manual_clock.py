"""A clock that moves only when it is told to, and wakes who waits for the moment it comes to."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import inf
from threading import Lock
from typing import Final, final

START: Final = datetime(2025, 1, 1, tzinfo=UTC)


@final
class ManualClock:
    """A clock for tests: ``Engine(store, clock=ManualClock())``."""

    def __init__(self, start: datetime = START) -> None:
        self._moment = start
        self._alarms: list[tuple[int, Callable[[], object]]] = []
        self._lock = Lock()

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return round(self._moment.timestamp() * 1000)

    @contextmanager
    def alarm(self, at_ms: int, wake: Callable[[], object]) -> Generator[float]:
        """Call ``wake`` when the clock comes to a moment, or now if it is past it."""
        alarm = (at_ms, wake)
        with self._lock:
            self._alarms.append(alarm)
        self._ring()
        try:
            yield inf
        finally:
            with self._lock:
                self._alarms.remove(alarm)

    def advance(self, seconds: float) -> None:
        """Move the clock by a number of seconds; a negative number moves it back."""
        self._moment += timedelta(seconds=seconds)
        self._ring()

    def set(self, moment: datetime) -> None:
        """Move the clock to a moment, which needs a time zone."""
        if moment.tzinfo is None:
            text = f"{moment!r} has no time zone; give one, such as datetime.UTC"
            raise ValueError(text)
        self._moment = moment
        self._ring()

    def _ring(self) -> None:
        """Wake whoever waits for a moment that has come."""
        now_ms = self.now_ms()
        with self._lock:
            for at_ms, wake in self._alarms:
                if at_ms <= now_ms:
                    wake()
