"""How a flow is written as JSON data, which is its definition; `definitions` reads it again.

What equals its default is left out, so that a flow that says nothing new keeps its fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from esflow.events import Json
from esflow.graph import Connection, Slot
from esflow.outputs import Output, types_of
from esflow.policies import Retry, seconds_of
from esflow.shared_type import SharedType


def graph_definition(
    outputs: Mapping[str, Iterable[Output]],
    slots: Iterable[Slot],
    connections: Iterable[Connection],
    shared: SharedType | None,
) -> dict[str, Json]:
    """Return all of a flow but its head as JSON; ``outputs`` are by routine, in their order."""
    own: dict[str, list[Slot]] = {name: [] for name in outputs}
    for slot in slots:
        own[slot.routine].append(slot)
    written: dict[str, Json] = {
        "routines": [_routine(name, mine, own[name]) for name, mine in outputs.items()],
        "connections": [_connection(edge) for edge in connections],
    }
    if shared is not None:
        written["shared"] = {"name": shared.name, "fields": types_of(shared.keys)}
    return written


def _routine(name: str, outputs: Iterable[Output], slots: Iterable[Slot]) -> dict[str, Json]:
    """Return a routine as JSON, sorted by names, because the order of its parts means nothing."""
    keys = {output.name: output.keys for output in outputs}
    types = {output: types_of(keys[output] or {}) for output in sorted(keys) if keys[output]}
    by_address = {slot.address: slot for slot in slots}
    options = {address: _options(by_address[address]) for address in sorted(by_address)}
    said = {address: found for address, found in options.items() if found}
    written: dict[str, Json] = {
        "name": name,
        "outputs": sorted(keys),
        "slots": sorted(by_address),
    }
    if said:
        written["options"] = said
    if types:
        written["types"] = types
    return written


def _connection(edge: Connection) -> dict[str, Json]:
    """Return a connection as JSON."""
    return {
        "output": edge.name,
        "slot": edge.target.slot,
        "rename": dict(sorted((edge.target.rename or {}).items())),
    }


def _options(slot: Slot) -> dict[str, Json]:
    said: dict[str, Json] = {}
    if slot.retry is not None:
        said["retry"] = _retry(slot.retry)
    if slot.timeout_seconds is not None:
        said["timeout_seconds"] = slot.timeout_seconds
    if slot.on_error != "stop":
        said["on_error"] = slot.on_error
    if slot.gather is not None:
        said["gather"] = slot.gather
    return said


def _retry(retry: Retry) -> dict[str, Json]:
    return {
        "attempts": retry.attempts,
        "delay": seconds_of(retry.delay, "Retry.delay"),
        "factor": float(retry.factor),
        "max_delay": seconds_of(retry.max_delay, "Retry.max_delay"),
        "jitter": float(retry.jitter),
        "on": [name_of(each) for each in retry.on],
        "effects": retry.effects,
    }


def name_of(kind: type[Any]) -> str:
    """Return what a definition calls a class."""
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
