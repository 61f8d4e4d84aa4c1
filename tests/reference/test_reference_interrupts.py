"""Interrupts, against histories that were worked out by hand."""

from __future__ import annotations

from tests.reference.histories import ONE, after, emit, message, program, slots_of, to
from tests.reference.interpreter import run
from tests.reference.outcome import Failure
from tests.reference.program import (
    Answer,
    Ask,
    Branch,
    Cancel,
    Constant,
    Continue,
    Defer,
    Effect,
    Emit,
    Fail,
    Foreseen,
    FromPayload,
    FromShared,
    Goto,
    Interrupt,
    JustUpdate,
    LastResult,
    Log,
    Message,
    Operation,
    Pause,
    Program,
    Refused,
    Remember,
    Script,
    Update,
    Write,
)

SURE = Interrupt(Constant("sure?"))


def beside(*neighbour: Operation, limit: int = 60) -> Program:
    """Make a wave of ``b``, which is interrupted and emits the answer, and of a neighbour ``c``."""
    return program(
        {
            "a": (emit(),),
            "b": (SURE, Write("b", LastResult()), emit(x=LastResult())),
            "c": neighbour,
            "d": (Log("d", FromPayload("x")),),
        },
        to("a", "b"),
        to("a", "c"),
        to("b", "d"),
        to("c", "d"),
        limit=limit,
    )


# Rules 1, 6 and 18: being set aside.


def test_an_interrupt_sets_its_activation_aside_and_pauses_the_job() -> None:
    outcome = after(beside())
    assert outcome.status == "paused"
    assert outcome.interrupts == {"2.1/i0": ("sure?", None)}
    assert outcome.holds == (("interrupt", "2.1"),)
    assert [result for _, _, result in outcome.activations.values()] == [
        "completed",
        "set aside",
        "completed",
    ]
    assert (outcome.ready, outcome.standing, outcome.waves) == ((), (), 2)


def test_a_handler_runs_on_with_the_answer_as_its_last_result() -> None:
    made = program(
        {
            "a": (
                Interrupt(Constant(None), ("yes", "no")),
                Write("k", LastResult()),
                Log("", LastResult()),
                Branch(LastResult(), "yes", (Emit("on", {"x": LastResult()}),), (Fail("no"),)),
            )
        }
    )
    outcome = after(made, Answer("1.1/i0", "yes"))
    assert (outcome.status, outcome.answers) == ("completed", {"1.1/i0": "yes"})
    assert (outcome.shared, outcome.log) == ({"k": "yes"}, (("1.1", ': "yes"'),))
    assert outcome.outputs == (("1.1/o0", "a.on", {"x": "yes"}),)
    assert after(made, Answer("1.1/i0", "no")).failure == Failure("RuntimeError", "1.1")


def test_a_set_aside_run_leaks_nothing_but_its_effects() -> None:
    everything = (
        *(Write("k", ONE), Remember("m", ONE), Log("", ONE), emit(), Defer("on", {})),
        *(Effect("f", 7), Ask("?", "a.in"), Pause("")),
    )
    made = program({"a": (*everything, SURE, Log("after", LastResult()))})
    outcome = after(made)
    assert outcome.effects == {"1.1/e0": ("f", "result", 7)}
    assert (outcome.shared, outcome.memory, outcome.log) == ({}, {}, ())
    assert (outcome.emissions, outcome.deferrals, outcome.questions) == ({}, {}, {})
    assert (outcome.outputs, outcome.pauses, outcome.holds) == ((), (), (("interrupt", "1.1"),))
    answered = after(made, Answer("1.1/i0", True))
    assert answered.effects == outcome.effects
    assert answered.log == (("1.1", ": 1"), ("1.1", "after: true"))
    assert (list(answered.questions), list(answered.emissions)) == (["1.1/q0"], ["1.1/o0"])


def test_one_handler_is_interrupted_several_times_and_the_payload_may_show_an_answer() -> None:
    second = Interrupt(LastResult(), (1, 2))
    made = program(
        {"a": (Effect("f", 0), SURE, Effect("g", 1), SURE, second, Log("", LastResult()))}
    )
    outcome = after(made, Answer("1.1/i0", "x"), Answer("1.1/i1", "y"))
    assert outcome.interrupts == {"1.1/i2": ("y", (1, 2))}
    assert list(outcome.effects) == ["1.1/e0", "1.1/e1"]
    ended = after(made, Answer("1.1/i0", "x"), Answer("1.1/i1", "y"), Answer("1.1/i2", 2))
    assert (ended.status, ended.log) == ("completed", (("1.1", ": 2"),))
    assert list(ended.answers) == ["1.1/i0", "1.1/i1", "1.1/i2"]


def test_a_finally_around_an_interrupt_leaves_its_line_once() -> None:
    made = program({"a": (Interrupt(ONE, tidied=True), Interrupt(ONE, tidied=True))})
    assert after(made, Answer("1.1/i0", 0)).log == ()
    outcome = after(made, Answer("1.1/i0", 0), Answer("1.1/i1", 0))
    assert outcome.log == (("1.1", "finally: null"),) * 2


def test_a_refused_interrupt_is_no_interrupt() -> None:
    outcome = after(program({"a": (Refused("interrupt", "nan"), SURE)}))
    assert list(outcome.interrupts) == ["1.1/i0"]


def test_a_handler_that_runs_again_sees_the_data_of_the_opening() -> None:
    made = beside(Write("c", ONE))
    seen = extended(made, "b", Log("b", FromShared("c", "none")))
    outcome = after(seen, JustUpdate({"c": 2}), Answer("2.1/i0", 0))
    assert ("2.1", 'b: "none"') in outcome.log
    assert outcome.shared["c"] == 2


def extended(made: Program, name: str, *operations: Operation) -> Program:
    """Put operations behind those of a routine."""
    slots = {it.name: it.slots[0].operations for it in made.routines}
    return program(slots | {name: slots[name] + operations}, *made.connections)


# Several at once.


def several() -> Program:
    """Make a wave of three activations that are interrupted, and then log their answers."""
    return program(
        {"a": (emit(), emit(), emit()), "b": (SURE, emit(x=LastResult())), "c": ()},
        to("a", "b"),
        to("b", "c"),
    )


def test_several_are_answered_in_any_order_and_the_job_is_paused_again_for_the_others() -> None:
    outcome = after(several(), Answer("2.3/i0", 3))
    assert (outcome.status, list(outcome.interrupts)) == ("paused", ["2.1/i0", "2.2/i0"])
    assert outcome.holds == (("interrupt", "2.1"), ("interrupt", "2.2"))
    assert outcome.activations["2.3"][2] == "completed"
    ended = after(several(), Answer("2.3/i0", 3), Answer("2.1/i0", 1), Answer("2.2/i0", 2))
    assert [payload for slot, payload, _ in ended.activations.values() if slot == "c.in"] == [
        {"x": 1},
        {"x": 2},
        {"x": 3},
    ]
    assert (ended.status, ended.waves, ended.activations_count) == ("completed", 3, 7)


def test_answers_are_refused_by_name_and_change_nothing() -> None:
    made = program({"a": (Interrupt(ONE, (1, "A")), SURE)})
    outcome = after(
        made,
        Answer("1.1/i0", True),
        Answer("1.1/i0", 1.0),
        Answer("1.1/i1", 1),
        Answer("1.1/q0", 1),
        Answer("1.1/i0", 1),
        Answer("1.1/i0", 1),
    )
    assert outcome.refusals == (
        "AnswerRefused",
        "AnswerRefused",
        "InterruptNotFound",
        "InterruptNotFound",
        "AnswerRefused",
    )
    assert (outcome.answers, list(outcome.interrupts)) == ({"1.1/i0": 1}, ["1.1/i1"])


# Neighbours.


def test_pauses_and_deferrals_of_neighbours_take_effect_when_the_wave_closes() -> None:
    made = beside(Pause("why"), Defer("out", {"x": ONE}), Write("c", ONE), Log("c", ONE))
    waiting = after(made)
    assert (waiting.standing, waiting.deferrals, waiting.shared, waiting.log) == ((), {}, {}, ())
    outcome = after(made, Answer("2.1/i0", 0))
    assert (outcome.status, outcome.standing) == ("paused", (("2.2", "why"),))
    assert (outcome.ready, list(outcome.deferrals)) == (("3.1",), ["2.2/d0"])
    assert (outcome.shared, outcome.holds) == ({"b": 0, "c": 1}, ())
    ended = after(made, Answer("2.1/i0", 0), Continue())
    assert slots_of(ended) | {"3.1": "d", "3.2": "d"} == slots_of(ended)


def test_a_question_of_a_neighbour_is_asked_when_the_wave_closes() -> None:
    made = beside(Ask("?", "d.in"))
    early = after(made, Answer("2.2/q0", 1))
    assert (early.refusals, early.questions) == (("InterruptNotFound",), {})
    outcome = after(made, Answer("2.1/i0", 0))
    assert (outcome.status, list(outcome.questions)) == ("paused", ["2.2/q0"])
    ended = after(made, Answer("2.1/i0", 0), Answer("2.2/q0", 1))
    assert slots_of(ended) == {"1.1": "a", "2.1": "b", "2.2": "c", "3.1": "d", "3.2": "d"}


def test_a_failed_neighbour_ends_the_job_and_the_interrupt_stays_open() -> None:
    outcome = after(beside(Fail("")), Answer("2.1/i0", 1))
    assert (outcome.status, outcome.failure) == ("failed", Failure("RuntimeError", "2.2"))
    assert list(outcome.interrupts) == ["2.1/i0"]
    assert (outcome.activations["2.1"][2], outcome.holds) == ("set aside", ())
    assert (outcome.answers, outcome.ready) == ({}, ())


def test_one_that_fails_after_its_answer_ends_the_job_though_others_are_set_aside() -> None:
    made = program(
        {"a": (emit(), emit()), "b": (SURE, Branch(LastResult(), 0, (Fail(""),)))}, to("a", "b")
    )
    outcome = after(made, Answer("2.2/i0", 0), Answer("2.1/i0", 1))
    assert outcome.failure == Failure("RuntimeError", "2.2")
    assert (list(outcome.interrupts), outcome.answers) == (["2.1/i0"], {"2.2/i0": 0})


def test_a_merge_that_fails_after_the_last_answer_fails_the_job() -> None:
    made = beside(Write("b", ONE, "add"))
    outcome = after(made, Answer("2.1/i0", "text"))
    assert outcome.failure == Failure("MergeError", "2.2")
    assert outcome.interrupts == {}


# Rules 14 to 16: older questions, messages, and what is refused.


def asked_before() -> Program:
    """Make an interrupted ``b`` that runs while a question to ``d`` is open."""
    return program(
        {
            "a": (Ask("?", "d.in"), Defer("on", {}), emit()),
            "b": (SURE, Log("b", LastResult())),
            "d": (Log("d", FromPayload("answer")),),
        },
        to("a", "b"),
        to("a.on", "d"),
    )


def test_an_answer_to_an_older_question_waits_while_an_interrupt_holds_the_wave() -> None:
    outcome = after(asked_before(), Continue(), Answer("1.1/q0", 7))
    assert (outcome.status, outcome.holds) == ("paused", (("interrupt", "2.1"),))
    assert (outcome.answers, outcome.questions, outcome.waves) == ({"1.1/q0": 7}, {}, 2)
    assert list(outcome.deferrals) == ["1.1/d0"]
    again = after(asked_before(), Continue(), Answer("1.1/q0", 7), Answer("1.1/q0", 7))
    assert again.refusals == ("AnswerRefused",)
    ended = after(asked_before(), Continue(), Answer("1.1/q0", 7), Answer("2.1/i0", 0))
    assert slots_of(ended) == {"1.1": "a", "2.1": "b", "3.1": "d", "4.1": "d"}
    assert ended.log == (("2.1", "b: 0"), ("3.1", "d: 7"), ("4.1", "d: null"))


def test_an_interrupt_releases_nothing_and_the_older_question_holds_the_job_again() -> None:
    outcome = after(asked_before(), Continue(), Answer("2.1/i0", 0))
    assert (outcome.status, list(outcome.questions)) == ("paused", ["1.1/q0"])
    assert (list(outcome.deferrals), outcome.holds) == (["1.1/d0"], ())


def test_continue_and_update_are_refused_at_an_interrupt_whatever_waits() -> None:
    sent = Message(wave=2, moment="interrupted", slot="d.in")
    made = beside()
    outcome = after(made, Continue(), Update({"k": 1}), messages=(message(2, "d"), sent))
    assert outcome.refusals == ("AnswerRequired", "AnswerRequired")
    assert (outcome.undelivered, outcome.shared) == (("m1", "m2"), {})
    ended = after(made, Continue(), Answer("2.1/i0", 0), messages=(sent, message(2, "d")))
    assert slots_of(ended) | {"3.1": "d", "3.2": "d", "3.3": "d"} == slots_of(ended)


def test_messages_of_an_interrupted_wave_are_sent_once() -> None:
    sent = Message(wave=2, moment="interrupted", slot="c.in")
    outcome = after(several(), Answer("2.1/i0", 0), Continue(), messages=(sent,))
    assert (list(outcome.messages), outcome.undelivered) == (["m1"], ("m1",))


# Rule 19: updates.


def test_an_update_in_an_interrupted_wave_is_its_last_write() -> None:
    made = beside(Write("b", Constant("c")))
    waiting = after(made, JustUpdate({"b": "outside"}), JustUpdate({"k": 1}))
    assert (waiting.status, waiting.shared) == ("paused", {})
    outcome = after(made, JustUpdate({"b": "outside"}), JustUpdate({"k": 1}), Answer("2.1/i0", 0))
    assert outcome.shared == {"b": "outside", "k": 1}


def test_an_update_in_an_interrupted_wave_is_looked_at_when_the_wave_is_merged() -> None:
    made = program({"a": (Write("k", Constant("x"), "set"), SURE)}, reducers={"k": "add"})
    outcome = after(made, JustUpdate({"k": 1}), Answer("1.1/i0", 0))
    assert outcome.refusals == ()
    assert (outcome.failure, outcome.shared) == (Failure("MergeError", None), {})


def test_an_update_in_an_interrupted_wave_minds_its_own_keys() -> None:
    made = beside(Write("k", Constant("x"), "set"), Write("k", ONE, "add"))
    outcome = after(made, JustUpdate({"b": 1}), JustUpdate({"k": 2}), Answer("2.1/i0", 0))
    assert outcome.refusals == ("MergeError",)
    assert (outcome.failure, outcome.shared) == (Failure("MergeError", "2.2"), {})


# Rule 20: leads.


def test_a_goto_closes_the_wave_and_drops_what_was_set_aside() -> None:
    made = beside(
        *(Write("c", ONE), Log("c", ONE), emit(x=ONE), Emit("on", {"y": ONE})),
        *(Ask("?", "d.in"), Defer("out", {}), Pause("why")),
    )
    outcome = after(made, JustUpdate({"u": 1}), Goto("d.in", {"x": 5}))
    assert outcome.dropped == ("2.1", "2.1/i0", "2.2/d0", "2.2/o0", "2.2/q0")
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "c", "3.1": "d"}
    assert outcome.activations["2.1"][2] == "dropped"
    assert (outcome.shared, outcome.log) == ({"c": 1, "u": 1}, (("2.2", "c: 1"), ("3.1", "d: 5")))
    assert outcome.outputs == (("2.2/o1", "c.on", {"y": 1}),)
    assert (outcome.status, outcome.interrupts, outcome.holds) == ("completed", {}, ())
    assert (outcome.pauses, outcome.standing) == ((("2.2", "why"),), ())


def test_a_dropped_interrupt_is_found_no_more_and_an_answered_one_stays_answered() -> None:
    made = program({"a": (SURE, SURE), "b": (Pause(""),)})
    answers = (Answer("1.1/i1", 1), Answer("1.1/i0", 1))
    outcome = after(made, Answer("1.1/i0", 0), Goto("b.in"), *answers)
    assert outcome.refusals == ("InterruptNotFound", "AnswerRefused")
    assert (outcome.dropped, outcome.answers) == (("1.1", "1.1/i1"), {"1.1/i0": 0})


def test_messages_sent_while_a_wave_is_interrupted_stay_behind_a_goto() -> None:
    sent = Message(wave=2, moment="interrupted", slot="c.in")
    outcome = after(beside(), Goto("d.in"), messages=(sent,))
    assert slots_of(outcome) | {"3.1": "d", "4.1": "c"} == slots_of(outcome)


def test_a_goto_is_refused_where_the_wave_can_not_be_merged() -> None:
    made = beside(Write("c", Constant("x")), Write("c", ONE, "add"))
    outcome = after(made, Goto("d.in"), Goto("d.on"))
    assert outcome.refusals == ("MergeError", "SlotNotFound")
    assert (outcome.status, list(outcome.interrupts), outcome.dropped) == ("paused", ["2.1/i0"], ())


def test_a_goto_past_the_limit_fails_with_the_wave_closed() -> None:
    outcome = after(beside(Log("c", ONE), limit=3), Goto("d.in"))
    assert outcome.failure == Failure("ActivationLimit", None)
    assert (outcome.dropped, outcome.interrupts) == (("2.1", "2.1/i0"), {})
    assert outcome.log == (("2.2", "c: 1"),)


def test_a_run_again_does_not_count_for_the_limit() -> None:
    made = program({"a": (SURE, SURE)}, limit=1)
    outcome = after(made, Answer("1.1/i0", 0), Answer("1.1/i1", 0))
    assert (outcome.status, outcome.activations_count) == ("completed", 1)


# Cancelling.


def test_a_job_cancelled_at_an_interrupt_still_shows_it() -> None:
    sent = Message(wave=2, moment="interrupted", slot="d.in")
    script = Script(
        messages=(sent,), commands=(Answer("2.1/i0", 0),), cancel=Cancel(2, "interrupted")
    )
    outcome = run(beside(Log("c", ONE)), script)
    assert (outcome.status, list(outcome.interrupts)) == ("cancelled", ["2.1/i0"])
    assert (outcome.holds, outcome.undelivered) == ((("interrupt", "2.1"),), ("m1",))
    assert (outcome.log, outcome.activations["2.2"][2]) == ((), "completed")


# What interrupts are.


def test_answers_that_are_known_beforehand_are_effects() -> None:
    ask = Foreseen("person", {"1.1/i0": 1, "1.1/i1": [2]})
    outcome = after(program({"a": (ask, Effect("f", 0), ask, Log("", LastResult()))}))
    assert outcome.log == (("1.1", ": [2]"),)
    assert [value for _, _, value in outcome.effects.values()] == [1, 0, [2]]
