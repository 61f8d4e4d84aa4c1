"""esflow on a SQLite file, in each of its durabilities."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from benchmarks.flows import asking, chain, fan_out, growing
from benchmarks.programs.running import Prepared, Program, Task, run
from esflow import Answer, AsyncEngine, Engine, Flow, JobState, Store
from esflow_projections.tables import catch_up
from esflow_projections.tables.feeding import page_events


def _url(task: Task) -> str:
    return f"sqlite:///{task.folder / 'jobs.db'}?synchronous={task.synchronous}"


def _engine(task: Task, flow: Flow, durability: str = "step") -> Engine:
    # Snapshots are measured where a job is taken up, and nowhere else.
    return Engine(_url(task), flows=[flow], durability=durability, snapshot_every=0)


def _started(flow: Flow, slot: str, task: Task, durability: str = "step") -> Prepared:
    engine = _engine(task, flow, durability)
    return lambda: _ended(engine, flow.name, slot, task.size)


def _in_memory(task: Task) -> Prepared:
    engine = Engine("memory://", flows=[chain()])
    return lambda: _ended(engine, "chain", "counter.step", task.size)


def _on_a_loop(task: Task) -> Prepared:
    """The chain on an `AsyncEngine`, whose loop is made beforehand."""
    flow = chain(is_async=True)

    async def main() -> None:
        async with AsyncEngine(_url(task), flows=[flow]) as engine:
            job = await engine.start("chain", "counter.step", {"n": task.size})
            assert job.status == "completed", f"the job is {job.status}"

    return lambda: asyncio.run(main())


def _replay(task: Task) -> Prepared:
    """Reading a job of as many events, verified."""
    with _engine(task, chain(), "output") as engine:
        name = engine.start("chain", "counter.step", {"n": task.size // 2}).job_id
    looking = Engine(_url(task))
    return lambda: assert_ended(looking.state(name))


def _rows(task: Task) -> Prepared:
    """Reading the rows of the same job, and nothing else."""
    with _engine(task, chain(), "output") as engine:
        name = engine.start("chain", "counter.step", {"n": task.size // 2}).job_id
    store = Engine(_url(task)).store
    return lambda: assert_some(sum(1 for _ in store.read(name)))


def _ended(engine: Engine, flow: str, slot: str, size: int) -> None:
    assert_ended(engine.start(flow, slot, {"n": size}))


def assert_ended(job: JobState) -> None:
    """Refuse to measure what came to nothing."""
    assert job.status == "completed", f"the job is {job.status}"


def assert_some(rows: int) -> None:
    """Refuse to measure nothing."""
    assert rows, "there are no rows"


FED_EVENTS: Final = 2_000
"""Of each job whose history is fed to tables."""


def _fed(task: Task) -> Store:
    """Return a store with as many events, in jobs of a fixed length."""
    with _engine(task, chain(), "output") as engine:
        for _ in range(task.size // FED_EVENTS):
            engine.start("chain", "counter.step", {"n": FED_EVENTS // 2})
    return Engine(_url(task)).store


def _feeding(task: Task) -> Prepared:
    """Feeding tables from their beginning."""
    store = _fed(task)
    return lambda: catch_up(store, str(task.folder / "tables.db"))


def _feeding_rows(task: Task) -> Prepared:
    """Reading the same rows, page by page, and nothing else."""
    store = _fed(task)

    def work() -> None:
        position = 0
        while rows := store.read_all(after=position, limit=page_events):
            position = rows[-1].id

    return work


def _starting(code: str, task: Task) -> Prepared:
    """Start so many processes, one after the other."""

    def work() -> None:
        for _ in range(task.size):
            subprocess.run([sys.executable, "-c", code], check=True)

    return work


def jobs(task: Task) -> Prepared:
    """Short jobs of one activation, one after the other."""
    engine = _engine(task, chain())

    def work() -> None:
        for _ in range(task.size):
            _ended(engine, "chain", "counter.step", 1)

    return work


def at_once(task: Task) -> Prepared:
    """Short jobs of one activation, in eight threads."""
    engine = _engine(task, chain())
    one = partial(_ended, engine, "chain", "counter.step", 1)

    def work() -> None:
        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(one) for _ in range(task.size)]:
                future.result()

    return work


def answers(task: Task) -> Prepared:
    """Jobs that ask, and are answered on a fresh host each."""
    with _engine(task, asking()) as engine:
        names = [engine.start("asking", "desk.ask").job_id for _ in range(task.size)]

    def work() -> None:
        for name in names:
            with _engine(task, asking()) as fresh:
                assert fresh.resume(name, Answer("A")).status == "completed"

    return work


PROGRAM: Program = {
    "chain": lambda task: _started(chain(), "counter.step", task),
    "chain output": lambda task: _started(chain(), "counter.step", task, "output"),
    "chain async": _on_a_loop,
    "chain memory": _in_memory,
    "bare Python": partial(_starting, "pass"),
    "import": partial(_starting, "import esflow"),
    "feeding": _feeding,
    "feeding rows": _feeding_rows,
    "replay": _replay,
    "rows": _rows,
    "effects": lambda task: _started(chain(effect=True), "counter.step", task),
    "growing": lambda task: _started(growing(), "counter.step", task),
    "fan-out": lambda task: _started(fan_out(), "desk.split", task),
    "jobs": jobs,
    "jobs at once": at_once,
    "answers": answers,
}

if __name__ == "__main__":
    run(PROGRAM)
