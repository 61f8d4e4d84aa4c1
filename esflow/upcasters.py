"""Lifting what older releases wrote, one schema at a time.

An upcaster takes the plain JSON ``data`` of one schema and returns that of the next.
It knows nothing of classes or bytes: stored bytes are never rewritten, and the hash stays that of
what was written.
An event whose fields change gets a higher schema here and an upcaster from the one before; both
stay for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from esflow.json_values import Misfit

Data: TypeAlias = dict[str, Any]


def _count_microseconds(data: Data) -> Data:
    """Schema 1 measured durations in milliseconds, in which most pure handlers take 0."""
    lifted = dict(data)
    milliseconds = lifted.pop("duration_ms", None)
    if type(milliseconds) is not int or "duration_us" in lifted:
        raise Misfit("schema 1 has a whole duration_ms, and no duration_us")
    return lifted | {"duration_us": milliseconds * 1000}


def _know_the_activation(data: Data) -> Data:
    """Schema 1 knew the writes of activations only, none from outside."""
    if type(data.get("activation")) is not str:
        raise Misfit("schema 1 names the activation")
    return data


def _know_no_breakpoints(data: Data) -> Data:
    """Schema 1 had no breakpoints, neither at the start nor at a resumption."""
    if "before" in data or "after" in data:
        raise Misfit("schema 1 has no breakpoints")
    return data


upcasters: Final[Mapping[tuple[str, int], Callable[[Data], Data]]] = {
    ("ActivationCompleted", 1): _count_microseconds,
    ("ActivationFailed", 1): _count_microseconds,
    ("EffectRecorded", 1): _count_microseconds,
    ("JobResumed", 1): _know_no_breakpoints,
    ("JobStarted", 1): _know_no_breakpoints,
    ("SharedWritten", 1): _know_the_activation,
}
"""From an event's name and an old schema to the function that lifts its data by one."""

schemas: Final[Mapping[str, int]] = {
    name: max(old for named, old in upcasters if named == name) + 1 for name, _ in upcasters
}
"""The current schema of every event that ever changed; all others are at 1."""


def lift(name: str, schema: int, data: Data) -> Data:
    """Return data of an old schema as the current schema has it.

    Raises: Misfit, when it is not data of that schema.
    """
    for old in range(schema, schemas.get(name, 1)):
        data = upcasters[name, old](data)
    return data
