"""The tables of a SQLite store, and how a file becomes one.

It knows nothing of how rows are written or read.

Why the position is a column of its own
---------------------------------------
eventsourcing takes SQLite's hidden row number as the position of an event, and VACUUM may renumber
hidden row numbers.
Declared as a column it is never changed, and eventsourcing's own reading works on it as before.

Why the triggers refuse so much
-------------------------------
The rules of the log hold for every program that opens the file, not only for this one.
``INSERT OR REPLACE`` deletes what it collides with and, unless the connection asks for it, fires no
DELETE trigger: so an insertion that would collide is refused before it can.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from esflow.errors import StoreError

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 1702061687  # "esfw", so that a file says whose it is.
SCHEMA_VERSION = 3

CREATE_EVENTS: tuple[str, ...] = (
    """
    CREATE TABLE IF NOT EXISTS stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version)
    ) STRICT
    """,
    # A stream begins at 1; eventsourcing's own may begin at 0.
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_follow_each_other
    BEFORE INSERT ON stored_events
    WHEN NEW.originator_version IS NOT coalesce(
        (SELECT max(originator_version) + 1 FROM stored_events
         WHERE originator_id = NEW.originator_id),
        NEW.originator_version <> 0)
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: a version follows the last of its stream');
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_keep_their_position
    BEFORE INSERT ON stored_events
    WHEN EXISTS (SELECT 1 FROM stored_events WHERE rowid = NEW.rowid)
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: this position is taken');
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_stand_in_one_order
    AFTER INSERT ON stored_events
    WHEN NEW.rowid < 1
        OR NEW.rowid <> (SELECT max(rowid) FROM stored_events)
        OR (NEW.rowid > 1 AND NOT EXISTS (SELECT 1 FROM stored_events WHERE rowid = NEW.rowid - 1))
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: a position follows the last of the log');
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_are_never_changed
    BEFORE UPDATE ON stored_events
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: what was recorded is never changed');
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_are_never_deleted
    BEFORE DELETE ON stored_events
    BEGIN
        SELECT RAISE(ABORT, 'events are append-only: what was recorded is never deleted');
    END
    """,
)

_EVENTS_VIEW = """
SELECT
    position,
    job_id,
    version,
    name,
    strftime('%Y-%m-%dT%H:%M:%S', json_extract(body, '$.at') / 1000, 'unixepoch')
        || printf('.%03dZ', json_extract(body, '$.at') % 1000) AS recorded_at,
    json_extract(body, '$.actor') AS actor,
    json_extract(body, '$.host') AS host,
    CASE WHEN body IS NOT NULL THEN coalesce(json_extract(body, '$.token'), 0) END AS token,
    json_extract(body, '$.hash') AS hash,
    json_extract(body, '$.data') AS data
FROM (
    SELECT
        rowid AS position,
        originator_id AS job_id,
        originator_version AS version,
        CASE instr(topic, '/')
            WHEN 0 THEN topic
            ELSE substr(topic, 1, instr(topic, '/') - 1)
        END AS name,
        CASE WHEN json_valid(CAST(state AS TEXT)) THEN CAST(state AS TEXT) END AS body
    FROM stored_events
)
"""  # A damaged row shows nothing rather than hide its neighbours behind an error.

_JOB_COLUMNS: dict[str, type] = {
    "ordinal": int,  # Position of the job's first event.
    "job_id": str,
    "flow": str,
    "flow_version": str,
    "status": str,
    "version": int,
    "head": str,
    "labels": str,
    "created_at_ms": int,
    "updated_at_ms": int,
    "wakes_at_ms": int,
    "question": str,
    "error": str,
    "host": str,
    "lease": str,
    "lease_until_ms": int,
    "due_at_ms": int,
}
_JOB_REQUIRED = tuple(_JOB_COLUMNS)[:10]
_LEASED_INDEX = "CREATE INDEX esflow_jobs_leased ON esflow_jobs (ordinal) WHERE lease IS NOT NULL"
_DUE_INDEX = """
CREATE INDEX esflow_jobs_due ON esflow_jobs (flow, due_at_ms, job_id) WHERE due_at_ms IS NOT NULL
"""

# Nothing guards this table: a snapshot holds nothing that the events don't say.
_CREATE_SNAPSHOTS = """
CREATE TABLE esflow_snapshots (
    job_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    fold_version INTEGER NOT NULL,
    head TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (job_id, fold_version, version)
) STRICT
"""

_FROM_1 = ("ALTER TABLE esflow_jobs ADD COLUMN lease_until_ms INTEGER", _CREATE_SNAPSHOTS)
_FROM_2 = ("ALTER TABLE esflow_jobs ADD COLUMN due_at_ms INTEGER", _DUE_INDEX)


def prepare(connection: sqlite3.Connection, doing: str) -> None:
    """Make a new file a store; refuse a file that isn't one, or is a newer one.

    Raises: StoreError, for another program's file and for a newer schema.
    """
    if schema_version(connection) == SCHEMA_VERSION and _belongs_to_esflow(connection):
        return
    connection.execute("BEGIN IMMEDIATE")  # Who opens the file at the same time waits here.
    try:
        if _is_empty(connection):
            _create(connection)
        else:
            _refuse_foreign(connection, doing)
            _migrate(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the version of a file's tables, 0 where there are none of ours."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _belongs_to_esflow(connection: sqlite3.Connection) -> bool:
    found: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return found == APPLICATION_ID


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None


def _refuse_foreign(connection: sqlite3.Connection, doing: str) -> None:
    found = schema_version(connection)
    if not _belongs_to_esflow(connection):
        problem = "the file holds another program's tables; give esflow a file of its own"
        raise StoreError(doing, problem, False)
    if found > SCHEMA_VERSION:
        problem = (
            f"the file has schema {found} and this esflow knows schemas up to {SCHEMA_VERSION}; "
            "upgrade esflow"
        )
        raise StoreError(doing, problem, False)


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables of an older file up to this schema, inside the caller's transaction."""
    found = schema_version(connection)  # Somebody else may have been first.
    steps = {1: _FROM_1, 2: _FROM_2}
    for version in range(found, SCHEMA_VERSION):
        for statement in steps[version]:
            connection.execute(statement)
    connection.execute("PRAGMA user_version = 3")


def _create(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database

    database = Database(connection, execute_plugins=False, recursive_triggers=False)
    with database.atomic():
        for statement in CREATE_EVENTS:
            connection.execute(statement)
        database.create_view("esflow_events", _EVENTS_VIEW)
        _create_jobs(database)
        connection.execute(_LEASED_INDEX)
        connection.execute(_DUE_INDEX)
        connection.execute(_CREATE_SNAPSHOTS)
        database.table("esflow_definitions").create(
            {"fingerprint": str, "definition": bytes},
            pk="fingerprint",
            not_null=("fingerprint", "definition"),
            strict=True,
        )
    connection.execute("PRAGMA application_id = 1702061687")  # A pragma takes no parameters.
    connection.execute("PRAGMA user_version = 3")


def _create_jobs(database: Database) -> None:
    jobs = database.table("esflow_jobs")
    jobs.create(_JOB_COLUMNS, pk="ordinal", not_null=_JOB_REQUIRED, strict=True)
    jobs.create_index(("job_id",), "esflow_jobs_job_id", unique=True)
    jobs.create_index(("status", "ordinal"), "esflow_jobs_status")
    jobs.create_index(("flow", "ordinal"), "esflow_jobs_flow")
    jobs.create_index(("flow", "status", "ordinal"), "esflow_jobs_flow_status")
