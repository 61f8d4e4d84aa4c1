"""The index over the jobs of a SQLite store: one row each, written where the events are.

It knows nothing of transactions; its caller has one open.
Every statement is a constant, so no value can become part of one.

Writing
-------
Nearly every append leaves a job's status, labels and lease alone.
An UPDATE rewrites the entries of every index whose column it *names*, changed or not, so the first
statement tried compares those columns and names only the others.
What is no number, text or bytearray to the letter costs `sqlite3` a search for an adapter, 0.4 µs
each: None, True and the members of an enum. So a job that its driver leaves running, with nothing
to tell, has a statement of its own, in which NULL is written out.

Reading
-------
A page is found by walking one index in the order of ``ordinal`` from the last job of the page
before; several statuses are walks side by side.
Jobs that somebody drives are few, so walking those and comparing the rest is a short way; jobs that
nobody drives are nearly all, so comparing the lease on any other walk is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import merge
from itertools import islice
from typing import Any, TypeAlias, cast

import attrs

from esflow.errors import JobNotFound, VersionConflict
from esflow.store import IndexRow, JobQuery
from esflow.stores.sqlite_text import read_as_text

_FIRST_SURROGATE, _PAST_SURROGATES = 0xD800, 0xE000  # Alone, they are no text.

_Row: TypeAlias = tuple[Any, ...]

_UPDATE_UNINDEXED = """
UPDATE esflow_jobs
SET version = ?, head = ?, updated_at_ms = ?, wakes_at_ms = ?, question = ?, error = ?, host = ?,
    lease_until_ms = CASE WHEN ? THEN lease_until_ms ELSE ? END
WHERE job_id = ? AND status = ? AND flow = ? AND flow_version = ? AND labels = ?
    AND created_at_ms = ? AND due_at_ms IS ? AND (? OR lease IS ?)
"""

_UPDATE_RUNNING = """
UPDATE esflow_jobs
SET version = ?, head = ?, updated_at_ms = ?, wakes_at_ms = NULL, question = NULL, error = NULL,
    host = ?, lease_until_ms = ?
WHERE job_id = ? AND status = ? AND flow = ? AND flow_version = ? AND labels = ?
    AND created_at_ms = ? AND due_at_ms IS NULL AND lease = ?
"""

_UPSERT = """
INSERT INTO esflow_jobs (
    ordinal, job_id, flow, flow_version, status, version, head, labels, created_at_ms,
    updated_at_ms, wakes_at_ms, question, error, host, lease, lease_until_ms, due_at_ms)
SELECT rowid, :job_id, :flow, :flow_version, :status, :version, :head, :labels, :created_at_ms,
    :updated_at_ms, :wakes_at_ms, :question, :error, :host,
    CASE WHEN NOT :keep_lease THEN :lease END,
    CASE WHEN NOT :keep_lease THEN :lease_until_ms END,
    :due_at_ms
FROM stored_events
WHERE originator_id = :job_id AND originator_version = 1
ON CONFLICT DO UPDATE SET
    flow = excluded.flow,
    flow_version = excluded.flow_version,
    status = excluded.status,
    version = excluded.version,
    head = excluded.head,
    labels = excluded.labels,
    created_at_ms = excluded.created_at_ms,
    updated_at_ms = excluded.updated_at_ms,
    wakes_at_ms = excluded.wakes_at_ms,
    question = excluded.question,
    error = excluded.error,
    host = excluded.host,
    due_at_ms = excluded.due_at_ms,
    lease = CASE WHEN :keep_lease THEN lease ELSE excluded.lease END,
    lease_until_ms = CASE WHEN :keep_lease THEN lease_until_ms ELSE excluded.lease_until_ms END
"""

SELECT_ONE = "SELECT * FROM esflow_jobs WHERE job_id = ?"
_SELECT_ORDINAL = "SELECT ordinal FROM esflow_jobs WHERE job_id = ?"
LAST_VERSION = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
RELEASE = """
UPDATE esflow_jobs SET lease = NULL, lease_until_ms = NULL WHERE job_id = ? AND lease = ?
"""
RENEW = """
UPDATE esflow_jobs INDEXED BY esflow_jobs_leased SET lease_until_ms = ?
WHERE lease IS NOT NULL AND lease IN (SELECT value FROM json_each(?))
"""
DUE = """
SELECT * FROM esflow_jobs INDEXED BY esflow_jobs_due
WHERE flow = ? AND due_at_ms IS NOT NULL
ORDER BY due_at_ms, job_id LIMIT ?
"""
_FIND = "SELECT job_id FROM esflow_jobs WHERE job_id >= ? ORDER BY job_id LIMIT ?"
FIND_BELOW = """
SELECT job_id FROM esflow_jobs WHERE job_id >= ? AND job_id < ? ORDER BY job_id LIMIT ?
"""

_PAGE_OF_ALL = """
SELECT * FROM esflow_jobs
WHERE ordinal > :ordinal
    AND (:leased IS NULL OR (lease IS NOT NULL) = :leased)
    AND (:labels IS NULL OR NOT EXISTS (
        SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM json_each(esflow_jobs.labels) AS own
            WHERE own.key = wanted.key AND own.value = wanted.value)))
ORDER BY ordinal LIMIT :limit
"""

_PAGE_OF_STATUS = """
SELECT * FROM esflow_jobs INDEXED BY esflow_jobs_status
WHERE status = :status AND ordinal > :ordinal
    AND (:leased IS NULL OR (lease IS NOT NULL) = :leased)
    AND (:labels IS NULL OR NOT EXISTS (
        SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM json_each(esflow_jobs.labels) AS own
            WHERE own.key = wanted.key AND own.value = wanted.value)))
ORDER BY ordinal LIMIT :limit
"""

_PAGE_OF_FLOW = """
SELECT * FROM esflow_jobs INDEXED BY esflow_jobs_flow
WHERE flow = :flow AND ordinal > :ordinal
    AND (:leased IS NULL OR (lease IS NOT NULL) = :leased)
    AND (:labels IS NULL OR NOT EXISTS (
        SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM json_each(esflow_jobs.labels) AS own
            WHERE own.key = wanted.key AND own.value = wanted.value)))
ORDER BY ordinal LIMIT :limit
"""

_PAGE_OF_FLOW_AND_STATUS = """
SELECT * FROM esflow_jobs INDEXED BY esflow_jobs_flow_status
WHERE flow = :flow AND status = :status AND ordinal > :ordinal
    AND (:leased IS NULL OR (lease IS NOT NULL) = :leased)
    AND (:labels IS NULL OR NOT EXISTS (
        SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM json_each(esflow_jobs.labels) AS own
            WHERE own.key = wanted.key AND own.value = wanted.value)))
ORDER BY ordinal LIMIT :limit
"""

_PAGE_OF_LEASED = """
SELECT * FROM esflow_jobs INDEXED BY esflow_jobs_leased
WHERE lease IS NOT NULL AND ordinal > :ordinal
    AND (:flow IS NULL OR flow = :flow)
    AND (:status IS NULL OR status = :status)
    AND (:labels IS NULL OR NOT EXISTS (
        SELECT 1 FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM json_each(esflow_jobs.labels) AS own
            WHERE own.key = wanted.key AND own.value = wanted.value)))
ORDER BY ordinal LIMIT :limit
"""


def write(cursor: sqlite3.Cursor, row: IndexRow, *, keep_lease: bool) -> None:
    """Write what a job looks like after its newest events, which are in the log already."""
    labels = _labels_text(row.labels) if row.labels else "{}"
    told = row.wakes_at_ms, row.question, row.error
    if told == _NOTHING and row.due_at_ms is None and row.lease is not None and not keep_lease:
        values = (
            row.version,
            row.head,
            row.updated_at_ms,
            row.host,
            row.lease_until_ms,
            row.job_id,
            str(row.status),
            row.flow,
            row.flow_version,
            labels,
            row.created_at_ms,
            row.lease,
        )
        cursor.execute(_UPDATE_RUNNING, values)
    else:
        cursor.execute(_UPDATE_UNINDEXED, _unindexed(row, labels, keep_lease=keep_lease))
    if not cursor.rowcount:
        fields = attrs.asdict(row, recurse=False)
        cursor.execute(_UPSERT, {**fields, "labels": labels, "keep_lease": keep_lease})


_NOTHING = (None, None, None)


def _unindexed(row: IndexRow, labels: str, *, keep_lease: bool) -> _Row:
    return (
        row.version,
        row.head,
        row.updated_at_ms,
        row.wakes_at_ms,
        row.question,
        row.error,
        row.host,
        keep_lease,
        row.lease_until_ms,
        row.job_id,
        row.status,
        row.flow,
        row.flow_version,
        labels,
        row.created_at_ms,
        row.due_at_ms,
        keep_lease,
        row.lease,
    )


def head(connection: sqlite3.Connection, job_id: str) -> IndexRow | None:
    """Return the row of one job."""

    def read() -> _Row | None:
        found: _Row | None = _cursor(connection).execute(SELECT_ONE, (job_id,)).fetchone()
        return found

    found = read_as_text(connection, read)
    return None if found is None else _index_row(found)


def page(connection: sqlite3.Connection, query: JobQuery) -> list[IndexRow]:
    """Return one page of jobs, all of it as of one moment.

    Raises: JobNotFound, when ``query.after`` is not a job.
    """
    connection.execute("BEGIN")
    try:
        return read_as_text(connection, lambda: _page(connection, query))
    finally:
        connection.rollback()


def _page(connection: sqlite3.Connection, query: JobQuery) -> list[IndexRow]:
    found = [
        _cursor(connection).execute(text, values)
        for text, values in walks(query, _ordinal(connection, query.after))
    ]
    rows = found[0].fetchall() if len(found) == 1 else merge(*found, key=lambda row: row[0])
    return [_index_row(row) for row in islice(rows, max(0, query.limit))]


def due(connection: sqlite3.Connection, flows: Collection[str], limit: int) -> list[IndexRow]:
    """Return what of some flows is due first, all of it as of one moment."""
    connection.execute("BEGIN")
    try:
        return read_as_text(connection, lambda: _due(connection, flows, max(0, limit)))
    finally:
        connection.rollback()


def _due(connection: sqlite3.Connection, flows: Collection[str], limit: int) -> list[IndexRow]:
    found = [_cursor(connection).execute(DUE, (flow, limit)) for flow in sorted(flows)]
    rows = merge(*found, key=lambda row: (row[16], row[1]))
    return [_index_row(row) for row in islice(rows, limit)]


def find(connection: sqlite3.Connection, prefix: str, limit: int) -> list[str]:
    """Return the ids that begin so, sorted."""
    limit = max(0, limit)
    below = _successor(prefix)

    def read() -> list[str]:
        cursor = _cursor(connection)
        if below is None:
            found = cursor.execute(_FIND, (prefix, limit))
        else:
            found = cursor.execute(FIND_BELOW, (prefix, below, limit))
        return [job_id for (job_id,) in found]

    return read_as_text(connection, read)


def release(cursor: sqlite3.Cursor, job_id: str, lease: str) -> bool:
    """Give a lease back if it is still this one."""
    return cursor.execute(RELEASE, (job_id, lease)).rowcount == 1


def renew(cursor: sqlite3.Cursor, leases: Collection[str], until_ms: int) -> int:
    """Move the end of leases, walking the jobs that somebody drives."""
    return cursor.execute(RENEW, (until_ms, json.dumps(list(leases)))).rowcount


def replace(cursor: sqlite3.Cursor, rows: Iterable[IndexRow]) -> None:
    """Write the index anew from rows that agree with the log.

    Raises: VersionConflict, when a row is not at the last version of its job.
    """
    cursor.execute("DELETE FROM esflow_jobs")
    for row in rows:
        (found,) = cursor.execute(LAST_VERSION, (row.job_id,)).fetchone()
        if found != row.version:
            raise VersionConflict(row.job_id, row.version, found or 0)
        values = attrs.asdict(row, recurse=False)
        labels = _labels_text(row.labels)
        nobody = {"lease": None, "lease_until_ms": None, "keep_lease": False}
        cursor.execute(_UPSERT, {**values, "labels": labels, **nobody})


def _ordinal(connection: sqlite3.Connection, job_id: str | None) -> int:
    if job_id is None:
        return 0
    found = _cursor(connection).execute(_SELECT_ORDINAL, (job_id,)).fetchone()
    if found is None:
        raise JobNotFound(job_id)
    ordinal: int = found[0]
    return ordinal


def walks(query: JobQuery, ordinal: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the walks that together make up a page: one per status."""
    values = {
        "ordinal": ordinal,
        "flow": query.flow,
        "leased": query.leased,
        "labels": _labels_text(query.labels) if query.labels else None,
        "limit": max(0, query.limit),
    }
    for status in dict.fromkeys(query.statuses or (None,)):
        yield _walk(query, status), {**values, "status": status}


def _walk(query: JobQuery, status: str | None) -> str:
    if query.leased:
        return _PAGE_OF_LEASED
    if query.flow is None:
        return _PAGE_OF_ALL if status is None else _PAGE_OF_STATUS
    return _PAGE_OF_FLOW if status is None else _PAGE_OF_FLOW_AND_STATUS


def _cursor(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """Return a cursor of plain tuples, which the recorders' connections don't give by default."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor


def _index_row(row: _Row) -> IndexRow:
    """Return a row's values by position: behind the ordinal, the columns are the fields."""
    return IndexRow(
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        _labels(row[7]) if row[7] != "{}" else {},
        row[8],
        row[9],
        row[10],
        row[11],
        row[12],
        row[13],
        row[14],
        row[15],
        row[16],
    )


def _labels(text: str) -> Mapping[str, str]:
    """Return labels; damaged ones under '', so that their row hides no other and is found."""
    try:
        labels: Any = json.loads(text)
    except ValueError:
        labels = None
    return cast("dict[str, str]", labels) if isinstance(labels, dict) else {"": text}


def _labels_text(labels: Mapping[str, str]) -> str:
    return json.dumps(dict(labels), sort_keys=True) if labels else "{}"


def _successor(prefix: str) -> str | None:
    """Return the least text above everything that begins so, None when there is none."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(_PAST_SURROGATES if following == _FIRST_SURROGATE else following)
