"""eventsourcing's recorder over our tables: the events, and the index row beside them.

It knows nothing of when a transaction begins and ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from esflow.failpoints import reach
from esflow.store import IndexRow
from esflow.stores import sqlite_index
from esflow.stores.sqlite_schema import CREATE_EVENTS


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
        positions = self._insert_events(cursor, rows, index=index, keep_lease=keep_lease)
        assert positions, "an append holds at least one row"
        return positions[-1]

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        index: IndexRow | None = None,
        keep_lease: bool = False,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        positions = super()._insert_events(c, stored_events, **kwargs)
        reach("append.inserted")
        if index is not None:
            sqlite_index.write(c.sqlite_cursor, index, keep_lease=keep_lease)
            reach("append.indexed")
        return positions
