"""What an annotation is read from, what it refuses, and which annotations are refused."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import attrs
import pytest

from esflow.errors import FlowError, PayloadError
from esflow.events import Json
from esflow.payloads import signature_of, structure
from tests.core.values import Box, Colour, Item, Mood, Pair, Rights, Size, Tree

JobId = NewType("JobId", str)
T = TypeVar("T")


class Options(TypedDict, total=False):
    """A typed dictionary."""

    depth: int
    at: datetime


class Bare(NamedTuple):
    """A named tuple with a default."""

    left: int
    right: list[int]


class Unplain(Enum):
    """An enum whose value is no plain one."""

    ONE = (1,)


class Word(str):
    """Text of a class of its own."""

    __slots__ = ()


@attrs.frozen
class Positive:
    """A class that refuses some values."""

    number: int = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen
class Generous(Generic[T]):
    """A generic class."""

    value: T


@attrs.frozen
class Left:
    """One of a union."""

    left: int


@attrs.frozen
class Right:
    """The other of a union."""

    right: int


@attrs.frozen
class Twin:
    """Indistinguishable from `Left`."""

    left: int


@attrs.frozen
class Opaque:
    """A class with a field that has no JSON form."""

    what: Callable[[], int]


readings: list[tuple[Any, Json, object]] = [
    (float, 5, 5.0),
    (int | float, 5, 5),
    (float | int, 5.0, 5.0),
    (float | None, 5, 5.0),
    (str | int | None, None, None),
    (JobId, "j", "j"),
    (JobId | int, "j", "j"),
    (Annotated[int, ["unhashable"]], 5, 5),
    (Annotated[int, "small"] | str, 5, 5),
    (Literal[1, "a", Colour.RED], "red", Colour.RED),
    (Literal["a"] | int, 3, 3),
    (Size, 2, Size.LARGE),
    (Mood | None, "calm", Mood.CALM),
    (Colour, None, Colour.NOTHING),
    (Rights, 3, Rights.READ | Rights.WRITE),
    (Sequence[int], [1], [1]),
    (tuple, [1, [2]], (1, [2])),
    (tuple[()], [], ()),
    (set, [1], {1}),
    (AbstractSet[int], [1], frozenset({1})),
    (Mapping[str, int], {"a": 1}, {"a": 1}),
    (Mapping, {"a": 1}, {"a": 1}),
    (dict[Mood, int], {"calm": 1}, {Mood.CALM: 1}),
    (
        Options,
        {"depth": 1, "at": "2025-01-01T00:00:00Z"},
        Options(depth=1, at=datetime(2025, 1, 1, tzinfo=UTC)),
    ),
    (Options | int, {}, {}),
    (Bare, [1, [2]], Bare(1, [2])),
    (Left | Right, {"right": 1}, Right(1)),
    (Left | Right | None, None, None),
    (Left | str, {"left": 1}, Left(1)),
    (Generous[int], {"value": 1}, Generous(1)),
    (list[Generous[Item]], [{"value": {"price": "1"}}], [Generous(Item(Decimal(1)))]),
    (PurePath, "a/b", PurePath("a/b")),
    (timedelta | None, "PT1S", timedelta(seconds=1)),
    (Any, [1], [1]),
    (Any | None, None, None),
    (Any | int, "a", "a"),
    (Any | int, 5, 5),
    (Optional[Annotated[int | str, "either"]], "a", "a"),  # noqa: UP045 - no class yet
    (list[int] | str, "a", "a"),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), readings)
def test_an_annotation_is_read(annotation: Any, value: Json, expected: object) -> None:
    found = structure(value, annotation, "x")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (float, 2**53 + 1, r"x: expected float, got 9007199254740993 \(int\)"),
        (float, True, "expected float, got True"),
        (bool, 1, "expected bool, got 1"),
        (None, 0, "expected NoneType, got 0"),
        (bytes, "no base64", "expected bytes as text, got 'no base64'"),
        (datetime, "yesterday", "expected datetime as text"),
        (date, 5, "expected date as text, got 5"),
        (UUID, "x", "expected UUID as text"),
        (Decimal, "NaN", "expected Decimal as text, got 'NaN'"),
        (Decimal, "x", "expected Decimal as text, got 'x'"),
        (Decimal, 1, "expected Decimal as text, got 1"),
        (timedelta, "x", "expected timedelta as text"),
        (list[str], "abc", r"expected list\[str\] as a list, got 'abc'"),
        (list, {}, r"expected list, got \{\}"),
        (tuple[int, ...], {"a": 1}, "as a list"),
        (tuple[int, str], [1], r"expected 2 items, got \[1\]"),
        (tuple[int, str], [1, 2], r"x\[1\]: expected str, got 2"),
        (tuple[int, str], "ab", r"expected tuple\[int, str\] as a list"),
        (Pair, [1], "expected 2 items"),
        (set[int], [1, 1], "has an item twice"),
        (set[Any], [[1]], "has an item that no set can hold"),
        (dict[str, int], {"a": "1"}, "x.a: expected int"),
        (dict[str, int], [["a", 1]], r"expected dict\[str, int\] as an object"),
        (dict[str, Item], {"a b": {}}, r"x\['a b'\]\.price: is missing"),
        (Colour, True, "expected one of"),
        (Colour, [], "expected one of"),
        (Size, 1.0, "expected one of"),
        (Rights, 8, "expected one of"),
        (Rights, "1", "expected one of"),
        (Literal[1], True, "expected one of"),
        (Item, {"price": "1", "more": 1}, "x: has fields that Item lacks: 'more'"),
        (Item, {}, "x.price: is missing"),
        (Item, [], r"expected Item as an object, got \[\]"),
        (Tree, {"value": 1, "children": [{"value": 1.5}]}, r"x\.children\[0\]\.value: expected"),
        (Box, {"items": [{"price": 1}], "by_name": {}}, r"x\.items\[0\]\.price: expected Decimal"),
        (Positive, {"number": 0}, "x: is refused: ValueError: 'number' must be > 0"),
        (list[Positive], [{"number": 1}, {"number": -1}], r"x\[1\]: is refused: ValueError"),
        (Left | Right, {"up": 1}, "expected .*Left | .*Right"),
        (Left | Right, {"left": "1"}, r"x\.left: expected int"),
        (Options, {"depth": "1"}, "x.depth: expected int"),
        (Options, {"up": 1}, "has fields that Options lacks"),
        (str | int, 1.5, r"expected (str \| int|int \| str), got 1\.5"),
    ],
)
def test_a_value_that_doesnt_fit_is_refused_by_path(
    annotation: Any, value: Json, message: str
) -> None:
    with pytest.raises(PayloadError, match=message):
        structure(value, annotation, "x")


@pytest.mark.parametrize(
    "annotation",
    [
        type,
        Callable[[], int],
        list[type],
        dict[str, list[type]],
        dict[int, str],
        Opaque,
        Opaque | None,
        list[Opaque],
        str | datetime,
        Any | datetime,
        datetime | UUID,
        list[int] | tuple[int, ...],
        dict[str, int] | Item,
        Left | Twin,
        Mood | str,
        Path | str,
        int | type,
        Unplain,
        Literal[b"x"],
        Word,
        list[Word],
        deque[int],
        Counter[str],
        defaultdict[str, int],
        OrderedDict[str, int],
        complex,
        TypeVar("U"),
    ],
)
def test_an_annotation_without_a_json_form_is_refused_where_it_is_declared(annotation: Any) -> None:
    def takes(ctx: object, x: int) -> None: ...

    takes.__annotations__["x"] = annotation
    with pytest.raises(
        FlowError, match=r"handler .*takes parameter x: annotation .* can't be used: "
    ):
        signature_of(takes, "flow")
