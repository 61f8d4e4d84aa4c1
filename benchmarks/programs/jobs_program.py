"""esflow's jobs: many short ones, those that wait for an answer, and what their ends cost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter

from benchmarks.flows import asking, chain
from benchmarks.programs.engines import check_ended, engine_of, url_of, warmed, warmed_async
from benchmarks.programs.running import ROOT, Prepared, Program, Taken, Task, run
from esflow import Answer, Context, Engine, Flow


def _one(engine: Engine) -> None:
    check_ended(engine.start("chain", "counter.step", {"n": 1}), 1)


def _jobs(durability: str, task: Task) -> Prepared:
    """Jobs of one activation, one after the other."""
    engine = warmed(task, chain(), durability)

    def work() -> None:
        for _ in range(task.size):
            _one(engine)

    return work


def _in_threads(task: Task) -> Prepared:
    """Jobs of one activation, in eight threads."""
    engine = warmed(task, chain())

    def work() -> None:
        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(_one, engine) for _ in range(task.size)]:
                future.result()

    return work


def _on_a_loop(task: Task) -> Prepared:
    """Jobs of one activation, all at once on one loop."""
    runner = asyncio.Runner()
    engine = runner.run(warmed_async(task, chain(is_async=True)))

    async def main() -> None:
        begun = (engine.start("chain", "counter.step", {"n": 1}) for _ in range(task.size))
        for job in await asyncio.gather(*begun):
            check_ended(job, 1)

    return lambda: runner.run(main())


def _waiting(task: Task) -> list[str]:
    """Return the ids of jobs that wait for an answer."""
    with engine_of(task, asking()) as engine:
        return [engine.start("asking", "desk.ask").job_id for _ in range(task.size)]


def _answer(engine: Engine, job_id: str) -> None:
    job = engine.resume(job_id, Answer("A"))
    check_ended(job, 2)
    assert [each.message for each in job.log] == ["A"], "another answer"


def _on_one_engine(task: Task) -> Prepared:
    """Jobs that ask, and are answered on the engine that asked."""
    engine = warmed(task, asking())
    names = [engine.start("asking", "desk.ask").job_id for _ in range(task.size)]

    def work() -> None:
        for name in names:
            _answer(engine, name)

    return work


def _on_fresh_engines(task: Task) -> Prepared:
    """Jobs that ask, and are answered on a fresh flow and engine each."""
    warmed(task, asking())
    names = _waiting(task)

    def work() -> None:
        for name in names:
            with engine_of(task, asking()) as fresh:
                _answer(fresh, name)

    return work


def _in_fresh_processes(task: Task) -> Prepared:
    """Jobs that ask, and are answered in a fresh process each."""
    names = _waiting(task)
    words = [sys.executable, "-m", "benchmarks.programs.answering", url_of(task)]

    def work() -> None:
        for name in names:
            subprocess.run([*words, name], cwd=ROOT, check=True)

    return work


def _paused(task: Task) -> Prepared:
    """Jobs that are left waiting for an answer."""
    engine = warmed(task, asking())

    def work() -> None:
        for _ in range(task.size):
            assert engine.start("asking", "desk.ask").status == "paused"

    return work


def _endings(task: Task) -> Prepared:
    """What passes between the return of a job's last handler and that of its start."""
    returned: list[float] = []
    flow = Flow("ending")

    @flow.slot
    def last(_: Context) -> None:
        returned.append(perf_counter())

    engine = warmed(task, flow)

    def work() -> Taken:
        seconds = 0.0
        for _ in range(task.size):
            check_ended(engine.start("ending", "last"), 1)
            seconds += perf_counter() - returned.pop()
        return Taken(units=task.size, seconds=seconds)

    return work


PROGRAM: Program = {
    "jobs": partial(_jobs, "step"),
    "jobs output": partial(_jobs, "output"),
    "jobs threads": _in_threads,
    "jobs async": _on_a_loop,
    "answers": _on_one_engine,
    "answers fresh": _on_fresh_engines,
    "answers processes": _in_fresh_processes,
    "paused": _paused,
    "endings": _endings,
}

if __name__ == "__main__":
    run(PROGRAM)
