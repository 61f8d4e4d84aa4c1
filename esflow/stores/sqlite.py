"""The log in a SQLite file, for the hosts of one machine.

It knows how a transaction begins, ends and fails, and what its failure means.
It knows nothing of the meaning of the bytes.
"""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import SQLiteCursor

from esflow.errors import StoreError, VersionConflict
from esflow.failpoints import reach
from esflow.store import (
    IndexRow,
    JobQuery,
    SnapshotRow,
    StoreCondition,
    WouldWait,
    check_append,
)
from esflow.stores import sqlite_condition, sqlite_index, sqlite_snapshots
from esflow.stores.bell import Bell
from esflow.stores.notifications import Row, rows_of
from esflow.stores.sqlite_faults import FAULTS, Fault, store_error
from esflow.stores.sqlite_pool import Connections, Datastore, Pool
from esflow.stores.sqlite_recorder import Events
from esflow.stores.sqlite_schema import prepare
from esflow.stores.sqlite_text import read_as_text
from esflow.stores.watcher import Watcher

# A commit whose fsync failed isn't seen by anybody, but stands in the write-ahead log: whoever
# opens the file after this process was killed finds it there whole, unless it was written over.
_UNSETTLED = "it may be written or not, which the next append or opening of the file settles"
_PAGE_ROWS = 256
_FOREVER = 2**63 - 1
READ = """
SELECT rowid, originator_version, topic, state FROM stored_events
WHERE originator_id = ? AND originator_version > ? AND originator_version <= ?
ORDER BY originator_version LIMIT ?
"""
READ_ALL = """
SELECT rowid, originator_id, originator_version, topic, state FROM stored_events
WHERE rowid > ? ORDER BY rowid LIMIT ?
"""
LAST_VERSION = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
POSITION = "SELECT max(rowid) FROM stored_events"
PUT_DEFINITION = "INSERT OR IGNORE INTO esflow_definitions (fingerprint, definition) VALUES (?, ?)"
GET_DEFINITION = "SELECT definition FROM esflow_definitions WHERE fingerprint = ?"


@final
class SQLiteStore:
    """A store in a file."""

    def __init__(self, path: str, *, synchronous: str = "full", busy_seconds: float = 30.0) -> None:
        option = "" if synchronous == "full" else f"?synchronous={synchronous}"
        self.url = f"sqlite:///{quote(os.fsencode(path))}{option}"
        self._path = Path(path).absolute()
        self.is_quick = synchronous == "normal"  # It syncs where it checkpoints, and nowhere else.
        pool = Pool(path=str(self._path), synchronous=synchronous, busy_seconds=busy_seconds)
        self._events = Events(Datastore(pool))
        self.connections = Connections(pool)
        self.bell = Bell()
        self.watcher = Watcher(
            self.bell,
            pool.connect,
            _newest,
            partial(store_error, "watching for events", self._path),
        )
        for close in (self.watcher.close, self.connections.close):
            weakref.finalize(self, close).atexit = False  # For a store that nobody closed.
        doing = f"opening {self.url}"
        try:
            with self._reading(doing) as connection:
                prepare(connection, doing)
        except StoreError:
            self.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether somebody has closed the store."""
        return self.bell.closed

    def append(
        self,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        expected: int,
        keep_lease: bool,
        at_once: bool = False,
    ) -> int:
        """Append to one job after a version, and return the position of the last row."""
        check_append(rows, index, expected)
        reach("append.begun")
        committing = False
        try:
            with self.connections.writing(at_once=at_once) as cursor:
                position = self._events.insert(cursor, rows, index, keep_lease=keep_lease)
                committing = True
                cursor.execute("COMMIT")
        except FAULTS as fault:
            if at_once and not committing:  # Why is found out by who may wait for it.
                raise WouldWait from fault
            position = self._outcome(rows, expected, fault, committing=committing)
        reach("append.committed")
        self.bell.ring(position)
        return position

    def _outcome(
        self, rows: Sequence[StoredEvent], expected: int, fault: Fault, *, committing: bool
    ) -> int:
        """Find out what became of an append that failed: it may stand in the log all the same.

        Only a failed commit leaves this open: what was refused before it was not written, even
        when equal bytes of another caller stand there.
        """
        job_id = str(rows[0].originator_id)
        error = store_error(f"appending to job {job_id!r}", self._path, fault)
        try:
            found = self._last_version(job_id)
            written = list(self.read(job_id, after=expected, upto=expected + len(rows)))
        except StoreError as unread:
            problem = f"{error.problem}; it may be written or not, because {unread.problem}"
            raise StoreError(error.doing, problem, error.retry) from fault
        if committing and [row.state for row in written] == [row.state for row in rows]:
            return written[-1].id
        if found != expected:
            raise VersionConflict(job_id, expected, found) from fault
        if committing and not error.retry:
            raise StoreError(error.doing, f"{error.problem}; {_UNSETTLED}", False) from fault
        raise error from fault

    def _last_version(self, job_id: str) -> int:
        with self._reading(f"reading job {job_id!r}") as connection:
            return connection.execute(LAST_VERSION, (job_id,)).fetchone()[0] or 0

    def read(
        self, job_id: str, *, after: int = 0, upto: int | None = None
    ) -> Iterator[Notification]:
        """Yield the rows of one job in order."""
        return chain.from_iterable(self._pages(job_id, after, upto))

    def _pages(self, job_id: str, after: int, upto: int | None) -> Iterator[list[Notification]]:
        doing = f"reading job {job_id!r}"
        last = _FOREVER if upto is None else upto
        filled = partial(rows_of, job_id)
        while page := self._rows(doing, READ, (job_id, after, last, _PAGE_ROWS), filled):
            yield page
            if len(page) < _PAGE_ROWS:
                return
            after = page[-1].originator_version

    def read_all(self, *, after: int = 0, limit: int = 1000) -> Sequence[Notification]:
        """Return the next rows of all jobs behind a position."""
        return self._rows("reading the log", READ_ALL, (after, max(0, limit)), _rows_of_all)

    def _rows(
        self,
        doing: str,
        statement: str,
        values: tuple[Any, ...],
        filled: Callable[[Iterable[Any]], list[Notification]],
    ) -> list[Notification]:
        with self._reading(doing) as connection:
            cursor = connection.cursor()
            cursor.row_factory = None  # Plain tuples.

            def read() -> list[Notification]:
                return filled(cursor.execute(statement, values))

            return read_as_text(connection, read)

    def head(self, job_id: str) -> IndexRow | None:
        """Return the index row of a job."""
        with self._reading(f"looking up job {job_id!r}") as connection:
            return sqlite_index.head(connection, job_id)

    def jobs(self, query: JobQuery) -> Sequence[IndexRow]:
        """Return one page of jobs in the order of their creation."""
        with self._reading("listing jobs") as connection:
            return sqlite_index.page(connection, query)

    def due(self, flows: Collection[str], *, limit: int) -> Sequence[IndexRow]:
        """Return the jobs of these flows that a host has to see to, the earliest first."""
        with self._reading("looking for what is due") as connection:
            return sqlite_index.due(connection, flows, limit)

    def find(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return job ids that begin so, sorted."""
        with self._reading(f"looking for jobs {prefix!r}") as connection:
            return sqlite_index.find(connection, prefix, limit)

    def release(self, job_id: str, lease: str) -> bool:
        """Give a lease back, unless somebody else holds the job by now."""
        with self._writing(f"releasing job {job_id!r}") as cursor:
            return sqlite_index.release(cursor.sqlite_cursor, job_id, lease)

    def renew(self, leases: Collection[str], until_ms: int) -> int:
        """Move the end of every job's lease that is one of these."""
        with self._writing("renewing leases") as cursor:
            return sqlite_index.renew(cursor.sqlite_cursor, leases, until_ms)

    def position(self) -> int:
        """Return the position of the newest row."""
        with self._reading("reading the position") as connection:
            return _newest(connection)

    def wait(self, after: int, timeout_seconds: float | None) -> int:
        """Block until something stands behind a position."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        position = self.position()
        self.bell.ring(position)
        if position > after:
            return position
        with self.watcher.watching():
            return self.bell.wait(after, deadline)

    @contextmanager
    def listening(self, wake: Callable[[], None]) -> Generator[None]:
        """Have a function called whenever somebody has committed something."""
        with self.bell.listening(wake), self.watcher.watching():
            yield

    def put_definition(self, fingerprint: str, definition: bytes) -> None:
        """Keep the definition of a flow."""
        with self._writing("keeping a definition") as cursor:
            cursor.execute(PUT_DEFINITION, (fingerprint, definition))

    def get_definition(self, fingerprint: str) -> bytes | None:
        """Return the definition of a flow."""
        with self._reading("reading a definition") as connection:
            found = connection.execute(GET_DEFINITION, (fingerprint,)).fetchone()
        return None if found is None else found[0]

    def put_snapshot(self, job_id: str, snapshot: SnapshotRow, *, keep: int) -> None:
        """Keep a snapshot."""
        with self._writing(f"keeping a snapshot of job {job_id!r}") as cursor:
            sqlite_snapshots.put(cursor.sqlite_cursor, job_id, snapshot, keep)

    def snapshot(
        self, job_id: str, *, fold_version: int, upto: int | None = None
    ) -> SnapshotRow | None:
        """Return a job's newest snapshot."""
        last = _FOREVER if upto is None else upto
        with self._reading(f"reading a snapshot of job {job_id!r}") as connection:
            return sqlite_snapshots.newest(connection, job_id, fold_version, last)

    def drop_snapshots(self, job_id: str | None = None) -> None:
        """Delete snapshots."""
        with self._writing("deleting snapshots") as cursor:
            sqlite_snapshots.drop(cursor.sqlite_cursor, job_id)

    def condition(self) -> StoreCondition:
        """Return which SQLite this is, and how many jobs the file has."""
        with self._reading("looking at the store") as connection:
            return sqlite_condition.condition(connection)

    def touch(self) -> None:
        """Write and sync a page of the file as it is."""
        with self._writing("writing to the store") as cursor:
            sqlite_condition.touch(cursor.sqlite_cursor)

    def reindex(self, rows: Iterable[IndexRow]) -> None:
        """Replace the whole index."""
        with self._writing("rebuilding the index") as cursor:
            sqlite_index.replace(cursor.sqlite_cursor, rows)

    def close(self) -> None:
        """Let go of every connection, and wake whoever waits."""
        self.bell.close()
        self.watcher.close()
        self.connections.close()
        self.bell.stir()  # Who looked while it was closing looks again.

    @contextmanager
    def _reading(self, doing: str) -> Generator[sqlite3.Connection]:
        try:
            with self.connections.reading() as connection:
                yield connection
        except FAULTS as fault:
            raise store_error(doing, self._path, fault) from fault

    @contextmanager
    def _writing(self, doing: str) -> Generator[SQLiteCursor]:
        try:
            with self.connections.writing() as cursor:
                yield cursor
                cursor.execute("COMMIT")
        except FAULTS as fault:
            raise store_error(doing, self._path, fault) from fault


def _rows_of_all(found: Iterable[Any]) -> list[Notification]:
    return [Row(*row) for row in found]


def _newest(connection: sqlite3.Connection) -> int:
    position: int | None = connection.execute(POSITION).fetchone()[0]
    return position or 0
