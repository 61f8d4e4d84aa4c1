"""Laws of the boundary: what is accepted comes back equal, and what is refused is named."""

from __future__ import annotations

import ast
import copy
import json
import re
import socket
import subprocess
import sys
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from esflow import payloads
from esflow.errors import PayloadError
from esflow.json_values import same_json, type_of
from esflow.payloads import (
    digest,
    max_bytes,
    max_depth,
    max_nodes,
    reader_of,
    structure,
    to_json,
)
from tests.core.test_json_values import containers_in
from tests.core.values import Colour, Item, Tree, annotated, containers, json_values, scalars


def typed(value: Any) -> Any:
    """Return a value with the types of all its parts, which equality alone doesn't see."""
    kind = type_of(value)
    if issubclass(kind, Mapping):
        return kind, {key: typed(item) for key, item in value.items()}
    if issubclass(kind, (list, tuple)):
        return kind, [typed(item) for item in value]
    if attrs.has(kind):
        return kind, [typed(getattr(value, name)) for name in attrs.fields_dict(kind)]
    return kind, repr(value) if kind is float else value


class Odd:
    """A class that has no JSON form."""


@attrs.frozen
class Undecorated(Item):
    """A subclass that attrs knows."""


class Stray(Item):
    """A subclass that attrs doesn't know: it may hold more than its fields say."""


class Plainless(Enum):
    """An enum whose value is no plain one."""

    ONE = (1, 2)


class Text(str):
    """Text that would come back as mere text."""

    __slots__ = ()


refused: list[Any] = [
    float("nan"),
    float("inf"),
    -float("inf"),
    2**63,
    -(2**63) - 1,
    "\ud800",
    "a\udfffb",
    {1: 2},
    {"\ud800": 1},
    {Text("key"): 1},
    {None: 1},
    Odd(),
    Odd,
    print,
    socket.socket.__new__(socket.socket),
    Text("text"),
    Stray(Decimal(1)),
    Plainless.ONE,
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    deque([1]),
    range(3),
    bytearray(b"x"),
    1j,
    ...,
    NotImplemented,
    datetime(2025, 10, 26, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
]


@given(annotated())
def test_what_is_accepted_comes_back_equal_under_its_annotation(pair: tuple[Any, Any]) -> None:
    annotation, value = pair
    stored = json.loads(json.dumps(to_json(value, "value")))
    assert typed(structure(stored, annotation, "value")) == typed(value)


@given(annotated())
def test_a_value_is_not_changed_and_shares_nothing_with_its_copy(pair: tuple[Any, Any]) -> None:
    _, value = pair
    before = copy.deepcopy(value)
    copied = to_json(value, "value")
    assert typed(value) == typed(before)
    assert not set(containers_in(copied)) & set(containers_in(value))


@given(json_values)
def test_plain_json_stands_for_itself(value: Any) -> None:
    assert same_json(to_json(value, "value"), value)


def follow(value: Any, path: str) -> Any:
    steps = re.findall(r"\.([^\W\d]\w*)|\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\d+)\]", path)
    assert "".join(f".{name}" if name else f"[{key}]" for name, key in steps) == path
    for name, key in steps:
        value = value[name or ast.literal_eval(key)]
    return value


planted = st.shared(st.sampled_from(refused), key="planted")


@given(containers(scalars | planted), planted)
def test_every_refusal_names_the_path_to_what_is_refused(value: Any, bad: Any) -> None:
    whole = {"before": 1, "value": [value, bad]}
    with pytest.raises(PayloadError) as caught:
        to_json(whole, "task")
    assert caught.value.path.startswith("task")
    assert follow(whole, caught.value.path.removeprefix("task")) is bad
    str(caught.value).encode()  # The refusal itself can be printed and recorded.


class Mute:
    """A class that can't even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError


def test_what_cant_be_shown_is_refused_like_the_rest() -> None:
    for bad in (10**5000, {10**5000: 1}, Mute(), {Mute(): 1}, {Mute()}, [{10**5000}]):
        with pytest.raises(PayloadError):
            to_json(bad, "x")


def test_a_path_goes_through_classes_and_sets() -> None:
    box = Tree(1, [Tree(2, [Tree("\ud800")])])
    with pytest.raises(
        PayloadError, match=r"^task\.children\[0\]\.children\[0\]\.value: has a lone"
    ):
        to_json(box, "task")
    with pytest.raises(PayloadError, match=r"^task\{tuple\}\[0\]: nan is no JSON number"):
        to_json({(float("nan"),)}, "task")


def test_mappings_of_any_class_and_tuples_stand_for_objects_and_arrays() -> None:
    mappings: list[Mapping[str, int]] = [OrderedDict(a=1), MappingProxyType({"a": 1})]
    for mapping in mappings:
        assert typed(to_json(mapping, "x")) == typed({"a": 1})
    assert to_json((1, (2,)), "x") == [1, [2]]


def test_a_subclass_that_attrs_knows_is_recorded_whole() -> None:
    assert to_json(Undecorated(Decimal(1)), "x") == {"price": "1", "at": None, "_hidden": 0}


def test_a_class_whose_annotations_fail_is_refused_by_name() -> None:
    @attrs.frozen
    class Lost:
        value: Nowhere  # type: ignore[name-defined]  # noqa: F821 - what the test is about

    with pytest.raises(PayloadError, match="whose annotations fail: name 'Nowhere'"):
        to_json(Lost(1), "x")


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_depth_is_limited() -> None:
    assert to_json(nested(max_depth), "x") == nested(max_depth)
    with pytest.raises(PayloadError, match="nested more than 64 deep"):
        to_json(nested(max_depth + 1), "x")
    with pytest.raises(PayloadError, match="nested more than 64 deep"):
        to_json(nested(100_000), "x")


def test_a_leaf_at_the_deepest_place_is_taken() -> None:
    value: Any = Colour.RED
    for _ in range(max_depth):
        value = [value]
    assert "red" in str(to_json(value, "x"))


@pytest.mark.parametrize("make", [list, dict])
def test_a_cycle_is_refused(make: type[Any]) -> None:
    value = make()
    if make is dict:
        value["self"] = value
    else:
        value += [value, value]
    with pytest.raises(PayloadError, match="contains itself"):
        to_json(value, "x")


def test_a_tree_that_holds_itself_is_refused() -> None:
    tree = Tree(1)
    tree.children.append(tree)
    with pytest.raises(PayloadError, match="contains itself"):
        to_json(tree, "x")


def test_shared_references_are_copied_until_the_budget_ends() -> None:
    shared: Any = [1]
    assert to_json([shared, shared], "x") == [[1], [1]]
    bomb: Any = [1] * 10
    for _ in range(40):
        bomb = [bomb] * 10
    with pytest.raises(PayloadError, match=f"over {max_nodes} values"):
        to_json(bomb, "x")
    with pytest.raises(PayloadError, match=f"over {max_nodes} values"):
        to_json([None] * (max_nodes + 1), "x")
    assert len(digest((bomb,), {})) == 32


def test_text_is_limited_in_bytes_keys_included() -> None:
    most = "x" * max_bytes
    assert to_json(most, "x") == most
    for value in (f"{most}x", [most, "x"], {most: "x"}, {"é": most}, "é" * (max_bytes // 2 + 1)):
        with pytest.raises(PayloadError, match=f"over {max_bytes} bytes"):
            to_json(value, "x")


def test_integers_of_64_bits_are_taken() -> None:
    for value in (2**63 - 1, -(2**63)):
        assert to_json(value, "x") == value


@given(st.lists(json_values), st.dictionaries(st.text(), json_values))
@example([True], {})
def test_a_digest_tells_values_and_types_apart_but_not_the_order_of_keys(
    args: list[Any], kwargs: dict[str, Any]
) -> None:
    same = digest(tuple(args), kwargs)
    assert same == digest(tuple(args), dict(reversed(kwargs.items())))
    assert same != digest((*args, 1), kwargs)
    assert digest((True,), {}) != digest((1,), {}) != digest((1.0,), {})


def test_what_cant_be_represented_counts_by_its_type_in_a_digest() -> None:
    same = digest((Odd(), {"a": [Odd()]}, {Odd(): 1}), {"x": {Odd()}})
    assert same == digest((Odd(), {"a": [Odd()]}, {Odd(): 1}), {"x": {Odd()}})
    assert digest((Odd(),), {}) != digest((print,), {})
    assert digest((), {"x": Odd()}) == digest((), {"x": Odd()}) != digest((), {"x": print})
    for value in refused:
        assert len(digest((value,), {"\ud800": value})) == 32


def test_nothing_depends_on_the_hash_seed() -> None:
    program = (
        "from esflow.payloads import digest, to_json\n"
        "from uuid import UUID\n"
        "words = {f'w{n}' for n in range(50)} | {(1, 'a'), UUID(int=7), None, 2, 0.5}\n"
        "print(to_json(words, 'x'), digest((words,), {w: w for w in words if type(w) is str}))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "17")
    }
    assert len(outputs) == 1


def test_the_face_of_the_room_is_complete() -> None:
    assert all(hasattr(payloads, name) for name in payloads.__all__)


def test_what_has_no_form_in_json_is_refused_before_anything_is_read() -> None:
    with pytest.raises(PayloadError, match=r"lead.*has no JSON form"):
        reader_of(socket.socket, "lead")
