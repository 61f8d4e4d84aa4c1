"""Lifting what older releases wrote, one schema at a time.

An upcaster takes the plain JSON ``data`` of one schema and returns that of the next.
It knows nothing of classes or bytes: stored bytes are never rewritten, and the hash stays that of
what was written.
An event whose fields change gets a higher schema here and an upcaster from the one before; both
stay for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

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
    return _without(data, "before", "after")


def _know_no_families(data: Data) -> Data:
    """Schema 2 had no type of the shared data, and no child jobs."""
    return _without(data, "defaults", "parent")


def _know_no_gathering(data: Data) -> Data:
    """Schema 1 had no slots that collect."""
    return _without(data, "gather")


def _know_no_gathering_targets(data: Data) -> Data:
    """Schema 1 had no slots that collect, so no target said how."""
    for target in data.get("targets", ()):
        if isinstance(target, dict):
            _without(cast("Data", target), "gather")
    return data


def _know_no_deadlines(data: Data) -> Data:
    """Schema 1 had no deadlines, and no slots that collect."""
    return _without(data, "due_at_ms", "default", "gather")


def _know_no_attempts(data: Data) -> Data:
    """The schema before had no further attempts."""
    return _without(data, "attempt")


def _know_no_key(data: Data) -> Data:
    """Schema 1 didn't name the key of a write that didn't apply."""
    return _without(data, "key")


def _stop_at_failures(data: Data) -> Data:
    """Schema 2 knew no other attempt and no way around a failure: each ended its job."""
    later = ("attempt", "outcome", "escaped", "again_at_ms", "effects", "events")
    return _without(data, *later) | {"outcome": "stop"}


def _without(data: Data, *later: str) -> Data:
    """Refuse fields that only a later schema has."""
    if found := [name for name in later if name in data]:
        raise Misfit(f"an older schema has no {found[0]}")
    return data


upcasters: Final[Mapping[tuple[str, int], Callable[[Data], Data]]] = {
    ("ActivationCompleted", 1): _count_microseconds,
    ("ActivationCompleted", 2): _know_no_attempts,
    ("ActivationFailed", 1): _count_microseconds,
    ("ActivationFailed", 2): _stop_at_failures,
    ("EffectRecorded", 1): _count_microseconds,
    ("EffectRecorded", 2): _know_no_attempts,
    ("EmissionDeferred", 1): _know_no_gathering_targets,
    ("Emitted", 1): _know_no_gathering_targets,
    ("JobFailed", 1): _know_no_key,
    ("JobResumed", 1): _know_no_breakpoints,
    ("JobStarted", 1): _know_no_breakpoints,
    ("JobStarted", 2): _know_no_families,
    ("MessageReceived", 1): _know_no_gathering,
    ("QuestionAsked", 1): _know_no_deadlines,
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
