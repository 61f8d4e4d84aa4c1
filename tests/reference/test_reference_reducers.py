"""Custom reducers, against histories that were worked out by hand."""

from __future__ import annotations

from tests.reference.histories import ONE, after, emit, program, to
from tests.reference.outcome import Failure
from tests.reference.program import (
    Constant,
    Delete,
    FromShared,
    JustUpdate,
    Log,
    Pause,
    RetryJob,
    Write,
)

TEXT = Write("k", Constant("x"))


def test_the_first_write_is_stored_uncalled_and_the_next_ones_are_reduced() -> None:
    made = program({"a": (Write("k", ONE), Write("k", Constant("x")))}, reducers={"k": "counted"})
    assert after(made).shared == {"k": {"count": 1, "last": "x"}}
    fussy = program({"a": (TEXT, Write("k", ONE))}, reducers={"k": "fussy"})
    assert after(fussy).shared == {"k": [1, 3]}


def test_a_key_that_was_deleted_takes_the_value_uncalled() -> None:
    made = program({"a": (Write("k", ONE), Delete("k"), TEXT)}, reducers={"k": "fussy"})
    assert after(made).shared == {"k": "x"}


def test_writes_of_neighbours_are_reduced_in_the_order_of_activations() -> None:
    made = program(
        {"a": (emit(),), "b": (Write("k", ONE),), "c": (TEXT, Log("c", FromShared("k")))},
        to("a", "b"),
        to("a", "c"),
        reducers={"k": "counted"},
    )
    outcome = after(made)
    assert outcome.shared == {"k": {"count": 1, "last": "x"}}
    assert outcome.log == (("2.2", 'c: "x"'),)


def test_a_reducer_that_raises_is_a_merge_error_that_an_update_mends() -> None:
    made = program({"a": (Write("k", ONE), TEXT)}, reducers={"k": "fussy"})
    assert after(made).failure == Failure("MergeError", "1.1")
    assert after(made, RetryJob(values={"k": "y"})).shared == {"k": "y"}


def test_a_read_of_an_own_write_that_does_not_reduce_fails_the_handler() -> None:
    made = program(
        {"a": (Write("k", ONE), TEXT, Log("", FromShared("k")))}, reducers={"k": "fussy"}
    )
    failed = after(made)
    assert failed.activations["1.1"][2] == "failed"
    assert failed.failure == Failure("MergeError", "1.1")


def test_an_update_goes_through_the_reducer() -> None:
    made = program({"a": (Write("k", ONE), Pause(""))}, reducers={"k": "fussy"})
    outcome = after(made, JustUpdate({"k": "x"}), JustUpdate({"k": [2]}))
    assert (outcome.refusals, outcome.shared) == (("MergeError",), {"k": [[2], 1]})


def test_a_built_in_reducer_that_is_named_in_the_write_wins() -> None:
    made = program({"a": (Write("k", ONE), Write("k", ONE, "add"))}, reducers={"k": "fussy"})
    assert after(made).shared == {"k": 2}
