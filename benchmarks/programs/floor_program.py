"""The floor: what a chain of durable steps costs in plain sqlite3.

The same rows and bytes, the index row, the triggers and the hash, in the same transactions; nothing
that makes it esflow.
The rows are those of a real job of the same size, which is run in memory before the clock starts.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from benchmarks.flows import chain
from benchmarks.programs.running import Prepared, Program, Task, run
from esflow import Engine
from esflow.stores import open_store

_INSERT: Final = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
    "VALUES (?, ?, ?, ?)"
)
_SYNCHRONOUS: Final = {"full": "PRAGMA synchronous=FULL", "normal": "PRAGMA synchronous=NORMAL"}


def steps(size: int, *, effect: bool) -> list[list[tuple[str, bytes]]]:
    """Return the rows of a chain in the groups in which it appends them."""
    with Engine("memory://", flows=[chain(effect=effect)]) as engine:
        engine.start("chain", "counter.step", {"n": size}, job_id="floor")
        rows = [(row.topic, row.state) for row in engine.store.read("floor")]
    groups: list[list[tuple[str, bytes]]] = [[]]
    for topic, state in rows:
        groups[-1].append((topic, state))
        if topic.startswith(("ActivationCompleted", "EffectRecorded")):
            groups.append([])
    return groups


def write(file: Path, synchronous: str, groups: list[list[tuple[str, bytes]]]) -> None:
    """Write groups of (topic, stored bytes) to a file that has the tables, one transaction each."""
    database = sqlite3.connect(file, isolation_level=None, cached_statements=128)
    database.execute(_SYNCHRONOUS[synchronous])
    database.execute(
        "INSERT INTO esflow_jobs (job_id, flow, flow_version, status, version, head, labels, "
        "created_at_ms, updated_at_ms) VALUES ('floor', 'f', '1', 'running', 0, '', '{}', 0, 0)"
    )
    version, head = 0, sha256(b"floor").hexdigest()
    for rows in groups:
        database.execute("BEGIN IMMEDIATE")
        database.execute(
            "UPDATE esflow_jobs SET version = ?, head = ?, updated_at_ms = ? "
            "WHERE job_id = ? AND version = ?",
            (version + len(rows), head, version, "floor", version),
        )
        for topic, state in rows:
            version += 1
            head = sha256(b"\n".join([head.encode(), topic.encode(), state])).hexdigest()
            database.execute(_INSERT, ("floor", version, topic, state))
        database.execute("COMMIT")
    database.close()


def _prepared(task: Task, *, effect: bool) -> Prepared:
    groups = steps(task.size, effect=effect)
    file = task.folder / "jobs.db"
    open_store(f"sqlite:///{file}").close()  # The same tables and triggers.
    return partial(write, file, task.synchronous, groups)


PROGRAM: Program = {
    "chain": partial(_prepared, effect=False),
    "effects": partial(_prepared, effect=True),
}

if __name__ == "__main__":
    run(PROGRAM)
