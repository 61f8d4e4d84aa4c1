"""Run the benchmarks: ``make bench``, or ``python -m benchmarks``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.floor import write_steps
from benchmarks.flows import chain
from benchmarks.measuring import ROUNDS, Case, compare, table
from esflow import Answer, Engine
from esflow.store import Store
from esflow.stores import open_store
from esflow_projections.tables import catch_up
from esflow_projections.tables.feeding import page_events

STEPS = 300
FED_JOBS = 50
FED_EVENTS = 2_000  # Of each job.
FILES = count()


def main() -> None:
    """Print one table per comparison; on a shared machine only the ratios mean anything."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for synchronous in ("full", "normal"):
            for effect in (False, True):
                what = "activation with an effect" if effect else "activation"
                title = f"one durable {what} in a chain, SQLite {synchronous.upper()}"
                print(table(title, compare(_steps(folder, synchronous, effect=effect))))
        print(table("replay of a job, per event", compare(_replays(folder))))
        print(table("an answer on a fresh host, per answer", compare(_answers(folder))))
        title = f"feeding tables from {FED_JOBS} jobs, per event"
        print(table(title, compare(_feedings(folder), rounds=3)))
    print(table("starting a process", compare(_imports())))


def _steps(folder: Path, synchronous: str, *, effect: bool) -> dict[str, Case]:
    def esflow(url: str) -> int:
        with Engine(url, flows=[chain(effect=effect)]) as engine:
            engine.start("chain", "counter.step", {"n": STEPS})
        return STEPS

    with Engine("memory://", flows=[chain(effect=effect)]) as engine:
        job = engine.start("chain", "counter.step", {"n": STEPS}, job_id="floor")
        steps = _appends(engine.store, job.job_id)

    def floor() -> int:
        write_steps(_file(folder), synchronous, steps)
        return STEPS

    def on_sqlite() -> int:
        return esflow(f"sqlite:///{_file(folder)}?synchronous={synchronous}")

    return {
        "plain sqlite3": floor,
        "esflow": on_sqlite,
        "esflow, memory": lambda: esflow("memory://"),
    }


def _appends(store: Store, job_id: str) -> list[list[tuple[str, bytes]]]:
    """Return the rows of a job in the groups in which a chain appends them."""
    steps: list[list[tuple[str, bytes]]] = [[]]
    for row in store.read(job_id):
        steps[-1].append((row.topic, row.state))
        if row.topic.startswith(("ActivationCompleted", "EffectRecorded")):
            steps.append([])
    return steps


def _replays(folder: Path) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for events in (1_000, 10_000):
        store, job_id = _chain_of(folder, events)
        cases[f"reading {events:,} rows"] = partial(_read, store, job_id)
        cases[f"folding {events:,} events, verified"] = partial(_fold, store, job_id)
    return cases


def _read(store: Store, job_id: str) -> int:
    return sum(1 for _ in store.read(job_id))


def _fold(store: Store, job_id: str) -> int:
    return Engine(store).state(job_id).version


def _answers(folder: Path) -> dict[str, Case]:
    """Prepare as many paused jobs as there are rounds, so that only the answer is measured."""
    cases: dict[str, Case] = {}
    for events in (100, 1_000):
        waiting = [_chain_of(folder, events) for _ in range(ROUNDS)]
        cases[f"{events:,} events behind it"] = partial(_answer, waiting)
    return cases


def _answer(waiting: list[tuple[Store, str]]) -> int:
    store, job_id = waiting.pop()
    Engine(store, flows=[chain()]).resume(job_id, Answer("no"))
    return 1


def _chain_of(folder: Path, events: int) -> tuple[Store, str]:
    """Return a store with one paused job of about so many events."""
    store = open_store(f"sqlite:///{_file(folder)}?synchronous=normal")
    job = Engine(store, flows=[chain()]).start("chain", "counter.step", {"n": events // 2})
    return store, job.job_id


def _feedings(folder: Path) -> dict[str, Case]:
    """Prepare 100,000 events; a feeding begins with empty tables, and ends with all of them."""
    store = open_store(f"sqlite:///{_file(folder)}?synchronous=normal")
    with Engine(store, flows=[chain()]) as engine:
        for _ in range(FED_JOBS):
            engine.start("chain", "counter.step", {"n": FED_EVENTS // 2})

    def reading() -> int:
        events = position = 0
        while rows := store.read_all(after=position, limit=page_events):
            events += len(rows)
            position = rows[-1].id
        return events

    return {
        "reading rows": reading,
        "feeding tables": lambda: catch_up(store, str(_file(folder))),
    }


def _imports() -> dict[str, Case]:
    def starting(code: str) -> Callable[[], int]:
        def start() -> int:
            subprocess.run([sys.executable, "-c", code], check=True)
            return 1

        return start

    return {"bare Python": starting("pass"), "import esflow": starting("import esflow")}


def _file(folder: Path) -> Path:
    return folder / f"{next(FILES)}.db"


if __name__ == "__main__":
    main()
