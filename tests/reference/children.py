"""What becomes of the children of a job: they are driven while it waits, and then it is told."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from tests.reference.deliveries import Input
from tests.reference.job import Job
from tests.reference.outcome import Outcome
from tests.reference.program import Program, Script, child_ended
from tests.reference.waves import open_wave


def drive_children(job: Job, run: Callable[[Program, Script], Outcome]) -> bool:
    """Drive the children of a job that waits, one after the other, and say whether any ended.

    Nobody tells a child anything, so one that has been driven goes no further.
    """
    has_news = False
    for name in job.open_children:
        child = job.children[name]
        if child.status != "pending":
            continue
        start = child.start
        program = attrs.evolve(
            job.program.children[start.name], start=start.slot, payload=child.payload
        )
        outcome = run(program, Script())
        child.status = outcome.status
        if not child.is_open:
            has_news = True
            _arrive(job, name, outcome)
    return has_news


def _arrive(job: Job, name: str, outcome: Outcome) -> None:
    """Tell a job how a child ended, unless it has ended itself."""
    if job.status in ("completed", "failed"):
        return
    failure = None if outcome.failure is None else outcome.failure.type
    payload = child_ended(name, outcome.status, list(outcome.outputs), failure)
    job.inputs.append(Input(job.children[name].start.then, payload))
    if job.moment == "waiting":
        open_wave(job, release=False)  # What comes behind it joins the wave after.


def cancel_children(job: Job) -> None:
    """End the children that are open together with their parent."""
    for name in job.open_children:
        job.children[name].status = "cancelled"
