"""Strategies for JSON, for events, and for values of annotated types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from pathlib import Path
from types import GenericAlias
from typing import Any, Final, NamedTuple, Union, get_args, get_type_hints
from uuid import UUID

import attrs
from hypothesis import strategies as st

from esflow.events import EffectCall, Event, Failure, Gather, Parent, PauseReason, Target

texts: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
integers: Final = st.integers(-(2**63), 2**63 - 1)
floats: Final = st.floats(allow_nan=False, allow_infinity=False)
scalars: Final = st.none() | st.booleans() | integers | floats | texts


def containers(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return lists and objects of some values, a few levels deep."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    )


json_values: Final = containers(scalars)
json_objects: Final = st.dictionaries(texts, json_values, max_size=3)

failures: Final = st.builds(
    Failure, type=texts, message=texts, traceback=texts, path=st.none() | texts
)
calls: Final = st.builds(EffectCall, function=texts, digest=texts, key=texts)
gathers: Final = st.builds(
    Gather,
    count=integers,
    among=st.lists(texts, max_size=2).map(tuple),
    connection=texts,
)
targets: Final = st.builds(
    Target,
    slot=texts,
    rename=st.none() | st.dictionaries(texts, texts, max_size=2),
    gather=st.none() | gathers,
)
parents: Final = st.builds(Parent, job_id=texts, child=texts)
reasons: Final = st.builds(PauseReason, kind=texts, text=texts, activation=st.none() | texts)

_by_hint: Final[dict[str, st.SearchStrategy[Any]]] = {
    "str": texts,
    "str | None": st.none() | texts,
    "int": integers,
    "int | None": st.none() | integers,
    "bool": st.booleans(),
    "Json": json_values,
    "Mapping[str, Json]": json_objects,
    "Mapping[str, Json] | None": st.none() | json_objects,
    "Mapping[str, str]": st.dictionaries(texts, texts, max_size=2),
    "EffectCall | None": st.none() | calls,
    "Gather | None": st.none() | gathers,
    "Parent | None": st.none() | parents,
    "Failure": failures,
    "Failure | None": st.none() | failures,
    "tuple[Target, ...]": st.lists(targets, max_size=2).map(tuple),
    "tuple[PauseReason, ...]": st.lists(reasons, max_size=2).map(tuple),
    "tuple[str, ...]": st.lists(texts, max_size=2).map(tuple),
    "tuple[str, ...] | None": st.none() | st.lists(texts, max_size=2).map(tuple),
    "tuple[Json, ...]": st.lists(json_values, max_size=2).map(tuple),
    "tuple[Json, ...] | None": st.none() | st.lists(json_values, max_size=2).map(tuple),
}


def events_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return the events of one class; a field of a new sort needs a line above."""
    return st.builds(
        kind, **{field.name: _by_hint[str(field.type)] for field in attrs.fields(kind)}
    )


events: Final = st.one_of([events_of(kind) for kind in get_args(Event)])


class Colour(Enum):
    """An enum whose values are equal to each other but for their types."""

    RED = "red"
    ONE = 1
    HALF = 0.5
    NOTHING = None


class Size(IntEnum):
    """An enum that is an int."""

    SMALL = 1
    LARGE = 2


class Mood(StrEnum):
    """An enum that is text."""

    CALM = "calm"
    LOUD = "loud"


class Rights(Flag):
    """An enum whose members combine."""

    READ = 1
    WRITE = 2


class Pair(NamedTuple):
    """A named tuple."""

    left: int
    right: datetime


@attrs.frozen
class Item:
    """A frozen attrs class."""

    price: Decimal
    at: datetime | None = None
    _hidden: int = 0


@dataclass
class Box:
    """A dataclass that holds attrs classes."""

    items: list[Item]
    by_name: dict[str, Item]
    pair: Pair | None = None


@attrs.define
class Tree:
    """A class that holds itself."""

    value: int | str | None
    children: list[Tree] = attrs.Factory(list["Tree"])


_utc_moments: Final = st.datetimes(timezones=st.none() | st.timezones()).filter(
    lambda moment: datetime.fromisoformat(moment.isoformat()) == moment
)
items: Final = st.builds(
    Item,
    price=st.decimals(allow_nan=False, allow_infinity=False),
    at=st.none() | _utc_moments,
    hidden=integers,
)
pairs: Final = st.builds(Pair, integers, _utc_moments)
trees: Final = st.recursive(
    st.builds(Tree, integers | texts | st.none()),
    lambda inner: st.builds(Tree, integers, st.lists(inner, max_size=2)),
    max_leaves=5,
)

_leaves: Final[list[tuple[Any, st.SearchStrategy[Any]]]] = [
    (str, texts),
    (int, integers),
    (float, floats),
    (bool, st.booleans()),
    (None, st.none()),
    (bytes, st.binary(max_size=8)),
    (datetime, _utc_moments),
    (date, st.dates()),
    (time, st.times()),
    (timedelta, st.timedeltas()),
    (UUID, st.uuids()),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (Path, texts.filter(lambda text: "\0" not in text).map(Path)),
    (Colour, st.sampled_from(Colour)),
    (Size, st.sampled_from(Size)),
    (Mood, st.sampled_from(Mood)),
    (Rights, st.sampled_from([Rights(0), *Rights, Rights.READ | Rights.WRITE])),
    (Pair, pairs),
    (Item, items),
]

_Kind = tuple[Any, st.SearchStrategy[Any]]
_nested: Final[list[Callable[[Any, st.SearchStrategy[Any]], _Kind]]] = [
    lambda kind, some: (GenericAlias(list, (kind,)), st.lists(some, max_size=3)),
    lambda kind, some: (GenericAlias(tuple, (kind, ...)), st.lists(some, max_size=3).map(tuple)),
    lambda kind, some: (GenericAlias(tuple, (int, kind)), st.tuples(integers, some)),
    lambda kind, some: (GenericAlias(dict, (str, kind)), st.dictionaries(texts, some, max_size=3)),
    lambda kind, some: (Union[kind, None], st.none() | some),  # noqa: UP007 - it may be None itself
]


@st.composite
def annotated(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw an annotation and a value of it."""
    kind, values = draw(st.sampled_from(_leaves))
    if draw(st.booleans()) and kind not in (float, Rights, None):
        wrapped = draw(st.sampled_from([set, frozenset]))
        kind, values = (
            GenericAlias(wrapped, (kind,)),
            st.frozensets(values, max_size=4).map(wrapped),
        )
    for _ in range(draw(st.integers(0, 2))):
        kind, values = draw(st.sampled_from(_nested))(kind, values)
    return draw(
        st.one_of(
            values.map(lambda value: (kind, value)),
            trees.map(lambda value: (Tree, value)),
            st.builds(
                Box, st.lists(items, max_size=2), st.dictionaries(texts, items, max_size=2)
            ).map(lambda value: (Box, value)),
        )
    )


assert get_type_hints(Tree)  # Its own name resolves, or the strategy would test nothing.
