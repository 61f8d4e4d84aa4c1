"""Breakpoints, against histories that were worked out by hand."""

from __future__ import annotations

from tests.reference.histories import ONE, emit, message, program, slots_of, to
from tests.reference.interpreter import course, run
from tests.reference.outcome import Failure, Outcome
from tests.reference.program import (
    Answer,
    Ask,
    Breakpoints,
    Cancel,
    Command,
    Constant,
    Continue,
    Defer,
    FromPayload,
    FromShared,
    Goto,
    Interrupt,
    JustUpdate,
    Log,
    Message,
    Operation,
    Pause,
    Program,
    Script,
    Update,
)


def at(
    made: Program,
    breakpoints: Breakpoints,
    *commands: Command,
    messages: tuple[Message, ...] = (),
    cancel: Cancel | None = None,
) -> Outcome:
    """Run a program with the breakpoints given."""
    return run(
        made,
        Script(messages=messages, commands=commands, cancel=cancel, breakpoints=breakpoints),
    )


def before(*routines: str) -> Breakpoints:
    """Pause before these."""
    return Breakpoints(before=tuple(f"{name}.in" for name in routines))


def behind(*routines: str) -> Breakpoints:
    """Pause after these."""
    return Breakpoints(after=tuple(f"{name}.in" for name in routines))


def chain(*first: Operation) -> Program:
    """Make a wave of ``a``, then one of ``b`` and ``c``."""
    return program(
        {
            "a": (*first, emit(), Log("a", ONE)),
            "b": (Log("b", FromShared("k")),),
            "c": (Log("c", FromPayload("answer")),),
        },
        to("a", "b"),
        to("a", "c"),
        to("a.on", "c"),
    )


# Rule 21.


def test_a_breakpoint_before_stands_when_the_wave_has_opened_and_nothing_has_started() -> None:
    outcome = at(chain(), before("c"))
    assert (outcome.status, outcome.waves, outcome.activations_count) == ("paused", 2, 3)
    assert outcome.ready == ("2.1", "2.2")
    assert (outcome.holds, outcome.standing) == ((("breakpoint", "2.2"),), ())
    assert outcome.log == (("1.1", "a: 1"),)
    ended = at(chain(), before("c"), Continue())
    assert (ended.status, ended.holds, len(ended.log)) == ("completed", (), 3)


def test_a_breakpoint_before_the_start_holds_the_whole_job() -> None:
    outcome = at(chain(), before("a"))
    assert (outcome.ready, outcome.waves, outcome.log) == (("1.1",), 1, ())


def test_a_breakpoint_after_stands_when_the_wave_has_closed_and_the_next_is_kept() -> None:
    outcome = at(chain(), behind("a"))
    assert (outcome.status, outcome.waves, outcome.ready) == ("paused", 1, ("2.1", "2.2"))
    assert (outcome.holds, outcome.log) == ((("breakpoint", "1.1"),), (("1.1", "a: 1"),))


def test_a_breakpoint_after_the_last_wave_holds_the_end_of_the_job() -> None:
    outcome = at(chain(), behind("b"))
    assert (outcome.status, outcome.ready, len(outcome.log)) == ("paused", (), 3)
    assert at(chain(), behind("b"), Continue()).status == "completed"


def test_one_continue_passes_all_hits_of_one_pause() -> None:
    both = Breakpoints(before=("a.in", "b.in", "c.in"), after=("b.in", "c.in"))
    paused = at(chain(), both, Continue())
    assert paused.holds == (("breakpoint", "2.1"), ("breakpoint", "2.2"))
    script = Script(commands=(Continue(), Continue(), Continue()), breakpoints=both)
    assert run(chain(), script).status == "completed"
    assert course(chain(), script).hits == (
        ("before", "1.1"),
        ("before", "2.1"),
        ("before", "2.2"),
        ("after", "2.1"),
        ("after", "2.2"),
    )


def test_a_run_again_does_not_hit_again() -> None:
    made = program({"a": (Interrupt(ONE), Interrupt(ONE))})
    both = Breakpoints(before=("a.in",), after=("a.in",))
    script = Script(
        commands=(Continue(), Answer("1.1/i0", 0), Answer("1.1/i1", 0), Continue()),
        breakpoints=both,
    )
    assert run(made, script).status == "completed"
    assert course(made, script).hits == (("before", "1.1"), ("after", "1.1"))


def test_a_breakpoint_releases_no_deferral_while_other_work_is_left() -> None:
    made = chain(Defer("on", {}))
    outcome = at(made, behind("a"), Continue())
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "c", "3.1": "c"}
    assert outcome.status == "completed"


def test_an_idle_job_releases_its_deferrals_past_a_breakpoint_as_it_would_have() -> None:
    made = program({"a": (Defer("on", {}),), "b": ()}, to("a.on", "b"))
    held = at(made, behind("a"))
    assert (held.status, list(held.deferrals), held.ready) == ("paused", ["1.1/d0"], ())
    assert slots_of(at(made, behind("a"), Continue())) == {"1.1": "a", "2.1": "b"}


def test_a_failed_or_interrupted_wave_has_not_closed() -> None:
    made = program({"a": (Interrupt(ONE),)})
    assert at(made, behind("a")).holds == (("interrupt", "1.1"),)
    assert at(made, behind("a"), Answer("1.1/i0", 0)).holds == (("breakpoint", "1.1"),)


# What is given at a resume.


def test_a_resume_may_replace_either_kind_of_breakpoints() -> None:
    more = Continue(breakpoints=before("b"))
    outcome = at(chain(), behind("a", "c"), more)
    assert outcome.holds == (("breakpoint", "2.1"),)
    kept = at(chain(), behind("a", "c"), more, Continue())
    assert kept.holds == (("breakpoint", "2.2"),)
    cleared = Continue(breakpoints=Breakpoints(before=(), after=()))
    assert at(chain(), behind("a", "c"), cleared).status == "completed"


def test_the_held_wave_is_not_held_again_by_new_breakpoints() -> None:
    outcome = at(chain(), before("b"), Continue(breakpoints=before("c")))
    assert outcome.status == "completed"


def test_a_refused_command_replaces_no_breakpoint() -> None:
    made = program({"a": (Interrupt(ONE),), "b": ()})
    refused = Continue(breakpoints=Breakpoints(after=()))
    outcome = at(made, behind("a"), refused, Answer("1.1/i0", 0))
    assert (outcome.refusals, outcome.status) == (("AnswerRequired",), "paused")


# Beside what the program asked for.


def test_an_answer_lifts_a_breakpoint_after_and_is_a_full_resume() -> None:
    made = chain(Defer("on", {}), Ask("?", "c.in"))
    outcome = at(made, behind("a"))
    assert (list(outcome.questions), outcome.holds) == (["1.1/q0"], (("breakpoint", "1.1"),))
    ended = at(made, behind("a"), Answer("1.1/q0", 1))
    assert slots_of(ended) == {"1.1": "a", "2.1": "b", "2.2": "c", "2.3": "c", "2.4": "c"}
    assert (ended.status, list(ended.released)) == ("completed", ["1.1/d0"])


def test_a_continue_lifts_a_breakpoint_and_a_pause_and_is_a_full_resume() -> None:
    made = chain(Defer("on", {}), Pause("why"))
    outcome = at(made, behind("a"), Continue())
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "c", "2.3": "c"}
    assert outcome.status == "completed"


def test_a_continue_lifts_a_breakpoint_past_an_open_question() -> None:
    made = program({"a": (Ask("?", "b.in"),), "b": ()})
    outcome = at(made, behind("a"), Continue(), Continue())
    assert (outcome.status, outcome.holds) == ("paused", ())
    assert (outcome.refusals, list(outcome.questions)) == (("AnswerRequired",), ["1.1/q0"])


def test_an_answer_to_an_older_question_waits_before_a_wave_that_is_held() -> None:
    made = chain(Ask("?", "c.in"), Defer("on", {}))
    outcome = at(made, before("b"), Continue(), Answer("1.1/q0", 5))
    assert (outcome.status, outcome.holds) == ("paused", (("breakpoint", "2.1"),))
    assert (outcome.answers, list(outcome.deferrals)) == ({"1.1/q0": 5}, ["1.1/d0"])
    ended = at(made, before("b"), Continue(), Answer("1.1/q0", 5), Continue())
    assert slots_of(ended) | {"3.1": "c", "4.1": "c"} == slots_of(ended)
    assert ("3.1", "c: 5") in ended.log


def test_an_answer_to_an_older_question_behind_a_breakpoint_releases_what_it_would_without() -> (
    None
):
    made = program(
        {"a": (Defer("on", {}), Ask("?", "c.in"), emit()), "b": (emit(),), "c": ()},
        *(to("a", "b"), to("a.on", "c"), to("b", "c")),
    )
    onward = (Continue(breakpoints=behind("b")), Answer("1.1/q0", 5))
    outcome = at(made, Breakpoints(), *onward)
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "3.1": "c", "3.2": "c", "4.1": "c"}
    made = program(
        {"a": (Defer("on", {}), Ask("?", "c.in"), emit()), "b": (), "c": ()},
        *(to("a", "b"), to("a.on", "c")),
    )
    idle = at(made, Breakpoints(), *onward)
    assert slots_of(idle) == {"1.1": "a", "2.1": "b", "3.1": "c", "3.2": "c"}


def test_messages_at_a_breakpoint_join_what_comes_after() -> None:
    held = Message(wave=2, moment="before", slot="b.in")
    outcome = at(chain(), before("b"), Continue(), messages=(message(2, "c"), held))
    assert slots_of(outcome) | {"3.1": "b", "3.2": "c"} == slots_of(outcome)
    closed = Message(wave=1, moment="paused", slot="b.in")
    outcome = at(chain(), behind("a"), Continue(), messages=(closed,))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "c", "2.3": "b"}


# Commands at a breakpoint.


def test_an_update_before_a_held_wave_is_seen_by_it() -> None:
    for commands in ((Update({"k": 1}),), (JustUpdate({"k": 1}), Continue())):
        outcome = at(chain(), before("b"), *commands)
        assert (outcome.status, outcome.shared) == ("completed", {"k": 1})
        assert ("2.1", "b: 1") in outcome.log


def test_an_update_that_does_not_apply_is_refused_at_a_breakpoint() -> None:
    made = program({"a": (), "b": ()}, reducers={"k": "extend"})
    outcome = at(made, before("a"), Update({"k": 1}), JustUpdate({"k": 1}))
    assert (outcome.refusals, outcome.holds) == (("MergeError",) * 2, (("breakpoint", "1.1"),))


def test_a_goto_from_a_held_wave_drops_it() -> None:
    outcome = at(chain(), before("b"), Goto("c.in", {"answer": 3}))
    assert outcome.dropped == ("2.1", "2.2")
    assert [result for _, _, result in outcome.activations.values()] == [
        "completed",
        "dropped",
        "dropped",
        "completed",
    ]
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "c", "3.1": "c"}
    assert outcome.log == (("1.1", "a: 1"), ("3.1", "c: 3"))


def test_a_goto_from_a_breakpoint_after_drops_kept_work() -> None:
    outcome = at(chain(), behind("a"), Goto("c.in"))
    assert (outcome.dropped, outcome.waves) == (("2.1", "2.2"), 2)


def test_a_goto_stops_before_a_breakpoint() -> None:
    outcome = at(chain(Pause("")), before("b"), Goto("b.in"))
    assert (outcome.status, outcome.ready) == ("paused", ("2.1",))
    assert outcome.holds == (("breakpoint", "2.1"),)
    again = at(chain(Pause("")), before("b"), Goto("b.in"), Goto("b.in"))
    assert (again.ready, again.dropped) == (("3.1",), ("2.1", "2.1", "2.2"))


def test_a_goto_drops_a_message_that_had_joined_the_held_wave() -> None:
    outcome = at(chain(), before("b"), Goto("c.in"), messages=(message(1, "b"),))
    assert (outcome.dropped, outcome.undelivered) == (("2.1", "2.2", "2.3"), ())


def test_the_limit_comes_before_a_breakpoint() -> None:
    made = program({"a": (emit(),)}, to("a", "a"), limit=1)
    outcome = at(made, before("a"), Continue())
    assert (outcome.failure, outcome.ready) == (Failure("ActivationLimit", None), ("2.1",))


def test_a_job_is_cancelled_at_a_breakpoint_with_everything_that_it_held() -> None:
    outcome = at(chain(), before("b"), cancel=Cancel(2, "before"))
    assert (outcome.status, outcome.ready) == ("cancelled", ("2.1", "2.2"))
    assert outcome.holds == (("breakpoint", "2.1"),)
    outcome = at(chain(), behind("a"), cancel=Cancel(1, "paused"))
    assert (outcome.status, outcome.holds) == ("cancelled", (("breakpoint", "1.1"),))
    assert at(chain(), before("b"), Continue(), cancel=Cancel(2)).holds == ()


def test_a_constant_breakpoint_on_a_loop_hits_every_activation() -> None:
    made = program({"a": (emit(x=Constant(1)),)}, to("a", "a"), limit=3)
    script = Script(commands=(Continue(),) * 3, breakpoints=before("a"))
    assert course(made, script).hits == (("before", "1.1"), ("before", "2.1"), ("before", "3.1"))
