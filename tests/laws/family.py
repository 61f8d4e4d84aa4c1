"""The children of a job that is played: their flows, their jobs, and how far these have come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from esflow import Flow, Recorded
from esflow import events as ev
from esflow.ids import order
from esflow.state import ENDED, Status
from esflow.store import Store
from tests.laws.flows import build
from tests.laws.world import World
from tests.reference.outcome import ChildStatus
from tests.reference.program import Program

_UNDRIVEN = frozenset({Status.PENDING, Status.RUNNING})


def children_flows(program: Program, world: World) -> list[Flow]:
    """Return the flows of the children, afresh."""
    return [build(child, world, name=name) for name, child in program.children.items()]


def job_ids(store: Store, history: Sequence[Recorded]) -> list[str]:
    """Return the jobs of the children that have begun."""
    own = [f"{history[0].job_id}/{each}" for each in _started(history)]
    return [each for each in own if store.head(each) is not None]


def statuses(store: Store, history: Sequence[Recorded]) -> dict[str, ChildStatus]:
    """Return how each child ended or stands; one that has not begun is cancelled with its parent."""
    job_id, found = history[0].job_id, dict[str, ChildStatus]()
    is_cancelled = any(isinstance(each.event, ev.JobCancelled) for each in history)
    for child in _started(history):
        row = store.head(f"{job_id}/{child}")
        unbegun: ChildStatus = "cancelled" if is_cancelled else "pending"
        found[child] = unbegun if row is None else cast("ChildStatus", row.status)
    return found


def _started(history: Sequence[Recorded]) -> list[str]:
    return [each.event.id for each in history if isinstance(each.event, ev.ChildStarted)]
