"""Slots that gather: how a payload joins a list, and which payloads can't.

A payload that comes by a connection says by which; what comes from outside of the graph (a
message, an answer, a child's outcome) comes by none, so a slot that waits for one by each of its
connections doesn't take it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from esflow.errors import PayloadError
from esflow.events import Gather, Json, Target
from esflow.graph import Connection, Slot
from esflow.payloads import bind


def _gather_by(edge: str, slot: Slot, connections: Iterable[Connection]) -> Gather | None:
    """Return what a slot collects, of a payload that comes by an output of the graph."""
    if slot.gather is None:
        return None
    if slot.gather != "all":
        return Gather(count=slot.gather)
    among = tuple(each.name for each in connections if each.target.slot == slot.address)
    return Gather(count=len(among), among=among, connection=edge)


def resolved(
    targets: tuple[Target, ...],
    edge: str,
    slots: Mapping[str, Slot],
    connections: Iterable[Connection],
) -> tuple[Target, ...]:
    """Return the targets of an output with what their slots collect."""
    gathers = [_gather_by(edge, slots[each.slot], connections) for each in targets]
    return tuple(
        each if gather is None else attrs.evolve(each, gather=gather)
        for each, gather in zip(targets, gathers, strict=True)
    )


def gather_from_outside(slot: Slot, what: str) -> Gather | None:
    """Return what a slot collects, of a payload that comes by no connection.

    Raises: PayloadError, when the slot waits for one by each of its connections.
    """
    if slot.gather == "all":
        problem = f"gathers one payload by each of its connections, and {what} comes by none"
        raise PayloadError(f"slot {slot.address!r}", f"{problem}; choose another slot")
    return None if slot.gather is None else Gather(count=slot.gather)


def refuse_misfit(slot: Slot, payload: Mapping[str, Json]) -> None:
    """Refuse a payload from outside that a slot doesn't take, alone or among others.

    Raises: PayloadError, naming slot and parameter.
    """
    bind(slot.signature, slot.address, payload if slot.gather is None else {"items": [payload]})
