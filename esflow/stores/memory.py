"""The log in memory: for tests, notebooks and whatever may end with its process.

Its promises are those of every store, but for durability.
It knows nothing of files.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, final
from uuid import UUID

import attrs
from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from esflow.errors import JobNotFound, StoreError, VersionConflict
from esflow.failpoints import reach
from esflow.store import IndexRow, JobQuery, SnapshotRow, StoreCondition, check_append
from esflow.stores.bell import Bell
from esflow.stores.notifications import Row

_PAGE_ROWS = 256


@final
class MemoryEvents(POPOApplicationRecorder):
    """The recorder of eventsourcing, with reads that cost what they return."""

    def __init__(self) -> None:
        super().__init__()
        self._streams: dict[str, list[int]] = {}  # Positions, by version.

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """What keeps every other thread out; a thread may take it twice."""
        return self._database_lock

    def last_version(self, job_id: str) -> int:
        """Return the last version of a stream, 0 when there is none."""
        stream = self._streams.get(job_id)
        return self._stored_events[stream[-1] - 1].originator_version if stream else 0

    def rows(self, job_id: str, after: int, upto: int | None, limit: int) -> list[Notification]:
        """Return one page of a stream."""
        with self._database_lock:
            stream = self._streams.get(job_id, [])
            span = self._span(stream, after, upto)[:limit]
            positions = stream[span.start : span.stop]
            return [_numbered(self._stored_events[each - 1], each) for each in positions]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return stored events of one stream, in time that grows with their number alone."""
        with self._database_lock:
            stream = self._streams.get(str(originator_id), [])
            span = self._span(stream, -1 if gt is None else gt, lte)
            chosen = islice(reversed(span) if desc else iter(span), limit)
            return [self._stored_events[stream[place] - 1] for place in chosen]

    def extend(self, job_id: str, rows: Sequence[StoredEvent]) -> int:
        """Append rows that follow the last of one stream, and return the position of the last."""
        self._stored_events += rows
        last = len(self._stored_events)
        self._streams.setdefault(job_id, []).extend(range(last + 1 - len(rows), last + 1))
        self._notify_listeners()
        return last

    def _insert_events(
        self, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int] | None:
        with self._database_lock:
            self._refuse_gaps(stored_events)
            return [self.extend(str(row.originator_id), [row]) for row in stored_events]

    def forget(self, job_id: str, version: int) -> None:
        """Take back whatever is left of the last append, which was to a stream, behind a version.

        An interrupt may have left rows that don't stand in their stream yet.
        """
        rows, stream = self._stored_events, self._streams.get(job_id, [])
        while rows and rows[-1].originator_id == job_id and rows[-1].originator_version > version:
            rows.pop()
        while stream and stream[-1] > len(rows):
            stream.pop()

    def _refuse_gaps(self, rows: Sequence[StoredEvent]) -> None:
        last: dict[str, int] = {}
        for row in rows:
            job_id = str(row.originator_id)
            found = last[job_id] if job_id in last else self.last_version(job_id)
            # A stream begins at 1; eventsourcing's own may begin at 0.
            if row.originator_version != found + 1 and (found or row.originator_version):
                raise IntegrityError(f"{job_id}: {row.originator_version} can't follow {found}")
            last[job_id] = row.originator_version

    def _span(self, stream: Sequence[int], after: int, upto: int | None) -> range:
        """Return where in a stream, which has no gaps, a range of versions stands."""
        # As `_refuse_gaps` has it.
        first = 0 if stream and not self._stored_events[stream[0] - 1].originator_version else 1
        last = len(stream) if upto is None else min(len(stream), upto + 1 - first)
        return range(max(0, after + 1 - first), max(0, last))


def _numbered(row: StoredEvent, position: int) -> Notification:
    job_id = str(row.originator_id)
    return Row(position, job_id, row.originator_version, row.topic, row.state)


@final
class MemoryStore:
    """A store that ends with its process; engines share it by sharing the object."""

    url = "memory://"
    is_quick = True

    def __init__(self) -> None:
        self._events = MemoryEvents()
        self._lock = self._events.lock  # One lock: rows and index change together.
        self._index: dict[str, IndexRow] = {}
        self._born: list[tuple[int, str]] = []  # Position of a job's first event, job id; sorted.
        self._due: list[tuple[int, str]] = []  # Moment, job id; sorted.
        self._definitions: dict[str, bytes] = {}
        self._snapshots: dict[str, list[SnapshotRow]] = {}  # By version.
        self.bell = Bell()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether somebody has closed the store."""
        return self._closed

    def append(
        self,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        expected: int,
        keep_lease: bool,
        at_once: bool = False,  # noqa: ARG002 - nobody who writes takes longer than this does
    ) -> int:
        """Append to one job after a version, and return the position of the last row."""
        reach("append.begun")
        job_id = index.job_id
        with self._lock:
            if self._closed:
                self._refuse_if_closed(f"appending to job {job_id!r}")
            if not expected:
                _refuse_no_text(job_id)
            found = self._events.last_version(job_id)
            if found != expected:
                raise VersionConflict(job_id, expected, found)
            check_append(rows, index, expected)
            is_whole = False
            try:
                position = self._events.extend(job_id, rows)
                reach("append.inserted")
                self._write_row(index, keep_lease=keep_lease)
                reach("append.indexed")
                is_whole = True
            finally:
                if not is_whole:
                    self._roll_back(job_id, expected)
        reach("append.committed")
        self.bell.ring(position)
        return position

    def _roll_back(self, job_id: str, version: int) -> None:
        """Undo an append that was interrupted: by a signal, say, between its rows and its index.

        The index row is written last, in one step, so only rows can be left over.
        """
        if self._index.get(job_id) is None or self._index[job_id].version == version:
            self._events.forget(job_id, version)
            self._born = [birth for birth in self._born if birth[1] in self._index]

    def _write_row(self, row: IndexRow, *, keep_lease: bool) -> None:
        before = self._index.get(row.job_id)
        if keep_lease:
            row = attrs.evolve(
                row,
                lease=before.lease if before else None,
                lease_until_ms=before.lease_until_ms if before else None,
            )
        if before is None:
            insort(self._born, self._birth(row.job_id))
        was = None if before is None else before.due_at_ms
        if was != row.due_at_ms:
            self._move_due(row.job_id, was, row.due_at_ms)
        self._index[row.job_id] = row

    def _move_due(self, job_id: str, was_ms: int | None, is_ms: int | None) -> None:
        """Keep in order what hosts have to see to."""
        if was_ms is not None:
            del self._due[bisect_left(self._due, (was_ms, job_id))]
        if is_ms is not None:
            insort(self._due, (is_ms, job_id))

    def _birth(self, job_id: str) -> tuple[int, str]:
        (first,) = self._events.rows(job_id, 0, None, 1)
        return first.id, job_id

    def read(
        self, job_id: str, *, after: int = 0, upto: int | None = None
    ) -> Iterator[Notification]:
        """Yield the rows of one job in order."""
        self._refuse_if_closed(f"reading job {job_id!r}")
        while page := self._events.rows(job_id, after, upto, _PAGE_ROWS):
            yield from page
            after = page[-1].originator_version

    def read_all(self, *, after: int = 0, limit: int = 1000) -> Sequence[Notification]:
        """Return the next rows of all jobs behind a position."""
        self._refuse_if_closed("reading the log")
        if limit <= 0:  # eventsourcing would return everything.
            return []
        return self._events.select_notifications(after, limit, inclusive_of_start=False)

    def head(self, job_id: str) -> IndexRow | None:
        """Return the index row of a job."""
        self._refuse_if_closed(f"looking up job {job_id!r}")
        return self._index.get(job_id)

    def jobs(self, query: JobQuery) -> Sequence[IndexRow]:
        """Return one page of jobs in the order of their creation."""
        with self._lock:
            self._refuse_if_closed("listing jobs")
            if query.after is not None and query.after not in self._index:
                raise JobNotFound(query.after)
            first = 0
            if query.after is not None:
                first = bisect_right(self._born, self._birth(query.after))
            rows = (self._index[job_id] for _, job_id in islice(self._born, first, None))
            chosen = (row for row in rows if _matches(row, query))
            return list(islice(chosen, max(0, query.limit)))

    def due(self, flows: Collection[str], *, limit: int) -> Sequence[IndexRow]:
        """Return the jobs of these flows that a host has to see to, the earliest first."""
        with self._lock:
            self._refuse_if_closed("looking for what is due")
            due = (self._index[job_id] for _, job_id in self._due)
            return list(islice((row for row in due if row.flow in flows), max(0, limit)))

    def find(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return job ids that begin so, sorted."""
        with self._lock:
            self._refuse_if_closed("looking for jobs")
            return sorted(job for job in self._index if job.startswith(prefix))[: max(0, limit)]

    def release(self, job_id: str, lease: str) -> bool:
        """Give a lease back, unless somebody else holds the job by now."""
        with self._lock:
            self._refuse_if_closed(f"releasing job {job_id!r}")
            row = self._index.get(job_id)
            if row is None or row.lease != lease:
                return False
            self._index[job_id] = attrs.evolve(row, lease=None, lease_until_ms=None)
        self.bell.stir()
        return True

    def renew(self, leases: Collection[str], until_ms: int) -> int:
        """Move the end of every job's lease that is one of these."""
        wanted = frozenset(leases)
        with self._lock:
            self._refuse_if_closed("renewing leases")
            held = [row for row in self._index.values() if row.lease in wanted]
            for row in held:
                self._index[row.job_id] = attrs.evolve(row, lease_until_ms=until_ms)
            return len(held)

    def position(self) -> int:
        """Return the position of the newest row."""
        self._refuse_if_closed("reading the position")
        return self._events.max_notification_id() or 0

    def wait(self, after: int, timeout_seconds: float | None) -> int:
        """Block until something stands behind a position."""
        self._refuse_if_closed("waiting")
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        return self.bell.wait(after, deadline)

    def listening(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Have a function called whenever somebody has committed something."""
        self._refuse_if_closed("listening")
        return self.bell.listening(wake)

    def put_definition(self, fingerprint: str, definition: bytes) -> None:
        """Keep the definition of a flow."""
        self._refuse_if_closed("keeping a definition")
        self._definitions.setdefault(fingerprint, definition)

    def get_definition(self, fingerprint: str) -> bytes | None:
        """Return the definition of a flow."""
        self._refuse_if_closed("reading a definition")
        return self._definitions.get(fingerprint)

    def put_snapshot(self, job_id: str, snapshot: SnapshotRow, *, keep: int) -> None:
        """Keep a snapshot."""
        with self._lock:
            self._refuse_if_closed(f"keeping a snapshot of job {job_id!r}")
            others = [
                each
                for each in self._snapshots.get(job_id, [])
                if each.fold_version == snapshot.fold_version and each.version != snapshot.version
            ]
            found = sorted([*others, snapshot], key=lambda each: each.version)
            self._snapshots[job_id] = found[max(0, len(found) - keep) :]

    def snapshot(
        self, job_id: str, *, fold_version: int, upto: int | None = None
    ) -> SnapshotRow | None:
        """Return a job's newest snapshot."""
        self._refuse_if_closed(f"reading a snapshot of job {job_id!r}")
        for each in reversed(self._snapshots.get(job_id, [])):
            if each.fold_version == fold_version and (upto is None or each.version <= upto):
                return each
        return None

    def drop_snapshots(self, job_id: str | None = None) -> None:
        """Delete snapshots."""
        with self._lock:
            self._refuse_if_closed("deleting snapshots")
            if job_id is None:
                self._snapshots.clear()
            else:
                self._snapshots.pop(job_id, None)

    def condition(self) -> StoreCondition:
        """Return how many jobs there are."""
        with self._lock:
            self._refuse_if_closed("looking at the store")
            jobs = Counter(row.status for row in self._index.values())
            return StoreCondition(database="memory", schema=None, jobs=jobs)

    def touch(self) -> None:
        """Write nothing: what can be reached can be written."""
        with self._lock:
            self._refuse_if_closed("writing to the store")

    def reindex(self, rows: Iterable[IndexRow]) -> None:
        """Replace the whole index."""
        with self._lock:
            self._refuse_if_closed("rebuilding the index")
            fresh = {row.job_id: attrs.evolve(row, lease=None, lease_until_ms=None) for row in rows}
            for row in fresh.values():
                found = self._events.last_version(row.job_id)
                if found != row.version:
                    raise VersionConflict(row.job_id, row.version, found)
            self._index = fresh
            due = ((row.due_at_ms, row.job_id) for row in fresh.values())
            self._due = sorted((at_ms, job_id) for at_ms, job_id in due if at_ms is not None)
            self._born = sorted(map(self._birth, fresh))

    def close(self) -> None:
        """Refuse everything from now on, and wake whoever waits."""
        self._closed = True
        self.bell.close()

    def _refuse_if_closed(self, doing: str) -> None:
        if self._closed:
            raise StoreError(doing, "the store is closed; open another", False)


def _matches(row: IndexRow, query: JobQuery) -> bool:
    return (
        (not query.statuses or row.status in query.statuses)
        and (query.flow is None or row.flow == query.flow)
        and (query.leased is None or (row.lease is not None) is query.leased)
        and query.labels.items() <= row.labels.items()
    )


def _refuse_no_text(job_id: str) -> None:
    """Refuse what no other store could keep either."""
    try:
        job_id.encode()
    except UnicodeEncodeError as fault:
        raise StoreError(f"appending to job {job_id!r}", str(fault), False) from fault
