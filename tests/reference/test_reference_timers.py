"""Timers and gathers, against histories that were worked out by hand."""

from __future__ import annotations

from typing import Literal

import attrs
import pytest

from tests.reference.histories import ONE, after, emit, message, program, slots_of, to
from tests.reference.interpreter import run
from tests.reference.outcome import Failure
from tests.reference.program import (
    Advance,
    Answer,
    Ask,
    Breakpoints,
    Constant,
    Continue,
    Defer,
    Emit,
    EmitAfter,
    Fail,
    FromPayload,
    Goto,
    Interrupt,
    JustUpdate,
    Log,
    Operation,
    Pause,
    Program,
    Script,
)


def later(delay_ms: int, **payload: int) -> EmitAfter:
    """Emit on ``out`` later."""
    return EmitAfter(delay_ms, "out", {key: Constant(value) for key, value in payload.items()})


def timed(*operations: Operation) -> Program:
    """Make a program that starts with these; ``b`` logs what comes on ``out``, ``c`` is idle."""
    return program(
        {"a": operations, "b": (Log("b", FromPayload("x")),), "c": (Interrupt(ONE),)},
        to("a", "b"),
        to("a.on", "c"),
    )


# Rules 11, 14, 20, 28.


def test_a_job_waits_for_its_timers() -> None:
    made = timed(later(1000, x=1))
    waiting = after(made, Advance(milliseconds=999))
    assert (waiting.status, waiting.timers) == ("waiting", {"1.1/t0": ("a.out", {"x": 1})})
    outcome = after(made, Advance(1))
    assert (outcome.status, outcome.log) == ("completed", (("2.1", "b: 1"),))
    assert (outcome.timers, outcome.fired, outcome.waves) == ({}, ("1.1/t0",), 2)


def test_all_that_are_due_join_one_wave_by_due_time_and_then_by_id() -> None:
    outcome = after(timed(later(900, x=1), later(500, x=2), later(900, x=3)), Advance(1))
    assert outcome.fired == ("1.1/t1", "1.1/t0", "1.1/t2")
    assert [line for _, line in outcome.log] == ["b: 2", "b: 1", "b: 3"]
    assert outcome.waves == 2


def test_a_timer_that_is_due_while_a_wave_is_open_joins_the_wave_after() -> None:
    made = timed(later(0, x=1), Emit("out", {"x": Constant(2)}))
    assert after(made).log == (("2.1", "b: 2"), ("3.1", "b: 1"))


def test_a_timer_on_an_output_that_leads_nowhere_is_an_output_of_the_job() -> None:
    made = program({"a": (EmitAfter(5, "on", {}), Defer("on", {}))})
    assert list(after(made).deferrals) == ["1.1/d0"]
    outcome = after(made, Advance(1))
    assert [name for name, _, _ in outcome.outputs] == ["1.1/d0", "1.1/t0"]
    assert (outcome.status, list(outcome.released)) == ("completed", ["1.1/d0"])


def test_deferrals_are_held_while_a_timer_is_left() -> None:
    outcome = after(timed(Defer("on", {}), later(5, x=1)), Advance(1))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "3.1": "c"}


def test_timers_that_are_due_while_paused_join_when_the_job_resumes() -> None:
    made = timed(later(5, x=1), Pause("why"))
    assert after(made, Advance(1)).fired == ()
    outcome = after(made, Advance(1), Continue())
    assert (outcome.status, outcome.fired, outcome.waves) == ("completed", ("1.1/t0",), 2)
    assert after(made, Continue()).status == "waiting"


def test_a_timer_that_is_due_is_something_to_run_beside_a_question() -> None:
    made = timed(later(5, x=1), Ask("?", "b.in"))
    early = after(made, Continue())
    assert (early.status, early.refusals) == ("paused", ("AnswerRequired",))
    late = after(made, Advance(1), Continue())
    assert (late.status, late.refusals, late.waves) == ("paused", (), 2)
    answered = after(made, Advance(1), Answer("1.1/q0", 1))
    assert slots_of(answered) == {"1.1": "a", "2.1": "b", "2.2": "b"}
    assert answered.log == (("2.1", "b: 1"), ("2.2", "b: null"))


def test_timers_stay_at_a_goto_and_join_the_wave_after() -> None:
    made = timed(later(5, x=1), Pause(""))
    outcome = after(made, Advance(1), Goto("b.in", {"x": 7}))
    assert outcome.log == (("2.1", "b: 7"), ("3.1", "b: 1"))


def test_timers_of_a_wave_that_is_open_are_not_yet_waited_for() -> None:
    made = timed(Emit("on", {}), Emit("out", {}), later(5000, x=1))
    made = attrs.evolve(made, connections=(to("a", "b"), to("a.on", "c")))
    paused = after(made, Advance(6))
    assert (paused.status, paused.fired) == ("paused", ())
    outcome = after(made, Advance(6), Answer("2.1/i0", 1))
    assert (outcome.fired, outcome.log[-1]) == (("1.1/t0",), ("3.1", "b: 1"))


def test_a_message_ends_the_waiting_and_what_comes_behind_it_joins_the_wave_after() -> None:
    made = timed(later(5, x=1))
    sent = tuple(attrs.evolve(message(1, "b", x=n), moment="waiting") for n in (2, 3))
    outcome = after(made, Advance(1), messages=sent)
    assert outcome.log == (("2.1", "b: 2"), ("3.1", "b: 3"), ("4.1", "b: 1"))


def test_a_job_that_waits_is_updated_at_once_and_refuses_to_be_resumed() -> None:
    made = timed(later(5000, x=1))
    outcome = after(made, Continue(), Goto("b.in"), JustUpdate({"k": 1}))
    assert (outcome.refusals, outcome.shared) == (("NotPaused",) * 2, {"k": 1})
    assert outcome.status == "waiting"


def test_a_breakpoint_holds_what_a_timer_activates() -> None:
    script = Script(commands=(Advance(1),), breakpoints=Breakpoints(before=("b.in",)))
    assert run(timed(later(5, x=1)), script).holds == (("breakpoint", "2.1"),)


# Rule 27.


def gathering(gather: int | Literal["all"], *operations: Operation) -> Program:
    """Make a program whose slot ``c`` gathers what comes from ``a.on``, ``a.out`` and ``b.out``."""
    made = program(
        {"a": operations, "b": (emit(x=Constant(9)),), "c": (Log("c", FromPayload("items")),)},
        to("a.on", "c"),
        to("a", "b"),
        to("b", "c"),
    )
    routines = tuple(
        attrs.evolve(it, slots=(attrs.evolve(it.slots[0], gather=gather),))
        if it.name == "c"
        else it
        for it in made.routines
    )
    return attrs.evolve(made, routines=routines)


def on(value: int) -> Emit:
    """Emit on ``on``."""
    return Emit("on", {"x": Constant(value)})


def test_a_gather_of_a_number_takes_them_in_the_order_of_their_activations() -> None:
    outcome = after(gathering(2, on(1), emit(), on(2)))
    assert outcome.activations["2.1"] == ("b.in", {}, "completed")
    items = [{"x": 1}, {"x": 2}]
    assert outcome.activations["2.2"] == ("c.in", {"items": items}, "completed")
    # The payload of ``b`` is alone in the next wave, and nothing else is left.
    assert outcome.failure == Failure("GatherIncomplete", None)
    assert outcome.gathers == {"c.in": ({"x": 9},)}


def test_a_gather_of_all_takes_one_from_each_connection_in_their_order() -> None:
    outcome = after(gathering("all", emit(), on(1)))
    assert outcome.activations["3.1"] == (
        "c.in",
        {"items": [{"x": 1}, {"x": 9}]},
        "completed",
    )
    assert (outcome.status, outcome.waves, outcome.gathers) == ("completed", 3, {})


def test_payloads_queue_for_each_connection() -> None:
    outcome = after(gathering("all", on(1), on(2), emit(), emit()))
    items = [
        payload["items"] for slot, payload, _ in outcome.activations.values() if slot == "c.in"
    ]
    assert items == [[{"x": 1}, {"x": 9}], [{"x": 2}, {"x": 9}]]


def test_messages_count_for_a_gather_of_a_number() -> None:
    outcome = after(gathering(2, on(1)), messages=(message(1, "c", x=5),))
    assert outcome.activations["2.1"][1] == {"items": [{"x": 1}, {"x": 5}]}
    assert (outcome.status, outcome.undelivered) == ("completed", ())


def test_an_input_that_completes_no_gather_is_delivered_and_opens_no_wave() -> None:
    made = gathering(2, Defer("on", {}))
    outcome = after(made, messages=(message(1, "c", x=5),))
    assert (outcome.status, outcome.undelivered) == ("completed", ())
    assert outcome.activations["2.1"][1] == {"items": [{"x": 5}, {}]}


def test_an_incomplete_gather_waits_with_the_job() -> None:
    made = gathering(2, on(1), Ask("?", "c.in"), later(1000))
    paused = after(made)
    assert (paused.status, paused.gathers) == ("paused", {"c.in": ({"x": 1},)})
    outcome = after(made, Answer("1.1/q0", 3))
    assert outcome.activations["2.1"][1] == {"items": [{"x": 1}, {"answer": 3}]}
    assert outcome.status == "waiting"


@pytest.mark.parametrize("gather", [2, "all"])
def test_a_goto_drops_incomplete_gathers(gather: int | Literal["all"]) -> None:
    made = gathering(gather, on(1), Pause(""))
    outcome = after(made, Goto("b.in"))
    assert outcome.dropped_gathers == ("c.in",)
    assert outcome.gathers == {"c.in": ({"x": 9},)}
    assert outcome.failure == Failure("GatherIncomplete", None)


def test_a_wave_that_is_not_merged_fills_no_gather() -> None:
    made = gathering(2, on(1), Fail(""))
    assert after(made).gathers == {}
