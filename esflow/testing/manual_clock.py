"""A clock that moves only when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, final

START: Final = datetime(2025, 1, 1, tzinfo=UTC)


@final
class ManualClock:
    """A clock for tests: ``Engine(store, clock=ManualClock())``."""

    def __init__(self, start: datetime = START) -> None:
        self._moment = start

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return round(self._moment.timestamp() * 1000)

    def advance(self, seconds: float) -> None:
        """Move the clock by a number of seconds; a negative number moves it back."""
        self._moment += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Move the clock to a moment, which needs a time zone."""
        if moment.tzinfo is None:
            text = f"{moment!r} has no time zone; give one, such as datetime.UTC"
            raise ValueError(text)
        self._moment = moment
