"""Where the time comes from, and how to wait for a moment of it.

Who waits, waits for a moment, not for a time: a clock may jump, or stand still until a test moves
it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from threading import TIMEOUT_MAX, Event
from typing import Final, Protocol, final

_LOOK_AGAIN_SECONDS: Final = 60.0
"""A clock that was set, or whose machine slept, is noticed after so long."""


class Clock(Protocol):
    """Tells the time; pass another one as ``Engine(clock=...)``."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        ...

    def alarm(self, at_ms: int, wake: Callable[[], object]) -> AbstractContextManager[float]:
        """Call ``wake`` at a moment, or say after how many seconds it is to be asked again.

        Shape: nothing is called before the block or after it.
        """
        ...


@final
class SystemClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    @contextmanager
    def alarm(
        self,
        at_ms: int,
        wake: Callable[[], object],  # noqa: ARG002 - the seconds say all
    ) -> Generator[float]:
        """Say after how many seconds to ask again."""
        yield min(max(at_ms - self.now_ms(), 0) / 1000, _LOOK_AGAIN_SECONDS)


def wait_until(clock: Clock, at_ms: int | None, woken: Event) -> None:
    """Return at a moment, or as soon as somebody sets ``woken``, which the clock may do as well.

    Shape: without a moment, only somebody else ends the waiting.
    """
    if at_ms is None:
        woken.wait()
        return
    while clock.now_ms() < at_ms and not woken.is_set():
        with clock.alarm(at_ms, woken.set) as seconds:
            woken.wait(min(seconds, TIMEOUT_MAX))


async def wait_until_async(clock: Clock, at_ms: int) -> None:
    """Return at a moment, without holding up other tasks."""
    from asyncio import Event, get_running_loop, wait_for

    loop, rung = get_running_loop(), Event()
    while clock.now_ms() < at_ms:
        rung.clear()
        wake = partial(loop.call_soon_threadsafe, rung.set)
        with clock.alarm(at_ms, wake) as seconds, suppress(TimeoutError):
            await wait_for(rung.wait(), min(seconds, TIMEOUT_MAX))
