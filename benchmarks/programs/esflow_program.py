"""esflow's activations: one job on a SQLite file, in each durability."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks.flows import chain, fan_out, growing, joining, line
from benchmarks.programs.engines import WARM, check_ended, warmed, warmed_async
from benchmarks.programs.running import Prepared, Program, Taken, Task, run
from esflow import Engine, Flow, JobState

Asked = Callable[[Task], tuple[Flow, str]]
"""The flow of a case, and the slot where it begins."""


def _one_job(asked: Asked, durability: str, task: Task) -> Prepared:
    """One job, from its start to its end."""
    flow, slot = asked(task)
    engine = warmed(task, flow, durability)

    def work() -> None:
        check_outcome(engine.start(flow.name, slot, {"n": task.size}), task.size)

    return work


def check_outcome(job: JobState, size: int) -> None:
    """Refuse to measure a job that came to another end than its flow's."""
    check_ended(job, size + {"fan_out": 1, "joining": 2}.get(job.flow, 0))
    if job.flow == "fan_out":
        assert job.shared["sum"] == size * (size - 1) // 2, "a part was lost"
    if job.flow == "joining":
        assert job.outputs[0].payload == {"sum": size * (size - 1) // 2}, "a part was lost"
    if job.flow == "growing":
        assert len(job.shared["messages"]) == size, "a message was lost"


def _in_memory(task: Task) -> Prepared:
    """The chain, in a store that ends with its process."""
    engine = Engine("memory://", flows=[chain(), WARM], snapshot_every=0)
    check_ended(engine.start("warm", "begin"), 1)
    return lambda: check_ended(engine.start("chain", "counter.step", {"n": task.size}), task.size)


def _on_a_loop(task: Task) -> Prepared:
    """The chain on an `AsyncEngine`, whose loop is made beforehand."""
    runner = asyncio.Runner()
    engine = runner.run(warmed_async(task, chain(is_async=True)))

    async def main() -> None:
        check_ended(await engine.start("chain", "counter.step", {"n": task.size}), task.size)

    return lambda: runner.run(main())


def _bytes(asked: Asked, task: Task) -> Prepared:
    """One job, whose units are its events."""
    flow, slot = asked(task)
    engine = warmed(task, flow)

    def work() -> Taken:
        job = engine.start(flow.name, slot, {"n": task.size})
        check_outcome(job, task.size)
        return Taken(units=job.version)

    return work


FLOWS: Final[dict[str, Asked]] = {
    "chain": lambda _: (chain(), "counter.step"),
    "line": lambda task: (line(task.size), "r0.step"),
    "effects": lambda _: (chain(effect=True), "counter.step"),
    "growing": lambda _: (growing(), "counter.step"),
    "fan-out": lambda _: (fan_out(), "desk.split"),
    "join": lambda task: (joining(task.size), "desk.split"),
}
"""The cases that are one job, which the floor does too."""

PROGRAM: Program = {
    **{name: partial(_one_job, asked, "step") for name, asked in FLOWS.items()},
    **{f"{name} output": partial(_one_job, asked, "output") for name, asked in FLOWS.items()},
    "chain async": _on_a_loop,
    "chain memory": _in_memory,
    "bytes": partial(_bytes, FLOWS["chain"]),
    "bytes growing": partial(_bytes, FLOWS["growing"]),
}

if __name__ == "__main__":
    run(PROGRAM)
