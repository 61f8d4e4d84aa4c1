"""Breakpoints: what stands still before and after a wave, one example for each rule."""

from __future__ import annotations

import attrs
import pytest

from esflow import errors
from esflow import events as ev
from esflow.commands import (
    Answer,
    CancelJob,
    ClaimExecution,
    Continue,
    Goto,
    PauseJob,
    SendMessage,
    StartJob,
    UpdateShared,
)
from esflow.consequences import needed_slots, runnable
from esflow.state import Breakpoints
from tests.core.scenario import (
    CLAIMED,
    FOR_OPERATOR,
    HELD,
    HOLD,
    JOB,
    RUNNING,
    STOPPED_AFTER,
    STOPPED_BEFORE,
    after,
    answered,
    asked,
    before,
    deferred,
    done,
    emitted,
    for_interrupt,
    for_program,
    for_question,
    given,
    interrupted,
    message,
    paused,
    released,
    resumed,
    started,
    stopping,
    wants_pause,
    wrote,
)

CLAIM = ClaimExecution(
    host="h", process="p", flow_version="1", fingerprint="f", slots=frozenset({"a.in", "b.in"})
)
UPDATE = UpdateShared(writes=(("n", "set", 1),))
WROTE = ev.SharedWritten(activation=None, key="n", reducer="set", value=1)
GOTO = Goto("b.in", {"n": 1})
PASSED: ev.JobResumed = resumed(lifted="wave")


def dropped(*ids: str) -> ev.WorkDropped:
    """Return what `GOTO` drops."""
    return ev.WorkDropped(slot=GOTO.slot, payload=GOTO.payload, ids=ids)


def wide(**stops: tuple[str, ...]) -> tuple[ev.Event, ...]:
    """Return a job with breakpoints whose second wave has just opened: at ``a.in`` and ``b.in``."""
    first = attrs.evolve(stopping(**stops), slot="first.in")
    return (first, CLAIMED, *done("1.1", emitted("1.1/o0", "a.in", "b.in")))


# Before a wave (rule 21).


def test_a_job_starts_with_its_breakpoints() -> None:
    start = StartJob(
        flow="flow",
        flow_version="1",
        fingerprint="f",
        slot="a.in",
        payload={},
        limit=100,
        labels={},
        before=("a.in",),
        after=("b.in", "a.in"),
    )
    begun = stopping(before=("a.in",), after=("b.in", "a.in"))
    given().when(start).then(begun)
    stops = Breakpoints(before=("a.in",), after=("b.in", "a.in"))
    assert given(begun).fold().face().breakpoints == stops


def test_a_breakpoint_at_the_first_slot_pauses_before_anybody_claims_the_job() -> None:
    given(stopping(before=("a.in",))).at_rest(quiet=False).then(paused(before()))
    given(*STOPPED_BEFORE).when(CLAIM).then()
    given(*STOPPED_BEFORE).at_rest().then()
    fold = given(*STOPPED_BEFORE).fold()
    assert (fold.status, runnable(fold), fold.pause) == ("paused", (), (before(),))
    assert [each.id for each in fold.ready] == ["1.1"]


def test_nothing_of_a_wave_with_a_breakpoint_before_it_runs() -> None:
    fold = given(*wide(before=("b.in",))).fold()
    assert runnable(fold) == ()
    given(*wide(before=("b.in",))).at_rest().then(paused(before("2.2", "b.in")))


def test_several_hits_of_a_wave_are_one_pause_in_activation_order() -> None:
    history = wide(before=("b.in", "a.in"))
    hits = paused(before("2.1", "a.in"), before("2.2", "b.in"))
    given(*history).at_rest().then(hits)
    given(*history, hits).when(Continue()).then(PASSED)
    fold = given(*history, hits, PASSED).fold()
    assert (fold.status, [each.id for each in runnable(fold)]) == ("running", ["2.1", "2.2"])


def test_continue_passes_a_breakpoint_for_good() -> None:
    given(*STOPPED_BEFORE).when(Continue()).then(PASSED)
    passed = (*STOPPED_BEFORE, PASSED)
    assert given(*passed).fold().status == "pending"
    given(*passed).when(CLAIM).then(CLAIMED)
    given(*passed, CLAIMED, CLAIMED).at_rest().then()
    asking = (interrupted(), paused(for_interrupt()))
    answer = (*asking, answered("1.1/i0"), resumed("Answer", "wave"), CLAIMED)
    assert [each.id for each in runnable(given(*passed, CLAIMED, *answer).fold())] == ["1.1"]
    given(*passed, CLAIMED, *answer).at_rest().then()


def test_a_slot_is_stopped_before_each_of_its_waves() -> None:
    round_again = (*STOPPED_BEFORE, PASSED, CLAIMED, *done("1.1", emitted("1.1/o0", "a.in")))
    given(*round_again).at_rest().then(paused(before("2.1")))


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_breakpoint_at_another_slot_stops_nothing(where: str) -> None:
    history = (stopping(**{where: ("b.in",)}), CLAIMED)
    given(*history).at_rest().then()
    given(*history, *done()).at_rest().then(ev.JobCompleted())


def test_what_a_resumption_opens_is_stopped_too() -> None:
    start = (stopping(before=("b.in",)), CLAIMED)
    kept = (*start, *done("1.1", emitted("1.1/o0", "b.in"), wants_pause()), paused(for_program()))
    given(*kept, resumed()).at_rest().then(paused(before("2.1", "b.in")))
    later = (*start, *done("1.1", deferred("1.1/d0", "b.in")))
    given(*later).at_rest().then(released("1.1/d0"), paused(before("2.1", "b.in")))
    sent = (*start, message(slot="b.in"), *done())
    given(*sent).at_rest().then(paused(before("2.1", "b.in")))


def test_the_operators_hold_stands_beside_a_breakpoint() -> None:
    given(*STOPPED_BEFORE).when(PauseJob(reason="inspection")).then(HOLD)
    given(*STOPPED_BEFORE, HOLD).at_rest(quiet=False).then(HELD)
    history = (*STOPPED_BEFORE, HOLD, HELD)
    assert given(*history).fold().pause == (before(), FOR_OPERATOR)
    given(*history).when(Continue()).then(resumed(lifted="operator"))
    lifted = (*history, resumed(lifted="operator"))
    assert given(*lifted).fold().pause == (before(),)
    given(*lifted).when(Continue()).then(PASSED)
    given(stopping(before=("a.in",)), HOLD).at_rest().then(paused(before()), HELD)


def test_an_update_before_a_wave_applies_at_once() -> None:
    history = (*wide(before=("a.in",)), paused(before("2.1")))
    given(*history).when(UPDATE).then(WROTE)
    fold = given(*history, WROTE).fold()
    assert (fold.shared, fold.updates) == ({"n": 1}, [])
    written = (*history, WROTE, PASSED, *done("2.1", wrote("n", "add", 2, "2.1")), *done("2.2"))
    assert given(*written).fold().shared == {"n": 3}


def test_an_update_of_a_wave_that_has_been_let_go_is_its_last_write() -> None:
    history = (*wide(before=("a.in",)), paused(before("2.1")), HOLD, HELD, PASSED, WROTE)
    assert given(*history).fold().shared == {}
    end = (*done("2.1", wrote("n", "set", 2, "2.1")), *done("2.2"))
    assert given(*history, *end).fold().shared == {"n": 1}


def test_a_goto_before_a_wave_that_nobody_has_claimed_drops_it() -> None:
    events = (resumed("Goto", "wave"), dropped("1.1"))
    given(*STOPPED_BEFORE).when(GOTO).then(*events)
    fold = given(*STOPPED_BEFORE, *events).fold()
    assert (fold.status, fold.pause) == ("pending", ())
    assert [(each.id, each.slot) for each in runnable(fold)] == [("2.1", "b.in")]


def test_a_goto_before_a_wave_past_the_limit_fails_the_job() -> None:
    history = (attrs.evolve(stopping(before=("a.in",)), limit=1), paused(before()))
    failure = ev.Failure(type="ActivationLimit", message=str(errors.ActivationLimit(JOB, 1)))
    given(*history, resumed("Goto", "wave"), dropped("1.1")).at_rest().then(
        ev.JobFailed(error=failure)
    )


def test_a_goto_to_a_slot_with_a_breakpoint_stops_there() -> None:
    history = (stopping(before=("a.in", "b.in")), paused(before()))
    events = (resumed("Goto", "wave"), dropped("1.1"))
    given(*history, *events).at_rest().then(paused(before("2.1", "b.in")))


def test_an_older_question_is_answered_while_a_wave_stands_before_its_breakpoint() -> None:
    start = (stopping(before=("b.in",)), CLAIMED)
    records = (asked(), deferred("1.1/d0", "a.in"), emitted("1.1/o0", "b.in"))
    history = (*start, *done("1.1", *records), paused(for_question()), resumed())
    history = (*history, paused(before("2.1", "b.in")))
    given(*history).when(Answer("yes")).then(answered())
    assert given(*history, answered()).fold().pause == (before("2.1", "b.in"),)
    given(*history).when(Continue()).then(PASSED)
    fold = given(*history, answered(), PASSED, *done("2.1")).fold()
    assert ([each.cause for each in fold.ready], list(fold.deferrals)) == (["1.1/q0"], ["1.1/d0"])


@pytest.mark.parametrize("history", [STOPPED_BEFORE, STOPPED_AFTER])
def test_a_job_is_cancelled_at_a_breakpoint(history: tuple[ev.Event, ...]) -> None:
    cancelled = ev.JobCancelled(reason="")
    given(*history).when(CancelJob(reason="")).then(cancelled)
    given(*history, cancelled).at_rest().then()
    closed = errors.JobClosed(JOB, "cancelled", "Continue()")
    given(*history, cancelled).when(Continue()).then(closed)


@pytest.mark.parametrize("history", [STOPPED_BEFORE, STOPPED_AFTER])
def test_a_message_passes_no_breakpoint(history: tuple[ev.Event, ...]) -> None:
    given(*history).when(SendMessage(slot="a.in", payload={"n": 1}, key=None)).then(message())
    given(*history, message()).at_rest().then()
    assert given(*history, message()).fold().status == "paused"


@pytest.mark.parametrize("history", [STOPPED_BEFORE, STOPPED_AFTER])
def test_a_breakpoint_asks_nothing(history: tuple[ev.Event, ...]) -> None:
    given(*history).when(Answer("yes")).then(errors.InterruptNotFound(JOB, "", ()))


def test_what_stands_before_its_breakpoint_needs_its_slot() -> None:
    assert needed_slots(given(*STOPPED_BEFORE).fold()) == {"a.in"}


# After a wave (rules 14, 15 and 21).


def test_a_breakpoint_after_a_slot_pauses_when_its_wave_has_closed() -> None:
    history = wide(after=("a.in",))
    given(*history, *done("2.1")).at_rest().then()
    closed = (*history, *done("2.1", wrote("n", "set", 1, "2.1")), *done("2.2"))
    given(*closed).at_rest().then(paused(after("2.1")))
    assert given(*closed).fold().shared == {"n": 1}


def test_what_follows_is_kept_behind_a_breakpoint() -> None:
    fold = given(*STOPPED_AFTER).fold()
    assert (fold.status, fold.pause, runnable(fold)) == ("paused", (after(),), ())
    assert [(each.id, each.slot) for each in fold.ready] == [("2.1", "b.in")]
    given(*STOPPED_AFTER).at_rest().then()
    given(*STOPPED_AFTER).when(Continue()).then(resumed())
    assert [each.id for each in runnable(given(*STOPPED_AFTER, resumed()).fold())] == ["2.1"]


def test_a_breakpoint_after_the_last_wave_pauses_before_the_end() -> None:
    history = (stopping(after=("a.in",)), CLAIMED, *done())
    given(*history).at_rest().then(paused(after()))
    given(*history, paused(after()), resumed()).at_rest().then(ev.JobCompleted())


def test_a_breakpoint_stands_with_what_the_program_asked_for_in_activation_order() -> None:
    history = wide(after=("a.in", "b.in"))
    closed = (*history, *done("2.2", asked("2.2/q0")), *done("2.1", wants_pause("tea", "2.1")))
    hits = paused(
        for_program("tea", "2.1"),
        *(after("2.1"), for_question("2.2/q0"), after("2.2", "b.in")),
    )
    given(*closed).at_rest().then(hits)


def test_both_breakpoints_of_one_slot_stop_twice() -> None:
    history = (stopping(before=("a.in",), after=("a.in",)), paused(before()), PASSED, CLAIMED)
    given(*history, *done()).at_rest().then(paused(after()))


def test_an_interrupt_comes_before_the_breakpoint_after_its_slot() -> None:
    history = (stopping(after=("a.in",)), CLAIMED, interrupted())
    given(*history).at_rest().then(paused(for_interrupt()))
    answer = (paused(for_interrupt()), answered("1.1/i0"), resumed("Answer", "wave"))
    given(*history, *answer, *done()).at_rest().then(paused(after()))


def test_a_breakpoint_releases_no_deferral() -> None:
    start = (stopping(after=("a.in",)), CLAIMED)
    history = (*start, *done("1.1", deferred("1.1/d0", "b.in"), emitted("1.1/o0", "b.in")))
    given(*history, paused(after())).when(Continue()).then(resumed())


def test_a_breakpoint_beside_a_program_pause_leaves_it_its_release() -> None:
    start = (stopping(after=("a.in",)), CLAIMED)
    history = (*start, *done("1.1", deferred("1.1/d0", "b.in"), wants_pause()))
    both = paused(for_program(), after())
    given(*history, both).when(Continue()).then(released("1.1/d0"), resumed())


def test_continue_passes_a_breakpoint_beside_a_question_which_stays_open() -> None:
    start = (stopping(after=("a.in",)), CLAIMED)
    history = (*start, *done("1.1", deferred("1.1/d0"), asked()), paused(for_question(), after()))
    given(*history).when(Continue()).then(resumed())
    given(*history, resumed()).at_rest().then(paused(for_question()))
    required = errors.AnswerRequired(JOB, ("1.1/q0",))
    given(*history, resumed(), paused(for_question())).when(Continue()).then(required)


def test_an_answer_passes_the_breakpoint_beside_its_question() -> None:
    start = (stopping(after=("a.in",)), CLAIMED)
    history = (*start, *done("1.1", deferred("1.1/d0"), asked()), paused(for_question(), after()))
    given(*history).when(Answer("yes")).then(answered(), released("1.1/d0"), resumed("Answer"))


def test_an_answer_to_an_older_question_at_a_breakpoint_releases_what_it_would_without() -> None:
    start = (stopping(after=("b.in",)), CLAIMED)
    asking = done("1.1", asked(), deferred("1.1/d0", "c.in"), emitted("1.1/o0", "b.in"))
    history = (*start, *asking, paused(for_question()), resumed())
    stop = paused(after("2.1", "b.in"))
    going_on = (*history, *done("2.1", emitted("2.1/o0", "d.in")), stop)
    given(*going_on).when(Answer("yes")).then(answered(), resumed("Answer"))
    sent_for = (*history, *done("2.1"), stop, message())
    given(*sent_for).when(Answer("yes")).then(answered(), resumed("Answer"))
    idle = (*history, *done("2.1"), stop)
    given(*idle).when(Answer("yes")).then(answered(), released("1.1/d0"), resumed("Answer"))


def test_an_update_behind_a_wave_applies_at_once() -> None:
    given(*STOPPED_AFTER).when(UPDATE).then(WROTE)
    assert given(*STOPPED_AFTER, WROTE).fold().shared == {"n": 1}


def test_a_goto_behind_a_wave_drops_what_was_kept() -> None:
    events = (resumed("Goto"), dropped("2.1"))
    given(*STOPPED_AFTER).when(GOTO).then(*events)
    fold = given(*STOPPED_AFTER, *events).fold()
    assert (fold.status, fold.pause) == ("running", ())
    assert [each.id for each in runnable(fold)] == ["2.1"]


# Other breakpoints from a resumption on.


def stops_after(*history: ev.Event) -> Breakpoints:
    """Return the breakpoints that a job has after these events."""
    return given(*history).fold().face().breakpoints


def test_a_resumption_replaces_the_breakpoints_that_it_names() -> None:
    history = (stopping(before=("a.in",), after=("b.in",)), paused(before()))
    assert stops_after(*history, PASSED) == Breakpoints(before=("a.in",), after=("b.in",))
    cleared = attrs.evolve(PASSED, before=())
    assert stops_after(*history, cleared) == Breakpoints(before=(), after=("b.in",))
    moved = attrs.evolve(PASSED, after=("a.in",))
    assert stops_after(*history, moved) == Breakpoints(before=("a.in",), after=("a.in",))


def test_new_breakpoints_hold_for_the_wave_that_the_resumption_opens() -> None:
    stop_there = attrs.evolve(resumed(), before=("b.in",), after=())
    given(*STOPPED_AFTER, stop_there).at_rest().then(paused(before("2.1", "b.in")))
    led_there = attrs.evolve(stop_there, command="Goto")
    given(*STOPPED_AFTER, led_there, dropped("2.1")).at_rest().then(paused(before("2.1", "b.in")))


def test_new_breakpoints_do_not_stop_the_wave_that_they_let_go() -> None:
    again = attrs.evolve(PASSED, before=("a.in",), after=("a.in",))
    history = (*STOPPED_BEFORE, again, CLAIMED)
    given(*history).at_rest().then()
    given(*history, *done()).at_rest().then(paused(after()))


# What earlier formats recorded.


OLD = (
    *(*RUNNING, *done("1.1", emitted("1.1/o0", "a.in"), wants_pause())),
    paused(for_program()),
)


@pytest.mark.parametrize("held", [(), (HOLD, HELD)], ids=["free", "held"])
def test_a_goto_reads_alike_in_either_order_of_its_events(held: tuple[ev.Event, ...]) -> None:
    lifting, dropping = resumed("Goto"), dropped("2.1")
    older = given(*OLD, *held, dropping, lifting).fold()
    newer = given(*OLD, *held, lifting, dropping).fold()
    assert older == newer
    assert [each.id for each in older.ready] == ["2.1"]
    assert older.status == ("paused" if held else "running")


def test_a_job_without_breakpoints_has_none() -> None:
    assert stops_after(started()) == Breakpoints(before=(), after=())
