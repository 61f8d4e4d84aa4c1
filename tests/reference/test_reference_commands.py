"""Updates, leads and cancellations, against histories that were worked out by hand."""

from __future__ import annotations

import pytest

from tests.reference.histories import ONE, after, emit, message, program, slots_of, to
from tests.reference.interpreter import obeyed, run
from tests.reference.outcome import Failure, Outcome
from tests.reference.program import (
    Answer,
    Ask,
    Branch,
    Cancel,
    Command,
    Constant,
    Continue,
    Defer,
    Effect,
    Emit,
    Fail,
    FromPayload,
    FromShared,
    Goto,
    JustUpdate,
    Log,
    Message,
    Operation,
    Pause,
    Program,
    Remember,
    Script,
    Update,
    Write,
)


def cancelled(
    made: Program, cancel: Cancel, *commands: Command, messages: tuple[Message, ...] = ()
) -> Outcome:
    """Run a program that is cancelled."""
    return run(made, Script(messages=messages, commands=commands, cancel=cancel))


# Rule 19: updates.


def test_an_update_between_waves_applies_at_once_and_the_kept_wave_sees_it() -> None:
    made = program({"a": (emit(), Pause("")), "b": (Log("", FromShared("k")),)}, to("a", "b"))
    outcome = after(made, Update({"k": 1}))
    assert (outcome.status, outcome.shared) == ("completed", {"k": 1})
    assert outcome.log == (("2.1", ": 1"),)
    assert outcome.standing == ()


def test_an_update_goes_through_the_declared_reducers_or_sets() -> None:
    made = program(
        {"a": (Write("n", ONE), Write("l", ONE), Write("k", ONE), Pause(""))},
        reducers={"n": "add", "l": "append", "m": "max"},
    )
    outcome = after(made, Update({"n": 2, "l": [2], "k": "x", "m": "any", "new": None}))
    assert outcome.shared == {"n": 3, "l": [1, [2]], "k": "x", "m": "any", "new": None}


@pytest.mark.parametrize("make", [Update, JustUpdate])
def test_an_update_that_does_not_apply_is_refused_as_a_whole(
    make: type[Update | JustUpdate],
) -> None:
    made = program(
        {"a": (Write("n", Constant("x"), "set"), Pause(""), emit()), "b": ()},
        to("a", "b"),
        reducers={"n": "add"},
    )
    paused = after(made)
    outcome = after(made, make({"k": 1, "n": 1}))
    assert (outcome.refusals, outcome.status) == (("MergeError",), "paused")
    assert (outcome.shared, outcome.standing, outcome.ready) == (
        paused.shared,
        paused.standing,
        ("2.1",),
    )


def test_an_update_does_what_continue_does() -> None:
    made = program(
        {"a": (Defer("on", {}), emit(), Ask("?", "c.in")), "b": (), "c": (), "d": ()},
        to("a", "b"),
        to("a.on", "d"),
    )
    outcome = after(made, Update({"k": 1}))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b"}
    assert (outcome.status, list(outcome.deferrals)) == ("paused", ["1.1/d0"])
    released = after(program({"a": (Defer("out", {}), Pause(""))}), Update({"k": 1}))
    assert (released.status, list(released.released)) == ("completed", ["1.1/d0"])


def test_an_update_is_refused_as_a_whole_where_a_continue_would_be() -> None:
    made = program({"a": (Ask("?", "b.in"),), "b": (Log("", FromShared("k")),)})
    outcome = after(made, Update({"k": 1}), Answer("1.1/q0", 0))
    assert outcome.refusals == ("AnswerRequired",)
    assert (outcome.shared, outcome.log) == ({}, (("2.1", ": null"),))


def test_a_write_that_does_not_apply_is_named_before_a_required_answer() -> None:
    made = program({"a": (Ask("?", "a.in"),)}, reducers={"k": "extend"})
    outcome = after(made, Update({"k": 1}), Update({"k": [1]}))
    assert outcome.refusals == ("MergeError", "AnswerRequired")


def test_an_update_that_leads_into_the_limit_stands() -> None:
    made = program({"a": (emit(), Pause(""))}, to("a", "a"), limit=1)
    outcome = after(made, Update({"k": 1}))
    assert (outcome.failure, outcome.shared) == (Failure("ActivationLimit", None), {"k": 1})


def test_an_update_alone_leaves_the_job_paused_and_lifts_nothing() -> None:
    made = program(
        {"a": (Write("k", ONE), emit(), Pause("")), "b": (Log("", FromShared("k")),)},
        to("a", "b"),
        reducers={"k": "add"},
    )
    paused = after(made, JustUpdate({"k": 1}))
    assert (paused.status, paused.standing) == ("paused", (("1.1", ""),))
    assert (paused.shared, paused.ready, paused.waves) == ({"k": 2}, ("2.1",), 1)
    outcome = after(made, JustUpdate({"k": 1}), JustUpdate({"k": 0.5}), Continue())
    assert (outcome.status, outcome.log) == ("completed", (("2.1", ": 2.5"),))


def test_an_update_alone_is_nothing_that_a_continue_could_run() -> None:
    made = program({"a": (Ask("?", "b.in"),), "b": ()})
    outcome = after(made, JustUpdate({"k": 1}), Continue(), Answer("1.1/q0", 0))
    assert (outcome.refusals, outcome.status) == (("AnswerRequired",), "completed")
    assert outcome.shared == {"k": 1}


def test_messages_of_a_pause_are_sent_once_whatever_updates_it_sees() -> None:
    made = program({"a": (Pause(""),)})
    paused = Message(wave=1, moment="paused", slot="a.in")
    outcome = after(made, JustUpdate({"k": 1}), JustUpdate({"k": 2}), messages=(paused,))
    assert (list(outcome.messages), outcome.undelivered) == (["m1"], ("m1",))


# Rule 20: leads.

FIRST = FromPayload("answer", "first")


def first(*operations: Operation) -> tuple[Operation, ...]:
    """Do this only in an activation whose payload has no answer."""
    return (Branch(FIRST, "first", operations),)


def test_goto_drops_what_is_in_flight_and_runs_exactly_one_activation() -> None:
    made = program(
        {
            "a": first(Defer("on", {}), emit(), emit(), Ask("?", "b.in"), Pause("")),
            "b": (Log("", FromPayload("x")),),
        },
        to("a", "b"),
        to("a.on", "b"),
    )
    outcome = after(made, Goto("b.in", {"x": 7}))
    assert outcome.dropped == ("1.1/d0", "1.1/q0", "2.1", "2.2")
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b"}
    assert outcome.log == (("2.1", ": 7"),)
    assert (outcome.status, outcome.standing, outcome.ready) == ("completed", (), ())
    assert (outcome.deferrals, outcome.released, outcome.questions) == ({}, {}, {})
    assert (outcome.activations_count, outcome.waves) == (2, 2)


def test_goto_keeps_what_the_closed_waves_did() -> None:
    made = program(
        {
            "a": (Write("k", ONE), Remember("m", ONE), Log("", ONE), Emit("on", {}), Pause("")),
            "b": (),
        },
    )
    outcome = after(made, Goto("b.in"))
    assert (outcome.shared, outcome.memory) == ({"k": 1}, {"a": {"m": 1}})
    assert (len(outcome.log), len(outcome.outputs)) == (1, 1)
    assert (outcome.pauses, outcome.dropped) == ((("1.1", ""),), ())


def test_messages_wait_for_the_wave_after_that_of_a_goto() -> None:
    made = program({"a": (Pause(""),), "b": (emit(),), "c": (), "d": ()}, to("b", "d"))
    paused = Message(wave=1, moment="paused", slot="c.in")
    outcome = after(made, Goto("b.in"), messages=(paused, message(1, "c"), message(2, "c")))
    assert slots_of(outcome) == {
        "1.1": "a",
        "2.1": "b",
        "3.1": "d",
        "3.2": "c",
        "3.3": "c",
        "3.4": "c",
    }


def test_a_message_past_a_goto_may_have_to_wait_for_another_resume() -> None:
    made = program({"a": (Pause(""),), "b": ()})
    outcome = after(made, Goto("a.in"), messages=(message(1, "b"),))
    assert (outcome.status, outcome.undelivered) == ("paused", ("m1",))
    ended = after(made, Goto("a.in"), Continue(), messages=(message(1, "b"),))
    assert slots_of(ended) == {"1.1": "a", "2.1": "a", "3.1": "b"}


def test_a_dropped_question_is_found_no_more_and_an_answered_one_stays_answered() -> None:
    made = program({"a": (Ask("?", "b.in"), Ask("?", "b.in")), "b": (Pause(""),)})
    answers = (Answer("1.1/q1", 1), Answer("1.1/q0", 1))
    outcome = after(made, Answer("1.1/q0", 0), Goto("b.in"), *answers)
    assert outcome.refusals == ("InterruptNotFound", "AnswerRefused")
    assert (outcome.dropped, outcome.answers) == (("1.1/q1",), {"1.1/q0": 0})


def test_after_a_goto_no_dropped_question_holds_the_job() -> None:
    made = program({"a": (Ask("?", "b.in"),), "b": (Pause(""),)})
    outcome = after(made, Goto("b.in"), Continue())
    assert (outcome.status, outcome.refusals) == ("completed", ())


def test_dropped_things_are_ordered_by_id_over_several_gotos() -> None:
    asking = (Defer("on", {}), Pause(""), Ask("?", "a.in"), emit())
    made = program({"a": asking, "b": ()}, to("a", "b"))
    outcome = after(made, Goto("a.in"), Goto("b.in"))
    assert outcome.dropped == ("1.1/d0", "1.1/q0", "2.1", "2.1/d0", "2.1/q0", "3.1")
    assert slots_of(outcome) == {"1.1": "a", "2.1": "a", "3.1": "b"}


def test_a_goto_past_the_limit_fails_and_its_drop_stands() -> None:
    made = program({"a": (emit(), Defer("on", {}), Ask("?", "a.in"))}, to("a", "a"), limit=1)
    outcome = after(made, Goto("a.in"), messages=(message(1, "a"),))
    assert outcome.failure == Failure("ActivationLimit", None)
    assert outcome.dropped == ("1.1/d0", "1.1/q0", "2.1")
    assert (outcome.ready, outcome.standing, outcome.undelivered) == ((), (), ("m1",))
    assert list(outcome.activations) == ["1.1"]


def test_a_goto_to_a_slot_that_is_not_there_is_refused_and_drops_nothing() -> None:
    made = program({"a": (emit(), Pause(""))}, to("a", "a"))
    outcome = after(made, Goto("a.out"), Goto("nowhere.in"))
    assert outcome.refusals == ("SlotNotFound", "SlotNotFound")
    assert (outcome.dropped, outcome.ready) == ((), ("2.1",))


def test_a_goto_reaches_the_limit_that_kept_work_would_have_passed() -> None:
    made = program({"a": first(emit(), emit(), Pause("")), "b": ()}, to("a", "b"), limit=2)
    assert after(made, Continue()).status == "failed"
    assert after(made, Goto("b.in")).status == "completed"


# Cancelling.


def test_a_job_cancelled_in_an_open_wave_did_nothing_in_it() -> None:
    made = program(
        {
            "a": (Write("k", ONE), emit(), emit()),
            "b": (Effect("f", 1), Write("k", Constant(2)), Log("", ONE), Fail("")),
        },
        to("a", "b"),
    )
    outcome = cancelled(made, Cancel(2), messages=(message(1, "b"), message(2, "a")))
    assert (outcome.status, outcome.failure) == ("cancelled", None)
    assert [result for _, _, result in outcome.activations.values()] == [
        "completed",
        "ready",
        "ready",
        "ready",
    ]
    assert outcome.ready == ("2.1", "2.2", "2.3")
    assert (outcome.effects, outcome.shared, outcome.log) == ({}, {"k": 1}, ())
    assert (outcome.activations_count, outcome.waves) == (4, 2)
    assert (list(outcome.messages), outcome.undelivered) == (["m1", "m2"], ("m2",))


def test_a_job_cancelled_at_a_pause_still_shows_everything_that_waits() -> None:
    made = program(
        {"a": (Defer("on", {}), emit(), Ask("?", "b.in"), Pause("why")), "b": ()}, to("a", "b")
    )
    paused = Message(wave=1, moment="paused", slot="b.in")
    outcome = cancelled(
        made, Cancel(1, "paused"), Answer("1.1/q0", 1), messages=(paused, message(1, "b"))
    )
    assert (outcome.status, outcome.undelivered) == ("cancelled", ("m1", "m2"))
    assert (list(outcome.deferrals), list(outcome.questions)) == (["1.1/d0"], ["1.1/q0"])
    assert (outcome.ready, outcome.standing) == (("2.1",), (("1.1", "why"),))
    assert (outcome.answers, outcome.refusals, outcome.activations_count) == ({}, (), 1)


def test_an_open_question_is_listed_by_a_job_cancelled_in_a_later_wave() -> None:
    made = program({"a": (Ask("?", "b.in"), Ask("?", "b.in")), "b": ()})
    outcome = cancelled(made, Cancel(2), Answer("1.1/q0", 1))
    assert (list(outcome.questions), outcome.answers) == (["1.1/q1"], {"1.1/q0": 1})
    assert outcome.ready == ("2.1",)


def test_a_job_is_cancelled_at_its_very_start() -> None:
    outcome = cancelled(program({"a": (Effect("f", 1),)}), Cancel(1))
    assert outcome.activations == {"1.1": ("a.in", {}, "ready")}
    assert (outcome.status, outcome.effects) == ("cancelled", {})


def test_a_cancellation_comes_at_the_first_pause_after_its_wave_without_a_command() -> None:
    made = program({"a": (Pause(""),)})
    assert cancelled(made, Cancel(1, "paused")).status == "cancelled"
    outcome = cancelled(made, Cancel(1, "paused"), JustUpdate({"k": 1}))
    assert (outcome.status, outcome.shared) == ("cancelled", {})


def test_a_cancellation_whose_moment_never_comes_does_not_happen() -> None:
    made = program({"a": (emit(),), "b": (Pause(""),)}, to("a", "b"))
    for cancel in (Cancel(1, "paused"), Cancel(3), Cancel(3, "paused")):
        assert cancelled(made, cancel, Continue()).status == "completed"


def test_a_job_led_elsewhere_is_cancelled_with_what_it_dropped() -> None:
    made = program({"a": (emit(), Pause("")), "b": ()}, to("a", "b"))
    outcome = cancelled(made, Cancel(2), Goto("a.in"))
    assert (outcome.dropped, outcome.ready) == (("2.1",), ("2.1",))
    assert outcome.activations["2.1"] == ("a.in", {}, "ready")


def test_only_commands_that_were_given_and_not_refused_were_obeyed() -> None:
    made = program({"a": (Ask("?", "b.in"),), "b": ()})
    script = Script(
        commands=(JustUpdate({"k": 1}), Continue(), Answer("1.1/q0", 1), Goto("b.in")),
    )
    assert obeyed(made, script) == (JustUpdate({"k": 1}), Answer("1.1/q0", 1))
