"""Connections to a SQLite file: eventsourcing's pool, with what a log needs of each of them.

It knows nothing of tables.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import final

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    ConnectionUnavailableError,
    InterfaceError,
)
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)

from esflow.stores.forks import protect

_CACHED_STATEMENTS = 128  # eventsourcing passes True, which is one.
_POOL_SIZE = 16  # Who finds them all in use waits, and is told busy in the end.
_PRIMARY_CODE = 0xFF  # SQLite's extended codes hold the kind of error in the lowest byte.
_RETRY_SECONDS = 0.005
_MAX_IN_A_ROW = 64  # Of some pages each, where a thousand of them are reason for a checkpoint.


def primary_code(error: sqlite3.Error) -> int:
    """Return what kind of error SQLite reported, 0 when it was not SQLite's."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether another connection was in the way."""
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@final
class FileConnection(SQLiteConnection):
    """One connection, with SQLite's own in reach."""

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection itself."""
        return self._sqlite_conn


@final
class Pool(SQLiteConnectionPool):
    """Makes connections with their settings, and can be emptied."""

    def __init__(self, *, path: str, synchronous: str, busy_seconds: float) -> None:
        super().__init__(
            db_name=path, pool_size=_POOL_SIZE, max_overflow=0, pool_timeout=busy_seconds
        )
        self.is_sqlite_memory_mode = False  # Whatever the name of the file looks like.
        self.synchronous = synchronous
        self._drained = False
        self.busy_seconds = busy_seconds

    def hasty(self) -> FileConnection:
        """Return a connection that waits for nothing, and that the pool doesn't count.

        It is told busy at once, and leaves it to others to write the log ahead back and sync.
        """
        if self.closed:
            raise ConnectionPoolClosedError
        connection = self.connect()
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return FileConnection(sqlite_conn=connection, max_age=self.max_age)

    def connect(self) -> sqlite3.Connection:
        """Return a connection that the pool doesn't count."""
        connection = sqlite3.connect(
            self.db_name,
            timeout=self.busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
        )
        try:
            self._settle(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _create_connection(self) -> FileConnection:
        try:
            connection = self.connect()
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        connection.row_factory = sqlite3.Row
        return FileConnection(sqlite_conn=connection, max_age=self.max_age)

    def _settle(self, connection: sqlite3.Connection) -> None:
        """Apply the settings, which SQLite keeps per connection."""
        self._write_ahead(connection)
        if self.synchronous == "normal":
            connection.execute("PRAGMA synchronous = NORMAL")
        else:
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA recursive_triggers = ON")

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Switch the file to its write-ahead log, once in its life.

        SQLite doesn't wait for others here, whatever its timeout: it may be told busy at once.
        """
        deadline = time.monotonic() + self.busy_seconds
        pause = threading.Event()
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                pause.wait(_RETRY_SECONDS)
            else:
                return

    def put_connection(self, conn: SQLiteConnection) -> None:
        """Take a connection back; close it when the pool was closed meanwhile."""
        try:
            super().put_connection(conn)
        except ConnectionPoolClosedError:
            conn.close()

    def close(self) -> None:
        """Close what nobody uses; what is in use is closed when it comes back."""
        with self._put_condition:
            self._closed = True
            self._close_idle()

    def drain(self) -> bool:
        """Keep everybody out, wait until nothing is in use, and close everything; say if it is."""
        self._drained = self._get_semaphore.acquire(timeout=self.pool_timeout)
        with self._put_condition:
            returned = self._put_condition.wait_for(lambda: not self._in_use, self.pool_timeout)
            self._close_idle()
        return self._drained and returned

    def refill(self) -> None:
        """Let everybody in again."""
        if self._drained:
            self._get_semaphore.release()

    def renew(self) -> None:
        """Forget, in a child, the locks of threads that it doesn't have."""
        self._get_semaphore = threading.Semaphore()
        self._put_condition = threading.Condition()
        self._no_readers = threading.Condition()
        self._writer_lock = threading.Lock()

    def _close_idle(self) -> None:
        while self._pool:
            self._pool.popleft().close()


@final
class Datastore(SQLiteDatastore):
    """eventsourcing's datastore over our pool, with job ids that are text."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool.db_name, originator_id_type="text")
        self.pool = pool


@final
class Connections:
    """The connections of one store: many that read, one that writes.

    The writer is kept, because taking it from the pool would cost as much as a small append.
    There is another for whoever can't wait, which is used so often in a row at most: then a writer
    has to come by that writes the log ahead back, if it has grown enough.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.busy_seconds = pool.busy_seconds
        self.lock = threading.Lock()  # Held by the thread that writes.
        self._writer: _Writer | None = None
        self._hasty: _Writer | None = None
        self._in_a_row = 0  # How often the hasty one was used.
        self._used: _Writer | None = None  # By whom something is begun that may be undone.
        self._locked = False  # By suspend.
        self._drained = True  # When suspend was last called.
        self._shared = False  # This process was forked while something was open.
        protect(self)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Lend a connection."""
        connection = self._borrow()
        try:
            yield connection.raw
        finally:
            self._pool.put_connection(connection)

    def writing(self, *, at_once: bool = False) -> AbstractContextManager[SQLiteCursor]:
        """Lend a cursor inside a transaction; what its user doesn't commit is rolled back."""
        return _Writing(self, at_once=at_once)

    def begin(self, *, at_once: bool) -> SQLiteCursor:
        """Return a cursor inside a new transaction."""
        if self._used is not None:  # By somebody whose own undoing was interrupted.
            self.end()
        if at_once:
            writer = self._take_hasty()
        else:
            writer = self._writer or self._take_writer()
            self._in_a_row = 0
        self._used = writer
        writer.cursor.execute("BEGIN IMMEDIATE")  # A read first fails when others wrote since.
        return writer.cursor

    def end(self) -> None:
        """Roll back what was not committed; a connection that can't is thrown away."""
        used = self._used
        try:
            if used is not None and used.raw.in_transaction:
                used.raw.rollback()
        except sqlite3.Error:
            self._throw_away()
        self._used = None

    def close(self) -> None:
        """Close everything; whoever is at work finishes first."""
        with self.lock:
            self._give_writers_back()
            self._pool.close()

    def suspend(self) -> None:
        """Have nothing open, before a fork."""
        self._locked = self.lock.acquire(timeout=self.busy_seconds)
        if self._locked:
            self._give_writers_back()
        self._drained = self._pool.drain()

    def resume(self) -> None:
        """Go on in the parent, where nothing was shared."""
        self._pool.refill()
        if self._locked:
            self.lock.release()

    def renew(self) -> None:
        """Begin anew in the child."""
        self._pool.renew()
        self.lock = threading.Lock()
        self._shared = self._shared or not self._drained

    def _borrow(self) -> FileConnection:
        self._refuse_shared()
        connection = self._pool.get_connection()
        assert isinstance(connection, FileConnection), "our pool makes our connections"
        return connection

    def _refuse_shared(self) -> None:
        if self._shared:
            raise InterfaceError("the process was forked in the middle of a call; spawn it instead")

    def _take_writer(self) -> _Writer:
        self._writer = _Writer(self._borrow())
        return self._writer

    def _take_hasty(self) -> _Writer:
        self._refuse_shared()
        if self._in_a_row == _MAX_IN_A_ROW:
            raise ConnectionUnavailableError("somebody has to write who may wait for a checkpoint")
        self._in_a_row += 1
        if self._hasty is None:
            self._hasty = _Writer(self._pool.hasty())
        return self._hasty

    def _throw_away(self) -> None:
        if self._writer is not None:
            self._writer.connection.close()
        self._give_writers_back()

    def _give_writers_back(self) -> None:
        if self._writer is not None:
            self._pool.put_connection(self._writer.connection)
        if self._hasty is not None:
            self._hasty.connection.close()
        self._writer = self._hasty = self._used = None


@final
class _Writer:
    """A connection that is kept, with its cursor."""

    def __init__(self, connection: FileConnection) -> None:
        self.connection = connection
        self.raw = connection.raw
        self.cursor = connection.cursor()


@final
class _Writing:
    """A block in which one thread writes; a generator would take as long as an INSERT."""

    def __init__(self, connections: Connections, *, at_once: bool) -> None:
        self._connections = connections
        self._at_once = at_once
        self._is_held = False

    def __enter__(self) -> SQLiteCursor:
        is_begun = False
        try:  # A signal may strike between any two lines, so each undoing has a finally of its own.
            lock, seconds = self._connections.lock, self._connections.busy_seconds
            self._is_held = lock.acquire(timeout=0 if self._at_once else seconds)
            if not self._is_held:
                raise ConnectionUnavailableError("another thread is writing")
            cursor = self._connections.begin(at_once=self._at_once)
            is_begun = True
            return cursor
        finally:
            if not is_begun:
                self.__exit__()

    def __exit__(self, *_: object) -> None:
        if not self._is_held:
            return
        try:
            self._connections.end()
        finally:
            self._connections.lock.release()
