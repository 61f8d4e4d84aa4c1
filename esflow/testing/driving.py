"""Driving a job under test to its end: carrying it on, answering it, replacing hosts that are lost.

What is next to be done is read from the store each time, as by somebody who has just come.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

from esflow.commands import Answer, Continue
from esflow.engine import Engine
from esflow.errors import Fenced, JobNotFound
from esflow.ids import order
from esflow.replay import replay_all
from esflow.state import JobFold
from esflow.testing.answering import Answering
from esflow.testing.hosts import JOB, HostLost, Hosts

max_steps: Final = 1_000
"""So often a job is carried on before it counts as endless."""


def carry_on(hosts: Hosts, start: Callable[[Engine], object], answering: Answering) -> None:
    """Drive the job to its end, whatever befalls its hosts."""
    for _ in range(max_steps):
        fold = _fold(hosts)
        if fold is not None and fold.ended is not None:
            return
        act = start if fold is None else _next(fold, answering, hosts)
        try:
            with suppress(Fenced):  # Another host has taken the job over: it is the current one.
                act(hosts.current)
        except HostLost:
            hosts.lose()
    raise AssertionError(f"the job does not end: it was carried on {max_steps} times")


def _fold(hosts: Hosts) -> JobFold | None:
    """Return the job as the store has it, None before it is recorded."""
    with suppress(JobNotFound):
        return replay_all(hosts.store, JOB).fold
    return None


def _next(fold: JobFold, answering: Answering, hosts: Hosts) -> Callable[[Engine], object]:
    """Return what carries a job on that has not ended."""
    if fold.operator is not None:
        return _resuming(Continue())
    state = fold.face()
    if state.status != "paused":
        if state.status == "waiting" and fold.wakes_at_ms is not None:
            hosts.clock.come_to(fold.wakes_at_ms)
        return lambda engine: engine.run(JOB)
    if fold.asked:
        asked = fold.asked[min(fold.asked, key=order)]
        return _resuming(Answer(cast("Any", answering.answer(asked)), asked.id))
    return _resuming(Continue())


def _resuming(command: Answer | Continue) -> Callable[[Engine], object]:
    return lambda engine: engine.resume(JOB, command)
