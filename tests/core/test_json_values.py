"""Laws of copying and comparing plain JSON."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from esflow.json_values import Misfit, copy_json, same_json, step_to, type_of
from esflow.wires import to_sorted_bytes
from tests.core.values import json_values, scalars


def containers_in(value: Any) -> list[int]:
    if type_of(value) is dict:
        return [id(value), *(found for item in value.values() for found in containers_in(item))]
    if type_of(value) is list:
        return [id(value), *(found for item in value for found in containers_in(item))]
    return []


@given(json_values)
def test_a_copy_is_the_same_and_shares_no_container(value: Any) -> None:
    copied = copy_json(value)
    assert same_json(copied, value)
    assert not set(containers_in(copied)) & set(containers_in(value))


@given(json_values, json_values)
def test_values_are_the_same_when_their_sorted_bytes_are(a: Any, b: Any) -> None:
    assert same_json(a, b) is (to_sorted_bytes(a) == to_sorted_bytes(b))


@given(scalars, scalars)
def test_near_values_are_told_apart_wherever_they_stand(a: Any, b: Any) -> None:
    same = to_sorted_bytes(a) == to_sorted_bytes(b)
    assert same_json(a, b) is same_json([a], [b]) is same_json({"k": a}, {"k": b}) is same


def test_types_and_signs_count_and_the_order_of_keys_does_not() -> None:
    pairs: list[tuple[Any, Any]] = [
        (True, 1),
        (1, 1.0),
        (0.0, -0.0),
        (None, False),
        ("1", 1),
        ([], {}),
    ]
    for a, b in pairs:
        assert not same_json(a, b)
        assert not same_json([{"k": a}], [{"k": b}])
    assert not same_json([1], [1, 2])
    assert not same_json({"a": 1}, {"a": 1, "b": 2})
    assert not same_json({"a": 1}, {"b": 1})
    assert same_json({"a": 1, "b": [0.5]}, {"b": [0.5], "a": 1})


def test_a_misfit_gathers_its_path_from_the_inside_out() -> None:
    refusal = Misfit("is odd").within(step_to("price")).within("[3]").within(step_to("a b"))
    assert str(refusal.refusal("task")) == "task['a b'][3].price: is odd"
