"""Stores that are written past esflow: each row of the log and of the index, byte by byte.

What stands in a column is bytes here, because damage doesn't keep to text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, final

import attrs
from eventsourcing.persistence import StoredEvent

from esflow import Engine
from esflow.store import IndexRow
from esflow.stores import open_store
from esflow.stores.memory import MemoryStore
from tests.simulation.voyage import Ledger, build, carry_on

JOB: Final = "flipped"
OTHER: Final = "zebra"

_READ = """
SELECT CAST(originator_id AS BLOB), originator_version, CAST(topic AS BLOB), state
FROM stored_events ORDER BY rowid
"""
_WRITE = """
INSERT INTO stored_events (originator_id, originator_version, topic, state)
VALUES (CAST(? AS TEXT), ?, CAST(? AS TEXT), ?)
"""
_INDEXED: Final = {
    "job_id": "UPDATE esflow_jobs SET job_id = CAST(? AS TEXT) WHERE job_id = ?",
    "flow": "UPDATE esflow_jobs SET flow = CAST(? AS TEXT) WHERE job_id = ?",
    "flow_version": "UPDATE esflow_jobs SET flow_version = CAST(? AS TEXT) WHERE job_id = ?",
    "status": "UPDATE esflow_jobs SET status = CAST(? AS TEXT) WHERE job_id = ?",
    "version": "UPDATE esflow_jobs SET version = ? WHERE job_id = ?",
    "head": "UPDATE esflow_jobs SET head = CAST(? AS TEXT) WHERE job_id = ?",
    "labels": "UPDATE esflow_jobs SET labels = CAST(? AS TEXT) WHERE job_id = ?",
    "created_at_ms": "UPDATE esflow_jobs SET created_at_ms = ? WHERE job_id = ?",
    "updated_at_ms": "UPDATE esflow_jobs SET updated_at_ms = ? WHERE job_id = ?",
    "host": "UPDATE esflow_jobs SET host = CAST(? AS TEXT) WHERE job_id = ?",
}


@final
@attrs.frozen(kw_only=True)
class Row:
    """A row of the log, as its bytes."""

    job_id: bytes
    version: int
    topic: bytes
    state: bytes


class Log(Protocol):
    """A store that is written past esflow, with a host on it."""

    engine: Engine

    def rows(self) -> list[Row]:
        """Return the whole log, in the order of recording."""
        ...

    def write(self, rows: Sequence[Row]) -> None:
        """Make this the whole log."""
        ...

    def index(self) -> dict[str, bytes | int]:
        """Return what the index says of the job, column by column."""
        ...

    def write_index(self, column: str, value: bytes | int | None) -> None:
        """Have the index say something else of the job; None for what it said at first."""
        ...


@final
class SQLiteLog:
    """A file, and a second connection to it that obeys no trigger."""

    def __init__(self, engine: Engine, connection: sqlite3.Connection) -> None:
        self.engine = engine
        self._connection = connection
        connection.execute("CREATE TEMP TABLE indexed AS SELECT * FROM esflow_jobs")
        triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA synchronous = OFF")

    def rows(self) -> list[Row]:
        """Return the whole log."""
        found = self._connection.execute(_READ)
        return [
            Row(job_id=job_id, version=version, topic=topic, state=state)
            for job_id, version, topic, state in found
        ]

    def write(self, rows: Sequence[Row]) -> None:
        """Make this the whole log."""
        with self._connection:
            self._connection.execute("DELETE FROM stored_events")
            self._connection.executemany(_WRITE, map(attrs.astuple, rows))

    def index(self) -> dict[str, bytes | int]:
        """Return the index row, but for what is NULL, and the order of the list."""
        found = self._connection.execute("SELECT * FROM esflow_jobs WHERE job_id = ?", [JOB])
        names = [column[0] for column in found.description]
        values = dict(zip(names, found.fetchone(), strict=True))
        return {
            name: values[name].encode() if isinstance(values[name], str) else values[name]
            for name in _INDEXED
        }

    def write_index(self, column: str, value: bytes | int | None) -> None:
        """Have the index say something else of the job."""
        with self._connection:
            self._connection.execute("DELETE FROM esflow_jobs")
            self._connection.execute("INSERT INTO esflow_jobs SELECT * FROM indexed")
            if value is not None:
                self._connection.execute(_INDEXED[column], [value, JOB])


@final
class MemoryLog:
    """A store in memory, whose insides are changed."""

    def __init__(self, engine: Engine, store: MemoryStore) -> None:
        self.engine = engine
        inside: dict[str, Any] = vars(store)
        self._events: Any = inside["_events"]
        self._index: dict[str, IndexRow] = inside["_index"]
        self._born: list[tuple[int, str]] = inside["_born"]
        self._indexed = self._index[JOB]

    def rows(self) -> list[Row]:
        """Return the whole log."""
        return [
            Row(
                job_id=str(row.originator_id).encode(),
                version=row.originator_version,
                topic=row.topic.encode(),
                state=row.state,
            )
            for row in self._events._stored_events
        ]

    def write(self, rows: Sequence[Row]) -> None:
        """Make this the whole log."""
        events = self._events
        events._stored_events[:] = [
            StoredEvent(_text(row.job_id), row.version, _text(row.topic), row.state) for row in rows
        ]
        events._streams.clear()
        for position, row in enumerate(events._stored_events, 1):
            events._streams.setdefault(str(row.originator_id), []).append(position)
        streams = events._streams
        births = ((streams[job][0] if job in streams else 0, job) for job in self._index)
        self._born[:] = sorted(births)

    def index(self) -> dict[str, bytes | int]:
        """Return the index row; the id is no part of it, but its name."""
        values: dict[str, Any] = attrs.asdict(self._indexed, recurse=False)
        return {
            name: values[name].encode() if isinstance(values[name], str) else values[name]
            for name in _INDEXED
            if name not in {"job_id", "labels"}
        }

    def write_index(self, column: str, value: bytes | int | None) -> None:
        """Have the index say something else of the job."""
        self._index[JOB] = self._indexed if value is None else self._changed(column, value)

    def _changed(self, column: str, value: bytes | int) -> IndexRow:
        values: dict[str, Any] = attrs.asdict(self._indexed, recurse=False)
        values[column] = _text(value) if isinstance(value, bytes) else value
        return IndexRow(**values)


def _text(damaged: bytes) -> str:
    return damaged.decode(errors="backslashreplace")


@contextmanager
def written(kind: str, folder: Path, *, snapshot_every: int = 0) -> Generator[Log]:
    """Yield the log of two finished jobs, in a store of a kind."""
    flow = build(Ledger(folder / "ledger"))
    url = "memory://" if kind == "memory" else f"sqlite:///{folder}/jobs.db?synchronous=normal"
    with (
        closing(open_store(url)) as store,
        Engine(store, [flow], max_parallel=1, snapshot_every=snapshot_every) as engine,
    ):
        for job_id in (JOB, OTHER):
            engine.submit(
                *("voyage", "captain.begin", {"port": "Brest"}),
                job_id=job_id,
                labels={"team": "blue"},
            )
            engine.run(job_id)
            carry_on(engine, job_id)
        if isinstance(store, MemoryStore):
            yield MemoryLog(engine, store)
        else:
            with closing(sqlite3.connect(folder / "jobs.db")) as connection:
                yield SQLiteLog(engine, connection)
