"""eventsourcing's recorder over our tables: the events, and the index row beside them.

It knows nothing of when a transaction begins and ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from esflow.failpoints import reach
from esflow.store import IndexRow
from esflow.stores import sqlite_index
from esflow.stores.sqlite_schema import CREATE_EVENTS

if TYPE_CHECKING:
    from eventsourcing.persistence import StoredEvent


@final
class Events(SQLiteApplicationRecorder):
    """The recorder of a store."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        self.insert_events_statement = """
            INSERT INTO stored_events (originator_id, originator_version, topic, state)
            VALUES (?, ?, ?, ?)
        """

    def construct_create_table_statements(self) -> list[str]:
        """Return the events' part of the schema, triggers included."""
        return list(CREATE_EVENTS)

    def insert(
        self,
        cursor: SQLiteCursor,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        keep_lease: bool,
    ) -> int:
        """Insert rows and write the index row inside the caller's transaction.

        Shape: the position of the last row.
        """
        writer = cursor.sqlite_cursor
        for row in rows:
            # Of bytes, sqlite3 looks for an adapter, which takes longer than to copy them.
            state = bytearray(row.state)
            values = row.originator_id, row.originator_version, row.topic, state
            writer.execute(self.insert_events_statement, values)
        position = writer.lastrowid
        assert position, "an append holds at least one row"
        reach("append.inserted")
        sqlite_index.write(writer, index, keep_lease=keep_lease)
        reach("append.indexed")
        return position
