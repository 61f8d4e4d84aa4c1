"""A process that drives jobs: which flows it has, which jobs it has taken over, and when it may.

Taking over is about liveness: a job is claimed where nobody drives it.
Whether this host may then append is the log's business, see `esflow.runtime.session`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Final, final

import attrs

from esflow import errors
from esflow.clock import Clock
from esflow.commands import ClaimExecution, StartJob
from esflow.consequences import is_to_claim, owed, runnable
from esflow.decider import decide
from esflow.events import Event
from esflow.flow import Flow
from esflow.inputs import checked_actor, checked_id, findable_id, new_job_id
from esflow.json_values import same_json
from esflow.merging import merge_wave
from esflow.runtime.decisions import Decide
from esflow.runtime.families import give_back, is_settled, settle
from esflow.runtime.heartbeat import Heartbeat
from esflow.runtime.lease import is_abandoned, is_gone, new_lease, process_of
from esflow.runtime.runs import Execution, OffLoop, at_once
from esflow.runtime.session import Session
from esflow.runtime.steps import fire_due, inside
from esflow.runtime.timing import answer_in_time, catch_up, is_overdue
from esflow.snapshots import SnapshotPlan
from esflow.state import JobFold, Status
from esflow.store import IndexRow, Store
from esflow.trouble import warn

READY: Final = (Status.PENDING.value, Status.RUNNING.value)
"""What a job is that has handlers to run."""

MAX_CLAIMS: Final = 5
"""In so many executions a job may get nowhere; then a worker takes it for what ended them."""
_ONE_JOBS_TROUBLE = (
    errors.FlowChanged,
    errors.NondeterminismError,
    errors.Fenced,
    errors.CorruptHistory,
    errors.UnknownEvent,
)


@final
@attrs.frozen(eq=False, repr=False, slots=False)
class Errand:
    """What a caller wishes of a job: it is driven, if one of the steps claims it."""

    session: Session
    steps: tuple[Decide, ...]
    actor: str | None = None
    in_time: bool = False  # Whether questions whose time is over are answered first.


@final
@attrs.define(eq=False, kw_only=True, repr=False, slots=False)
class Host:
    """What one engine drives jobs with."""

    store: Store
    clock: Clock
    name: str
    flows: Mapping[str, Flow]
    max_parallel: int
    is_grouping: bool
    lease_ms: int
    snapshots: SnapshotPlan
    heartbeat: Heartbeat = attrs.field(init=False)
    _driving: dict[str, Session] = attrs.field(factory=lambda: {}, init=False)  # By lease.
    _defined: set[str] = attrs.field(factory=set[str], init=False)  # Fingerprints.

    def __attrs_post_init__(self) -> None:
        """Drive nothing yet."""
        self.heartbeat = Heartbeat(self.store, self.clock, self.lease_ms)

    def flow(self, name: str) -> Flow:
        """Return a flow by its name.

        Raises: FlowNotFound.
        """
        if name not in self.flows:
            raise errors.FlowNotFound(name, tuple(self.flows))
        return self.flows[name]

    def known_flow(self, fold: JobFold) -> Flow:
        """Return a job's flow: this host's, else the wiring that is recorded, without handlers.

        Raises: FlowNotFound, when the store lacks the definition too.
        """
        if fold.flow in self.flows:
            return self.flows[fold.flow]
        recorded = self.store.get_definition(fold.fingerprint)
        if recorded is None:
            raise errors.FlowNotFound(fold.flow, tuple(self.flows))
        from json import loads

        from esflow.wiring import wiring_of

        return wiring_of(loads(recorded))

    def head(self, job_id: str) -> IndexRow:
        """Return what the index says of a job.

        Raises: JobNotFound.
        """
        row = self.store.head(findable_id(job_id))
        if row is None:
            raise errors.JobNotFound(job_id)
        return row

    def loaded(self, job_id: str, call: str) -> Session:
        """Return a session on a recorded job that the caller is not a handler of.

        Raises: ReentrantCall, JobNotFound, CorruptHistory, UnknownEvent.
        """
        session = self._session(findable_id(job_id), call)
        session.load()
        return session

    def beginning(self, request: StartJob, job_id: str | None) -> tuple[Session, Decide]:
        """Return a session, and the step that records a new job or finds that it was recorded.

        Raises: JobExists, from the step; ReentrantCall; PayloadError, for a bad id.
        """
        name = new_job_id() if job_id is None else checked_id(job_id)
        session = self._session(name, "start()")
        self.define(self.flow(request.flow))

        def step(fold: JobFold) -> Sequence[Event]:
            if fold.request is None:
                return decide(fold, request)
            _refuse_other_request(fold, request)
            return ()

        return session, step

    def commit(self, session: Session, *steps: Decide, actor: str | None) -> None:
        """Append what a caller's wish leads to, from outside of any execution."""
        self._commit(session, *steps, actor=actor)
        if session.holds_lease:
            settle(self, session)
            self.give_back(session)

    def _commit(self, session: Session, *steps: Decide, actor: str | None) -> None:
        session.commit(
            *steps, actor=checked_actor(actor), quiet=lambda: self._is_quiet(session.job_id)
        )

    def claim(self, session: Session) -> Decide:
        """Return the step that takes a job over where it needs a host and has none.

        Raises: FlowNotFound, FlowChanged, from the step.
        """
        take_over = self._take_over(session)

        def step(fold: JobFold) -> Sequence[Event]:
            return take_over(fold) if is_to_claim(fold) and self._is_free(fold.job_id) else ()

        return step

    def firing(self) -> Decide:
        """Return the step that lets happen what is due, of a job that nobody runs."""

        def step(fold: JobFold) -> Sequence[Event]:
            events = fire_due(fold, self.clock)
            return events if events and self._is_free(fold.job_id) else ()

        return step

    def is_orphan(self, fold: JobFold) -> bool:
        """Tell whether a job was being run by a host that has gone."""
        return bool(fold.token and runnable(fold)) and self._is_free(fold.job_id)

    def taking_over(
        self, job_id: str, older_than: float | None, max_claims: int | None = None
    ) -> Errand:
        """Return what drives a job that nobody drives, or records on for so many seconds.

        Shape: a job that did not get anywhere in ``max_claims`` executions fails instead.
        Raises: ReentrantCall, JobNotFound, CorruptHistory, UnknownEvent.
        """
        session = self.loaded(job_id, "recover()")
        take_over = self._take_over(session, max_claims)

        def step(fold: JobFold) -> Sequence[Event]:
            may = self._is_free(job_id) or self._is_stale(job_id, older_than)
            return take_over(fold) if is_to_claim(fold) and may else ()

        return Errand(session, (self.firing(), step), in_time=True)

    def execution(self, session: Session, off_loop: OffLoop = at_once) -> Execution:
        """Return what drives a job that this host has claimed."""
        flow, within = self.flow(session.fold.flow), inside.get() | {session.job_id}
        return Execution(session, flow, self.flows, self.max_parallel, within, off_loop)

    def take_up(self, errand: Errand) -> None:
        """Do what a caller wishes; what that claims is this host's until it is given back."""
        session = errand.session
        self._driving[session.lease] = session
        if errand.in_time:
            answer_in_time(session)
        self._commit(session, *errand.steps, actor=errand.actor)
        if self.is_to_see_to(session):
            self.see_to(session)
        if not session.token and owed(session.fold) and is_settled(session):
            self._clear(session)

    def is_to_see_to(self, session: Session) -> bool:
        """Tell whether something is due of a job that is driven, or owed to others."""
        fold = session.fold
        if not (fold.timers or fold.questions or fold.delayed or fold.children or fold.ended):
            return False  # Neither can be, which a look tells that every wave can afford.
        return is_overdue(session) or not is_settled(session)

    def see_to(self, session: Session) -> None:
        """Let happen what is due of a job that is driven, and do what it owes others.

        Raises: Fenced, when another execution has taken the job over; StoreError.
        """
        if session.token and session.fold.status is Status.RUNNING:
            catch_up(session)
        settle(self, session)

    def _clear(self, session: Session) -> None:
        """Take the lease of a host that died before it did what is done now."""
        row = self.store.head(session.job_id)
        if row is not None and row.lease is not None and self.is_anybodys(row):
            self.store.release(session.job_id, row.lease)

    def give_back(self, session: Session) -> None:
        """Give the lease back, unless the job's last append has.

        A store that can't do it is no reason to hide what ended the execution; the lease then
        lapses by itself.
        """
        with suppress(errors.EsflowError):
            if give_back(self.store, session):
                self._rest(session.job_id)
        self._driving.pop(session.lease, None)

    def _is_stale(self, job_id: str, older_than: float | None) -> bool:
        """Tell whether nothing was recorded for so long, as the index has it by now.

        It is asked at each decision: a job that has just recorded something is alive.
        0 asks no clock, which may be behind that of the host that recorded last.
        """
        if older_than is None:
            return False
        if older_than <= 0:
            return True
        return self.head(job_id).updated_at_ms <= self.clock.now_ms() - older_than * 1000

    def is_anybodys(self, row: IndexRow) -> bool:
        """Tell whether a job has no driver, or one that let its lease lapse."""
        return is_abandoned(row.lease, row.lease_until_ms, self.clock.now_ms())

    def is_to_take(self, row: IndexRow) -> bool:
        """Tell whether a job has something to do, and nobody does it.

        That is a handler to run, something that is due, or what a host that died owed others.
        """
        is_due = row.due_at_ms is not None and row.due_at_ms <= self.clock.now_ms()
        is_ready = row.status in READY or is_due or row.lease is not None
        return is_ready and self.is_anybodys(row)

    def close(self) -> None:
        """Give back the leases of whatever is still being driven."""
        self.heartbeat.close()
        for session in list(self._driving.values()):
            session.waiting.leave()
            self.give_back(session)

    def refuse_inside(self, job_id: str, call: str) -> None:
        """Refuse a call on a job from inside one of its handlers.

        Raises: ReentrantCall.
        """
        if job_id in inside.get():
            raise errors.ReentrantCall(job_id, f"Engine.{call}")

    def _session(self, job_id: str, call: str) -> Session:
        self.refuse_inside(job_id, call)
        return self.session_on(job_id)

    def session_on(self, job_id: str) -> Session:
        """Return a session on a job, nothing of which has been read."""
        return Session(
            self.store,
            self.clock,
            self.name,
            job_id,
            new_lease(),
            self.lease_ms,
            self._merged,
            snapshots=self.snapshots,
            is_grouping=self.is_grouping,
        )

    def _merged(self, fold: JobFold) -> Event:
        """Return what becomes of a wave whose writes need the code of its flow.

        Shape: that code is inside of the job, as a handler is.
        Raises: FlowNotFound.
        """
        return copy_context().run(self._merged_inside, fold)

    def _merged_inside(self, fold: JobFold) -> Event:
        inside.set(inside.get() | {fold.job_id})
        return merge_wave(self.flow(fold.flow), fold)

    def _rest(self, job_id: str) -> None:
        """Record what is due of a job that nobody drives any more: a pause that was asked for."""
        session = self.session_on(job_id)
        session.load()
        self._commit(session, lambda _: (), actor=None)

    def define(self, flow: Flow) -> None:
        """Keep a flow's definition beside the streams, so that a store explains itself."""
        if flow.fingerprint not in self._defined:
            from json import dumps

            definition = dumps(flow.definition(), ensure_ascii=False, sort_keys=True)
            self.store.put_definition(flow.fingerprint, definition.encode())
            self._defined.add(flow.fingerprint)

    def _is_free(self, job_id: str) -> bool:
        """Tell whether a job may be taken over."""
        row = self.store.head(job_id)
        return row is None or self.is_anybodys(row)

    def _is_quiet(self, job_id: str) -> bool:
        """Tell whether certainly no handler of a job runs: who let a lease lapse may go on yet."""
        row = self.store.head(job_id)
        return row is None or is_gone(row.lease)

    def _take_over(self, session: Session, max_claims: int | None = None) -> Decide:
        """Return the step that claims a job, whoever drives it."""

        def step(fold: JobFold) -> Sequence[Event]:
            flow = self.flow(fold.flow)
            self.define(flow)
            command = ClaimExecution(
                host=self.name,
                process=process_of(session.lease),
                flow_version=flow.version,
                fingerprint=flow.fingerprint,
                slots=frozenset(flow.slots),
                max_claims=max_claims,
            )
            return decide(fold, command)

        return step


@contextmanager
def passing_over(job_id: str) -> Generator[None]:
    """Log what is wrong with one job, which keeps no other from being recovered."""
    try:
        yield
    except _ONE_JOBS_TROUBLE as trouble:
        warn("not recovered: %s", trouble, job_id=job_id)


def _refuse_other_request(fold: JobFold, request: StartJob) -> None:
    for field in ("flow", "slot", "payload"):
        recorded, given = getattr(fold.request, field), getattr(request, field)
        if not same_json(recorded, given):
            raise errors.JobExists(fold.job_id, field, recorded, given)
