"""The port to the log: what a store of events must do, in the words of the engine.

It knows nothing of files, servers or the meaning of the bytes that it keeps.

What an append promises
-----------------------
All rows of an append and the job's row in the index are written together or not at all.
A row is written only after its predecessor, so two hosts that decided on the same version can't
both append: the second is told `VersionConflict`.

An error doesn't mean "not written": a commit can fail after the fact.
So a store that is not certain re-reads before it answers, and counts its own bytes as success.
A store that is certain to have been refused doesn't compare bytes: two callers may well have
decided the same thing in the same millisecond, and only one of them was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import attrs

from esflow.values import by_contents, by_value, late

if TYPE_CHECKING:
    from eventsourcing.persistence import Notification, StoredEvent


@final
@attrs.define
@by_contents
class IndexRow:
    """What one job looks like from outside: rebuildable from its events at any time.

    Nobody changes one but who makes it; every append makes one, and a page a hundred, by position:
    a frozen one, or one by keyword, takes twice as long.
    """

    job_id: str
    flow: str
    flow_version: str
    status: str
    version: int
    head: str  # Hash of the last event.
    labels: Mapping[str, str]
    created_at_ms: int
    updated_at_ms: int
    wakes_at_ms: int | None = None
    question: str | None = None
    error: str | None = None
    host: str | None = None
    lease: str | None = None  # Who drives the job now; None: nobody. Opaque to the store.
    lease_until_ms: int | None = None  # Written with the lease.
    due_at_ms: int | None = None  # When a host has to see to the job, if nothing happens before.


@final
@late(kw_only=True)
@by_value
class SnapshotRow:
    """A job folded up to one version, as bytes: it saves time, and can be missed at any moment."""

    version: int
    fold_version: int  # Of the fold that made it, and that alone can go on from it.
    head: str  # Hash of the event at the version.
    created_at_ms: int
    state: bytes


@final
@late(kw_only=True)
@by_value
class StoreCondition:
    """What a store is made of, and how full it is."""

    database: str  # Its program and version.
    schema: int | None  # Version of its tables; None where there are none.
    jobs: Mapping[str, int]  # How many of each status; a status without any is left out.
    warnings: tuple[str, ...] = ()  # What may go wrong with it one day, and what to do about it.


@final
@late(kw_only=True)
@by_value
class JobQuery:
    """Which jobs to list.

    Shape: no statuses mean any; all labels given must match; ``after`` is the last job id of the
    page before.
    """

    statuses: tuple[str, ...] = ()
    flow: str | None = None
    labels: Mapping[str, str] = attrs.field(factory=lambda: {})
    leased: bool | None = None
    limit: int = 100
    after: str | None = None


class WouldWait(Exception):
    """An append that was to be done at once would have waited; nothing of it is written."""


@runtime_checkable
class Store(Protocol):
    """The log of every job, and the index over it.

    Every method may be called from any thread.
    Raises: StoreError from every method, when the store can't do it; it says whether to try again.
    """

    @property
    def url(self) -> str:
        """Where the store is, as text that may be shown to anybody."""
        ...

    @property
    def closed(self) -> bool:
        """Whether somebody has closed the store."""
        ...

    @property
    def is_quick(self) -> bool:
        """Whether an append waits for no disk and no server, so that it may be tried at once."""
        ...

    def append(
        self,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        expected: int,
        keep_lease: bool,
        at_once: bool = False,
    ) -> int:
        """Append to one job after a version, and return the position of the last row.

        Shape: ``rows`` have the versions ``expected + 1, expected + 2, …``; 0 begins a job.
        The index row is written in the same transaction; its lease only unless ``keep_lease``.
        What is to be done ``at_once`` waits for nobody else who writes, and need not find out why
        it can't be done: only a store that `is_quick` is asked for it.
        Raises: VersionConflict, when the job is not at ``expected``; WouldWait.
        """
        ...

    def read(
        self, job_id: str, *, after: int = 0, upto: int | None = None
    ) -> Iterator[Notification]:
        """Yield the rows of one job in order; ``id`` is the position.

        Shape: versions ``after + 1`` to ``upto`` (to the end, when None); empty for an unknown job.
        """
        ...

    def read_all(self, *, after: int = 0, limit: int = 1000) -> Sequence[Notification]:
        """Return the next rows of all jobs behind a position, in the order of recording."""
        ...

    def head(self, job_id: str) -> IndexRow | None:
        """Return the index row of a job, None for an unknown one."""
        ...

    def jobs(self, query: JobQuery) -> Sequence[IndexRow]:
        """Return one page of jobs in the order of their creation.

        Raises: JobNotFound, when ``query.after`` is not a job.
        """
        ...

    def due(self, flows: Collection[str], *, limit: int) -> Sequence[IndexRow]:
        """Return the jobs of these flows that have a ``due_at_ms``, the earliest first.

        Shape: in a time that doesn't grow with the number of those that are due later.
        """
        ...

    def find(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return job ids that begin so, sorted."""
        ...

    def release(self, job_id: str, lease: str) -> bool:
        """Give a lease back, unless somebody else holds the job by now; say which."""
        ...

    def renew(self, leases: Collection[str], until_ms: int) -> int:
        """Move the end of every job's lease that is one of these; return how many there are.

        Shape: one transaction and one statement, however many jobs it concerns.
        """
        ...

    def position(self) -> int:
        """Return the position of the newest row, 0 when there is none."""
        ...

    def wait(self, after: int, timeout_seconds: float | None) -> int:
        """Block until something stands behind a position; return the newest position.

        Returns early, with what is known, when the time is up or the store is closed.
        """
        ...

    def listening(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Have a function called whenever somebody has committed something, while the block runs.

        It is called from any thread, also for less than an append, and when the store is closed:
        it does no more than wake whoever looks for themselves.
        """
        ...

    def put_definition(self, fingerprint: str, definition: bytes) -> None:
        """Keep the definition of a flow; the first under a fingerprint stays."""
        ...

    def get_definition(self, fingerprint: str) -> bytes | None:
        """Return the definition of a flow, None for an unknown fingerprint."""
        ...

    def put_snapshot(self, job_id: str, snapshot: SnapshotRow, *, keep: int) -> None:
        """Keep a snapshot, in the place of one at the same version.

        Of the job's snapshots the newest ``keep`` of this fold version stay, and no others.
        """
        ...

    def snapshot(
        self, job_id: str, *, fold_version: int, upto: int | None = None
    ) -> SnapshotRow | None:
        """Return a job's newest snapshot of a fold version, at or before a version of the job."""
        ...

    def drop_snapshots(self, job_id: str | None = None) -> None:
        """Delete the snapshots of a job, or of every job."""
        ...

    def condition(self) -> StoreCondition:
        """Return what the store is made of, and how many jobs it has."""
        ...

    def touch(self) -> None:
        """Write for real, as an append does, and change nothing."""
        ...

    def reindex(self, rows: Iterable[IndexRow]) -> None:
        """Replace the whole index in one transaction; all leases are dropped.

        Nobody appends while ``rows`` is consumed: a generator over this store sees one log.
        Raises: VersionConflict, when a row is not at the last version of its job.
        """
        ...

    def close(self) -> None:
        """Let go of everything and wake whoever waits; closing twice is allowed."""
        ...


def check_append(rows: Sequence[StoredEvent], index: IndexRow, expected: int) -> None:
    """Stop a caller whose rows and index row contradict each other: a bug, not a conflict."""
    assert rows, "an append holds at least one row"
    assert index.version == expected + len(rows), "the index row is that of the last version"
    assert rows[0].originator_version == expected + 1, "the rows follow the expected version"
    assert rows[-1].originator_id == index.job_id, "the rows and the index row are of one job"
