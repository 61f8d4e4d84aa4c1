"""Looks at a store of many paused jobs: ``python -m tests.simulation.crowd SMALL LARGE``.

It prints what each act on either store cost, as JSON: SQLite's statements and the instructions of
its virtual machine, the threads that are there, and the memory of Python that is kept.
None of them depends on how fast the machine is.
"""

from __future__ import annotations

import gc
import json
import sqlite3
import sys
import threading
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks.programs import making
from esflow import Answer, Engine
from esflow.stores.sqlite import POSITION
from esflow.stores.sqlite_pool import Pool
from tests.engine.flows import support

_INSTRUCTIONS: Final = 10  # How finely they are counted.
_PLANNED: Final = ("SELECT", "UPDATE", "DELETE", "INSERT")


def crowd(url: str, count: int) -> None:
    """Fill a store with jobs that wait for an answer: one that ran, under as many other ids."""
    with Engine("memory://", [support()]) as engine:
        engine.start("support", "agent.trigger", {"task": "x"}, job_id="model")
        making.crowd(url, engine, "model", (f"job-{number:05}" for number in range(count)))


def _page(engine: Engine) -> None:
    assert len(engine.jobs(status="paused")) == 100


def _next_page(engine: Engine) -> None:
    assert len(engine.jobs(status="paused", after="job-00499")) == 100


def _recover(engine: Engine) -> None:
    assert engine.recover() == []


def _work(engine: Engine) -> None:
    engine.worker().run(once=True)


def _look(engine: Engine) -> None:
    assert engine.state("job-00500").status == "paused"


def _answer(engine: Engine) -> None:
    assert engine.resume("job-00500", Answer("A")).status == "completed"


_ACTS: Final[tuple[Callable[[Engine], None], ...]] = (
    _page, _next_page, _recover, _work, _look, _answer,
)  # fmt: skip


@contextmanager
def _counting(kept: list[str], ticks: list[int]) -> Generator[None]:
    """Have every connection that is opened tell its statements and count its instructions."""
    connect = Pool.connect

    def counted(pool: Pool) -> sqlite3.Connection:
        connection = connect(pool)
        connection.set_trace_callback(kept.append)
        connection.set_progress_handler(lambda: ticks.append(1), _INSTRUCTIONS)
        return connection

    Pool.connect = counted  # type: ignore[method-assign, assignment]  # Counts and does the same.
    try:
        yield
    finally:
        Pool.connect = connect  # type: ignore[method-assign]  # It is as it was.


def looked(url: str) -> dict[str, Any]:
    """Return what each act on a store costs, and how SQLite went about each statement."""
    statements: list[str] = []
    ticks: list[int] = []
    costs: dict[str, Any] = {}
    with _counting(statements, ticks):
        before = _held()
        engine = Engine(f"{url}?synchronous=normal", [support()], snapshot_every=0)
        costs["open"] = _cost(statements, ticks, before)
        for act in _ACTS:
            before = _held()
            act(engine)
            costs[act.__name__.removeprefix("_")] = _cost(statements, ticks, before)
        engine.close()
    costs["threads"] = [each.name for each in threading.enumerate()]
    return costs


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _cost(statements: list[str], ticks: list[int], before: int) -> dict[str, Any]:
    cost = {
        "statements": [
            each
            for each in statements
            if each.lstrip().startswith(_PLANNED)
            and each != POSITION  # The watcher's, at any time.
        ],
        "instructions": len(ticks) * _INSTRUCTIONS,
        "threads": [
            each.name for each in threading.enumerate() if each is not threading.main_thread()
        ],
    }
    statements.clear()
    ticks.clear()
    return {**cost, "bytes": _held() - before}


def main() -> None:
    """Look at either store, once more than is told: what is made at first need is made then."""
    tracemalloc.start()
    small, large = sys.argv[1:]
    looked(f"{small}-first")
    print(json.dumps([looked(small), looked(large)]))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
