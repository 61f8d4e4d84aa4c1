"""Who waits for a job while it is driven: woken by what is recorded, and when its host is done.

It knows nothing of what they wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import final

from esflow.store import Store


@final
class Waiting:
    """Wakes those who wait, and tells them whether the job is still this host's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.wakes: list[Callable[[], None]] = []  # Of those who wait at this moment.
        self.left = False  # The host has given the job back.

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Generator[None]:
        """Wake somebody who waits, whenever something is recorded or the host calls."""
        self.wakes.append(wake)
        try:
            with self._store.listening(wake):
                yield
        finally:
            self.wakes.remove(wake)

    def wake(self) -> None:
        """Wake whoever waits, to see whether it is still worth it."""
        for wake in tuple(self.wakes):
            wake()

    def leave(self) -> None:
        """Wake whoever waits: the job is no longer this host's."""
        self.left = True
        self.wake()
