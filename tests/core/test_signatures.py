"""What a handler may take, and how a payload becomes its arguments."""

from __future__ import annotations

import functools
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import attrs
import pytest

from esflow.errors import FlowError, PayloadError
from esflow.events import Json
from esflow.payloads import bind, return_annotation, signature_of, structure
from tests.core.values import Box, Colour, Item, Mood, Pair, Rights, Size, Tree

if TYPE_CHECKING:
    from esflow.nowhere import Context  # type: ignore[import-not-found]

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


def handler(ctx: Context, task: str, n: int = 1, *, tags: list[str] | None = None) -> int:
    return len(task) + n


def greedy(ctx: Context, /, first: Item, **rest: object) -> None: ...


def test_a_payload_becomes_arguments() -> None:
    signature = signature_of(handler, "flow")
    assert bind(signature, "a.b", {"task": "t"}) == {"task": "t"}
    assert bind(signature, "a.b", {"tags": ["x"], "task": "t", "n": 2}) == {
        "task": "t",
        "n": 2,
        "tags": ["x"],
    }
    assert (signature.context, signature.parameters) == ("ctx", ("task", "n", "tags"))
    assert (signature.required, signature.rest) == (("task",), False)
    assert signature.accepts("task")
    assert not signature.accepts("other")


def test_the_rest_is_taken_as_plain_json() -> None:
    signature = signature_of(greedy, "flow")
    payload = {"first": {"price": "1", "at": None, "_hidden": 0}, "x": [1], "y": {"z": "1"}}
    bound = bind(signature, "a.b", payload)
    assert bound == {"first": Item(Decimal(1)), "x": [1], "y": {"z": "1"}}
    assert bound["x"] is not payload["x"]
    assert signature.accepts("anything")
    assert not signature.accepts("ctx")


def test_every_call_gives_containers_of_its_own() -> None:
    def takes(  # noqa: PLR0917 - slots are called by name
        ctx: object,
        a: Any,
        b: Json,
        c: object,
        d: list[Any],
        e: dict[str, Json],
        f: list,
        g: dict,  # type: ignore[type-arg]
    ) -> None: ...

    inner = [[1], {"k": [2]}]
    payload: dict[str, Json] = dict.fromkeys("abcdf", inner) | {
        "e": {"k": inner},
        "g": {"k": [1]},
    }
    signature = signature_of(takes, "flow")
    one, two = (bind(signature, "s", payload) for _ in range(2))
    assert one == two == payload
    for bound in (one, two):
        for name in "abcdf":
            values: Any = bound[name]
            values[0].append("changed")
            values[1]["k"].append("changed")
    assert inner == [[1], {"k": [2]}]


@pytest.mark.parametrize(
    ("payload", "path", "problem"),
    [
        ({}, "a.b.task", "is missing; the handler has no default for it"),
        ({"task": 5}, "a.b.task", "expected str, got 5 (int)"),
        ({"task": None}, "a.b.task", "expected str, got None (NoneType)"),
        ({"task": "t", "n": "5"}, "a.b.n", "expected int, got '5' (str)"),
        ({"task": "t", "n": True}, "a.b.n", "expected int, got True (bool)"),
        ({"task": "t", "n": 1.0}, "a.b.n", "expected int, got 1.0 (float)"),
        ({"task": "t", "tags": "abc"}, "a.b.tags", "expected list[str] | None, got 'abc' (str)"),
        ({"task": "t", "tags": ["a", 1]}, "a.b.tags[1]", "expected str, got 1 (int)"),
        (
            {"task": "t", "more": 1},
            "a.b.more",
            "is no parameter of this slot; it takes task, n, tags",
        ),
        (
            {"task": "t", "ctx": 1},
            "a.b.ctx",
            "is no parameter of this slot; it takes task, n, tags",
        ),
    ],
)
def test_a_misfit_is_refused_by_slot_and_parameter(
    payload: dict[str, Json], path: str, problem: str
) -> None:
    with pytest.raises(PayloadError) as caught:
        bind(signature_of(handler, "flow"), "a.b", payload)
    assert (caught.value.path, caught.value.problem) == (path, problem)


def test_the_context_is_never_taken_from_a_payload() -> None:
    with pytest.raises(PayloadError, match="is no parameter"):
        bind(signature_of(greedy, "flow"), "a.b", {"ctx": 1})


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
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
        (list[int] | str, "a", "a"),
    ],
)
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
        (str | int, 1.5, r"expected str \| int, got 1.5"),
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


def no_context() -> None: ...
def only_keywords(*, ctx: object) -> None: ...
def only_rest(**ctx: object) -> None: ...
def places(ctx: object, *args: object) -> None: ...
def by_place(ctx: object, a: int, /) -> None: ...
def lost(ctx: object, a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - what the test is about
def broken(ctx: object, a: "1 +") -> None: ...  # type: ignore[valid-type]  # noqa: F722 - what the test is about


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (no_context, "handler no_context takes no context; give it a first parameter ctx"),
        (only_keywords, "takes no context"),
        (only_rest, "takes no context"),
        (places, "takes args by place; payloads are bound by name"),
        (by_place, "takes a by place"),
        (lost, "parameter a: annotation Nowhere can't be used: name 'Nowhere' is not defined"),
        (broken, r"parameter a: annotation .* can't be used"),
        (type, "no readable signature|by place"),
    ],
)
def test_a_handler_that_no_payload_can_be_bound_to_is_refused(
    function: Callable[..., object], problem: str
) -> None:
    with pytest.raises(FlowError, match=problem):
        signature_of(function, "flow")


class Callme:
    """An object that can be called, with a method that can be."""

    def __call__(self, ctx: object, at: datetime) -> None:
        """Take a moment."""

    def method(self, ctx: object, at: datetime) -> None:
        """Take a moment, too."""


def with_extra(extra: int, ctx: object, at: datetime) -> None: ...


def decorated(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return wrapper


@decorated
def wrapped(ctx: object, at: datetime) -> None: ...


@pytest.mark.parametrize(
    "function", [Callme(), Callme().method, functools.partial(with_extra, 1), wrapped]
)
def test_annotations_are_found_behind_any_callable(function: Callable[..., object]) -> None:
    bound = bind(signature_of(function, "flow"), "s", {"at": "2025-01-01T00:00:00"})
    assert bound == {"at": datetime(2025, 1, 1)}  # noqa: DTZ001 - a moment without a zone is one too


def test_a_class_of_the_enclosing_function_is_found_when_the_handler_uses_it() -> None:
    @attrs.frozen
    class Local:
        n: int

    def takes(ctx: object, x: Local) -> Local:
        return Local(x.n) if later else x

    signature = signature_of(takes, "flow")  # While `later` has no value yet.
    later = True
    assert bind(signature, "s", {"x": {"n": 1}}) == {"x": Local(1)}
    assert return_annotation(takes) is Local


def returns(ctx: object) -> list[Item]: ...  # type: ignore[empty-body]
def silent(ctx, x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - what the test is about
    return x


def lost_return() -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821 - what the test is about


def test_what_a_function_returns_is_what_it_says_or_anything() -> None:
    assert return_annotation(returns) == list[Item]
    assert return_annotation(no_context) is type(None)
    assert return_annotation(silent) is Any
    assert return_annotation(lost_return) is Any
    assert return_annotation(type) is Any
    assert return_annotation(len) is Any


def test_parameters_without_annotations_take_anything() -> None:
    assert bind(signature_of(silent, "flow"), "s", {"x": [1]}) == {"x": [1]}
