"""How a write meets the value that is there: the built-in reducers.

They are pure, so that folding repeats them anywhere.
A reducer may change its current value in place and returns what takes its place;
whoever calls it owns the outermost container of that value, and only that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from esflow.events import Json
from esflow.json_values import same_json, type_of

ABSENT: Final = object()
"""Stands for the value of a key that is not there."""

DELETE: Final = "delete"
"""The reducer that a deletion is recorded under."""

max_integer: Final = 2**63 - 1

Reducer: TypeAlias = Callable[[Json, Json], Json]


class DoesNotApply(Exception):
    """The write doesn't fit the value that it meets; says why."""


def owned(value: Json) -> Json:
    """Return the value with an outermost container of its own."""
    kind = type_of(value)
    return value.copy() if kind is list or kind is dict else value


def all_owned(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return values that reducers may change from here on, though an event holds the same."""
    return {key: owned(value) for key, value in values.items()}


def outline(value: Json) -> Json:
    """Return what suffices to tell whether a write applies: a container is as good as empty."""
    kind = type_of(value)
    return cast("Json", kind()) if kind is list or kind is dict else value


def _set(_: Json, value: Json) -> Json:
    return owned(value)


def _delete(_current: Json, _value: Json) -> Json:
    return ABSENT


def _as_list(current: Json) -> Json:
    if current is ABSENT:
        return []
    if type_of(current) is list:
        return current
    raise DoesNotApply(f"needs a list, found {_kind(current)}")


def _append(current: Json, value: Json) -> Json:
    found = _as_list(current)
    found.append(value)
    return found


def _extend(current: Json, value: Json) -> Json:
    found = _as_list(current)
    if type_of(value) is not list:
        raise DoesNotApply(f"extends by a list, not by {_kind(value)}")
    found.extend(value)
    return found


def _unique(current: Json, value: Json) -> Json:
    found = _as_list(current)
    if not any(same_json(value, each) for each in found):
        found.append(value)
    return found


def _merge(current: Json, value: Json) -> Json:
    found = cast("Json", {}) if current is ABSENT else current
    for each in (found, value):
        if type_of(each) is not dict:
            raise DoesNotApply(f"needs two mappings, found {_kind(each)}")
    found.update(value)
    return found


def _add(current: Json, value: Json) -> Json:
    found = 0 if current is ABSENT else current
    for each in (found, value):
        if not _is_number(each):
            raise DoesNotApply(f"adds numbers, found {_kind(each)}")
    total = found + value
    if isinstance(total, float) and not math.isfinite(total):
        raise DoesNotApply("would pass the largest float")
    if isinstance(total, int) and not -max_integer - 1 <= total <= max_integer:
        raise DoesNotApply("would pass 64 bits")
    return total


def _extreme(choose: Callable[[Json, Json], Json]) -> Reducer:
    def reduce(current: Json, value: Json) -> Json:
        if current is ABSENT:
            return owned(value)
        numbers = _is_number(current) and _is_number(value)
        if not numbers and not (isinstance(current, str) and isinstance(value, str)):
            raise DoesNotApply(f"can't compare {_kind(current)} with {_kind(value)}")
        return choose(current, value)

    return reduce


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Json) -> str:
    return "null" if value is None else type(value).__name__


BUILT_IN: Final[Mapping[str, Reducer]] = {
    "set": _set,
    "append": _append,
    "extend": _extend,
    "merge": _merge,
    "add": _add,
    "max": _extreme(max),
    "min": _extreme(min),
    "unique": _unique,
}
"""The reducers that a flow or a write may name."""

RECORDED: Final[Mapping[str, Reducer]] = {**BUILT_IN, DELETE: _delete}
"""Those that folding can repeat; a flow may bring others, and what they make is recorded."""


def reduce(reducer: str, current: Json, value: Json) -> Json:
    """Return what a write makes of the current value, `ABSENT` for nothing.

    Raises: DoesNotApply, and the current value is unchanged.
    """
    return RECORDED[reducer](current, value)
