"""Outputs with types: what is refused where they are connected, and what they are as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import attrs
import pytest

from esflow.errors import FlowError, PayloadError
from esflow.flow import Flow
from esflow.graph import max_name
from esflow.wiring import wiring_of


class Colour(Enum):
    """A few words."""

    RED = "red"


@attrs.frozen
class Task:
    """Something to do."""

    name: str


def takes_text(ctx: object, text: str, more: int = 0) -> None: ...
def takes_float(ctx: object, text: float) -> None: ...
def takes_anything(ctx: object, text, more=0) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - that is what it is about
def takes_rest(ctx: object, **rest: object) -> None: ...
def takes_task(ctx: object, text: Task) -> None: ...
def takes_moment(ctx: object, text: datetime) -> None: ...
def takes_items(ctx: object, items: list[Task]) -> None: ...
def fails(ctx: object) -> None: ...


def flow_with(types: Mapping[str, Any], handler: Callable[..., object], **options: Any) -> Flow:
    flow = Flow("f")
    flow.routine("a").output("out", **types)
    flow.slot(name="b", **options)(handler)
    return flow


fitting: list[tuple[dict[str, Any], Callable[..., object]]] = [
    ({"text": str}, takes_text),
    ({"text": str, "more": int}, takes_text),
    ({"text": Colour}, takes_text),
    ({"text": str | None}, takes_text),
    ({"text": Any}, takes_text),
    ({"text": int}, takes_float),
    ({"text": float}, takes_float),
    ({"text": Decimal}, takes_moment),
    ({"text": dict}, takes_task),
    ({"text": Task, "more": bool}, takes_anything),
    ({"one": int, "two": Task}, takes_rest),
]


@pytest.mark.parametrize(("types", "handler"), fitting)
def test_what_can_fit_is_connected(types: dict[str, Any], handler: Callable[..., object]) -> None:
    flow = flow_with(types, handler)
    flow.connect("a", "b")
    assert [edge.name for edge in flow.connections] == ["a.out"]


misfits: list[tuple[dict[str, Any], Callable[..., object], dict[str, str], str]] = [
    ({"more": int}, takes_text, {}, "the slot needs 'text', which the output doesn't bring"),
    ({"text": str}, takes_text, {"text": "more"}, "the slot needs 'text'"),
    ({"text": int}, takes_text, {}, "brings 'text' as integer, which the slot reads from string"),
    ({"text": float}, takes_text, {}, "as integer or number, which the slot reads from string"),
    ({"text": Task}, takes_text, {}, "brings 'text' as object"),
    ({"text": str, "x": str}, takes_text, {}, "brings 'x', which the slot doesn't take"),
    ({"word": str}, takes_task, {"word": "text"}, "brings 'text' as string"),
    ({"text": str}, takes_text, {"txt": "text"}, "rename: there is no key 'txt'; did you mean"),
    ({"text": str}, takes_text, {"text": "words"}, "rename: there is no parameter 'words'"),
]


@pytest.mark.parametrize(("types", "handler", "rename", "problem"), misfits)
def test_what_can_never_fit_is_refused_where_it_is_connected(
    types: dict[str, Any], handler: Callable[..., object], rename: dict[str, str], problem: str
) -> None:
    flow = flow_with(types, handler)
    before = flow.definition_bytes()
    with pytest.raises(FlowError, match=f"a.out -> b: .*{problem}"):
        flow.connect("a", "b", rename)
    assert flow.definition_bytes() == before


def test_a_renaming_is_thought_of() -> None:
    flow = flow_with({"word": str}, takes_text)
    flow.connect("a", "b", {"word": "text"})
    assert len(flow.connections) == 1


def test_of_what_a_slot_gathers_only_the_renaming_is_judged() -> None:
    flow = flow_with({"title": str}, takes_items, gather=2)
    with pytest.raises(FlowError, match="rename: there is no key 'name'"):
        flow.connect("a", "b", {"name": "title"})
    flow.connect("a", "b", {"title": "name"})
    assert len(flow.connections) == 1


def test_an_output_without_types_takes_anything() -> None:
    flow = flow_with({}, takes_text)
    flow.connect("a", "b")
    flow.refuse_misfit("a", "out", {"whatever": 1})
    assert "types" not in flow.definition()["routines"][0]


def test_routed_failures_have_types() -> None:
    flow = Flow("f")
    flow.slot(on_error="route")(fails)
    flow.slot(takes_text)
    flow.slot(takes_rest)
    with pytest.raises(FlowError, match="the slot needs 'text'"):
        flow.connect("fails.error", "takes_text")
    with pytest.raises(FlowError, match="the output brings 'type', which the slot doesn't take"):
        flow.connect("fails.error", "takes_text", {"message": "text"})
    flow.connect("fails.error", "takes_rest")


wrong: list[tuple[Callable[[Flow], object], str]] = [
    (lambda f: f.routines["a"].output("out", x=int), "routine 'a' has output 'out' twice"),
    (lambda f: f.routines["a"].output("o.t"), "'o.t' is no name for an output of a"),
    (lambda f: f.routines["a"].output("x" * (max_name + 1)), "is no name for an output"),
    (lambda f: f.routines["a"].output("more", x=complex), "x: complex has no JSON form"),
    (lambda f: f.routines["a"].output("more", x=str | datetime), "x: .* can't be told apart"),
    (lambda f: f.routines["a"].output("more", x="str"), "x: "),
]


@pytest.mark.parametrize(("act", "problem"), wrong)
def test_a_wrong_output_is_refused_and_the_graph_is_left_as_it_was(
    act: Callable[[Flow], object], problem: str
) -> None:
    flow = flow_with({"text": str}, takes_text)
    before = flow.definition_bytes()
    with pytest.raises((FlowError, PayloadError), match=problem):
        act(flow)
    assert flow.definition_bytes() == before
    flow.freeze()
    with pytest.raises(FlowError, match=r"output a\.late comes too late"):
        flow.routines["a"].output("late", x=int)


emitted: list[tuple[dict[str, Any], str]] = [
    ({}, "out.text: is missing; the output declares it"),
    ({"text": "x"}, "out.tasks: is missing"),
    ({"text": "x", "tasks": [], "kind": "a", "more": 1}, "out.more: there is no key 'more'"),
    ({"text": 5, "tasks": [], "kind": "a"}, "out.text: expected str, got 5"),
    ({"text": "x", "tasks": [{"name": 1}], "kind": "a"}, r"out.tasks\[0\].name: expected str"),
    ({"text": "x", "tasks": [], "kind": "c"}, "out.kind: expected one of"),
]


@pytest.mark.parametrize(("payload", "problem"), emitted)
def test_a_payload_that_is_not_what_was_declared_is_refused(
    payload: dict[str, Any], problem: str
) -> None:
    types = {"text": str, "tasks": list[Task], "kind": Literal["a", "b"]}
    flow = flow_with(types, takes_rest)
    with pytest.raises(PayloadError, match=problem):
        flow.refuse_misfit("a", "out", payload)
    flow.refuse_misfit("a", "out", {"text": "x", "tasks": [{"name": "n"}], "kind": "b"})


def test_types_are_data_as_those_of_json_and_make_the_same_flow() -> None:
    flow = flow_with({"text": str, "task": Task | None, "any": Any, "half": float}, takes_rest)
    flow.connect("a", "b")
    definition = json.loads(flow.definition_bytes())
    assert definition["routines"][0]["types"] == {
        "out": {
            "any": [],
            "half": ["integer", "number"],
            "task": ["null", "object"],
            "text": ["string"],
        }
    }
    again = wiring_of(definition)
    assert again.definition() == definition
    again.refuse_misfit("a", "out", {"text": "x", "task": {}, "any": 1, "half": 1})
    with pytest.raises(PayloadError, match=r"out\.text: expected string, got 5"):
        again.refuse_misfit("a", "out", {"text": 5, "task": None, "any": 1, "half": 1.5})


def test_each_type_has_a_fingerprint_of_its_own() -> None:
    prints = [
        flow_with(types, takes_rest).fingerprint
        for types in ({}, {"x": str}, {"y": str}, {"x": int}, {"x": str, "y": str}, {"x": Any})
    ]
    assert len(set(prints)) == len(prints)
    assert (
        flow_with({"x": str, "y": int}, takes_rest).fingerprint
        == flow_with({"y": int, "x": str}, takes_rest).fingerprint
    )
