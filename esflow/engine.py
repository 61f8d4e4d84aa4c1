"""The engine: what a service embeds to start jobs, carry them on and look at them.

It holds nothing of a job between two calls; whatever it knows, it reads from the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, final

from esflow.clock import Clock, SystemClock
from esflow.commands import CancelJob, Continue, PauseJob, ResumeCommand
from esflow.events import Recorded
from esflow.flow import Flow
from esflow.inputs import checked_text, findable_id, job_query
from esflow.policies import Effects
from esflow.runtime import calls, looking
from esflow.runtime.drive import carried_on, recovered
from esflow.runtime.host import Host
from esflow.runtime.opening import opened_host
from esflow.snapshots import snapshot_plan
from esflow.state import JobState
from esflow.store import Store

# What only some of its methods need is loaded when one of them is called.
if TYPE_CHECKING:
    from esflow.bundle import Progress
    from esflow.health import HealthReport
    from esflow.patches import PatchOp
    from esflow.runtime.checking import CheckReport
    from esflow.runtime.looking import Moment
    from esflow.runtime.worker import Worker
    from esflow.summary import JobSummary
    from esflow.verification import VerifyReport

_CONTINUE: Final = Continue()
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
"""No payload, no labels."""


@final
class Engine:
    """Drives jobs on this host, in the caller's thread.

    Shape: ``store`` is a URL or a `Store`; ``host`` is what the log calls this host, its network
    name by default; at most ``max_parallel`` handlers of a wave run at once; ``durability`` is
    ``step``, by which each activation is committed before anything that follows it, or ``output``,
    by which nothing shows outside before all that led to it is committed; a host that shows no
    sign of life for ``lease_seconds`` may lose its jobs to another; a snapshot is taken every so
    many events, and where a job comes to rest with a tenth of them behind its last one, 0 for
    never, and the newest few of each job are kept.
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
        durability: str = "step",
        lease_seconds: float = 30.0,
        snapshot_every: int = 1000,
        snapshots_kept: int = 3,
        clock: Clock | None = None,
    ) -> None:
        self._owns_store = isinstance(store, str)
        self._host = opened_host(
            store,
            flows,
            name=host,
            max_parallel=max_parallel,
            durability=durability,
            lease_seconds=lease_seconds,
            snapshots=snapshot_plan(snapshot_every, snapshots_kept),
            clock=clock or SystemClock(),
        )
        self._store = self._host.store

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
        payload: Mapping[str, object] = EMPTY,
        *,
        job_id: str | None = None,
        actor: str | None = None,
        labels: Mapping[str, str] = EMPTY,
        before: Iterable[str] = (),
        after: Iterable[str] = (),
    ) -> JobState:
        """Record a job and run it on this host until it has ended or is paused.

        The same ``job_id`` with the same request again is the existing job.
        Shape: the job is paused ``before`` a wave with one of these slots in it, and ``after`` one.
        Raises: FlowNotFound, SlotNotFound, PayloadError, JobExists, and what `run` raises.
        """
        stops = (before, after)
        errand = calls.start(self._host, flow, slot, payload, job_id, actor, labels, stops)
        return carried_on(self._host, errand)

    def submit(
        self,
        flow: str,
        slot: str,
        payload: Mapping[str, object] = EMPTY,
        *,
        job_id: str | None = None,
        actor: str | None = None,
        labels: Mapping[str, str] = EMPTY,
        before: Iterable[str] = (),
        after: Iterable[str] = (),
    ) -> str:
        """Record a job for whoever runs it, and return its id.

        Raises: FlowNotFound, SlotNotFound, PayloadError, JobExists.
        """
        stops = (before, after)
        return calls.submit(self._host, flow, slot, payload, job_id, actor, labels, stops)

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
        stops = (before, after)
        errand = calls.resume(
            self._host, job_id, command, actor=actor, expected_version=expected_version, stops=stops
        )
        return carried_on(self._host, errand)

    def run(self, job_id: str, *, actor: str | None = None) -> JobState:
        """Drive a job that nobody drives: a submitted one, or one whose host has gone.

        Where there is nothing to do, the state is returned and nothing is recorded.
        Raises: JobNotFound; FlowNotFound; FlowChanged, when today's flow lacks a slot that the job
        needs; Fenced, when another host takes the job over; StoreError; NondeterminismError.
        """
        return carried_on(self._host, calls.run(self._host, job_id, actor))

    def recover(self, *, older_than: float | None = None) -> list[JobState]:
        """Drive every job of this engine's flows that is ready and that nobody drives.

        Units: with ``older_than`` seconds, also jobs that are driven, but were last recorded on
        longer ago; 0 takes over every one of them.
        """
        return recovered(self._host, calls.recoverable(self._host), older_than)

    def worker(self, *, jobs: int = 4) -> Worker:
        """Return what drives submitted and left jobs, up to so many at once, until it is stopped.

        Raises: PayloadError, for less than one job at once.
        """
        from esflow.runtime.worker import Worker

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
        return calls.send(self._host, job_id, slot, payload, key=key, actor=actor)

    def pause(self, job_id: str, reason: str = "", *, actor: str | None = None) -> JobState:
        """Let nothing of the job start until somebody resumes it with `Continue`.

        What is running finishes first; the program can't tell that it was paused.
        Raises: JobNotFound, JobClosed.
        """
        command = PauseJob(reason=checked_text(reason, "reason"))
        return calls.hold_or_end(self._host, job_id, command, "pause()", actor=actor)

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
        return calls.update(
            self._host, job_id, values, actor=actor, expected_version=expected_version
        )

    def retry(
        self, job_id: str, *, effects: Effects = "reuse", actor: str | None = None
    ) -> JobState:
        """Let run again, on this host, what failed in a failed job, with all its attempts.

        Shape: ``effects`` that are recorded are given to it, or it calls them ``fresh``.
        Raises: JobNotFound, JobClosed, NotPaused, PayloadError, and what `run` raises.
        """
        return carried_on(self._host, calls.retry(self._host, job_id, effects, actor))

    def cancel(self, job_id: str, reason: str = "", *, actor: str | None = None) -> JobState:
        """End the job now; what its handlers are doing will not be recorded.

        A running handler can learn of it from ``ctx.cancelled``.
        Raises: JobNotFound, JobClosed.
        """
        command = CancelJob(reason=checked_text(reason, "reason"))
        return calls.hold_or_end(self._host, job_id, command, "cancel()", actor=actor)

    # Looking.

    def state(self, job_id: str, version: int | None = None) -> JobState:
        """Return the job as it was at a version, the last by default.

        Raises: JobNotFound; VersionConflict, for a version that isn't recorded; CorruptHistory.
        """
        return looking.state(self._host, job_id, version)

    def history(self, job_id: str, after: int = 0) -> Sequence[Recorded]:
        """Return what was recorded of a job after a version, verified.

        Raises: JobNotFound, CorruptHistory, UnknownEvent.
        """
        return looking.history(self._host, job_id, after)

    def follow(self, job_id: str | None = None, after: int = 0) -> Iterator[Recorded]:
        """Yield what is and will be recorded: of one job after a version, of all after a position.

        The iterator waits for more, and ends when the store is closed.
        Raises: JobNotFound, CorruptHistory, UnknownEvent.
        """
        return looking.follow(self._host, job_id, after)

    def jobs(
        self,
        *,
        status: str | Iterable[str] | None = None,
        flow: str | None = None,
        labels: Mapping[str, str] = EMPTY,
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[JobSummary]:
        """Return a page of jobs, oldest first; ``after`` is the last id of the page before."""
        from esflow.summary import summaries_of

        return summaries_of(self._store.jobs(job_query(status, flow, labels, limit, after)))

    def wait(self, job_id: str, timeout: float) -> JobState:
        """Return the job when it is paused or has ended, woken by the store.

        Units: seconds.
        Raises: JobNotFound; WaitTimeout, and the job lives on.
        """
        return calls.wait(self._host, job_id, timeout)

    def verify(self, job_id: str | None = None) -> VerifyReport:
        """Check the hash of every event of a job, or of every job.

        Raises: JobNotFound.
        """
        from esflow.verification import verify

        return verify(self._store, None if job_id is None else findable_id(job_id))

    # What if.

    def fork(
        self,
        job_id: str,
        version: int,
        *,
        new_job_id: str | None = None,
        command: ResumeCommand | None = None,
        live: bool = False,
        actor: str | None = None,
    ) -> JobState:
        """Begin a job that shares another one's history up to a version, and run it on this host.

        The other job is only read. The fork begins behind the last whole append: ``forked_from``
        says where. Effects from there on are called with ``live`` alone; without, their results
        are asked for, as interrupts.
        Raises: JobNotFound, JobExists, VersionConflict, PayloadError, and what `resume` raises;
        nothing is recorded then.
        """
        errand = calls.fork(
            self._host, job_id, version, name=new_job_id, command=command, live=live, actor=actor
        )
        return carried_on(self._host, errand)

    def diff(self, a: Moment, b: Moment) -> list[PatchOp]:
        """Return what turns the state of one moment into that of another, as a JSON Patch.

        Shape: a moment is a job id, or a job id with a version.
        Raises: JobNotFound, VersionConflict, CorruptHistory.
        """
        return looking.diff(self._host, a, b)

    def check(self, job_id: str | None = None, flow: Flow | None = None) -> CheckReport:
        """Run today's code against recorded histories: of one job, or of every open one.

        Nothing outside is called and nothing is recorded. The code is that of this engine's flows,
        or of the one that is given.
        Raises: JobNotFound, FlowNotFound, CorruptHistory, UnknownEvent.
        """
        return calls.check(self._host, job_id, flow)

    def health(self) -> HealthReport:
        """Tell whether the store can be read and written, how many jobs it has, and what is left.

        A store that can't be is reported, not raised.
        """
        from esflow.health import examine

        return examine(self._store, self._host.clock.now_ms())

    # Carrying away.

    def export(self, job_id: str, path: str | PathLike[str], *, overwrite: bool = False) -> int:
        """Write all that is recorded of a job to a file that anybody can verify; count its events.

        Raises: JobNotFound, CorruptHistory, UnknownEvent; PayloadError, when the file is there
        already; StoreError.
        """
        return calls.export(self._host, job_id, path, overwrite=overwrite)

    def import_job(
        self,
        path: str | PathLike[str],
        *,
        new_job_id: str | None = None,
        live: bool = False,
        progress: Progress | None = None,
    ) -> JobState:
        """Verify a file that `export` wrote, and take its job in.

        An ended job keeps its id; one that can go on becomes a fork, and so does any that is given
        a new id. ``live`` is that of `fork`; ``progress`` is told of so many more events.
        Raises: JobExists, CorruptHistory, UnknownEvent; PayloadError, when it is no such file;
        StoreError.
        """
        return calls.import_job(self._host, path, new_job_id, live=live, progress=progress)


def host_of(engine: Engine) -> Host:
    """Return what an engine drives jobs with, for one that waits for them in another way."""
    return engine._host  # noqa: SLF001 - of this module  # pyright: ignore[reportPrivateUsage] - of this module
