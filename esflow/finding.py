"""Addresses: which slot or output of a graph a spelling means, or what is wrong with it.

It knows the parts of a graph, and nothing of how they are declared.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from esflow.graph import ERROR, Slot, unknown
from esflow.values import listed


def find_output(
    outputs: Mapping[str, Iterable[str]], spelled: str, routing: Container[str]
) -> tuple[str, str] | str:
    """Return the routine and the output that a spelling means, or what is wrong with it.

    Shape: ``outputs`` are those of each routine; the failures of one that is ``routing`` are
    addressed by their name.
    """
    name, dot, output = spelled.partition(".")
    if name not in outputs:
        return unknown("routine", name, outputs)
    found = list(outputs[name])
    if dot and output in found:
        return name, output
    if dot:
        return unknown(f"output of {name}", output, found)
    chosen = [each for each in found if name not in routing or each != ERROR] or found
    if len(chosen) != 1:
        return f"{name!r} alone names no output; it has {listed(found)}"
    return name, chosen[0]


def find_slot(
    routines: Mapping[str, object], slots: Mapping[str, Slot], spelled: str
) -> Slot | str:
    """Return the slot that a spelling means, or what is wrong with it."""
    if spelled in slots:
        return slots[spelled]
    name, dot, slot = spelled.partition(".")
    if name not in routines:
        return unknown("routine", name, routines)
    inside = [found for found in slots.values() if found.routine == name]
    if len(inside) == 1 and (not dot or inside[0].address == slot == name):
        return inside[0]
    addresses = [found.address for found in inside]
    if not dot:
        return f"{name!r} alone names no slot; it has {listed(addresses)}"
    return unknown("slot", spelled, addresses)
