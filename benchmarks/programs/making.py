"""A process that makes a store to look at: ``python -m benchmarks.programs.making KIND SIZE FILE``.

It is made by ways that cost less than what is measured, and checked by those who measure.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs
from eventsourcing.persistence import StoredEvent

from benchmarks.flows import asking, chain, patient
from esflow import Engine
from esflow.codec import encode, envelope, genesis
from esflow.stores import open_store

JOB: Final = "job-long"
"""The job of a store that has one."""
FED_EVENTS: Final = 2_000
"""Of each job in a store that has many."""


def _long(url: str, size: int) -> None:
    """One job of as many events, without a snapshot."""
    with Engine(url, flows=[chain()], durability="output", snapshot_every=0) as engine:
        engine.start("chain", "counter.step", {"n": (size - 2) // 2}, job_id=JOB)


def _behind(url: str, size: int) -> None:
    """One job of about as many events that waits for an answer, with snapshots as by default."""
    with Engine(url, flows=[patient()], durability="output") as engine:
        engine.start("patient", "counter.step", {"n": (size - 4) // 2}, job_id=JOB)


def _many(url: str, size: int) -> None:
    """As many events in jobs of a fixed length."""
    with Engine(url, flows=[chain()], durability="output", snapshot_every=0) as engine:
        for _ in range(size // FED_EVENTS):
            engine.start("chain", "counter.step", {"n": FED_EVENTS // 2})


def _crowd(url: str, size: int) -> None:
    """As many jobs that wait for an answer."""
    with Engine("memory://", [asking()]) as engine:
        engine.start("asking", "desk.ask", job_id="model")
        crowd(url, engine, "model", map(name_of, range(size)))


def crowd(url: str, engine: Engine, model: str, names: Iterable[str]) -> None:
    """Fill a store with copies of one job that ran, under other ids."""
    history, row = engine.history(model), engine.store.head(model)
    assert row is not None, "the model is there"
    store = open_store(url)
    for job_id in names:
        head, rows = genesis(job_id), list[StoredEvent]()
        for each in history:
            around = envelope(each.recorded_at_ms, each.host, token=each.token)
            topic, state, head = encode(each.event, around, head)
            rows.append(StoredEvent(job_id, each.version, topic, state))
        index = attrs.evolve(row, job_id=job_id, head=head)
        store.append(rows, index, expected=0, keep_lease=False)
    store.close()


def name_of(number: int) -> str:
    """Return the id of a job of a crowd."""
    return f"job-{number:07}"


KINDS: Final[Mapping[str, Callable[[str, int], None]]] = {
    "long": _long,
    "behind": _behind,
    "many": _many,
    "crowd": _crowd,
}

if __name__ == "__main__":
    _, kind, count, file = sys.argv
    KINDS[kind](f"sqlite:///{file}?synchronous=normal", int(count))
