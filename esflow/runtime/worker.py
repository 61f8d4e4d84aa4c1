"""Driving whatever nobody drives: submitted jobs, and those that other hosts have left.

It knows nothing of what a job does, and decides nothing: every job is claimed as `run` claims it.

When it looks
-------------
It looks into the index when somebody has committed something, when a job of its own has ended, and
at the moment when the first lease of another host will lapse, or something of a job that waits is
due; in between it sleeps.
While it has no room for another job, it doesn't look at all.

Why an object
-------------
A worker is stopped from elsewhere: from a signal handler or another thread.
An event that the caller sets would not wake a loop that waits for the store, so the worker has a
method for it, which wakes the loop as everything else does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeAlias, final

from esflow.clock import wait_until
from esflow.errors import PayloadError, StoreError
from esflow.replay import pages
from esflow.runtime.agenda import left_rows
from esflow.runtime.drive import taken_over
from esflow.runtime.host import READY, Host
from esflow.state import JobState
from esflow.store import IndexRow, JobQuery
from esflow.trouble import warn

_PAGE_ROWS: Final = 32
max_jobs: Final = 1000  # Each is a thread.


Driven: TypeAlias = "Future[JobState | BaseException | None]"
"""What becomes of a job: where it came to rest, or why it didn't; None if nothing was to do."""

Begin: TypeAlias = Callable[[str], Driven]
"""Begins to take a job over."""


def tell_nobody(_: JobState) -> None:
    """Leave a driven job alone."""


@final
class Worker:
    """Drives jobs of a host's flows, several at once, until it is stopped."""

    def __init__(self, host: Host, jobs: int) -> None:
        if not 1 <= jobs <= max_jobs:
            raise PayloadError("jobs", f"{jobs!r}; give a number from 1 to {max_jobs}")
        self._host = host
        self._jobs = jobs
        self._woken = threading.Event()
        self._stopped = False
        self._trouble: StoreError | None = None
        self._running: dict[Driven, str] = {}
        self._refused: dict[str, int] = {}  # Jobs that this host can't drive, at which version.

    @property
    def is_stopped(self) -> bool:
        """Whether no further job is taken."""
        return self._stopped

    def stop(self) -> None:
        """Take no further job; `run` returns when those that are running have come to rest."""
        self._stopped = True
        self._woken.set()

    def run(self, *, once: bool = False, tell: Callable[[JobState], None] = tell_nobody) -> None:
        """Drive jobs until the worker is stopped; with ``once``, until nothing is left to take.

        What is wrong with one job is logged, and the job left alone until something is recorded of
        it. ``tell`` is called with each job that this worker has driven, in the caller's thread.
        Raises: StoreError, when the store can't go on; what is running ends first.
        """
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="esflow-worker") as pool:

            def begin(job_id: str) -> Driven:
                return pool.submit(taken_over, self._host, job_id)

            self.run_by(begin, once=once, tell=tell)

    def run_by(self, begin: Begin, *, once: bool, tell: Callable[[JobState], None]) -> None:
        """Do as `run` does, with jobs that are begun elsewhere.

        Raises: StoreError.
        """
        with self._host.store.listening(self._woken.set):
            while True:
                self._woken.clear()  # First of all: what happens from here on wakes again.
                self._settle(tell)
                look_again_at_ms = None if self._stopped else self._take(begin)
                if not self._running and (self._stopped or once):
                    break
                wait_until(self._host.clock, look_again_at_ms, self._woken)
        if self._trouble is not None:
            raise self._trouble

    def _take(self, begin: Begin) -> int | None:
        """Begin what nobody drives, as far as there is room; return when to look for more.

        Shape: milliseconds since 1970; None for not before something happens.
        """
        moments: list[int] = []
        own = set(self._running.values())
        if len(self._running) == self._jobs:
            return None
        for row in self._rows():
            if row.job_id in own or self._refused.get(row.job_id) == row.version:
                continue
            if self._host.is_to_take(row):
                self._begin(begin, row.job_id)
                own.add(row.job_id)
            else:
                later = row.lease_until_ms if row.lease is not None else row.due_at_ms
                moments += [] if later is None else [later]
            if len(self._running) == self._jobs:
                return None
        return min(moments, default=None)

    def _rows(self) -> Iterator[IndexRow]:
        """Yield what may have something to do: what dead hosts left, what is ready, what is due."""
        flows = self._host.flows
        ready = JobQuery(statuses=READY, limit=_PAGE_ROWS)
        yield from left_rows(self._host)
        yield from (row for row in pages(self._host.store, ready) if row.flow in flows)
        # Of what is due, as many as there may be room for, and the one after them, for its moment.
        limit = self._jobs + len(self._running) + len(self._refused) + 1
        yield from self._host.store.due(flows, limit=limit)

    def _begin(self, begin: Begin, job_id: str) -> None:
        future = begin(job_id)
        self._running[future] = job_id
        future.add_done_callback(lambda _: self._woken.set())

    def _settle(self, tell: Callable[[JobState], None]) -> None:
        """Take note of the jobs that have come to rest."""
        for future in [each for each in self._running if each.done()]:
            job_id = self._running.pop(future)
            self._refused.pop(job_id, None)
            if future.cancelled():
                continue
            outcome = future.exception() or future.result()
            if isinstance(outcome, StoreError) and not outcome.retry:
                self._trouble = self._trouble or outcome
                self._stopped = True
            elif isinstance(outcome, JobState):
                tell(outcome)
            else:
                self._leave(job_id, outcome)

    def _leave(self, job_id: str, trouble: BaseException | None) -> None:
        """Leave a job alone that this host can't drive, as long as it stays what it is."""
        if trouble is not None:
            warn("not driven: %s", _said(trouble), job_id=job_id)
        row = self._host.store.head(job_id)
        if row is not None and self._host.is_to_take(row):
            self._refused[job_id] = row.version


def _said(trouble: BaseException) -> str:
    return f"{type(trouble).__name__}: {trouble}"
