"""One job as one process sees it: its fold, and the only way to append to it.

What happens when another host appends first
--------------------------------------------
An append is conditional on the version that it was decided at.
When the job has moved on, the session reads it again and decides again on what is there now; bytes
that were decided on an older state are never appended.
If another execution has claimed the job in between, this one is `Fenced` instead.

The fold runs ahead of the log inside `commit`: events are taken in to see what is due after them,
and if they are not recorded, for whatever reason, the job is read again before anything else.

Grouped appends
---------------
A session that groups lets it run ahead for longer: what settles an activation waits, and is
appended as one with what comes after it.
Nothing that anybody outside could see waits: the group is appended before an effect is called,
when a handler is set aside to ask somebody, when the job comes to rest, and when it has grown or
waited too long.
So a crash loses work that was pure, and it is done again.

If somebody else has appended meanwhile, the group is decided again on what is there now, step by
step.
The wave that is open in the log is *kept*: what has settled of it holds.
Whatever was done in later waves began with data, and perhaps with neighbours, that are no longer
those of its wave; `is_current` tells it so, and it is driven again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeAlias, final

import attrs

from esflow.chance import drawn_name
from esflow.clock import Clock
from esflow.codec import encode, envelope, genesis
from esflow.consequences import owed
from esflow.errors import (
    ContextClosed,
    EsflowError,
    Fenced,
    JobClosed,
    VersionConflict,
)
from esflow.events import Event, ExecutionClaimed
from esflow.inputs import refuse_moment
from esflow.moments import LAST_MOMENT_MS, MOMENTS_MS
from esflow.replay import index_row, replay
from esflow.runtime.decisions import Decide, Decision, Left, somebody_runs
from esflow.runtime.waiting import Waiting
from esflow.snapshots import RESTING, Replayed, SnapshotPlan, take_snapshot
from esflow.state import JobFold, Status
from esflow.store import IndexRow, Store, WouldWait

if TYPE_CHECKING:
    from eventsourcing.persistence import StoredEvent

Made: TypeAlias = "tuple[list[StoredEvent], IndexRow, int]"
"""Rows, what the index says after them, and the token of the execution that they are of."""

max_group_events: Final = 1_000
max_group_ms: Final = 100
"""How much waits to be appended as one, and how long: it is looked at with each decision."""


@final
@attrs.define(eq=False, repr=False)
class Session:
    """Reads one job, decides on it and appends to it."""

    store: Store
    clock: Clock
    host: str
    job_id: str
    lease: str  # What the index says while this session drives the job.
    lease_ms: int  # How long it is good for after each append.
    merge: Callable[[JobFold], Event]  # What becomes of a wave whose writes need code.
    fold: JobFold = attrs.field(init=False)
    token: int = 0  # Of the execution that this session drives; 0 while it drives none.
    holds_lease: bool = False  # As far as it knows: an append that failed may have been recorded.
    has_recorded: bool = False  # Whether it has appended anything.
    done: set[str] = attrs.field(factory=set[str])  # Of what the job owes other jobs.
    is_grouping: bool = False  # Whether what may wait is appended together.
    kept_waves: list[int] = attrs.field(factory=lambda: [], init=False)  # See `is_current`.
    _recorded: int = 0  # The version up to which the fold is in the log.
    _group: list[Decision] = attrs.field(factory=lambda: [], init=False)  # Not recorded yet.
    _events: list[Event] = attrs.field(factory=lambda: [], init=False)  # What they come to.
    _made: Made | None = None  # Of them; whoever plans something unmakes it.
    _waits_since_ms: int = 0
    _owed: frozenset[str] = frozenset()  # By what is recorded.
    _ahead: bool = False  # Whether the fold has taken in what may not be recorded.
    _head: str = attrs.field(init=False)
    _created_at_ms: int = 0
    _snapshot_version: int = 0  # Of the job's last snapshot, as far as it knows.
    _rests: bool = False  # As its last append left the job.
    snapshots: SnapshotPlan = attrs.field(factory=SnapshotPlan)
    _lock: RLock = attrs.field(factory=RLock, init=False)
    _stored: Callable[[str, int, str, bytes], StoredEvent] = attrs.field(init=False)
    waiting: Waiting = attrs.field(init=False)  # For what happens to the job.

    def __attrs_post_init__(self) -> None:
        """Begin with a job that nothing is recorded of."""
        from esflow.stores.notifications import stored_event

        self._stored = stored_event
        self.waiting = Waiting(self.store)
        self.fold = JobFold(job_id=self.job_id)
        self._head = genesis(self.job_id)

    def load(self) -> None:
        """Read the job anew.

        Raises: JobNotFound, CorruptHistory, UnknownEvent.
        """
        replayed = replay(self.store, self.job_id)
        self.fold = replayed.fold
        self._head = replayed.head
        self._created_at_ms = replayed.created_at_ms
        self._snapshot_version = replayed.snapshot_version
        self._recorded = self.fold.version
        self._owed = owed(self.fold)
        self._ahead = False

    def is_current(self, wave: int, since: int) -> bool:
        """Tell whether work on a wave still holds, that began when so many waves had been kept."""
        kept = self.kept_waves
        return len(kept) == since or all(each == wave for each in kept[since:])

    @property
    def is_waiting(self) -> bool:
        """Whether something is decided that is not recorded yet."""
        return bool(self._group)

    def read_again(self) -> None:
        """Take in what others have recorded.

        Raises: Fenced, CorruptHistory, UnknownEvent.
        """
        with self._lock:
            self._ahead = True
            self._catch_up()

    def commit(
        self,
        *steps: Decide,
        actor: str | None = None,
        quiet: Callable[[], bool] = somebody_runs,
    ) -> None:
        """Append what each step decides in turn, and all that is due.

        Raises: whatever a step refuses by; Fenced; StoreError.
        """
        self.settle(Decision(steps, quiet, may_wait=False), actor)

    def settle(self, decision: Decision, actor: str | None = None) -> None:
        """Do the same for steps that are put together already.

        Raises: as `commit` does.
        """
        with self._lock:
            if actor is not None:
                self.flush()  # Somebody's name stands on what they did, and on nothing else.
            is_done = False
            while not is_done:
                if not decision.is_planned:
                    self._plan(decision)
                if decision.may_wait and self.is_grouping and self._may_wait():
                    return
                self._record(actor)
                is_done = decision.is_planned  # Unless another state has no use for it.

    def settle_at_once(self, decision: Decision) -> Left:
        """Do as much of the same as waits for nothing and nobody, and return what does the rest.

        Raises: as `commit` does.
        """
        rest = partial(self.settle, decision)
        if not self._lock.acquire(blocking=False):
            return rest
        try:
            if self._ahead or self.fold.token != self.token:  # First the log has to be read.
                return rest
            self._plan(decision)
            waits = decision.may_wait and self.is_grouping and self._may_wait()
            return None if waits or self._record_at_once() else rest
        finally:
            self._lock.release()

    def flush(self) -> None:
        """Append what has waited.

        Raises: Fenced; StoreError.
        """
        with self._lock:
            if self._group:
                self._catch_up()
                self._record(None)

    def due_at_ms(self, delay_ms: int) -> int:
        """Return the moment so many milliseconds from now, and from the job's last event.

        A clock that is behind that of the last host makes nothing due before its time.
        """
        row = self.store.head(self.job_id)
        last_ms = self.clock.now_ms() if row is None else row.updated_at_ms
        return min(max(last_ms, self.clock.now_ms()) + delay_ms, LAST_MOMENT_MS)

    def _plan(self, decision: Decision) -> None:
        """Decide on the state as it is, with what waits to be recorded."""
        if self._ahead or self.fold.token != self.token:
            self._catch_up()
        self._ahead = True
        planned = decision.planned(self.fold, self.merge)
        self._ahead = False
        if self.is_grouping and not self._group:
            self._waits_since_ms = self.clock.now_ms()
        self._group.append(decision)
        self._events += planned
        self._made = None
        decision.is_planned = True

    def _may_wait(self) -> bool:
        """Tell whether what is decided needn't be recorded yet."""
        return (
            self.fold.status is Status.RUNNING
            and len(self._events) < max_group_events
            and 0 <= self.clock.now_ms() - self._waits_since_ms < max_group_ms
        )

    def _record(self, actor: str | None) -> None:
        """Append all that is decided; decide again where somebody else appended first."""
        before = self._recorded
        while self._events:
            try:
                self._append(actor)
            except VersionConflict:
                self._catch_up()
                before = self._recorded
        self._group = []
        if self.snapshots.every:
            self._keep_snapshot(before)

    def _record_at_once(self) -> bool:
        """Append all that is decided if that waits for nothing; say whether.

        What a rest or a snapshot asks for may take its time.
        """
        fold = self.fold
        is_quick = self.store.is_quick and fold.status is Status.RUNNING
        if not is_quick or self.snapshots.is_due(self._recorded, fold.version, 0):
            return False
        try:
            if self._events:
                self._append(None, at_once=True)
        except (WouldWait, VersionConflict):  # It is found out why, by who may wait for it.
            self._ahead = False
            return False
        self._group = []
        return True

    def _drop_group(self) -> list[Decision]:
        """Let what is decided be as if it weren't."""
        dropped, self._group, self._events = self._group, [], []
        for decision in dropped:
            decision.is_planned = False
        return dropped

    def _catch_up(self) -> None:
        """Read the job again if what was decided isn't what is recorded, and decide it again.

        Raises: Fenced, when another execution has taken the job over; whatever refuses what isn't
        recorded yet.
        """
        if not self._ahead:
            self._refuse_fenced()
            return
        group, before = self._drop_group(), self._recorded
        self.load()
        self._refuse_fenced()
        if self._recorded != before:
            self.kept_waves.append(self.fold.wave)
        for decision in group:
            # Another state may have no use for it: who waits for it is told so, and nobody else.
            with suppress(JobClosed, ContextClosed):
                self._plan(decision)

    def _refuse_fenced(self) -> None:
        if self.token and self.fold.token != self.token:
            host = self.fold.host or "another host"
            raise Fenced(self.job_id, self.token, self.fold.token, host)

    def prepare(self) -> None:
        """Make ready what is decided, for whoever records it next, unless that would wait.

        A thread that was told to do so takes as long to wake up: what it finds done is won.
        """
        if self.is_grouping or not self._lock.acquire(blocking=False):
            return
        try:
            if self._events and not self._ahead:
                with suppress(EsflowError):  # Whoever records it meets the same, and says so.
                    self._made = self._made_of(None)
        finally:
            self._lock.release()

    def _append(self, actor: str | None, *, at_once: bool = False) -> None:
        """Append all that is decided, once.

        Raises: VersionConflict; WouldWait, only ``at_once``; StoreError; PayloadError.
        """
        self._ahead = True
        append = partial(self.store.append, at_once=True) if at_once else self.store.append
        try:
            rows, index, token = self._made or self._made_of(actor)
            owing = owed(self.fold)
            is_running = index.status is Status.RUNNING
            if token:  # Who drives a job holds it.
                holding, keep_lease = is_running or not owing <= self.done, False
            else:
                holding, keep_lease = self._leasing(owing, is_running=is_running)
            if holding:
                self.holds_lease = True
                index.lease, index.lease_until_ms = self.lease, index.updated_at_ms + self.lease_ms
            append(rows, index, expected=self._recorded, keep_lease=keep_lease)
        except VersionConflict:
            raise
        except EsflowError:  # Only the log tells whether it was appended.
            self._drop_group()
            raise
        self.token, self._head, self._created_at_ms = token, index.head, index.created_at_ms
        self.holds_lease, self.has_recorded, self._owed = holding, True, owing
        self._rests = not is_running and index.status in RESTING
        self._recorded, self._ahead, self._events, self._made = index.version, False, [], None

    def _made_of(self, actor: str | None) -> Made:
        """Return what is decided as it will stand in the store, and the token then."""
        fold, token, head, version = self.fold, self.token, self._head, self._recorded
        job_id, stored = self.job_id, self._stored
        now_ms = self.clock.now_ms()
        if now_ms not in MOMENTS_MS:
            refuse_moment(now_ms)
        around = envelope(now_ms, self.host, actor, token)
        is_plain = token and fold.token == token  # As nearly always: of one execution alone.
        varying = None if is_plain else self._varying(actor, now_ms)
        rows: list[StoredEvent] = []
        for event in self._events:
            version += 1
            if varying is not None:
                around = next(varying)
            topic, state, head = encode(event, around, head)
            rows.append(stored(job_id, version, topic, state))
        if fold.token > self._recorded:
            token = fold.token
        created_at_ms = self._created_at_ms or now_ms
        return rows, index_row(fold, head, created_at_ms, now_ms), token

    def _varying(self, actor: str | None, now_ms: int) -> Iterator[bytes]:
        """Yield the circumstances of events of which one may be a claim.

        What comes from outside of any execution has a nonce, in its first row alone.
        """
        token = self.token
        nonce = None if token else drawn_name(4)
        for version, event in enumerate(self._events, self._recorded + 1):
            token = version if type(event) is ExecutionClaimed else token
            yield envelope(now_ms, self.host, actor, token, nonce)
            nonce = None

    def _leasing(self, owing: frozenset[str], *, is_running: bool) -> tuple[bool, bool]:
        """Tell whether a session that drives nothing holds the job, or else who did goes on to.

        Whoever left a job with something to do in other jobs holds it.
        """
        if self.holds_lease:
            return bool(owing), False
        if is_running:
            return False, True
        is_more = not owing <= self._owed
        return is_more, bool(owing) and not is_more

    def _keep_snapshot(self, before: int) -> None:
        """Take a snapshot where one is due after the last append, now that it is recorded."""
        fold = self.fold
        tail = fold.version - self._snapshot_version if self._rests else 0
        if self.snapshots.is_due(before, fold.version, tail):
            recorded = Replayed(fold=fold, head=self._head, created_at_ms=self._created_at_ms)
            now_ms = self.clock.now_ms()
            take_snapshot(self.store, recorded, taken_at_ms=now_ms, keep=self.snapshots.kept)
            self._snapshot_version = fold.version
