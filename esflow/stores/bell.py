"""Waking: one condition per store, rung with the newest position that is known.

It knows nothing of who appends and of how a position is found out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import final

from esflow.errors import StoreError


@final
class Bell:
    """Wakes the threads that wait for a position."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self.waiting = 0  # How many threads wait at this moment.
        self._position = 0
        self._closed = False
        self._fault: StoreError | None = None
        self._listeners: tuple[Callable[[], None], ...] = ()

    @contextmanager
    def listening(self, wake: Callable[[], None]) -> Generator[None]:
        """Have a function called at every ring, and at whatever else a waiter is woken by."""
        with self._changed:
            self._listeners = (*self._listeners, wake)
        try:
            yield
        finally:
            with self._changed:
                self._listeners = tuple(each for each in self._listeners if each is not wake)

    def stir(self) -> None:
        """Wake those who listen: something has changed, but for the position."""
        for wake in self._listeners:
            wake()

    @property
    def closed(self) -> bool:
        """Whether it will never ring again."""
        return self._closed

    def ring(self, position: int) -> None:
        """Make a position known, and wake whoever waits for it."""
        with self._lock:  # Not by the condition, whose own methods take as long as all of this.
            self._fault = None
            if position > self._position:
                self._position = position
                if self.waiting:
                    self._changed.notify_all()
        if self._listeners:
            self.stir()

    def fail(self, fault: StoreError) -> None:
        """Tell whoever waits that nothing can be heard."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()
        self.stir()

    def wait(self, after: int, deadline: float | None) -> int:
        """Block until a position behind ``after`` is known, the time is up or the bell is closed.

        Units: ``deadline`` in seconds of the monotonic clock.
        """
        with self._changed:
            while self._position <= after and not self._closed:
                if self._fault is not None:
                    raise self._fault
                remaining = None if deadline is None else deadline - time.monotonic()
                if remaining is not None and remaining <= 0:
                    break
                self.waiting += 1
                try:
                    self._changed.wait(remaining)
                finally:
                    self.waiting -= 1
            return self._position

    def close(self) -> None:
        """Wake everybody, for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.stir()

    def renew(self) -> None:
        """Begin anew in the child of a fork, whose other threads are gone."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._listeners = ()
        self.waiting = 0
