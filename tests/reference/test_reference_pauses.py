"""The limit, connections, pauses, questions and messages, against histories worked out by hand."""

from __future__ import annotations

from tests.reference.histories import ONE, after, emit, message, program, slots_of, to
from tests.reference.outcome import Failure
from tests.reference.program import (
    Answer,
    Ask,
    Branch,
    Constant,
    Continue,
    Defer,
    FromPayload,
    Log,
    Message,
    Pause,
    PlusOne,
    Write,
)

# Rule 9: the limit.


def test_a_wave_that_would_pass_the_limit_is_not_begun() -> None:
    made = program(
        {"a": (Log("", ONE), emit(), emit())},
        to("a", "a"),
        limit=4,
    )
    outcome = after(made, messages=(message(2, "a"),))
    assert outcome.failure == Failure("ActivationLimit", None)
    assert (outcome.activations_count, outcome.waves, len(outcome.log)) == (3, 2, 3)
    assert outcome.ready == ("3.1", "3.2", "3.3", "3.4")
    assert outcome.undelivered == ("m1",)


def test_a_wave_that_reaches_the_limit_runs() -> None:
    step = Branch(FromPayload("n", 0), 2, (), (emit(n=PlusOne(FromPayload("n", 0))),))
    outcome = after(program({"a": (step,)}, to("a", "a"), limit=3))
    assert (outcome.status, outcome.activations_count) == ("completed", 3)


# Rule 10: connections.


def test_a_rename_renames_exactly_its_keys_and_wins_over_what_was_there() -> None:
    outcome = after(
        program(
            {"a": (emit(x=ONE, y=Constant(2), z=Constant(3)),), "b": (), "c": ()},
            to("a", "b", x="y"),
            to("a", "c", x="y", y="x"),
        )
    )
    assert outcome.activations["2.1"][1] == {"y": 1, "z": 3}
    assert outcome.activations["2.2"][1] == {"x": 2, "y": 1, "z": 3}


# Rule 12 and 18, the program's part: pauses.


def test_every_pause_of_a_wave_is_recorded_and_one_continue_lifts_them_all() -> None:
    made = program(
        {"a": (emit(), emit()), "b": (Pause("one"), Pause("two"))},
        to("a", "b"),
    )
    paused = after(made)
    assert [activation for activation, _ in paused.standing] == ["2.1", "2.1", "2.2", "2.2"]
    assert after(made, Continue()).status == "completed"


def test_a_program_pause_takes_effect_when_the_wave_closes() -> None:
    outcome = after(
        program(
            {"a": (emit(),), "b": (Pause(""), Write("k", ONE)), "c": (Write("k", Constant(2)),)},
            to("a", "b"),
            to("a", "c"),
        )
    )
    assert (outcome.status, outcome.shared) == ("paused", {"k": 2})


# Rule 14: answers and deferrals.


def test_without_a_pause_deferrals_are_released_when_nothing_else_is_left() -> None:
    outcome = after(
        program(
            {"a": (Defer("on", {}), emit()), "b": (emit(),), "c": (), "d": ()},
            to("a.on", "d"),
            to("a", "b"),
            to("b", "c"),
        )
    )
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "3.1": "c", "4.1": "d"}


def test_a_waiting_message_counts_as_something_left() -> None:
    made = program({"a": (Defer("on", {}),), "b": (), "c": ()}, to("a.on", "b"))
    outcome = after(made, messages=(message(1, "c"),))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "c", "3.1": "b"}


def test_an_answer_lifts_pauses_and_releases_deferrals_and_comes_last() -> None:
    made = program(
        {"a": (Defer("on", {}), emit(), Pause(""), Ask("?", "d.in")), "b": (), "c": (), "d": ()},
        to("a", "b"),
        to("a.on", "c"),
    )
    outcome = after(made, Answer("1.1/q0", [1]), messages=(message(1, "b"),))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "c", "2.3": "b", "2.4": "d"}
    assert outcome.activations["2.4"][1] == {"answer": [1]}
    assert (outcome.status, outcome.standing) == ("completed", ())


def test_with_another_question_open_the_job_pauses_again_and_keeps_its_deferrals() -> None:
    made = program(
        {
            "a": (Ask("first", "b.in"), Ask("second", "c.in")),
            "b": (Defer("out", {}), emit()),
            "c": (),
            "d": (),
        },
        to("b", "d"),
    )
    paused = after(made, Answer("1.1/q0", "yes"))
    assert paused.status == "paused"
    assert slots_of(paused) == {"1.1": "a", "2.1": "b", "3.1": "d"}
    assert (list(paused.deferrals), list(paused.questions)) == (["2.1/d0"], ["1.1/q1"])
    ended = after(made, Answer("1.1/q0", "yes"), Answer("1.1/q1", "no"))
    assert slots_of(ended) | {"4.1": "d", "4.2": "c"} == slots_of(ended)
    assert ended.status == "completed"


def test_questions_may_be_answered_in_any_order() -> None:
    made = program({"a": (Ask("same", "b.in"), Ask("same", "c.in")), "b": (), "c": ()})
    outcome = after(made, Answer("1.1/q1", 1), Answer("1.1/q0", 0))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "c", "3.1": "b"}


# Rule 15: continue while something is asked.


def test_continue_runs_kept_work_but_releases_no_deferral_while_a_question_is_open() -> None:
    made = program(
        {"a": (Defer("on", {}), emit(), Ask("?", "c.in")), "b": (), "c": (), "d": ()},
        to("a", "b"),
        to("a.on", "d"),
    )
    outcome = after(made, Continue(), Continue())
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b"}
    assert (list(outcome.deferrals), outcome.refusals) == (["1.1/d0"], ("AnswerRequired",))


def test_continue_may_lift_a_pause_and_nothing_else() -> None:
    made = program({"a": (Pause(""), Ask("?", "a.in"))})
    lifted = after(made, Continue())
    assert (lifted.status, lifted.standing, lifted.refusals) == ("paused", (), ())
    assert lifted.pauses == (("1.1", ""),)
    assert after(made, Continue(), Continue()).refusals == ("AnswerRequired",)


def test_continue_delivers_messages_past_an_open_question() -> None:
    made = program({"a": (Ask("?", "a.in"),), "b": ()})
    waiting = Message(wave=1, moment="paused", slot="b.in")
    outcome = after(made, Continue(), messages=(waiting,))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b"}
    assert (outcome.status, list(outcome.questions)) == ("paused", ["1.1/q0"])


def test_continue_without_a_question_releases_deferrals() -> None:
    outcome = after(program({"a": (Defer("out", {}), Pause(""))}), Continue())
    assert (outcome.status, [name for name, _, _ in outcome.outputs]) == ("completed", ["1.1/d0"])


# Rule 16: refused answers.


def test_answers_are_refused_by_name_and_change_nothing() -> None:
    made = program({"a": (Ask("?", "b.in", (1, "A")), Ask("?", "b.in")), "b": ()})
    outcome = after(
        made,
        Answer("1.1/q0", True),
        Answer("1.1/q0", 1.0),
        Answer("1.1/q7", 1),
        Answer("1.1/q0", 1),
        Answer("1.1/q0", 1),
    )
    assert outcome.refusals == (
        "AnswerRefused",
        "AnswerRefused",
        "InterruptNotFound",
        "AnswerRefused",
    )
    assert outcome.answers == {"1.1/q0": 1}
    assert list(outcome.questions) == ["1.1/q1"]


# Rule 30: messages.


def test_a_message_joins_the_wave_after_the_one_in_which_it_was_accepted() -> None:
    made = program({"a": (emit(),), "b": (emit(),), "c": (), "d": ()}, to("a", "b"), to("b", "c"))
    outcome = after(made, messages=(message(2, "d", x=2), message(1, "d", x=1)))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "d", "3.1": "c", "3.2": "d"}
    assert outcome.messages == {"m1": ("d.in", {"x": 1}), "m2": ("d.in", {"x": 2})}


def test_completion_does_not_overtake_an_accepted_message() -> None:
    outcome = after(program({"a": ()}), messages=(message(1, "a"), message(2, "a")))
    assert (outcome.status, outcome.waves, outcome.undelivered) == ("completed", 3, ())


def test_a_repeated_key_changes_nothing_and_a_reused_one_is_refused() -> None:
    first = Message(wave=1, slot="a.in", payload={"x": 1}, key="k")
    reused = Message(wave=2, slot="a.in", payload={"x": True}, key="k")
    outcome = after(program({"a": ()}), messages=(first, first, reused))
    assert outcome.messages == {"m1": ("a.in", {"x": 1})}
    assert (outcome.refusals, outcome.waves) == (("MessageKeyReused",), 2)


def test_a_message_ends_no_pause_and_joins_behind_what_came_before() -> None:
    made = program({"a": (Pause(""),), "b": ()})
    paused = Message(wave=1, moment="paused", slot="b.in")
    still = after(made, messages=(paused, message(1, "a")))
    assert (still.status, still.undelivered) == ("paused", ("m1", "m2"))
    outcome = after(made, Continue(), messages=(paused, message(1, "a")))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "a", "2.2": "b"}


def test_a_message_whose_moment_never_comes_is_never_sent() -> None:
    outcome = after(program({"a": ()}), messages=(Message(wave=1, moment="paused", slot="a.in"),))
    assert (outcome.status, outcome.messages) == ("completed", {})
