"""How a thread wakes a loop and tells it what became of the work that it had asked for.

asyncio's own way, `call_soon_threadsafe`, writes to a socket that the loop then reads until nothing
is left, by an error, and whoever waits goes on a turn later.
An event descriptor, as Linux has them, is read once, and whoever waits goes on there and then.
Every step of an `AsyncEngine` whose commit syncs goes this way.
Source: eventfd(2).
"""

from __future__ import annotations

import os
import sys
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, final
from weakref import finalize

from esflow.waits import PromptWait


@final
class Waker:
    """Wakes one loop, from whichever thread; a loop that is closed is told nothing.

    Where there is no descriptor to be had, it calls the loop as asyncio does.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._told: deque[tuple[PromptWait[Any], Any]] = deque()
        self._expected = 0  # How much of what was asked for is not told yet.
        self._is_left = False
        self._let_go: Callable[[], object] = lambda: None
        self._ring: Callable[[], object] = partial(loop.call_soon_threadsafe, self._deliver)
        if sys.platform == "linux" and hasattr(os, "eventfd"):
            # A process may have too many open, and a loop may not be able to watch one.
            with suppress(OSError, NotImplementedError):
                self._watch(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))

    def expect(self) -> None:
        """Count what will be told: the loop is watched until it is."""
        self._expected += 1

    def tell(self, wait: PromptWait[Any], came: object) -> None:
        """Have the loop end a wait; any thread may."""
        self._told.append((wait, came))
        with suppress(RuntimeError):  # The loop was closed meanwhile.
            self._ring()

    def leave(self) -> None:
        """Let the loop watch for nothing more, when all that it expects is told; any thread may."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._leave)

    def _watch(self, descriptor: int) -> None:
        # A thread that is still at work may ring it, so it is closed when nobody has it any more.
        finalize(self, os.close, descriptor)
        self._loop.add_reader(descriptor, self._answer, descriptor)
        self._let_go = partial(self._loop.remove_reader, descriptor)
        self._ring = partial(os.eventfd_write, descriptor, 1)

    def _answer(self, descriptor: int) -> None:
        os.eventfd_read(descriptor)
        self._deliver()

    def _deliver(self) -> None:
        try:
            while self._told:
                wait, came = self._told.popleft()
                self._expected -= 1
                wait.end(came)
        finally:
            if self._told:  # What ends a process went through a task that waited.
                self._ring()
            self._rest()

    def _leave(self) -> None:
        self._is_left = True
        self._rest()

    def _rest(self) -> None:
        if self._is_left and not self._expected:
            self._let_go()
