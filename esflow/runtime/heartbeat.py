"""What keeps leases from lapsing while this process drives jobs: one thread, and only then.

It knows nothing of jobs, and decides nothing: who may append is the log's business.

When it beats
-------------
Every append of a driver moves the end of its job's lease as well, so only what runs longer than
that without an append needs a beat.
The thread waits for a third of a lease between two beats, so that one that fails is made up for.
It is started by the first lease that is held, and ends with the first beat that finds none held:
starting a thread for each of many short calls would cost more than the calls.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, final

from esflow.clock import Clock
from esflow.errors import StoreError
from esflow.store import Store
from esflow.stores.forks import protect
from esflow.trouble import warn

_BEATS_PER_LEASE: Final = 3


@final
class Heartbeat:
    """Renews all leases that this process holds, together."""

    def __init__(self, store: Store, clock: Clock, lease_ms: int) -> None:
        self._store = store
        self._clock = clock
        self._lease_ms = lease_ms
        self._interval_seconds = min(lease_ms / 1000 / _BEATS_PER_LEASE, threading.TIMEOUT_MAX)
        self._changed = threading.Condition()
        self._held: set[str] = set()
        self.thread: threading.Thread | None = None
        self._closed = False
        protect(self)

    @contextmanager
    def holding(self, lease: str) -> Generator[None]:
        """Renew a lease for as long as the block runs."""
        with self._changed:
            self._held.add(lease)
            if self.thread is None and not self._closed:
                self.thread = threading.Thread(
                    target=self._run, name="esflow-heartbeat", daemon=True
                )
                self.thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._held.discard(lease)

    def close(self) -> None:
        """End the thread, for good."""
        with self._changed:
            self._closed = True
            thread = self.thread
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while leases := self._next_beat():
            self._renew(leases)  # Outside of the lock: a commit may take its time.

    def _next_beat(self) -> frozenset[str]:
        """Wait for the time of a beat, and return what is held then; nothing ends the thread."""
        with self._changed:
            if not self._closed:
                self._changed.wait(self._interval_seconds)
            if self._closed or not self._held:
                self.thread = None
                return frozenset()
            return frozenset(self._held)

    def _renew(self, leases: frozenset[str]) -> None:
        try:
            self._store.renew(leases, self._clock.now_ms() + self._lease_ms)
        except StoreError as trouble:
            warn("%d leases are not renewed: %s", len(leases), trouble)

    def suspend(self) -> None:
        """Keep the thread out of its own state around a fork."""
        self._changed.acquire()

    def resume(self) -> None:
        """Go on in the parent."""
        self._changed.release()

    def renew(self) -> None:
        """Begin anew in a child, which has no thread and drives nothing."""
        self._changed = threading.Condition()
        self._held = set()
        self.thread = None
