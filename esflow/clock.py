"""Where the time comes from."""

from __future__ import annotations

import time
from typing import Protocol, final

import attrs


class Clock(Protocol):
    """Tells the time; pass another one as ``Engine(clock=...)``."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        ...


@final
@attrs.frozen
class SystemClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000
