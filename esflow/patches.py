"""What differs between two JSON values, as a JSON Patch.

Source: RFC 6902 (JSON Patch), RFC 6901 (JSON Pointer).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import final

import attrs

from esflow.events import Json
from esflow.json_values import same_json, type_of
from esflow.values import by_value


@final
@attrs.frozen(kw_only=True)
@by_value
class PatchOp:
    """One step from one value to another.

    Shape: ``op`` is ``add``, ``remove`` or ``replace``; ``path`` is a JSON Pointer; ``value`` is
    null where something is removed.
    """

    op: str
    path: str
    value: Json = None

    def as_dict(self) -> dict[str, Json]:
        """Return the step as the standard writes it."""
        found = {"op": self.op, "path": self.path}
        return found if self.op == "remove" else found | {"value": self.value}


def difference(before: Json, after: Json) -> list[PatchOp]:
    """Return what turns one JSON value into another, in the order in which it is to be done.

    Lists are compared from both of their ends, so that what came to a list is one step.
    """
    return list(_steps(before, after, ""))


def _steps(before: Json, after: Json, path: str) -> Iterator[PatchOp]:
    if same_json(before, after):
        return
    kinds = {type_of(before), type_of(after)}
    if kinds == {dict}:
        yield from _in_object(before, after, path)
    elif kinds == {list}:
        yield from _in_array(before, after, path)
    else:
        yield PatchOp(op="replace", path=path, value=after)


def _in_object(
    before: Mapping[str, Json], after: Mapping[str, Json], path: str
) -> Iterator[PatchOp]:
    for key in before:
        if key not in after:
            yield PatchOp(op="remove", path=_below(path, key))
    for key, value in after.items():
        if key in before:
            yield from _steps(before[key], value, _below(path, key))
        else:
            yield PatchOp(op="add", path=_below(path, key), value=value)


def _in_array(before: Sequence[Json], after: Sequence[Json], path: str) -> Iterator[PatchOp]:
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and same_json(before[start], after[start]):
        start += 1
    end = 0
    while end < shorter - start and same_json(before[-1 - end], after[-1 - end]):
        end += 1
    common = shorter - start - end
    for place in range(start, start + common):
        yield from _steps(before[place], after[place], f"{path}/{place}")
    for place in range(len(before) - end - 1, start + common - 1, -1):
        yield PatchOp(op="remove", path=f"{path}/{place}")
    for place in range(start + common, len(after) - end):
        yield PatchOp(op="add", path=f"{path}/{place}", value=after[place])


def _below(path: str, key: str) -> str:
    escaped = key.replace("~", "~0").replace("/", "~1")
    return f"{path}/{escaped}"
