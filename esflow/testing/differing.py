"""Where two JSON values differ, in words: what is found, and what stands on the other side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from esflow.events import Json
from esflow.json_values import same_json, type_of

_MAX_SHOWN: Final = 300  # Characters of a value.


def places(found: Json, other: Json, path: str, side: str) -> Iterator[str]:
    """Yield the places in which two values differ; ``side`` is what the other one is called."""
    if same_json(found, other):
        return
    kinds = {type_of(found), type_of(other)}
    if kinds == {dict}:
        yield from _in_object(found, other, path, side)
    elif kinds == {list}:
        yield from _in_array(found, other, path, side)
    else:
        yield f"{path} is {shown(found)}, {side} {shown(other)}"


def shown(value: Json) -> str:
    """Return a value as text of a bounded length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]} …"


def _in_object(
    found: dict[str, Json], other: dict[str, Json], path: str, side: str
) -> Iterator[str]:
    for key in dict.fromkeys([*other, *found]):
        step = f"{path}.{key}" if path else key
        if key in found and key in other:
            yield from places(found[key], other[key], step, side)
        elif key in other:
            yield f"{step} is missing, {side} {shown(other[key])}"
        else:
            yield f"{step} is {shown(found[key])}, {side} it is missing"


def _in_array(found: list[Json], other: list[Json], path: str, side: str) -> Iterator[str]:
    for place, (one, another) in enumerate(zip(found, other, strict=False)):
        yield from places(one, another, f"{path}[{place}]", side)
    if len(found) != len(other):
        yield f"{path} has {len(found)} entries, {side} {len(other)}"
