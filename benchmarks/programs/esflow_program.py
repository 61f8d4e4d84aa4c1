"""esflow on a SQLite file, in each of its durabilities."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.flows import asking, chain, fan_out, growing
from benchmarks.programs.running import Prepared, Program, Task, run
from esflow import Answer, Engine, Flow


def _engine(task: Task, flow: Flow) -> Engine:
    url = f"sqlite:///{task.folder / 'jobs.db'}?synchronous={task.synchronous}"
    return Engine(url, flows=[flow])


def _started(flow: Flow, slot: str, task: Task) -> Prepared:
    engine = _engine(task, flow)
    return lambda: _ended(engine, flow.name, slot, task.size)


def _ended(engine: Engine, flow: str, slot: str, size: int) -> None:
    job = engine.start(flow, slot, {"n": size})
    assert job.status == "completed", f"the job is {job.status}"


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
    "effects": lambda task: _started(chain(effect=True), "counter.step", task),
    "growing": lambda task: _started(growing(), "counter.step", task),
    "fan-out": lambda task: _started(fan_out(), "desk.split", task),
    "jobs": jobs,
    "jobs at once": at_once,
    "answers": answers,
}

if __name__ == "__main__":
    run(PROGRAM)
