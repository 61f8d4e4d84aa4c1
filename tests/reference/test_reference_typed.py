"""Shared data that has a type, against histories that were worked out by hand."""

from __future__ import annotations

import attrs
import cattrs
import pytest
from cattrs.preconf.json import make_converter
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.histories import after, emit, program, to
from tests.reference.outcome import Failure
from tests.reference.plain import Json, Whole, fits, whole_at_start
from tests.reference.program import (
    Constant,
    FromShared,
    Goto,
    Interrupt,
    JustUpdate,
    Log,
    Operation,
    Pause,
    Program,
    Reducer,
    RetryJob,
    Update,
    Write,
)
from tests.reference.values import TYPED


def typed(reducers: dict[str, Reducer] | None = None, **slots: tuple[Operation, ...]) -> Program:
    """Make a program whose data has a type; a start leads to all other slots."""
    connections = [to("a", name) for name in slots if name != "a"]
    made = program(slots, *connections, reducers=reducers)
    return attrs.evolve(made, is_typed=True)


def put(key: str, value: Json, reducer: Reducer | None = None) -> Write:
    """Write a value."""
    return Write(key, Constant(value), reducer)


def started(**values: Json) -> dict[str, Json]:
    """Give the defaults with other values."""
    return whole_at_start() | values


# The type.


@given(st.sampled_from(sorted(TYPED)).flatmap(lambda key: st.tuples(st.just(key), TYPED[key])))
def test_what_fits_is_what_the_type_takes(example: tuple[str, Json]) -> None:
    key, value = example
    converter = make_converter()
    if not fits(key, value):
        with pytest.raises((cattrs.BaseValidationError, ValueError, TypeError)):
            converter.structure({key: value}, Whole)
        return
    plain = converter.unstructure(converter.structure({key: value}, Whole))
    assert plain == started(**{key: value})


def test_the_defaults_are_those_of_the_type() -> None:
    assert make_converter().unstructure(Whole()) == whole_at_start()


def test_there_are_no_other_keys() -> None:
    assert not fits("other", 1)
    assert set(whole_at_start()) == {field.name for field in attrs.fields(Whole)}


# Programs.


def test_defaults_are_there_from_the_start() -> None:
    outcome = after(typed(a=(Log("count", FromShared("count", 7)), put("count", 2, "add"))))
    assert outcome.log == (("1.1", "count: 0"),)
    assert outcome.shared == started(count=2)


def test_a_value_that_the_type_does_not_read_fails_its_handler() -> None:
    made = typed(a=(emit(), put("level", "high")), b=(put("names", ["x"]),), c=(put("level", 3),))
    outcome = after(made)
    assert outcome.failure == Failure("PayloadError", "2.2")
    assert outcome.shared == started(level="high")


def test_what_a_reducer_makes_fails_the_wave_and_nothing_of_it_is_merged() -> None:
    made = typed(
        a=(emit(), put("level", "high")), b=(put("count", 1),), c=(put("names", 3, "append"),)
    )
    outcome = after(made)
    assert outcome.failure == Failure("MergeError", "2.2")
    assert outcome.shared == started(level="high")
    mended = after(made, RetryJob(values={"names": ["x"]}))
    assert (mended.status, mended.shared) == (
        "completed",
        started(level="high", count=1, names=["x"]),
    )


def test_a_validator_looks_at_what_all_writes_of_the_wave_leave() -> None:
    slots = {"b": (put("count", 600),), "c": (put("count", 600),)}
    made = typed({"count": "add"}, a=(emit(),), **slots)
    assert after(made).failure == Failure("MergeError", "2.2")
    good = typed(None, a=(emit(),), b=(put("count", 2000),), c=(put("count", 5),))
    assert after(good).shared == started(count=5)


def test_the_first_write_behind_which_the_whole_does_not_fit_is_named() -> None:
    slots = {"b": (put("count", 1001),), "c": (put("count", 1002),), "d": (put("level", "high"),)}
    made = typed(None, a=(emit(),), **slots)
    assert after(made).failure == Failure("MergeError", "2.1")
    mended = after(made, RetryJob(values={"count": 5}))
    assert (mended.status, mended.shared) == ("completed", started(count=5, level="high"))


def test_a_write_that_does_not_apply_is_named_before_a_whole_that_does_not_fit() -> None:
    made = typed(a=(emit(),), b=(put("count", 1001),), c=(put("names", 5, "extend"),))
    assert after(made).failure == Failure("MergeError", "2.2")


def test_a_key_that_is_no_field_is_refused_at_once_and_as_an_update() -> None:
    made = typed(a=(put("other", 1), Log("other", FromShared("other"))))
    outcome = after(made, RetryJob(values={"other": 2}))
    assert outcome.failure == Failure("PayloadError", "1.1")
    assert (outcome.refusals, outcome.shared) == (("PayloadError",), whole_at_start())


def test_a_handler_sees_its_own_write_whether_the_whole_fits_or_not() -> None:
    made = typed(a=(put("count", 2000), Log("count", FromShared("count")), put("count", 2)))
    outcome = after(made)
    assert (outcome.log, outcome.shared) == ((("1.1", "count: 2000"),), started(count=2))


def test_an_update_that_does_not_fit_is_refused() -> None:
    made = typed({"count": "add"}, a=(put("count", 900), Pause("")))
    outcome = after(made, JustUpdate({"count": 101}), Update({"other": 1}), Update({"count": 100}))
    assert outcome.refusals == ("MergeError", "PayloadError")
    assert (outcome.status, outcome.shared) == ("completed", started(count=1000))


def test_an_update_in_an_open_wave_is_looked_at_behind_the_writes_to_its_own_keys() -> None:
    made = typed({"count": "add"}, a=(emit(),), b=(Interrupt(Constant(1)),), c=(put("count", 900),))
    outcome = after(made, JustUpdate({"count": 101}), JustUpdate({"level": "high"}), Goto("a.in"))
    assert outcome.refusals == ("MergeError",)
    assert outcome.shared["level"] == "high"


def test_a_goto_out_of_a_wave_that_does_not_fit_is_refused() -> None:
    made = typed(a=(emit(),), b=(Interrupt(Constant(1)),), c=(put("count", 3000),))
    outcome = after(made, Goto("a.in"))
    assert (outcome.refusals, outcome.status) == (("MergeError",), "paused")
