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
    """Return how each child ended or stands; one that never began is cancelled with its parent."""
    job_id, found = history[0].job_id, dict[str, ChildStatus]()
    is_cancelled = any(isinstance(each.event, ev.JobCancelled) for each in history)
    for child in _started(history):
        row = store.head(f"{job_id}/{child}")
        unbegun: ChildStatus = "cancelled" if is_cancelled else "pending"
        found[child] = unbegun if row is None else cast("ChildStatus", row.status)
    return found


def is_in_round(history: Sequence[Recorded]) -> bool:
    """Tell whether children are told of, and nothing has been done about that yet.

    Their host drives them all before it drives their parent on.
    """
    for each in reversed(history):
        match each.event:
            case ev.ChildFinished():
                return True
            case ev.PauseRequested() | ev.JobPaused() | ev.JobFailed():
                pass
            case _:
                return False
    return False


def undriven(store: Store, history: Sequence[Recorded]) -> list[str]:
    """Return the jobs of children that may go on, or whose end is still to be told, in order."""
    parent = store.head(history[0].job_id)
    has_ended = parent is not None and Status(parent.status) in ENDED  # Nobody tells it anything.
    told = {each.event.id for each in history if isinstance(each.event, ev.ChildFinished)}
    found = statuses(store, history)
    open_ones = [each for each in sorted(found, key=order) if each not in told]
    going = _UNDRIVEN if has_ended else _UNDRIVEN | ENDED
    return [f"{history[0].job_id}/{each}" for each in open_ones if found[each] in going]


def lapse(store: Store, family: Sequence[str]) -> None:
    """Let time pass until nobody holds a job because of a host that died."""
    rows = [store.head(each) for each in family]
    store.renew({row.lease for row in rows if row is not None and row.lease is not None}, 0)


def _started(history: Sequence[Recorded]) -> list[str]:
    return [each.event.id for each in history if isinstance(each.event, ev.ChildStarted)]
