"""Plain values, and the few functions on them on which both sides have to agree."""

from __future__ import annotations

import json
from typing import Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Payload: TypeAlias = dict[str, Json]
Reducer: TypeAlias = Literal["set", "append", "extend", "merge", "add", "max", "min", "unique"]


def canonical(value: Json) -> str:
    """Write a value so that two values have one text exactly if they are the same JSON.

    Types count: ``True``, ``1`` and ``1.0`` are three values. The order of keys does not.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def same(left: Json, right: Json) -> bool:
    """Say whether two values are the same JSON, types included."""
    return canonical(left) == canonical(right)


def log_message(text: str, value: Json) -> str:
    """Write the line that a ``Log`` operation leaves in the log of the job."""
    return f"{text}: {canonical(value)}"


def plus_one(value: Json) -> int:
    """Compute what ``PlusOne`` means."""
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else 1
