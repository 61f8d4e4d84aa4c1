"""Connections to a SQLite file: eventsourcing's pool, with what a log needs of each of them.

It knows nothing of tables.
"""

from __future__ import annotations

import sqlite3
import time
from typing import final

from eventsourcing.persistence import InterfaceError
from eventsourcing.sqlite import SQLiteConnection, SQLiteConnectionPool, SQLiteDatastore

_CACHED_STATEMENTS = 128  # eventsourcing passes True, which is one.
_BUSY_ERRORS = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether another connection was in the way."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY_ERRORS


@final
class Pool(SQLiteConnectionPool):
    """Makes connections with their settings, and outlives neither its store nor a fork."""

    def __init__(self, *, path: str, synchronous: str, busy_seconds: float) -> None:
        super().__init__(db_name=path, pool_timeout=busy_seconds)
        self.is_sqlite_memory_mode = False  # Whatever the name of the file looks like.
        self.synchronous = synchronous
        self.busy_seconds = busy_seconds

    def _create_connection(self) -> SQLiteConnection:
        try:
            connection = sqlite3.connect(
                self.db_name,
                timeout=self.busy_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_CACHED_STATEMENTS,
            )
            self._settle(connection)
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        connection.row_factory = sqlite3.Row
        return SQLiteConnection(sqlite_conn=connection, max_age=self.max_age)

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
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                return


@final
class Datastore(SQLiteDatastore):
    """eventsourcing's datastore over our pool, with job ids that are text."""

    def __init__(self, *, path: str, synchronous: str, busy_seconds: float) -> None:
        super().__init__(path, originator_id_type="text")
        self.pool = Pool(path=path, synchronous=synchronous, busy_seconds=busy_seconds)
