"""Engines and outcomes that esflow's programs share."""

from __future__ import annotations

from typing import Final

from benchmarks.programs.running import Task
from esflow import AsyncEngine, Context, Engine, Flow, JobState


def url_of(task: Task) -> str:
    """Return where the jobs of a task are."""
    return f"sqlite:///{task.folder / 'jobs.db'}?synchronous={task.synchronous}"


def engine_of(task: Task, flow: Flow, durability: str = "step") -> Engine:
    """Return an engine that takes no snapshots: they are measured where a job is taken up."""
    return Engine(url_of(task), flows=[flow], durability=durability, snapshot_every=0)


WARM: Final = Flow("warm")
"""What an engine runs once before the clock starts, so that all it needs is loaded."""


@WARM.slot
def begin(ctx: Context) -> None:
    """Do a little of everything."""
    ctx.shared["warm"] = ctx.effect(len, "warm")
    ctx.log("warm")


def warmed(task: Task, flow: Flow, durability: str = "step") -> Engine:
    """Return such an engine that has run a job."""
    engine = Engine(url_of(task), flows=[flow, WARM], durability=durability, snapshot_every=0)
    check_ended(engine.start("warm", "begin"), 1)
    return engine


async def warmed_async(task: Task, flow: Flow) -> AsyncEngine:
    """Return an asynchronous engine that has run a job."""
    engine = AsyncEngine(url_of(task), flows=[flow, WARM], snapshot_every=0)
    check_ended(await engine.start("warm", "begin"), 1)
    return engine


def check_ended(job: JobState, activations: int) -> None:
    """Refuse to measure what came to less than it should."""
    assert job.status == "completed", f"the job is {job.status}"
    assert job.activations_count == activations, f"{job.activations_count} activations"
