"""The floor: what a chain of durable steps costs in plain sqlite3.

The same rows and bytes, the index row, the triggers and the hash, one transaction a step; nothing
that makes it esflow.
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path

from esflow.stores import open_store

_INSERT = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
    "VALUES (?, ?, ?, ?)"
)
_SYNCHRONOUS = {"full": "PRAGMA synchronous=FULL", "normal": "PRAGMA synchronous=NORMAL"}


def write_steps(file: Path, synchronous: str, steps: list[list[tuple[str, bytes]]]) -> None:
    """Write steps of (topic, stored bytes) to a new file, one transaction each."""
    open_store(f"sqlite:///{file}").close()  # The same tables and triggers.
    database = sqlite3.connect(file, isolation_level=None, cached_statements=128)
    database.execute(_SYNCHRONOUS[synchronous])
    _begin_job(database)
    version, head = 0, sha256(b"floor").hexdigest()
    for rows in steps:
        database.execute("BEGIN IMMEDIATE")
        database.execute(
            "UPDATE esflow_jobs SET version = ?, head = ?, updated_at_ms = ? "
            "WHERE job_id = ? AND version = ?",
            (version + len(rows), head, version, "floor", version),
        )
        for topic, state in rows:
            version += 1
            head = sha256(b"\n".join([head.encode(), topic.encode(), state])).hexdigest()
            row = ("floor", version, topic, state)
            database.execute(_INSERT, row)
        database.execute("COMMIT")
    database.close()


def _begin_job(database: sqlite3.Connection) -> None:
    database.execute(
        "INSERT INTO esflow_jobs (job_id, flow, flow_version, status, version, head, labels, "
        "created_at_ms, updated_at_ms) VALUES ('floor', 'f', '1', 'running', 0, '', '{}', 0, 0)"
    )
