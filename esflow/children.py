"""What a handler may start as a job of its own, and where the outcome of it may go.

It knows nothing of how such a job is driven.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from esflow.errors import FlowNotFound, PayloadError
from esflow.events import ChildStarted
from esflow.flow import Flow, Slot
from esflow.gathering import gather_from_outside, refuse_misfit
from esflow.inputs import checked_payload

OUTCOME: Final = ("job_id", "status", "outputs", "failure")
"""What comes to the slot that waits for a child job."""


def known_flow(flows: Mapping[str, Flow], name: str) -> Flow:
    """Return a flow of this host.

    Raises: FlowNotFound.
    """
    if name not in flows:
        raise FlowNotFound(name, tuple(flows))
    return flows[name]


def started_child(
    child_id: str,
    parent_id: str,
    *,
    flow: str,
    flows: Mapping[str, Flow],
    slot: str,
    payload: Mapping[str, object],
    then: Slot,
) -> ChildStarted:
    """Return what is recorded when a handler starts a job.

    Raises: FlowNotFound; SlotNotFound; PayloadError, for what can't be recorded, or isn't taken at
    either end.
    """
    target = known_flow(flows, flow).resolve_slot(slot)
    data = checked_payload(payload, "start.payload")
    refuse_misfit(target, data)
    gather = gather_from_outside(then, "a child's outcome")
    if gather is None:
        _refuse_other(then)
    return ChildStarted(
        id=child_id,
        job_id=f"{parent_id}/{child_id}",
        flow=flow,
        slot=target.address,
        payload=data,
        then=then.address,
        gather=gather,
    )


def _refuse_other(then: Slot) -> None:
    """Refuse a slot that doesn't take exactly what an outcome consists of.

    Raises: PayloadError.
    """
    untaken = [name for name in OUTCOME if not then.signature.accepts(name)]
    missing = [name for name in then.signature.required if name not in OUTCOME]
    if untaken:
        problem = f"takes no {', '.join(untaken)}, which a child's outcome brings"
    elif missing:
        problem = f"needs {', '.join(missing)}, which no child's outcome brings"
    else:
        return
    taken = ", ".join(OUTCOME)
    raise PayloadError(f"slot {then.address!r}", f"{problem}; let it take {taken}")
