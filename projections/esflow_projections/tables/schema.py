"""The tables: their columns, and how they come into a file and leave it again.

It knows nothing of events, and nothing of when a transaction begins and ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, final

import attrs
from sqlite_utils import Database

from esflow.stores.sqlite_schema import APPLICATION_ID
from esflow_projections.tables.refusals import TablesOutdated, TablesRefused

SCHEMA_VERSION: Final = 2
REGISTER: Final = "esflow_tables"  # Which tables of the file are ours, and of which schema.
TRACKING: Final = "esflow_tracking"
_PREFIX: Final = "esflow_"

_SCHEMA = "SELECT max(schema) FROM esflow_tables"
_CREATE_TRACKING = """
CREATE TABLE esflow_tracking (
    application_name TEXT PRIMARY KEY,
    notification_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""


@final
@attrs.frozen(kw_only=True)
class Table:
    """One table of ours."""

    columns: Mapping[str, type]
    key: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    indexes: Sequence[tuple[str, ...]] = ()


TABLES: Final[Mapping[str, Table]] = {
    "esflow_history": Table(
        columns={
            "position": int,
            "job_id": str,
            "version": int,
            "name": str,
            "recorded_at": str,
            "actor": str,
            "host": str,
            "token": int,
            "hash": str,
            "data": str,
            "text": str,
        },
        key=("position",),
        optional=frozenset({"actor"}),
        indexes=(("job_id", "version"),),
    ),
    "esflow_jobs": Table(
        columns={
            "job_id": str,
            "flow": str,
            "flow_version": str,
            "status": str,
            "version": int,
            "head": str,
            "labels": str,
            "created_at": str,
            "created_by": str,
            "updated_at": str,
            "activations": int,
            "question": str,
            "error": str,
            "host": str,
        },
        key=("job_id",),
        optional=frozenset({"created_by", "question", "error", "host"}),
        indexes=(("status",),),
    ),
    "esflow_activations": Table(
        columns={
            "job_id": str,
            "id": str,
            "slot": str,
            "cause": str,
            "payload": str,
            "ready_version": int,
            "ready_at": str,
            "started_at": str,
            "duration_us": int,
            "runs": int,
            "outcome": str,
            "error": str,
            "settled_version": int,
            "settled_at": str,
            "host": str,
        },
        key=("job_id", "id"),
        optional=frozenset(
            {
                "cause",
                "started_at",
                "duration_us",
                "outcome",
                "error",
                "settled_version",
                "settled_at",
                "host",
            }
        ),
        indexes=(("slot", "outcome"),),
    ),
    "esflow_questions": Table(
        columns={
            "job_id": str,
            "id": str,
            "activation": str,
            "kind": str,
            "text": str,
            "payload": str,
            "choices": str,
            "types": str,
            "slot": str,
            "asked_version": int,
            "asked_at": str,
            "asked_on": str,
            "outcome": str,
            "value": str,
            "closed_version": int,
            "closed_at": str,
            "closed_by": str,
            "closed_on": str,
        },
        key=("job_id", "id"),
        optional=frozenset(
            {
                "payload",
                "choices",
                "types",
                "slot",
                "outcome",
                "value",
                "closed_version",
                "closed_at",
                "closed_by",
                "closed_on",
            }
        ),
        indexes=(("outcome",),),
    ),
    "esflow_effects": Table(
        columns={
            "job_id": str,
            "id": str,
            "activation": str,
            "function": str,
            "digest": str,
            "key": str,
            "version": int,
            "recorded_at": str,
            "host": str,
            "duration_us": int,
            "result": str,
            "error": str,
        },
        key=("job_id", "id"),
        optional=frozenset({"result", "error"}),
        indexes=(("function",),),
    ),
}


def wrapped(connection: sqlite3.Connection) -> Database:
    """Return a connection of the pool's in sqlite-utils' clothes, with its settings as they are."""
    return Database(connection, execute_plugins=False, recursive_triggers=False)


def refuse_store(connection: sqlite3.Connection, file: str) -> None:
    """Refuse the file of a log, whose writers must not wait for readers' tables."""
    found: int = connection.execute("PRAGMA application_id").fetchone()[0]
    if found == APPLICATION_ID:
        raise TablesRefused(file, "this is a store; name another file for the tables")


def found_schema(database: Database, file: str) -> int | None:
    """Return the schema of the tables in a file, None where there are none.

    Raises: TablesRefused, when a table of another program has our name.
    """
    names = set(database.table_names())
    if REGISTER not in names:
        taken = sorted(names & {TRACKING, *TABLES})
        if taken:
            problem = f"table {taken[0]!r} is another program's; rename it, or name another file"
            raise TablesRefused(file, problem)
        return None
    if "schema" not in database.table(REGISTER).columns_dict:
        problem = f"table {REGISTER!r} is another program's; rename it, or name another file"
        raise TablesRefused(file, problem)
    found: int | None = database.conn.execute(_SCHEMA).fetchone()[0]
    return found or 0


def refuse_outdated(database: Database, file: str) -> None:
    """Refuse tables of another schema than this one, and a file without tables.

    Raises: TablesOutdated, TablesRefused.
    """
    found = found_schema(database, file)
    if found is None:
        raise TablesRefused(file, "there are no tables in it; make them with catch_up()")
    if found != SCHEMA_VERSION:
        raise TablesOutdated(file, found, SCHEMA_VERSION)


def create(database: Database) -> None:
    """Create the tables, empty."""
    register = database.table(REGISTER)
    register.create({"name": str, "schema": int}, pk="name", not_null=("schema",), strict=True)
    for name, table in TABLES.items():
        _create_table(database, name, table)
    database.conn.execute(_CREATE_TRACKING)
    database.table("esflow_history").enable_fts(("text",), create_triggers=True)
    ours = ("esflow_history_fts", *TABLES, TRACKING)
    register.insert_all([{"name": name, "schema": SCHEMA_VERSION} for name in ours])


def drop(database: Database) -> None:
    """Drop the tables that a release of ours made, whichever it was."""
    listed = [str(row["name"]) for row in database.table(REGISTER).rows]
    for name in (*listed, REGISTER):
        if name.startswith(_PREFIX):  # Whatever else was written there: it isn't ours.
            database.table(name).drop(ignore=True)


def _create_table(database: Database, name: str, table: Table) -> None:
    required = [each for each in table.columns if each not in table.optional]
    made = database.table(name)
    key = table.key[0] if len(table.key) == 1 else table.key
    made.create(dict(table.columns), pk=key, not_null=required, strict=True)
    for columns in table.indexes:
        unique = name == "esflow_history"  # A version stands once in its job.
        made.create_index(columns, f"{name}_{'_'.join(columns)}", unique=unique)
