"""Driving a job under test to its end: carrying it on, answering it, replacing hosts that are lost.

What is next to be done is read from the store each time, as by somebody who has just come.
Jobs that it starts are driven before it, the youngest first, so that what they come to arrives at
the same moment in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias, cast

from esflow.commands import Answer, Continue, ResumeCommand
from esflow.engine import Engine
from esflow.errors import Fenced
from esflow.ids import order
from esflow.replay import replay_all
from esflow.state import ENDED, JobFold, Status
from esflow.store import JobQuery
from esflow.testing.answering import Answering
from esflow.testing.hosts import JOB, MAX_JOBS, HostLost, Hosts

Act: TypeAlias = Callable[[Engine], object]
"""What a host does next."""

max_steps: Final = 1_000
"""So often a job is carried on before it counts as endless."""


def carry_on(hosts: Hosts, start: Act, answering: Answering) -> None:
    """Drive the job to its end, and those that it starts, whatever befalls its hosts.

    Raises: AssertionError, when it doesn't end, or something isn't answered.
    """
    for _ in range(max_steps):
        act = _next(hosts, start, answering)
        if act is None:
            return
        try:
            with suppress(Fenced):  # Another host has taken the job over: it is the current one.
                act(hosts.current)
        except HostLost:
            hosts.lose()
    raise AssertionError(f"the job does not end: it was carried on {max_steps} times")


def _next(hosts: Hosts, start: Act, answering: Answering) -> Act | None:
    """Return what is to be done next, None where all has ended."""
    rows = hosts.store.jobs(JobQuery(limit=MAX_JOBS))
    if not rows:
        return start
    open_jobs = [
        replay_all(hosts.store, row.job_id).fold for row in rows if Status(row.status) not in ENDED
    ]
    if hosts.left:
        hosts.left = False
        return _recover
    if not open_jobs:
        return None
    for fold in reversed(open_jobs):
        if fold.operator is not None or fold.status != Status.WAITING:
            return _carrying_on(fold, answering)
    return _waking(hosts, open_jobs)


def _carrying_on(fold: JobFold, answering: Answering) -> Act:
    """Return what carries a job on that doesn't wait by itself."""
    if fold.operator is not None:
        return _resuming(fold, Continue())
    if fold.status != Status.PAUSED:
        return partial(_run, fold.job_id)
    if fold.asked:
        asked = fold.asked[min(fold.asked, key=order)]
        answer = cast("Any", answering.answer(asked, fold.job_id))
        return _resuming(fold, Answer(answer, asked.id))
    return _resuming(fold, Continue())


def _waking(hosts: Hosts, waiting: list[JobFold]) -> Act:
    """Return what carries on jobs that all wait: for a moment, which is now, or for each other."""
    moments = [(it.wakes_at_ms, it.job_id) for it in waiting if it.wakes_at_ms is not None]
    if not moments:
        return partial(_run, JOB)
    at_ms, job_id = min(moments)
    hosts.clock.come_to(at_ms)
    return partial(_run, job_id)


def _recover(engine: Engine) -> object:
    return engine.recover()


def _run(job_id: str, engine: Engine) -> object:
    return engine.run(job_id)


def _resuming(fold: JobFold, command: ResumeCommand) -> Act:
    return lambda engine: engine.resume(fold.job_id, command)
