"""Ids are ordinals: they say what made them, and sort by number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esflow.ids import (
    Order,
    activation_id,
    activation_of,
    branch_id,
    item_id,
    message_id,
    order,
)

ORDINALS = st.integers(1, 10**6)
BRANCHES = st.sampled_from(["", "", "left", "e0", "a-b_1"])
ITEMS = st.tuples(ORDINALS, ORDINALS, st.sampled_from("deiqot"), BRANCHES, st.integers(0, 10**6))


def made(item: Order) -> str:
    """Return the id that parts make."""
    wave, index, kind, branch, number = item
    within = activation_id(wave, index)
    return item_id(branch_id(within, branch) if branch else within, kind, number)


def test_ids_look_as_documented() -> None:
    assert activation_id(3, 12) == "3.12"
    assert item_id("3.12", "o", 0) == "3.12/o0"
    assert item_id(branch_id("3.12", "left"), "e", 4) == "3.12/left/e4"
    assert message_id(7) == "m7"


def test_a_thing_names_the_activation_that_made_it() -> None:
    assert activation_of("3.12/q1") == "3.12"
    assert activation_of("3.12/left/e4") == "3.12"
    assert activation_of("3.12") == "3.12"
    assert activation_of("") == ""


@given(ITEMS)
def test_the_order_of_an_id_is_what_it_was_made_from(item: Order) -> None:
    assert order(made(item)) == item


@given(ORDINALS, ORDINALS)
def test_an_activation_sorts_before_what_it_made(wave: int, index: int) -> None:
    name = activation_id(wave, index)
    assert order(name) == (wave, index, "", "", 0)
    assert order(name) < order(item_id(name, "d", 0))


@given(st.lists(ITEMS))
def test_ids_sort_by_number(items: list[Order]) -> None:
    assert sorted(map(made, items), key=order) == list(map(made, sorted(items)))


def test_messages_sort_by_number_behind_what_the_job_made() -> None:
    ids = ["m10", "12.1", "m2", "1.1/e0"]
    assert sorted(ids, key=order) == ["1.1/e0", "12.1", "m2", "m10"]
