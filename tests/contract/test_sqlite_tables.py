"""What is in the file: an auditor reads it with sqlite3 alone, and a page is found by a seek."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import attrs
import pytest
from eventsourcing.persistence import StoredEvent

from esflow.store import IndexRow, JobQuery
from esflow.stores import sqlite, sqlite_index, sqlite_snapshots
from esflow.stores.sqlite import SQLiteStore
from tests.contract.rows import append, make_index, make_rows

WALKS_THE_TABLE = re.compile(
    r"SCAN esflow_jobs|SCAN stored_events|SCAN esflow_snapshots|TEMP B-TREE"
)


@pytest.fixture
def connection(path: Path, sqlite_store: SQLiteStore) -> Iterator[sqlite3.Connection]:
    """Return a plain connection to a store of 90 jobs."""
    for number in range(90):
        append(
            sqlite_store,
            f"job{number}",
            status=("running", "paused", "completed")[number % 3],
            flow=("support", "billing")[number % 2],
            lease="mine" if number % 9 == 0 else None,
        )
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def plan(connection: sqlite3.Connection, statement: str, values: Any) -> list[str]:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
    return [str(row[3]) for row in rows]


def test_the_columns_of_the_index_are_the_fields_of_its_row_in_order(
    connection: sqlite3.Connection,
) -> None:
    columns = connection.execute("SELECT name FROM pragma_table_info('esflow_jobs') ORDER BY cid")
    fields = [field.name for field in attrs.fields(IndexRow)]
    assert [name for (name,) in columns] == ["ordinal", *fields]


def test_every_page_of_jobs_is_found_by_a_seek(connection: sqlite3.Connection) -> None:
    analysed = connection.execute("ANALYZE")
    assert analysed.fetchall() == []
    for statuses, flow, leased, labels in product(
        ((), ("paused",), ("paused", "running")),
        (None, "support"),
        (None, True, False),
        ({}, {"colour": "red"}),
    ):
        query = JobQuery(statuses=statuses, flow=flow, leased=leased, labels=labels)
        walks = list(sqlite_index.walks(query, 45))
        assert len(walks) == max(1, len(statuses))
        for statement, values in walks:
            steps = plan(connection, statement, values)
            assert steps[0].startswith("SEARCH esflow_jobs USING"), (query, steps)
            assert not [step for step in steps if WALKS_THE_TABLE.search(step)], (query, steps)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (sqlite.READ, ("job", 0, 9, 9)),
        (sqlite.READ_ALL, (0, 9)),
        (sqlite.LAST_VERSION, ("job",)),
        (sqlite.POSITION, ()),
        (sqlite_index.SELECT_ONE, ("job",)),
        (sqlite_index.FIND_BELOW, ("job", "joc", 9)),
        (sqlite_index.RELEASE, ("job", "mine")),
        (sqlite_snapshots.NEWEST, ("job", 1, 9)),
        (sqlite_snapshots.DROP, ("job",)),
    ],
)
def test_every_other_statement_is_a_seek(
    connection: sqlite3.Connection, statement: str, values: tuple[object, ...]
) -> None:
    steps = plan(connection, statement, values)
    assert steps[0].startswith("SEARCH "), steps
    assert not [step for step in steps if WALKS_THE_TABLE.search(step)], steps


def test_renewing_leases_is_one_transaction_that_walks_what_is_driven(
    sqlite_store: SQLiteStore, connection: sqlite3.Connection
) -> None:
    (walk, *_) = plan(connection, sqlite_index.RENEW, (5, "[]"))
    assert walk == "SCAN esflow_jobs USING INDEX esflow_jobs_leased"
    for number in range(40):
        append(sqlite_store, f"job-{number}", lease=f"lease-{number}", lease_until_ms=1)
    traced: list[str] = []
    with sqlite_store.connections.writing() as cursor:
        writer = cursor.sqlite_cursor.connection
    writer.set_trace_callback(traced.append)
    assert sqlite_store.renew([f"lease-{number}" for number in range(40)], 5) == 40
    assert [line.split()[0] for line in traced] == ["BEGIN", "UPDATE", "COMMIT"]


def test_an_append_that_changes_no_index_rewrites_none(
    sqlite_store: SQLiteStore,
) -> None:
    """The statement that names no indexed column is the one that most appends need."""
    append(sqlite_store, "job", lease="mine")
    traced: list[str] = []
    with sqlite_store.connections.writing() as cursor:
        writer = cursor.sqlite_cursor.connection
    writer.set_trace_callback(traced.append)
    append(sqlite_store, "job", after=1, lease="mine")
    assert [line.split()[0] for line in traced if "esflow_jobs" in line] == ["UPDATE"]
    del traced[:]
    append(sqlite_store, "job", after=2, lease="mine", status="paused")
    assert [line.split()[0] for line in traced if "esflow_jobs" in line] == ["UPDATE", "INSERT"]


def test_an_auditor_reads_a_history_with_sqlite_alone(
    sqlite_store: SQLiteStore, path: Path
) -> None:
    state = {
        "hash": "a" * 64,
        "at": 1763690000123,
        "actor": "user:17",
        "host": "host-a",
        "token": 2,
        "data": {"id": "1.1/q0", "value": {"plan": "naïve", "list": [1, None]}},
    }
    row = StoredEvent("job", 1, "AnswerRecorded/3", json.dumps(state).encode())
    sqlite_store.append([row], make_index("job", 1), expected=0, keep_lease=False)
    with closing(sqlite3.connect(path)) as auditor:
        auditor.row_factory = sqlite3.Row
        (found,) = auditor.execute("SELECT * FROM esflow_events").fetchall()
    assert dict(found) | {"data": json.loads(found["data"])} == {
        "position": 1,
        "job_id": "job",
        "version": 1,
        "name": "AnswerRecorded",
        "recorded_at": "2025-11-21T01:53:20.123Z",
        "actor": "user:17",
        "host": "host-a",
        "token": 2,
        "hash": "a" * 64,
        "data": state["data"],
    }


def test_an_auditor_sees_nobody_where_no_actor_and_no_token_are(
    sqlite_store: SQLiteStore, path: Path
) -> None:
    append(sqlite_store, "job")
    with closing(sqlite3.connect(path)) as auditor:
        found = auditor.execute("SELECT actor, token FROM esflow_events").fetchall()
    assert found == [(None, 0)]


def test_a_damaged_row_hides_no_other_from_the_auditor(
    sqlite_store: SQLiteStore, path: Path
) -> None:
    rows = make_rows("job", 0, 3)
    rows[1] = StoredEvent("job", 2, "Logged/1", b"\xff{]")
    sqlite_store.append(rows, make_index("job", 3), expected=0, keep_lease=False)
    with closing(sqlite3.connect(path)) as auditor:
        found = auditor.execute("SELECT version, hash IS NULL FROM esflow_events").fetchall()
    assert found == [(1, 0), (2, 1), (3, 0)]


def test_a_closed_store_is_one_file(sqlite_store: SQLiteStore, path: Path) -> None:
    append(sqlite_store, "job")
    sqlite_store.close()
    assert [file.name for file in path.parent.iterdir()] == ["jobs.db"]


def test_the_file_says_whose_it_is(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA application_id").fetchone()[0] == int.from_bytes(b"esfw")
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 3
