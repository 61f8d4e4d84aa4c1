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

Data: TypeAlias = dict[str, Any]

upcasters: Final[Mapping[tuple[str, int], Callable[[Data], Data]]] = {}
"""From an event's name and an old schema to the function that lifts its data by one."""

schemas: Final[Mapping[str, int]] = {
    name: max(old for named, old in upcasters if named == name) + 1 for name, _ in upcasters
}
"""The current schema of every event that ever changed; all others are at 1."""


def lift(name: str, schema: int, data: Data) -> Data:
    """Return data of an old schema as the current schema has it."""
    for old in range(schema, schemas.get(name, 1)):
        data = upcasters[name, old](data)
    return data
