"""The engine: what a service embeds to start jobs, carry them on and look at them.

It holds nothing of a job between two calls; whatever it knows, it reads from the store.
"""

from __future__ import annotations

import logging
import math
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from threading import TIMEOUT_MAX
from time import monotonic
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self, final

from esflow import errors
from esflow.bundle import export_job, import_job
from esflow.clock import Clock, SystemClock
from esflow.commands import CancelJob, Command, Continue, PauseJob, ResumeCommand
from esflow.decider import decide
from esflow.events import Event, Recorded
from esflow.flow import Flow
from esflow.following import followed
from esflow.health import HealthReport, examine
from esflow.inputs import checked_place, checked_text, expect_version, findable_id, job_query
from esflow.replay import VerifyReport, pages, read_history, replay, verify
from esflow.runtime.host import Host, registered
from esflow.runtime.session import Decide
from esflow.runtime.wishes import breakpoints, resuming, send_message, start_job, update_shared
from esflow.runtime.worker import Worker
from esflow.snapshots import snapshot_plan
from esflow.state import ENDED, JobFold, JobState, Status
from esflow.store import JobQuery, Store
from esflow.stores import open_store
from esflow.summary import JobSummary, summary_of

logging.getLogger("esflow").addHandler(logging.NullHandler())

max_lease_seconds: Final = 86_400.0
_RESTING: Final = ENDED | {Status.PAUSED}
_CONTINUE: Final = Continue()
_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@final
class Engine:
    """Drives jobs on this host, in the caller's thread.

    Shape: ``store`` is a URL or a `Store`; ``host`` is what the log calls this host, its network
    name by default; at most ``max_parallel`` handlers of a wave run at once; a host that shows no
    sign of life for ``lease_seconds`` may lose its jobs to another; a snapshot is taken every so
    many events, 0 for never, and the newest few of each job are kept.
    Raises: FlowError, when two flows have one name; StoreError, when the store can't be opened;
    PayloadError, for a lease that is not above 0 or longer than a day, and for other numbers that
    can't be.
    """

    def __init__(
        self,
        store: str | Store,
        flows: Iterable[Flow] = (),
        *,
        host: str | None = None,
        max_parallel: int = 8,
        lease_seconds: float = 30.0,
        snapshot_every: int = 1000,
        snapshots_kept: int = 3,
        clock: Clock | None = None,
    ) -> None:
        if not 0 < lease_seconds <= max_lease_seconds:
            problem = f"{lease_seconds!r}; give more than 0 and at most {max_lease_seconds}"
            raise errors.PayloadError("lease_seconds", problem)
        if max_parallel < 1:
            raise errors.PayloadError("max_parallel", f"{max_parallel!r}; give 1 or more")
        name = checked_text(host, "host") if host else socket.gethostname()
        known = registered(flows)
        self._owns_store = isinstance(store, str)
        self._store = open_store(store) if isinstance(store, str) else store
        self._host = Host(
            store=self._store,
            clock=clock or SystemClock(),
            name=name,
            flows=known,
            max_parallel=max_parallel,
            lease_ms=math.ceil(lease_seconds * 1000),
            snapshots=snapshot_plan(snapshot_every, snapshots_kept),
        )

    def __enter__(self) -> Self:
        """Return the engine itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the engine."""
        self.close()

    def close(self) -> None:
        """Give the leases back, and close the store if this engine opened it."""
        self._host.close()
        if self._owns_store:
            self._store.close()

    @property
    def store(self) -> Store:
        """The store that the engine works on."""
        return self._store

    # Starting.

    def start(
        self,
        flow: str,
        slot: str,
        payload: Mapping[str, object] = _EMPTY,
        *,
        job_id: str | None = None,
        actor: str | None = None,
        labels: Mapping[str, str] = _EMPTY,
        before: Iterable[str] = (),
        after: Iterable[str] = (),
    ) -> JobState:
        """Record a job and run it on this host until it has ended or is paused.

        The same ``job_id`` with the same request again is the existing job.
        Shape: the job is paused ``before`` a wave with one of these slots in it, and ``after`` one.
        Raises: FlowNotFound, SlotNotFound, PayloadError, JobExists, and what `run` raises.
        """
        known = self._host.flow(flow)
        request = start_job(known, slot, payload, labels, breakpoints(known, before, after))
        session, step = self._host.beginning(request, job_id)
        return self._host.carried_on(session, step, self._host.claim(session), actor=actor)

    def submit(
        self,
        flow: str,
        slot: str,
        payload: Mapping[str, object] = _EMPTY,
        *,
        job_id: str | None = None,
        actor: str | None = None,
        labels: Mapping[str, str] = _EMPTY,
        before: Iterable[str] = (),
        after: Iterable[str] = (),
    ) -> str:
        """Record a job for whoever runs it, and return its id.

        Raises: FlowNotFound, SlotNotFound, PayloadError, JobExists.
        """
        known = self._host.flow(flow)
        request = start_job(known, slot, payload, labels, breakpoints(known, before, after))
        session, step = self._host.beginning(request, job_id)
        self._host.commit(session, step, actor=actor)
        return session.job_id

    # Carrying on.

    def resume(
        self,
        job_id: str,
        command: ResumeCommand = _CONTINUE,
        *,
        actor: str | None = None,
        expected_version: int | None = None,
        before: Iterable[str] | None = None,
        after: Iterable[str] | None = None,
    ) -> JobState:
        """Carry a paused job on, on this host, until it has ended or is paused again.

        An answer to a job that somebody is driving is only recorded.
        Shape: breakpoints that are given take the place of those that the job has.
        Raises: JobNotFound, JobClosed, NotPaused, AnswerRequired, AnswerRefused,
        InterruptNotFound, SlotNotFound, PayloadError, MergeError, VersionConflict, and what `run`
        raises; nothing is recorded then.
        """
        session = self._host.loaded(job_id, "resume()")
        flow = self._host.flow(session.fold.flow)
        wishes = resuming(session.fold, flow, command)
        stops = breakpoints(flow, before, after)

        def expected(fold: JobFold) -> Sequence[Event]:
            expect_version(fold, expected_version)
            return ()

        seen, held = session.fold.version, session.fold.operator is not None

        def deciding(wish: Command) -> Decide:
            def step(fold: JobFold) -> Sequence[Event]:
                if isinstance(wish, Continue) and self._host.is_orphan(fold):
                    return stops.put_into(fold, wish, ())
                if isinstance(wish, Continue) and held != (fold.operator is not None):
                    # An operator's hold came or went: this is not the pause that the caller saw.
                    raise errors.VersionConflict(job_id, seen, fold.version)
                return stops.put_into(fold, wish, decide(fold, wish))

            return step

        steps = (expected, *map(deciding, wishes), self._host.claim(session))
        return self._host.carried_on(session, *steps, actor=actor)

    def run(self, job_id: str, *, actor: str | None = None) -> JobState:
        """Drive a job that nobody drives: a submitted one, or one whose host has gone.

        Where there is nothing to do, the state is returned and nothing is recorded.
        Raises: JobNotFound; FlowNotFound; FlowChanged, when today's flow lacks a slot that the job
        needs; Fenced, when another host takes the job over; StoreError; NondeterminismError.
        """
        session = self._host.loaded(job_id, "run()")
        return self._host.carried_on(session, self._host.claim(session), actor=actor)

    def recover(self, *, older_than: float | None = None) -> list[JobState]:
        """Drive every job of this engine's flows that is ready and that nobody drives.

        Units: with ``older_than`` seconds, also jobs that are driven, but were last recorded on
        longer ago; 0 takes over every one of them.
        """
        query = JobQuery(statuses=(Status.PENDING, Status.RUNNING))
        rows = [row for row in pages(self._store, query) if row.flow in self._host.flows]
        states = [self._host.recovered(row, older_than) for row in rows]
        return [state for state in states if state is not None]

    def worker(self, *, jobs: int = 4) -> Worker:
        """Return what drives submitted and left jobs, up to so many at once, until it is stopped.

        Raises: PayloadError, for less than one job at once.
        """
        return Worker(self._host, jobs)

    def send(
        self,
        job_id: str,
        slot: str,
        payload: Mapping[str, object],
        *,
        key: str | None = None,
        actor: str | None = None,
    ) -> int:
        """Record a message to a slot, for whoever drives the job; return its version.

        The same ``key`` with the same message again returns the first one's version.
        Raises: JobNotFound, JobClosed, SlotNotFound, PayloadError, MessageKeyReused.
        """
        session = self._host.loaded(job_id, "send()")
        message = send_message(self._host.known_flow(session.fold), slot, payload, key)
        versions: list[int] = []

        def step(fold: JobFold) -> Sequence[Event]:
            events = decide(fold, message)
            versions[:] = [fold.version + 1 if events else fold.keys[message.key or ""].version]
            return events

        self._host.commit(session, step, actor=actor)
        return versions[0]

    def pause(self, job_id: str, reason: str = "", *, actor: str | None = None) -> JobState:
        """Let nothing of the job start until somebody resumes it with `Continue`.

        What is running finishes first; the program can't tell that it was paused.
        Raises: JobNotFound, JobClosed.
        """
        session = self._host.loaded(job_id, "pause()")
        command = PauseJob(reason=checked_text(reason, "reason"))
        self._host.commit(session, lambda fold: decide(fold, command), actor=actor)
        return session.fold.face()

    def update(
        self,
        job_id: str,
        values: Mapping[str, object],
        *,
        actor: str | None = None,
        expected_version: int | None = None,
    ) -> JobState:
        """Change the shared data of a paused job, each key by its declared reducer.

        Raises: JobNotFound, JobClosed, NotPaused, PayloadError, MergeError, VersionConflict.
        """
        session = self._host.loaded(job_id, "update()")
        command = update_shared(self._host.known_flow(session.fold), values)

        def step(fold: JobFold) -> Sequence[Event]:
            expect_version(fold, expected_version)
            return decide(fold, command)

        self._host.commit(session, step, actor=actor)
        return session.fold.face()

    def cancel(self, job_id: str, reason: str = "", *, actor: str | None = None) -> JobState:
        """End the job now; what its handlers are doing will not be recorded.

        A running handler can learn of it from ``ctx.cancelled``.
        Raises: JobNotFound, JobClosed.
        """
        session = self._host.loaded(job_id, "cancel()")
        command = CancelJob(reason=checked_text(reason, "reason"))
        self._host.commit(session, lambda fold: decide(fold, command), actor=actor)
        return session.fold.face()

    # Looking.

    def state(self, job_id: str, version: int | None = None) -> JobState:
        """Return the job as it was at a version, the last by default.

        Raises: JobNotFound; VersionConflict, for a version that isn't recorded; CorruptHistory.
        """
        if version is not None and version < 1:
            raise errors.VersionConflict(job_id, version, self._host.head(job_id).version)
        fold = replay(self._store, findable_id(job_id), upto=version).fold
        if version is not None and fold.version != version:
            raise errors.VersionConflict(job_id, version, fold.version)
        return fold.face()

    def history(self, job_id: str, after: int = 0) -> Sequence[Recorded]:
        """Return what was recorded of a job after a version, verified.

        Raises: JobNotFound, CorruptHistory, UnknownEvent.
        """
        self._host.head(job_id)
        return tuple(read_history(self._store, job_id, after=checked_place(after)))

    def follow(self, job_id: str | None = None, after: int = 0) -> Iterator[Recorded]:
        """Yield what is and will be recorded: of one job after a version, of all after a position.

        The iterator waits for more, and ends when the store is closed.
        Raises: JobNotFound, CorruptHistory, UnknownEvent.
        """
        if job_id is not None:
            self._host.head(job_id)
        return followed(self._store, job_id, checked_place(after))

    def jobs(
        self,
        *,
        status: str | Iterable[str] | None = None,
        flow: str | None = None,
        labels: Mapping[str, str] = _EMPTY,
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[JobSummary]:
        """Return a page of jobs, oldest first; ``after`` is the last id of the page before."""
        query = job_query(status, flow, labels, limit, after)
        return tuple(summary_of(row) for row in self._store.jobs(query))

    def wait(self, job_id: str, timeout: float) -> JobState:
        """Return the job when it is paused or has ended, woken by the store.

        Units: seconds.
        Raises: JobNotFound; WaitTimeout, and the job lives on.
        """
        self._host.refuse_inside(job_id, "wait()")
        deadline = monotonic() + timeout
        position = self._store.position()
        while Status((row := self._host.head(job_id)).status) not in _RESTING:
            remaining = min(deadline - monotonic(), TIMEOUT_MAX)
            if remaining <= 0:
                raise errors.WaitTimeout(job_id, row.status, timeout)
            position = self._store.wait(position, remaining)
        return self.state(job_id)

    def verify(self, job_id: str | None = None) -> VerifyReport:
        """Check the hash of every event of a job, or of every job.

        Raises: JobNotFound.
        """
        return verify(self._store, None if job_id is None else findable_id(job_id))

    def health(self) -> HealthReport:
        """Tell whether the store can be read and written, how many jobs it has, and what is left.

        A store that can't be is reported, not raised.
        """
        return examine(self._store, self._host.clock.now_ms())

    # Carrying away.

    def export(self, job_id: str, path: str | PathLike[str], *, overwrite: bool = False) -> int:
        """Write all that is recorded of a job to a file that anybody can verify; count its events.

        Raises: JobNotFound, CorruptHistory, UnknownEvent; PayloadError, when the file is there
        already; StoreError.
        """
        return export_job(self._store, findable_id(job_id), Path(path), overwrite=overwrite)

    def import_job(self, path: str | PathLike[str]) -> JobState:
        """Verify a file that `export` wrote of an ended job, and take the job in under its id.

        Raises: JobExists, CorruptHistory, UnknownEvent; PayloadError, when it is no such file, or
        the job can still go on; StoreError.
        """
        return import_job(self._store, Path(path))
