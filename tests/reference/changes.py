"""How data changes: writes and deletions, each with its reducer resolved."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import attrs

from tests.reference.plain import (
    Custom,
    Json,
    Reducer,
    counted,
    fits,
    fussy,
    reads,
    same,
    whole_at_start,
)
from tests.reference.program import Program

Data: TypeAlias = dict[str, Json]


@final
class HandlerFailed(Exception):
    """A handler raised, or a write does not apply."""

    def __init__(self, type_name: str, message: str = "", effect: int | None = None) -> None:
        super().__init__(type_name, message, effect)
        self.type_name = type_name
        self.message = message
        self.effect = effect  # The number of the one whose error escaped.


@final
@attrs.frozen
class Change:
    """One write or deletion, with its reducer resolved."""

    key: str
    reducer: Reducer | Literal["delete"]
    value: Json = None


_EMPTY: dict[str, Json] = {"append": [], "extend": [], "unique": [], "merge": {}, "add": 0}


def apply(data: Data, change: Change) -> None:
    """Apply a change to data, or fail with ``MergeError``; no value is changed in place."""
    key, reducer = change.key, change.reducer
    if reducer == "delete":
        data.pop(key, None)
    elif reducer == "set" or (key not in data and reducer not in _EMPTY):
        data[key] = change.value
    else:
        found = data[key] if key in data else _EMPTY[reducer]
        data[key] = _reduced(reducer, found, change.value)


def is_unread(program: Program, change: Change) -> bool:
    """Say whether the type of the whole refuses a write at once, whatever is there."""
    known = change.key in whole_at_start()
    is_misfit = change.reducer == "set" and not reads(change.key, change.value)
    return program.is_typed and (not known or is_misfit)


def write(program: Program, data: Data, change: Change) -> None:
    """Apply a change to data whose fields may have types, or fail with ``MergeError``."""
    apply(data, change)
    if program.is_typed and not reads(change.key, data[change.key]):
        raise HandlerFailed("MergeError")


def has_misfit(program: Program, data: Data) -> bool:
    """Say whether the type refuses the data as a whole, if there is one."""
    return program.is_typed and not all(fits(key, value) for key, value in data.items())


def _custom(reducer: Custom, found: Json, value: Json) -> Json:
    """Call a reducer of the program."""
    try:
        return counted(found, value) if reducer == "counted" else fussy(found, value)
    except TypeError as error:
        raise HandlerFailed("MergeError") from error


def _reduced(reducer: Reducer, found: Json, value: Json) -> Json:
    """Reduce what was found and what was written to one value."""
    if reducer in ("counted", "fussy"):
        return _custom(reducer, found, value)
    match found, value:
        case list(), _ if reducer == "append":
            return [*found, value]
        case list(), list() if reducer == "extend":
            return [*found, *value]
        case list(), _ if reducer == "unique":
            return found if any(same(it, value) for it in found) else [*found, value]
        case dict(), dict() if reducer == "merge":
            return found | value
        case (bool(), _) | (_, bool()):
            raise HandlerFailed("MergeError")  # A boolean is no number here.
        case ((int() | float()), (int() | float())) if reducer == "add":
            return found + value
        case ((int() | float()), (int() | float())) if reducer in ("max", "min"):
            # Where both are equal, as 1 and 1.0 are, the first argument stays: what was found.
            return max(found, value) if reducer == "max" else min(found, value)
        case str(), str() if reducer in ("max", "min"):
            return max(found, value) if reducer == "max" else min(found, value)
        case _:
            raise HandlerFailed("MergeError")
