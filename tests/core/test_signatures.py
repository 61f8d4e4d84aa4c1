"""What a handler may take, and how a payload becomes its arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import (
    TYPE_CHECKING,
    Any,
)

import attrs
import pytest

from esflow.annotations import return_annotation
from esflow.errors import FlowError, PayloadError
from esflow.events import Json
from esflow.payloads import bind, signature_of
from tests.core.values import Item

if TYPE_CHECKING:
    from esflow.context import Context


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
        f: list,  # type: ignore[type-arg]  # bare on purpose
        g: dict,  # type: ignore[type-arg]  # bare on purpose
    ) -> None: ...

    inner = [[1], {"k": [2]}]
    payload: dict[str, Json] = dict.fromkeys("abcdf", inner) | {
        "e": {"k": inner},
        "g": {"k": [1]},
    }
    function: Callable[..., Any] = takes  # pyright: ignore[reportUnknownVariableType] - bare on purpose
    signature = signature_of(function, "flow")
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


def no_context() -> None: ...
def only_keywords(*, ctx: object) -> None: ...
def only_rest(**ctx: object) -> None: ...
def places(ctx: object, *args: object) -> None: ...
def by_place(ctx: object, a: int, /) -> None: ...
def lost(ctx: object, a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the test's point
def broken(ctx: object, a: "1 +") -> None: ...  # type: ignore[valid-type]  # noqa: F722 - what the test is about


unbindable: list[tuple[Callable[..., object], str]] = [
    (no_context, "handler no_context takes no context; give it a first parameter ctx"),
    (only_keywords, "takes no context"),
    (only_rest, "takes no context"),
    (places, "takes args by place; payloads are bound by name"),
    (by_place, "takes a by place"),
    (lost, "parameter a: annotation Nowhere can't be used: name 'Nowhere' is not defined"),
    (broken, r"parameter a: annotation .* can't be used"),
    (type, "no readable signature|by place"),
]


@pytest.mark.parametrize(("function", "problem"), unbindable)
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


def returns(ctx: object) -> list[Item]: ...  # type: ignore[empty-body]  # only its annotation counts
def silent(ctx: Any, x: Any) -> Any:
    return x


silent.__annotations__.clear()


def lost_return() -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821 - the test's point


def test_what_a_function_returns_is_what_it_says_or_anything() -> None:
    assert return_annotation(returns) == list[Item]
    assert return_annotation(no_context) is type(None)
    assert return_annotation(silent) is Any
    nowhere: Callable[..., object] = lost_return  # pyright: ignore[reportUnknownVariableType] - the name is lost on purpose
    assert return_annotation(nowhere) is Any
    assert return_annotation(type) is Any
    assert return_annotation(len) is Any


def test_parameters_without_annotations_take_anything() -> None:
    assert bind(signature_of(silent, "flow"), "s", {"x": [1]}) == {"x": [1]}
