"""Children, against histories that were worked out by hand."""

from __future__ import annotations

from typing import Final, Literal

import attrs
import pytest

from tests.reference.histories import ONE, after, emit, message, program, slots_of, to
from tests.reference.interpreter import run
from tests.reference.outcome import Failure
from tests.reference.plain import child_ended, without_wording
from tests.reference.program import (
    Advance,
    Answer,
    Ask,
    Breakpoints,
    Cancel,
    Connection,
    Constant,
    Continue,
    Defer,
    Emit,
    EmitAfter,
    Expression,
    Fail,
    FailFirst,
    FailingEffect,
    FromPayload,
    Goto,
    Interrupt,
    Json,
    JustUpdate,
    Log,
    Message,
    Operation,
    Pause,
    Program,
    Retry,
    RetryJob,
    Script,
    StartChild,
    Update,
    Write,
)

CHILDREN: Final = {
    "ok": program({"k": (Log("k", FromPayload("x")), emit(x=FromPayload("x")))}),
    "bad": program({"k": (emit(), Fail("no"))}),
    "asks": program({"k": (Ask("?", "k.in"),)}),
    "endless": program({"k": (emit(),)}, to("k", "k"), limit=2),
    "two": program(
        {"k": (Emit("on", {"x": ONE}), emit(x=Constant(2))), "l": (emit(x=FromPayload("x")),)},
        to("k.on", "l"),
    ),
}


def start(name: str, then: str = "e.in", **payload: Expression) -> StartChild:
    """Start a child whose end goes to a slot."""
    return StartChild(name, "k.in", payload, then)


def parent(*operations: Operation, **slots: tuple[Operation, ...]) -> Program:
    """Make a start, and ``e``, which logs how a child ended; ``out`` leads to ``b`` if there is."""
    connections = (to("a", "b"),) if "b" in slots else ()
    made = program(
        {"a": operations, "e": (Log("e", FromPayload("status")),), **slots}, *connections
    )
    return attrs.evolve(made, children=CHILDREN)


# Starts and ends.


def test_the_end_of_a_child_arrives_as_a_payload() -> None:
    outcome = after(parent(start("ok", x=Constant(5))))
    payload = {
        "job_id": "job/1.1/c0",
        "status": "completed",
        "outputs": [{"output": "out", "payload": {"x": 5}, "activation": "1.1"}],
        "failure": None,
    }
    assert outcome.activations["2.1"] == ("e.in", payload, "completed")
    assert (outcome.status, outcome.children) == ("completed", {"1.1/c0": "completed"})
    assert (outcome.log, outcome.waves) == ((("2.1", 'e: "completed"'),), 2)


@pytest.mark.parametrize(
    ("name", "failure"), [("bad", "RuntimeError"), ("endless", "ActivationLimit")]
)
def test_a_child_that_fails_tells_its_parent_so(name: str, failure: str) -> None:
    outcome = after(parent(start(name)))
    payload = outcome.activations["2.1"][1]
    assert (payload["status"], payload["failure"]) == ("failed", {"type": failure})
    assert payload["outputs"] == []
    assert (outcome.status, outcome.children) == ("completed", {"1.1/c0": "failed"})


def test_outputs_of_a_child_are_in_the_order_of_their_ids() -> None:
    payload = after(parent(start("two"))).activations["2.1"][1]
    assert payload["outputs"] == [
        {"output": "out", "payload": {"x": 2}, "activation": "1.1"},
        {"output": "out", "payload": {"x": 1}, "activation": "2.1"},
    ]


def test_of_a_failure_only_the_type_counts() -> None:
    known = child_ended("1.1/c0", "failed", [], "RuntimeError")
    more: dict[str, Json] = {"type": "RuntimeError", "message": "no", "activation": "1.1"}
    told: Json = {**known, "failure": more}
    assert without_wording([told]) == [{**known}]
    assert without_wording({"failure": more}) == {"failure": more}


def test_a_child_that_asks_leaves_its_parent_waiting() -> None:
    outcome = after(parent(start("asks")), Advance(60))
    assert (outcome.status, outcome.children) == ("waiting", {"1.1/c0": "paused"})
    refused = after(parent(start("asks")), Continue(), Goto("e.in"))
    assert refused.refusals == ("NotPaused", "NotPaused")


def test_what_can_not_be_done_at_all_is_refused_for_that_while_its_job_waits() -> None:
    made = attrs.evolve(parent(start("asks")), reducers={"k": "add"})
    refused = after(made, Update({"k": "x"}), Update({"k": 1}), Goto("no.where"))
    assert refused.refusals == ("MergeError", "NotPaused", "SlotNotFound")
    assert refused.shared == {}


def test_a_handler_that_does_not_complete_starts_none() -> None:
    failed = after(parent(start("ok"), Fail("")))
    assert (failed.status, failed.children) == ("failed", {})
    aside = parent(start("ok"), Interrupt(ONE))
    assert after(aside).children == {}
    dropped = after(aside, Goto("e.in"))
    assert (dropped.children, dropped.log) == ({}, (("2.1", "e: null"),))
    answered = after(aside, Answer("1.1/i0", 1))
    assert (answered.children, answered.status) == ({"1.1/c0": "completed"}, "completed")


def test_a_handler_that_is_tried_again_starts_its_child_once() -> None:
    made = parent(start("ok"), FailFirst(1, ""))
    slot = attrs.evolve(made.routines[0].slots[0], retry=Retry(attempts=2))
    first = attrs.evolve(made.routines[0], slots=(slot,))
    outcome = after(attrs.evolve(made, routines=(first, *made.routines[1:])))
    assert (outcome.children, outcome.waves) == ({"1.1/c0": "completed"}, 2)


def test_a_wave_that_is_not_merged_has_started_its_children() -> None:
    made = parent(start("ok"), Write("k", Constant("x"), "set"), Write("k", ONE, "add"))
    failed = after(made)
    assert (failed.status, failed.children) == ("failed", {"1.1/c0": "pending"})
    mended = after(made, RetryJob(values={"k": 1}))
    assert (mended.status, mended.children) == ("completed", {"1.1/c0": "completed"})


# When they are driven, and when their ends arrive.


def test_children_are_driven_when_their_parent_has_nothing_else_to_do() -> None:
    outcome = after(parent(start("ok"), emit(), b=(Log("b", ONE),)))
    assert outcome.log == (("2.1", "b: 1"), ("3.1", 'e: "completed"'))


def test_the_first_end_opens_a_wave_and_the_others_join_the_one_behind() -> None:
    outcome = after(parent(start("ok"), start("asks"), start("bad"), start("two")))
    assert (outcome.status, outcome.waves) == ("waiting", 3)
    assert [
        payload["job_id"] for slot, payload, _ in outcome.activations.values() if slot == "e.in"
    ] == ["job/1.1/c0", "job/1.1/c2", "job/1.1/c3"]
    assert slots_of(outcome) == {"1.1": "a", "2.1": "e", "3.1": "e", "3.2": "e"}
    assert list(outcome.children.values()) == ["completed", "paused", "failed", "completed"]


def test_children_of_a_paused_job_are_not_driven() -> None:
    paused = after(parent(start("ok"), Ask("?", "e.in"), Defer("out", {})))
    assert (paused.status, paused.children) == ("paused", {"1.1/c0": "pending"})
    refused = after(parent(start("ok"), Ask("?", "e.in")), Continue())
    assert refused.refusals == ("AnswerRequired",)
    answered = after(parent(start("ok"), Ask("?", "e.in")), Answer("1.1/q0", 1))
    assert answered.log == (("2.1", "e: null"), ("3.1", 'e: "completed"'))


def test_children_are_driven_while_the_open_wave_waits_for_a_retry() -> None:
    made = parent(emit(), start("ok"), b=(FailFirst(1, ""),))
    slot = attrs.evolve(made.routines[2].slots[0], retry=Retry(attempts=2, delay_ms=10))
    last = attrs.evolve(made.routines[2], slots=(slot,))
    made = attrs.evolve(made, routines=(*made.routines[:2], last))
    waiting = after(made)
    assert (waiting.status, waiting.waves) == ("waiting", 2)
    assert (waiting.children, waiting.log) == ({"1.1/c0": "completed"}, ())
    assert after(made, Advance(1)).log == (("3.1", 'e: "completed"'),)


def test_an_open_child_holds_deferrals_back() -> None:
    made = parent(start("ok"), Defer("out", {}), b=(Log("b", ONE),))
    assert after(made).log == (("2.1", 'e: "completed"'), ("3.1", "b: 1"))
    held = after(parent(start("asks"), Defer("out", {}), b=()))
    assert (held.status, list(held.deferrals)) == ("waiting", ["1.1/d0"])
    released = after(parent(start("asks"), Defer("out", {}), Pause(""), b=()), Continue())
    assert (released.status, list(released.released)) == ("waiting", ["1.1/d0"])


def test_timers_that_are_due_come_before_children() -> None:
    made = parent(EmitAfter(5000, "out", {}), emit(), b=(Interrupt(ONE), start("ok")))
    outcome = after(made, Advance(60), Answer("2.1/i0", 1))
    assert (outcome.children, outcome.fired) == ({"2.1/c0": "pending"}, ("1.1/t0",))
    assert list(outcome.interrupts) == ["3.1/i0"]


def test_a_breakpoint_holds_what_the_end_of_a_child_activates() -> None:
    script = Script(breakpoints=Breakpoints(before=("e.in",)))
    outcome = run(parent(start("ok"), start("bad")), script)
    assert outcome.holds == (("breakpoint", "2.1"),)
    assert outcome.children == {"1.1/c0": "completed", "1.1/c1": "failed"}


def test_messages_and_updates_reach_a_job_that_waits_for_a_child() -> None:
    sent = Message(wave=1, moment="waiting", slot="b.in", payload={"x": 7})
    made = parent(start("asks"), b=(Log("b", FromPayload("x")),))
    outcome = after(made, JustUpdate({"k": 1}), messages=(sent,))
    assert (outcome.status, outcome.waves, outcome.log) == ("waiting", 2, (("2.1", "b: 7"),))
    assert outcome.shared == {"k": 1}


# Joins.


def gathering(gather: int, *operations: Operation) -> Program:
    """Have ``e`` gather so many."""
    made = parent(*operations)
    slot = attrs.evolve(made.routines[1].slots[0], gather=gather)
    second = attrs.evolve(made.routines[1], slots=(slot,))
    return attrs.evolve(
        made,
        routines=(made.routines[0], second, *made.routines[2:]),
        connections=(Connection("a.on", "e.in"),),
    )


def test_ends_of_children_count_for_a_gather_of_a_number() -> None:
    made = gathering(3, start("ok"), Emit("on", {"x": ONE}), start("bad"))
    outcome = after(made)
    items = outcome.activations["2.1"][1]["items"]
    assert isinstance(items, list)
    assert items[0] == {"x": 1}
    assert [it.get("job_id") for it in items[1:] if isinstance(it, dict)] == [
        *("job/1.1/c0", "job/1.1/c1")
    ]
    assert (outcome.status, outcome.waves) == ("completed", 2)


def test_an_incomplete_gather_waits_for_children_and_then_fails() -> None:
    waiting = after(gathering(2, start("ok"), start("asks")))
    assert (waiting.status, waiting.waves, list(waiting.gathers)) == ("waiting", 1, ["e.in"])
    assert after(gathering(2, start("ok"))).failure == Failure("GatherIncomplete", None)


# Ends of the parent.


def test_a_goto_leaves_children() -> None:
    made = parent(start("ok"), Pause(""), b=(Log("b", ONE),))
    outcome = after(made, Goto("b.in"))
    assert (outcome.dropped, outcome.children) == ((), {"1.1/c0": "completed"})
    assert outcome.log == (("2.1", "b: 1"), ("3.1", 'e: "completed"'))


@pytest.mark.parametrize("moment", ["open", "waiting"])
def test_children_that_are_open_are_cancelled_with_their_parent(
    moment: Literal["open", "waiting"],
) -> None:
    made = parent(start("asks"), start("ok"), emit(), b=())
    outcome = run(made, Script(cancel=Cancel(2 if moment == "open" else 3, moment)))
    second = "cancelled" if moment == "open" else "completed"
    assert outcome.status == "cancelled"
    assert outcome.children == {"1.1/c0": "cancelled", "1.1/c1": second}


def test_children_of_a_failed_parent_stay_as_they_are() -> None:
    made = parent(start("asks"), start("ok"), emit(), b=(Fail(""),))
    outcome = after(made)
    assert (outcome.status, outcome.children) == (
        "failed",
        {"1.1/c0": "pending", "1.1/c1": "pending"},
    )
    late = parent(start("ok", "b.in"), start("asks"), b=(FailingEffect("f", "", caught=False),))
    assert after(late).children == {"1.1/c0": "completed", "1.1/c1": "paused"}


def test_an_end_that_meets_the_limit_of_its_parent_is_not_delivered() -> None:
    made = attrs.evolve(parent(start("ok"), start("bad")), max_activations=1)
    outcome = after(made)
    assert outcome.failure == Failure("ActivationLimit", None)
    assert (outcome.waves, outcome.ready, outcome.undelivered) == (1, (), ())
    assert outcome.children == {"1.1/c0": "completed", "1.1/c1": "failed"}


def test_the_message_that_a_wave_waits_with_comes_before_the_end_of_a_child() -> None:
    outcome = after(parent(start("ok"), b=(Log("b", ONE),)), messages=(message(1, "b"),))
    assert outcome.log == (("2.1", "b: 1"), ("3.1", 'e: "completed"'))
