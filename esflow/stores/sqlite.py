"""The log in a SQLite file, for the hosts of one machine.

It knows how a transaction begins, ends and fails, and what its failure means.
It knows nothing of the meaning of the bytes.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    ConnectionUnavailableError,
    Notification,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor

from esflow.errors import StoreError, VersionConflict
from esflow.failpoints import reach
from esflow.store import IndexRow, JobQuery
from esflow.stores import sqlite_index
from esflow.stores.bell import Bell
from esflow.stores.sqlite_pool import Datastore, is_busy
from esflow.stores.sqlite_recorder import Events
from esflow.stores.sqlite_schema import prepare

_PAGE_ROWS = 1000
_READ = """
SELECT rowid, originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = ? AND originator_version > ? AND originator_version <= ?
ORDER BY originator_version LIMIT ?
"""
_READ_ALL = """
SELECT rowid, originator_id, originator_version, topic, state FROM stored_events
WHERE rowid > ? ORDER BY rowid LIMIT ?
"""
_LAST_VERSION = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
_POSITION = "SELECT max(rowid) FROM stored_events"
_PUT_DEFINITION = "INSERT OR IGNORE INTO esflow_definitions (fingerprint, definition) VALUES (?, ?)"
_GET_DEFINITION = "SELECT definition FROM esflow_definitions WHERE fingerprint = ?"
_FOREVER = 2**63 - 1


@final
class SQLiteStore:
    """A store in a file."""

    def __init__(
        self, path: str, *, synchronous: str = "full", busy_seconds: float = 30.0
    ) -> None:
        self.url = f"sqlite:///{path}"
        self._path = Path(path).absolute()
        self._busy_seconds = busy_seconds
        self._datastore = Datastore(
            path=str(self._path), synchronous=synchronous, busy_seconds=busy_seconds
        )
        self.recorder = Events(self._datastore)
        self._lock = threading.Lock()
        self._writer: SQLiteConnection | None = None
        self._bell = Bell()
        with self._connection(f"opening {self._path}") as connection:
            prepare(connection, f"opening {self._path}")

    @contextmanager
    def _connection(self, doing: str) -> Iterator[sqlite3.Connection]:
        try:
            with self._datastore.get_connection(commit=False) as connection:
                yield connection._sqlite_conn
        except (sqlite3.Error, PersistenceError, ConnectionPoolClosedError) as error:
            raise _fault(doing, error) from error

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[SQLiteCursor]:
        try:
            with self._lock:
                if self._writer is None:
                    self._writer = self._datastore.pool.get_connection()
                cursor = self._writer.cursor()
                try:
                    cursor.execute("BEGIN IMMEDIATE")
                    yield cursor
                    self._writer.commit()
                finally:
                    self._writer.rollback()
        except (sqlite3.Error, PersistenceError, ConnectionPoolClosedError) as error:
            raise _fault(doing, error) from error

    def append(
        self,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        expected: int,
        keep_lease: bool,
    ) -> int:
        """Append to one job after a version, and return the position of the last row."""
        reach("append.begun")
        doing = f"appending to job {index.job_id!r}"
        try:
            with self._transaction(doing) as cursor:
                positions = self.recorder._insert_events(
                    cursor, rows, index=index, keep_lease=keep_lease
                )
        except StoreError:
            found = self._last_version(index.job_id)
            if found != expected:
                raise VersionConflict(index.job_id, expected, found) from None
            raise
        reach("append.committed")
        assert positions, "an append holds at least one row"
        self._bell.ring(positions[-1])
        return positions[-1]

    def _last_version(self, job_id: str) -> int:
        with self._connection(f"reading job {job_id!r}") as connection:
            return connection.execute(_LAST_VERSION, (job_id,)).fetchone()[0] or 0

    def _rows(self, doing: str, statement: str, values: tuple[Any, ...]) -> list[Notification]:
        with self._connection(doing) as connection:
            found = connection.execute(statement, values).fetchall()
        return [
            Notification(
                id=position, originator_id=job, originator_version=version, topic=topic, state=state
            )
            for position, job, version, topic, state in found
        ]

    def read(
        self, job_id: str, *, after: int = 0, upto: int | None = None
    ) -> Iterator[Notification]:
        """Yield the rows of one job in order."""
        doing = f"reading job {job_id!r}"
        last = _FOREVER if upto is None else upto
        while page := self._rows(doing, _READ, (job_id, after, last, _PAGE_ROWS)):
            yield from page
            after = page[-1].originator_version

    def read_all(self, *, after: int = 0, limit: int = 1000) -> Sequence[Notification]:
        """Return the next rows of all jobs behind a position."""
        return self._rows("reading the log", _READ_ALL, (after, max(0, limit)))

    def head(self, job_id: str) -> IndexRow | None:
        """Return the index row of a job."""
        with self._connection(f"looking up job {job_id!r}") as connection:
            return sqlite_index.head(connection, job_id)

    def jobs(self, query: JobQuery) -> Sequence[IndexRow]:
        """Return one page of jobs in the order of their creation."""
        with self._connection("listing jobs") as connection:
            return sqlite_index.page(connection, query)

    def find(self, prefix: str, *, limit: int = 10) -> Sequence[str]:
        """Return job ids that begin so, sorted."""
        with self._connection("looking for jobs") as connection:
            return sqlite_index.find(connection, prefix, limit)

    def release(self, job_id: str, lease: str) -> bool:
        """Give a lease back, unless somebody else holds the job by now."""
        with self._transaction(f"releasing job {job_id!r}") as cursor:
            return sqlite_index.release(cursor.sqlite_cursor, job_id, lease)

    def position(self) -> int:
        """Return the position of the newest row."""
        with self._connection("reading the position") as connection:
            return connection.execute(_POSITION).fetchone()[0] or 0

    def wait(self, after: int, timeout_seconds: float | None) -> int:
        """Block until something stands behind a position."""
        position = self.position()
        if position > after:
            return position
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        return self._bell.wait(after, deadline)

    def put_definition(self, fingerprint: str, definition: bytes) -> None:
        """Keep the definition of a flow."""
        with self._transaction("keeping a definition") as cursor:
            cursor.execute(_PUT_DEFINITION, (fingerprint, definition))

    def get_definition(self, fingerprint: str) -> bytes | None:
        """Return the definition of a flow."""
        with self._connection("reading a definition") as connection:
            found = connection.execute(_GET_DEFINITION, (fingerprint,)).fetchone()
        return None if found is None else found[0]

    def reindex(self, rows: Iterable[IndexRow]) -> None:
        """Replace the whole index."""
        with self._transaction("rebuilding the index") as cursor:
            sqlite_index.replace(cursor.sqlite_cursor, rows)

    def close(self) -> None:
        """Let go of every connection, and wake whoever waits."""
        self._bell.close()
        self._datastore.close()


def _fault(doing: str, error: Exception) -> StoreError:
    cause = error.__cause__ if isinstance(error.__cause__, sqlite3.Error) else error
    if isinstance(cause, ConnectionUnavailableError):
        return StoreError(doing, "the store is busy: every connection is in use", True)
    if isinstance(cause, sqlite3.Error) and is_busy(cause):
        return StoreError(doing, f"the store is busy: {cause}", True)
    return StoreError(doing, str(cause), False)
