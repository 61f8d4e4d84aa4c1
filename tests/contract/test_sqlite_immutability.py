"""The database itself keeps the log append-only, whatever program opens the file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append, versions

INSERT = """
    INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state)
    VALUES (?, ?, ?, ?, ?)
"""
REPLACE = """
    INSERT OR REPLACE INTO stored_events (rowid, originator_id, originator_version, topic, state)
    VALUES (?, ?, ?, ?, ?)
"""
IGNORE = """
    INSERT OR IGNORE INTO stored_events (rowid, originator_id, originator_version, topic, state)
    VALUES (?, ?, ?, ?, ?)
"""
UPSERT = """
    INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state)
    VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET state = excluded.state
"""

ATTACKS: dict[str, tuple[str, tuple[object, ...]]] = {
    "update": ("UPDATE stored_events SET state = x'00' WHERE rowid = 1", ()),
    "update everything": ("UPDATE stored_events SET topic = 'Other/1'", ()),
    "update a position": ("UPDATE stored_events SET rowid = 99 WHERE rowid = 3", ()),
    "update or replace": ("UPDATE OR REPLACE stored_events SET rowid = 1 WHERE rowid = 2", ()),
    "update or ignore": ("UPDATE OR IGNORE stored_events SET state = x'00'", ()),
    "delete": ("DELETE FROM stored_events WHERE originator_id = 'one'", ()),
    "delete everything": ("DELETE FROM stored_events", ()),
    "replace a version": (REPLACE, (None, "one", 2, "t", b"")),
    "replace a position": (REPLACE, (1, "x", 1, "t", b"")),
    "replace the last position": (REPLACE, (4, "x", 1, "t", b"")),
    "replace both": (REPLACE, (3, "one", 2, "t", b"")),
    "upsert": (UPSERT, (None, "one", 1, "t", b"")),
    "a version again": (INSERT, (None, "one", 3, "t", b"")),
    "a gap": (INSERT, (None, "one", 5, "t", b"")),
    "a gap, ignored": (IGNORE, (None, "one", 5, "t", b"")),
    "a stream from the middle": (INSERT, (None, "x", 2, "t", b"")),
    "a version before the first": (INSERT, (None, "one", 0, "t", b"")),
    "a negative version": (INSERT, (None, "x", -1, "t", b"")),
    "no version": (INSERT, (None, "x", None, "t", b"")),
    "a version that is text": (INSERT, (None, "x", "y", "t", b"")),
    "no id": (INSERT, (None, None, 1, "t", b"")),
    "a state that is text": (INSERT, (None, "x", 1, "t", "text")),
    "a position ahead": (INSERT, (99, "x", 1, "t", b"")),
    "the last position": (INSERT, (2**63 - 1, "x", 1, "t", b"")),
    "position 0": (INSERT, (0, "x", 1, "t", b"")),
    "a negative position": (INSERT, (-1, "x", 1, "t", b"")),
}


@pytest.fixture
def foreign(path: Path, sqlite_store: SQLiteStore) -> Iterator[sqlite3.Connection]:
    """Return a plain connection to a store of two jobs."""
    append(sqlite_store, "one", count=3)
    append(sqlite_store, "two", count=1)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.mark.parametrize(
    "pragma", ["PRAGMA recursive_triggers = OFF", "PRAGMA recursive_triggers = ON"]
)
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_recorded_stays_as_it_is(
    foreign: sqlite3.Connection, attack: str, pragma: str
) -> None:
    foreign.execute(pragma)
    before = foreign.execute("SELECT rowid, * FROM stored_events").fetchall()
    with pytest.raises(sqlite3.IntegrityError):
        foreign.execute(*ATTACKS[attack])
    assert foreign.execute("SELECT rowid, * FROM stored_events").fetchall() == before


@pytest.mark.parametrize("attack", ["update", "delete", "replace a version", "replace a position"])
def test_the_database_says_why_it_refuses(foreign: sqlite3.Connection, attack: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        foreign.execute(*ATTACKS[attack])


def test_refused_attacks_leave_the_store_usable(
    foreign: sqlite3.Connection, sqlite_store: SQLiteStore
) -> None:
    for attack in ATTACKS.values():
        with pytest.raises(sqlite3.IntegrityError):
            foreign.execute(*attack)
    foreign.rollback()
    assert append(sqlite_store, "one", after=3) == 5
    assert versions(sqlite_store, "one") == [1, 2, 3, 4]


@pytest.mark.parametrize("position", [-1, 0, 2, 2**63 - 1])
def test_the_first_event_of_a_log_stands_at_position_1(
    sqlite_store: SQLiteStore, path: Path, position: int
) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            foreign.execute(INSERT, (position, "x", 1, "t", b""))
        foreign.rollback()
    assert append(sqlite_store, "job") == 1


def test_vacuum_never_renumbers_a_position(
    foreign: sqlite3.Connection, sqlite_store: SQLiteStore
) -> None:
    """With a gap that only the owner of the file can make, by dropping a trigger."""
    foreign.execute("DROP TRIGGER stored_events_are_never_deleted")
    foreign.execute("DELETE FROM stored_events WHERE originator_id = 'one'")
    foreign.commit()
    foreign.execute("VACUUM")
    assert [row.id for row in sqlite_store.read("two")] == [4]
    assert append(sqlite_store, "two", after=1) == 5
