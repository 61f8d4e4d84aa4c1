"""How a write meets the value that is there."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow.events import Json
from esflow.reducers import (
    ABSENT,
    BUILT_IN,
    DELETE,
    DoesNotApply,
    max_integer,
    outline,
    owned,
    reduce,
)
from tests.reference.generator import VALUES

CURRENT = st.one_of(st.just(ABSENT), VALUES)
ANY_REDUCER = st.sampled_from([*BUILT_IN, DELETE])


@pytest.mark.parametrize(
    ("reducer", "current", "value", "result"),
    [
        ("set", ABSENT, [1], [1]),
        ("set", {"a": 1}, None, None),
        ("append", ABSENT, None, [None]),
        ("append", [1], [2], [1, [2]]),
        ("extend", ABSENT, [1], [1]),
        ("extend", [1], [], [1]),
        ("extend", [1], [[2], 3], [1, [2], 3]),
        ("merge", ABSENT, {"a": 1}, {"a": 1}),
        ("merge", {"a": {"x": 1}, "b": 1}, {"a": {"y": 1}}, {"a": {"y": 1}, "b": 1}),
        ("add", ABSENT, 2, 2),
        ("add", 1, 0.5, 1.5),
        ("add", max_integer, -1, max_integer - 1),
        ("add", -max_integer, -1, -max_integer - 1),
        ("max", ABSENT, [1], [1]),
        ("max", 1, 2.5, 2.5),
        ("max", "b", "a", "b"),
        ("min", ABSENT, None, None),
        ("min", 1, -1, -1),
        ("min", "b", "a", "a"),
        ("unique", ABSENT, 1, [1]),
        ("unique", [1], 1, [1]),
        ("unique", [1], True, [1, True]),
        ("unique", [[1]], [1], [[1]]),
    ],
)
def test_a_write_that_fits(reducer: str, current: Json, value: Json, result: Json) -> None:
    found = reduce(reducer, current, value)
    assert repr(found) == repr(result)


def test_a_deletion_leaves_nothing() -> None:
    assert reduce(DELETE, [1], None) is ABSENT
    assert reduce(DELETE, ABSENT, None) is ABSENT


@pytest.mark.parametrize(
    ("reducer", "current", "value", "problem"),
    [
        ("append", "text", 1, "needs a list, found str"),
        ("extend", {}, [1], "needs a list, found dict"),
        ("extend", [], "text", "extends by a list, not by str"),
        ("extend", ABSENT, None, "extends by a list, not by null"),
        ("unique", 1, 1, "needs a list, found int"),
        ("merge", [], {}, "needs two mappings, found list"),
        ("merge", {}, None, "needs two mappings, found null"),
        ("merge", ABSENT, 1, "needs two mappings, found int"),
        ("add", "1", 1, "adds numbers, found str"),
        ("add", 1, True, "adds numbers, found bool"),
        ("add", ABSENT, None, "adds numbers, found null"),
        ("add", 1e308, 1e308, "would pass the largest float"),
        ("add", max_integer, 1, "would pass 64 bits"),
        ("add", -max_integer, -2, "would pass 64 bits"),
        ("max", 1, "a", "can't compare int with str"),
        ("max", "a", 1, "can't compare str with int"),
        ("min", [1], [2], "can't compare list with list"),
        ("min", 1, True, "can't compare int with bool"),
    ],
)
def test_a_write_that_does_not_fit_says_why(
    reducer: str, current: Json, value: Json, problem: str
) -> None:
    with pytest.raises(DoesNotApply) as refused:
        reduce(reducer, current, value)
    assert str(refused.value) == problem


@given(ANY_REDUCER, CURRENT, VALUES)
def test_a_refused_write_changes_nothing_and_no_write_changes_its_value(
    reducer: str, current: Json, value: Json
) -> None:
    held, written = repr(current), copy.deepcopy(value)
    try:
        reduce(reducer, current, value)
    except DoesNotApply:
        assert repr(current) == held
    assert repr(value) == repr(written)


@given(ANY_REDUCER, CURRENT, VALUES)
def test_an_outline_tells_whether_a_write_applies_and_why_it_does_not(
    reducer: str, current: Json, value: Json
) -> None:
    def tried(current: Json, value: Json) -> str:
        try:
            return repr(outline(reduce(reducer, current, value)))
        except DoesNotApply as finding:
            return str(finding)

    assert tried(outline(current), outline(value)) == tried(owned(current), value)


@given(VALUES)
def test_an_owned_value_shares_no_outermost_container(value: Json) -> None:
    mine = owned(value)
    assert repr(mine) == repr(value)
    assert mine is not value or not isinstance(value, list | dict)


@given(VALUES)
def test_what_a_set_leaves_is_owned(value: Json) -> None:
    for reducer in ("set", "max", "min"):
        found = reduce(reducer, ABSENT, value)
        assert found is not value or not isinstance(value, list | dict)
