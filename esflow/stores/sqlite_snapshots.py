"""The snapshots of a SQLite store: rows that anybody may delete at any moment.

It knows nothing of what is in them, nor of transactions; its caller has one open.
"""

from __future__ import annotations

import sqlite3

from esflow.store import SnapshotRow

PUT = """
INSERT OR REPLACE INTO esflow_snapshots (
    job_id, version, fold_version, head, created_at_ms, state)
VALUES (?, ?, ?, ?, ?, ?)
"""
KEEP = """
DELETE FROM esflow_snapshots
WHERE job_id = :job_id AND (fold_version <> :fold_version OR version NOT IN (
    SELECT version FROM esflow_snapshots
    WHERE job_id = :job_id AND fold_version = :fold_version
    ORDER BY version DESC LIMIT :keep))
"""
NEWEST = """
SELECT version, fold_version, head, created_at_ms, state FROM esflow_snapshots
WHERE job_id = ? AND fold_version = ? AND version <= ?
ORDER BY version DESC LIMIT 1
"""
DROP = "DELETE FROM esflow_snapshots WHERE job_id = ?"
_DROP_ALL = "DELETE FROM esflow_snapshots"


def put(cursor: sqlite3.Cursor, job_id: str, snapshot: SnapshotRow, keep: int) -> None:
    """Keep a snapshot, and let go of what is older than the newest few."""
    cursor.execute(
        PUT,
        (
            job_id,
            snapshot.version,
            snapshot.fold_version,
            snapshot.head,
            snapshot.created_at_ms,
            snapshot.state,
        ),
    )
    fold_version = snapshot.fold_version
    cursor.execute(KEEP, {"job_id": job_id, "fold_version": fold_version, "keep": max(0, keep)})


def newest(
    connection: sqlite3.Connection, job_id: str, fold_version: int, upto: int
) -> SnapshotRow | None:
    """Return a job's newest snapshot at or before a version."""
    found = connection.execute(NEWEST, (job_id, fold_version, upto)).fetchone()
    if found is None:
        return None
    version, fold_version, head, created_at_ms, state = found
    return SnapshotRow(
        version=version,
        fold_version=fold_version,
        head=head,
        created_at_ms=created_at_ms,
        state=state,
    )


def drop(cursor: sqlite3.Cursor, job_id: str | None) -> None:
    """Delete the snapshots of a job, or all of them."""
    if job_id is None:
        cursor.execute(_DROP_ALL)
    else:
        cursor.execute(DROP, (job_id,))
