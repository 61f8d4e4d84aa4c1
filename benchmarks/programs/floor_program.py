"""The floor: what the appends of a job cost in plain sqlite3.

The same rows and bytes, the index row, the triggers and the hash, in the same transactions; nothing
that makes it esflow.
The rows are those of a real job of the same size, which is run in memory before the clock starts;
where its appends end is what its store tells.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.programs.esflow_program import FLOWS, Asked, check_outcome
from benchmarks.programs.running import Prepared, Program, Taken, Task, run
from esflow import Engine
from esflow.stores import open_store

Append: TypeAlias = list[tuple[str, bytes]]
"""The topics and stored bytes of what is written in one transaction."""

_INSERT: Final = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
    "VALUES (?, ?, ?, ?)"
)
_BEGUN: Final = (
    "INSERT INTO esflow_jobs (job_id, flow, flow_version, status, version, head, labels, "
    "created_at_ms, updated_at_ms) VALUES (?, 'f', '1', 'running', ?, ?, '{}', 0, ?)"
)
_MOVED: Final = (
    "UPDATE esflow_jobs SET version = ?, head = ?, updated_at_ms = ? "
    "WHERE job_id = ? AND version = ?"
)
_SYNCHRONOUS: Final = {"full": "PRAGMA synchronous=FULL", "normal": "PRAGMA synchronous=NORMAL"}


def appends(asked: Asked, durability: str, task: Task) -> list[Append]:
    """Return the appends of a job that esflow runs."""
    flow, slot = asked(task)
    store = open_store("memory://")
    ends: list[int] = []
    with Engine(store, flows=[flow], durability=durability, snapshot_every=0) as engine:
        with store.listening(lambda: ends.append(store.position())):
            job = engine.start(flow.name, slot, {"n": task.size}, job_id="floor")
        check_outcome(job, task.size)
        rows = [(row.topic, row.state) for row in store.read("floor")]
    store.close()
    return [rows[begin:end] for begin, end in zip([0, *ends], ends, strict=False) if begin < end]


def opened(file: Path, synchronous: str) -> sqlite3.Connection:
    """Return a connection to a file that has the same tables and triggers."""
    open_store(f"sqlite:///{file}").close()
    database = sqlite3.connect(file, isolation_level=None, cached_statements=128)
    database.execute(_SYNCHRONOUS[synchronous])
    return database


def write(
    database: sqlite3.Connection, job_id: str, groups: list[Append], version: int = 0
) -> None:
    """Write the appends of a job behind a version, one transaction each."""
    head = sha256(job_id.encode()).hexdigest()
    for rows in groups:
        database.execute("BEGIN IMMEDIATE")
        after, hashed = version + len(rows), list(_hashed(head, rows))
        head = hashed[-1]
        if version:
            database.execute(_MOVED, (after, head, version, job_id, version))
        else:
            database.execute(_BEGUN, (job_id, after, head, version))
        for topic, state in rows:
            version += 1
            database.execute(_INSERT, (job_id, version, topic, state))
        database.execute("COMMIT")


def _hashed(head: str, rows: Append) -> Iterator[str]:
    for topic, state in rows:
        head = sha256(b"\n".join([head.encode(), topic.encode(), state])).hexdigest()
        yield head


def _one_job(asked: Asked, durability: str, task: Task) -> Prepared:
    groups = appends(asked, durability, task)
    database = opened(task.folder / "jobs.db", task.synchronous)

    def work() -> None:
        write(database, "floor", groups)
        (rows,) = database.execute("SELECT count(*) FROM stored_events").fetchone()
        assert rows == sum(map(len, groups)), "a row was lost"

    return work


def _jobs(durability: str, task: Task) -> Prepared:
    """As many jobs of one activation, one after the other."""
    groups = appends(FLOWS["chain"], durability, Task(1, "", task.folder, task.kept))
    database = opened(task.folder / "jobs.db", task.synchronous)

    def work() -> None:
        for number in range(task.size):
            write(database, f"job-{number}", groups)

    return work


def _endings(task: Task) -> Prepared:
    """The last append of as many jobs of one activation."""
    *first, last = appends(FLOWS["chain"], "step", Task(1, "", task.folder, task.kept))
    database = opened(task.folder / "jobs.db", task.synchronous)
    for number in range(task.size):
        write(database, f"job-{number}", first)
    begun = sum(map(len, first))

    def work() -> None:
        for number in range(task.size):
            write(database, f"job-{number}", [last], version=begun)

    return work


def _bytes(asked: Asked, task: Task) -> Prepared:
    """The rows of one job and nothing else: a table without index, triggers or hash."""
    groups = appends(asked, "step", task)
    rows = [(state,) for group in groups for _, state in group]
    database = sqlite3.connect(task.folder / "jobs.db")

    def work() -> Taken:
        database.execute("CREATE TABLE bytes (state BLOB NOT NULL)")
        database.executemany("INSERT INTO bytes VALUES (?)", rows)
        database.commit()
        return Taken(units=len(rows))

    return work


PROGRAM: Program = {
    **{name: partial(_one_job, asked, "step") for name, asked in FLOWS.items()},
    **{f"{name} output": partial(_one_job, asked, "output") for name, asked in FLOWS.items()},
    "jobs": partial(_jobs, "step"),
    "jobs output": partial(_jobs, "output"),
    "endings": _endings,
    "bytes": partial(_bytes, FLOWS["chain"]),
    "bytes growing": partial(_bytes, FLOWS["growing"]),
}

if __name__ == "__main__":
    run(PROGRAM)
