"""Deadlines of questions, against histories that were worked out by hand."""

from __future__ import annotations

from tests.reference.histories import ONE, after, emit, program, slots_of, to
from tests.reference.interpreter import course, run
from tests.reference.program import (
    Advance,
    Answer,
    Ask,
    Breakpoints,
    Continue,
    Defer,
    FromPayload,
    Goto,
    Interrupt,
    Log,
    Operation,
    Pause,
    Program,
    Script,
)


def ask(timeout: int | None, default: int = 0) -> Ask:
    """Ask something that ``d`` is told the answer of."""
    return Ask("?", "d.in", timeout=timeout, default=default)


def asking(*operations: Operation) -> Program:
    """Make a program that starts with these, and logs the answers."""
    return program(
        {
            "a": operations,
            "b": (Interrupt(ONE),),
            "c": (ask(5, 1),),
            "d": (Log("d", FromPayload("answer")),),
        },
        to("a", "b"),
        to("a", "c"),
        to("a.on", "d"),
    )


# Rule 17.


def test_a_question_that_nobody_answers_in_time_is_answered_with_its_default() -> None:
    made = asking(ask(10, 7))
    early = after(made, Advance(9))
    assert (early.status, list(early.questions), early.answers) == ("paused", ["1.1/q0"], {})
    outcome = after(made, Advance(9), Advance(1))
    assert (outcome.status, outcome.answers) == ("completed", {"1.1/q0": 7})
    assert outcome.log == (("2.1", "d: 7"),)


def test_an_answer_in_time_stands_and_one_that_is_late_is_refused() -> None:
    made = asking(ask(10, 7), Pause(""), ask(None))
    outcome = after(made, Answer("1.1/q0", 1), Advance(99))
    assert (outcome.answers, outcome.refusals) == ({"1.1/q0": 1}, ())
    late = after(made, Advance(10), Answer("1.1/q0", 1))
    assert (late.answers, late.refusals) == ({"1.1/q0": 7}, ("AnswerRefused",))


def test_a_deadline_is_a_full_resume() -> None:
    made = asking(Defer("on", {}), ask(1, 7), Pause("why"))
    outcome = after(made, Advance(1))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "d", "2.2": "d"}
    assert (outcome.standing, outcome.log[1]) == ((), ("2.2", "d: 7"))


def test_all_that_are_due_join_one_wave_by_due_time_and_then_by_id() -> None:
    outcome = after(asking(ask(9, 1), ask(5, 2), ask(9, 3), ask(50, 4)), Advance(10))
    assert [line for _, line in outcome.log] == ["d: 2", "d: 1", "d: 3"]
    assert (outcome.waves, outcome.status, list(outcome.questions)) == (2, "paused", ["1.1/q3"])


def test_a_deadline_in_an_open_wave_waits_for_the_next_one() -> None:
    made = asking(emit(), ask(5, 7))
    commands = (Continue(), Advance(5))
    outcome = after(made, *commands)
    assert (outcome.status, outcome.holds) == ("paused", (("interrupt", "2.1"),))
    assert (outcome.answers, outcome.waves) == ({"1.1/q0": 7}, 2)
    held = run(made, Script(commands=commands, breakpoints=Breakpoints(before=("c.in",))))
    assert (held.holds, held.answers) == ((("breakpoint", "2.2"),), {"1.1/q0": 7})


def test_a_question_that_is_due_when_its_wave_closes_is_answered_at_once() -> None:
    made = asking(emit())
    outcome = after(made, Advance(5), Answer("2.1/i0", 0))
    assert (outcome.status, outcome.answers) == ("completed", {"2.1/i0": 0, "2.2/q0": 1})
    assert outcome.log == (("3.1", "d: 1"),)
    script = Script(commands=(Advance(5), Answer("2.1/i0", 0)))
    assert course(made, script).expired == (("paused", ("2.2/q0",)),)


def test_a_dropped_question_has_no_deadline() -> None:
    outcome = after(asking(ask(5, 7), Pause("")), Goto("a.in"), Advance(4), Advance(1))
    assert outcome.answers == {"2.1/q0": 7}
    assert outcome.dropped == ("1.1/q0",)


def test_time_lifts_no_pause_and_no_breakpoint() -> None:
    outcome = after(asking(Pause("why"), ask(9)), Advance(1))
    assert (outcome.status, outcome.standing) == ("paused", (("1.1", "why"),))
