"""One file of tables: its connections, its transactions, and up to where it is fed.

It knows nothing of stores and nothing of what the rows mean.

Why every event counts once
---------------------------
A page of rows and the position of its last event are written in one transaction, which holds the
write lock from its beginning and gives up when somebody else has moved the position meanwhile.
That the position only grows would not be enough: of two processes that began at the same place, one
may have taken half of what the other one is about to write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

from eventsourcing.persistence import Tracking
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore, SQLiteTrackingRecorder
from sqlite_utils import Database

from esflow.failpoints import reach
from esflow.stores.sqlite_faults import FAULTS, store_error
from esflow.stores.sqlite_pool import Connections, Datastore, Pool
from esflow_projections.tables import schema
from esflow_projections.tables.rows import Page, Row

POINTS: Final = ("tables.tracked", "tables.row", "tables.written", "tables.committed")
"""Where a test may kill the process, as in `esflow.failpoints`."""

_SOURCE: Final = "esflow"
_INSERT_TRACKING = """
INSERT INTO esflow_tracking VALUES (:application_name, :notification_id)
ON CONFLICT (application_name) DO UPDATE SET notification_id = :notification_id
WHERE esflow_tracking.notification_id < :notification_id
RETURNING notification_id
"""
_SELECT_TRACKING = "SELECT MAX(notification_id) FROM esflow_tracking WHERE application_name = ?"
_LAST = "SELECT job_id, version, hash FROM esflow_history WHERE position = ?"


@final
class PositionRecorder(SQLiteTrackingRecorder):
    """eventsourcing's tracking, in a table whose name no other program has."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        self.insert_tracking_statement = _INSERT_TRACKING
        self.select_max_tracking_id_statement = _SELECT_TRACKING

    def position(self, cursor: SQLiteCursor) -> int:
        """Return the position of the last event that was taken in, 0 before the first."""
        return self._max_tracking_id(_SOURCE, cursor) or 0

    def move(self, cursor: SQLiteCursor, position: int) -> None:
        """Write a position, inside the caller's transaction."""
        self._insert_tracking(cursor, Tracking(_SOURCE, position))


@final
class TablesFile:
    """The tables of one file."""

    def __init__(self, path: str, *, busy_seconds: float = 30.0) -> None:
        self.path = path
        self._absolute = Path(path).absolute()
        pool = Pool(path=str(self._absolute), synchronous="normal", busy_seconds=busy_seconds)
        self._recorder = PositionRecorder(Datastore(pool))
        self._connections = Connections(pool)

    def prepare(self) -> None:
        """Make the tables where there are none.

        Raises: TablesOutdated, TablesRefused, StoreError.
        """
        with self._writing("opening the tables") as (cursor, database):
            schema.refuse_store(cursor.sqlite_cursor.connection, self.path)
            if schema.found_schema(database, self.path) is None:
                schema.create(database)
            schema.refuse_outdated(database, self.path)
            cursor.execute("COMMIT")

    def empty(self) -> None:
        """Make the tables anew, with nothing in them, whichever release made them.

        Raises: TablesRefused, StoreError.
        """
        with self._writing("emptying the tables") as (cursor, database):
            schema.refuse_store(cursor.sqlite_cursor.connection, self.path)
            if schema.found_schema(database, self.path) is not None:
                schema.drop(database)
            schema.create(database)
            cursor.execute("COMMIT")

    def put(self, page: Page, *, after: int, upto: int) -> bool:
        """Write the rows of the events behind one position up to another; say whether they are.

        Shape: False, and nothing is written, when the tables aren't at ``after`` any more.
        Raises: TablesOutdated, when a newer release has rebuilt them meanwhile; StoreError.
        """
        with self._writing("feeding the tables") as (cursor, database):
            schema.refuse_outdated(database, self.path)
            if self._recorder.position(cursor) != after:
                return False
            self._recorder.move(cursor, upto)
            reach("tables.tracked")
            _write(database, page)
            reach("tables.written")
            cursor.execute("COMMIT")
        reach("tables.committed")
        return True

    def position(self) -> int:
        """Return the position up to which the tables are fed."""
        with self.reading("reading the position") as connection:
            found: int | None = connection.execute(_SELECT_TRACKING, (_SOURCE,)).fetchone()[0]
            return found or 0

    def recorded_at_position(self, position: int) -> tuple[str, int, str] | None:
        """Return job, version and hash of the event that stands at a position."""
        with self.reading("reading the history") as connection:
            row = connection.execute(_LAST, (position,)).fetchone()
            return None if row is None else tuple(row)

    @contextmanager
    def reading(self, doing: str) -> Generator[sqlite3.Connection]:
        """Lend a connection.

        Raises: StoreError.
        """
        try:
            with self._connections.reading() as connection:
                yield connection
        except FAULTS as fault:
            raise store_error(doing, self._absolute, fault) from fault

    def close(self) -> None:
        """Let go of the file."""
        self._connections.close()

    @contextmanager
    def _writing(self, doing: str) -> Generator[tuple[SQLiteCursor, Database]]:
        """Lend a transaction that holds the write lock; what isn't committed is rolled back."""
        try:
            with self._connections.writing() as cursor:
                yield cursor, schema.wrapped(cursor.sqlite_cursor.connection)
        except FAULTS as fault:
            raise store_error(doing, self._absolute, fault) from fault


def _write(database: Database, page: Page) -> None:
    """Write rows; sqlite-utils commits nothing by itself inside a transaction."""
    history = database.table("esflow_history")
    history.insert_all(_passing(page.history), pk="position")
    for name, rows in (
        ("esflow_jobs", page.jobs),
        ("esflow_activations", page.activations),
        ("esflow_questions", page.questions),
        ("esflow_effects", page.effects),
    ):
        if rows:
            database.table(name).upsert_all(_passing(rows.values()), pk=schema.TABLES[name].key)


def _passing(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        reach("tables.row")
        yield row
