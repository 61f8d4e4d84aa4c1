"""A flow as the text of a Mermaid flowchart.

It knows the parts of a graph, and nothing of how they are declared.
"""

from __future__ import annotations

from collections.abc import Iterable

from esflow.graph import ERROR, Connection, Slot


def drawn(routines: Iterable[str], slots: Iterable[Slot], connections: Iterable[Connection]) -> str:
    """Return a graph as the text of a Mermaid flowchart.

    Shape: nodes have ids of their own, because a name like ``end`` means something there; a slot
    that gathers says so; the way of routed failures is dotted.
    """
    ids: dict[str, str] = {}
    lines = ["flowchart LR"]
    everything = list(slots)
    for number, name in enumerate(routines):
        ids[name] = f"r{number}"
        inside = [slot for slot in everything if slot.routine == name]
        if [slot.address for slot in inside] == [name]:
            lines.append(f'    r{number}["{name}{_gathers(inside[0])}"]')
            continue
        lines.append(f'    subgraph r{number}["{name}"]')
        for place, slot in enumerate(inside):
            ids[slot.address] = f"r{number}s{place}"
            label = slot.address.removeprefix(f"{name}.") + _gathers(slot)
            lines.append(f'        r{number}s{place}["{label}"]')
        lines.append("    end")
    routing = {slot.routine for slot in everything if slot.on_error == "route"}
    lines += [
        f"    {ids[edge.routine]} {_arrow(edge, routing)} {ids[edge.target.slot]}"
        for edge in connections
    ]
    return "\n".join(lines) + "\n"


def _gathers(slot: Slot) -> str:
    return "" if slot.gather is None else f" (gathers {slot.gather})"


def _arrow(edge: Connection, routing: set[str]) -> str:
    if edge.output == ERROR and edge.routine in routing:
        return f'-. "{edge.output}" .->'
    return f'-- "{edge.output}" -->'
