"""Interrupts: what stands still in the middle of a wave, one example for each rule."""

from __future__ import annotations

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
    UpdateShared,
)
from esflow.consequences import needed_slots, runnable
from tests.core.scenario import (
    CLAIMED,
    FOR_OPERATOR,
    HELD,
    HOLD,
    INTERRUPTED,
    JOB,
    RUNNING,
    answered,
    asked,
    deferred,
    done,
    emitted,
    failed,
    for_interrupt,
    for_program,
    for_question,
    given,
    interrupted,
    message,
    paused,
    resumed,
    started,
    wants_pause,
    wrote,
)

CLAIM = ClaimExecution(
    host="h", process="p", flow_version="1", fingerprint="f", slots=frozenset({"a.in", "b.in"})
)
UPDATE = UpdateShared(writes=(("n", "set", 1),))
WROTE = ev.SharedWritten(activation=None, key="n", reducer="set", value=1)
GOTO = Goto("b.in", {"n": 1})

WIDE = (*RUNNING, *done("1.1", emitted("1.1/o0", "a.in", "b.in")))
"""Two activations run: ``2.1`` and ``2.2``."""
BOTH = (*WIDE, interrupted("2.2/i0"), interrupted("2.1/i0"))
BOTH_PAUSED = (*BOTH, paused(for_interrupt("2.1/i0"), for_interrupt("2.2/i0")))
OLDER = (
    *(*RUNNING, *done("1.1", asked(), deferred("1.1/d0", "b.in"), emitted("1.1/o0", "a.in"))),
    *(paused(for_question()), resumed(), interrupted("2.1/i0"), paused(for_interrupt("2.1/i0"))),
)
"""An older question is open beside the interrupt of a later wave."""


def dropped(*ids: str) -> ev.WorkDropped:
    """Return what `GOTO` drops."""
    return ev.WorkDropped(slot=GOTO.slot, payload=GOTO.payload, ids=ids)


def status(*history: ev.Event) -> str:
    """Return where a job stands after these events."""
    return given(*history).fold().status.value


# Asking in the middle (rules 6, 11 and 18).


def test_a_lone_activation_that_asks_pauses_the_job() -> None:
    given(*RUNNING, interrupted()).at_rest().then(paused(for_interrupt()))
    given(*INTERRUPTED).at_rest().then()
    assert status(*INTERRUPTED) == "paused"


def test_an_interrupt_pauses_when_the_last_neighbour_has_settled() -> None:
    given(*WIDE, interrupted("2.1/i0")).at_rest(quiet=False).then()
    assert status(*WIDE, interrupted("2.1/i0")) == "running"
    given(*WIDE, interrupted("2.1/i0"), *done("2.2")).at_rest().then(
        paused(for_interrupt("2.1/i0"))
    )


def test_the_interrupts_of_a_pause_stand_in_activation_order() -> None:
    given(*BOTH).at_rest().then(BOTH_PAUSED[-1])
    fold = given(*BOTH_PAUSED).fold()
    assert [each.id for each in fold.interrupts] == ["2.1/i0", "2.2/i0"]
    assert [each.activation for each in fold.face().interrupts] == ["2.1", "2.2"]
    assert fold.ready == []


@pytest.mark.parametrize("payload", [None, 5, {"cost": 1}, ["x"]])
def test_a_payload_that_is_no_text_is_no_text_of_the_pause(payload: ev.Json) -> None:
    given(*RUNNING, interrupted(payload=payload)).at_rest().then(paused(for_interrupt(text="")))


def test_a_program_pause_of_a_neighbour_waits_until_the_wave_closes() -> None:
    history = (*WIDE, *done("2.2", wants_pause("tea", "2.2")), interrupted("2.1/i0"))
    given(*history).at_rest().then(paused(for_interrupt("2.1/i0")))
    answer = (paused(for_interrupt("2.1/i0")), answered("2.1/i0"), resumed("Answer", "wave"))
    given(*history, *answer, *done("2.1")).at_rest().then(paused(for_program("tea", "2.2")))


def test_the_failure_of_a_neighbour_ends_the_job_when_the_others_are_set_aside() -> None:
    error = ev.Failure(type="ValueError", message="no")
    end = ev.JobFailed(error=error, activation="2.2")
    given(*WIDE, failed("2.2"), interrupted("2.1/i0")).at_rest().then(end)
    given(*WIDE, interrupted("2.1/i0"), failed("2.2")).at_rest().then(end)
    fold = given(*WIDE, interrupted("2.1/i0"), failed("2.2"), end).fold()
    assert (fold.status, fold.pause, len(fold.interrupts)) == ("failed", (), 1)


def test_the_operators_hold_comes_into_force_beside_an_interrupt() -> None:
    given(*RUNNING, HOLD, interrupted()).at_rest().then(paused(for_interrupt()), HELD)
    given(*INTERRUPTED).when(PauseJob(reason="inspection")).then(HOLD)
    given(*INTERRUPTED, HOLD).at_rest(quiet=False).then(HELD)
    assert given(*INTERRUPTED, HOLD, HELD).fold().pause == (for_interrupt(), FOR_OPERATOR)


def test_an_interrupt_that_is_asked_under_the_hold_stands_beside_it() -> None:
    history = (*RUNNING, HOLD, HELD, interrupted())
    given(*history).at_rest().then(paused(for_interrupt()))
    fold = given(*history, paused(for_interrupt())).fold()
    assert fold.pause == (for_interrupt(), FOR_OPERATOR)


# Answering an interrupt (rules 14 and 16).


@pytest.mark.parametrize("to", [None, "1.1/i0"])
def test_an_answer_lets_the_activation_run_again(to: str | None) -> None:
    events = (answered("1.1/i0"), resumed("Answer", "wave"))
    given(*INTERRUPTED).when(Answer("yes", to)).then(*events)
    fold = given(*INTERRUPTED, *events).fold()
    assert (fold.status, [each.id for each in runnable(fold)]) == ("running", ["1.1"])
    assert (fold.interrupts, fold.pause, fold.wave, fold.activations_count) == ([], (), 1, 1)
    found = fold.members["1.1"].answered["1.1/i0"]
    assert (found.value, found.version, found.interrupt) == ("yes", 5, interrupted())
    given(*INTERRUPTED, *events).at_rest().then()


def test_a_job_goes_on_as_if_nobody_had_asked() -> None:
    answer = (answered("1.1/i0"), resumed("Answer", "wave"), CLAIMED)
    given(*INTERRUPTED, *answer, *done()).at_rest().then(ev.JobCompleted())


def test_one_activation_asks_several_times() -> None:
    again = (answered("1.1/i0"), resumed("Answer", "wave"), interrupted("1.1/i1", "sure?"))
    given(*INTERRUPTED, *again).at_rest().then(paused(for_interrupt("1.1/i1", "sure?")))
    history = (*INTERRUPTED, *again, paused(for_interrupt("1.1/i1", "sure?")))
    given(*history).when(Answer(1)).then(answered("1.1/i1", 1), resumed("Answer", "wave"))
    fold = given(*history, answered("1.1/i1", 1), resumed("Answer", "wave")).fold()
    assert list(fold.members["1.1"].answered) == ["1.1/i0", "1.1/i1"]


def test_several_interrupts_must_be_told_apart() -> None:
    problem = "several are open; name one with Answer(value, to=id)"
    refused = errors.AnswerRefused(JOB, "2.1/i0 or 2.2/i0", problem)
    given(*BOTH_PAUSED).when(Answer("yes")).then(refused)
    between = errors.AnswerRefused(JOB, "1.1/q0 or 2.1/i0", problem)
    given(*OLDER).when(Answer("yes")).then(between)


def test_an_answer_to_one_of_several_interrupts_lets_that_one_run() -> None:
    events = (answered("2.2/i0"), resumed("Answer", "wave"))
    given(*BOTH_PAUSED).when(Answer("yes", "2.2/i0")).then(*events)
    assert [each.id for each in runnable(given(*BOTH_PAUSED, *events).fold())] == ["2.2"]
    given(*BOTH_PAUSED, *events).at_rest().then()
    given(*BOTH_PAUSED, *events, *done("2.2")).at_rest().then(paused(for_interrupt("2.1/i0")))


def test_an_answer_while_others_run_is_recorded_and_the_activation_waits_for_its_driver() -> None:
    history = (*WIDE, interrupted("2.1/i0"))
    given(*history).when(Answer("yes", "2.1/i0")).then(answered("2.1/i0"))
    fold = given(*history, answered("2.1/i0")).fold()
    assert [each.id for each in runnable(fold)] == ["2.1", "2.2"]
    given(*history, answered("2.1/i0"), *done("2.2")).at_rest().then()
    second = (answered("2.2/i0"), resumed("Answer", "wave"))
    given(*BOTH_PAUSED, *second).when(Answer(1, "2.1/i0")).then(answered("2.1/i0", 1))


def test_an_answer_under_the_operators_hold_starts_nothing() -> None:
    events = (answered("1.1/i0"), resumed("Answer", "wave"))
    given(*INTERRUPTED, HOLD, HELD).when(Answer("yes")).then(*events)
    held = (*INTERRUPTED, HOLD, HELD, *events)
    fold = given(*held).fold()
    assert (fold.status, runnable(fold), fold.pause) == ("paused", (), (FOR_OPERATOR,))
    assert [each.id for each in fold.ready] == ["1.1"]
    given(*held).when(Continue()).then(resumed(lifted="operator"))
    assert [each.id for each in runnable(given(*held, resumed(lifted="operator")).fold())] == [
        "1.1"
    ]


def test_an_answer_to_an_older_question_waits_for_the_wave_after() -> None:
    given(*OLDER).when(Answer("yes", "1.1/q0")).then(answered())
    history = (*OLDER, answered())
    assert (status(*history), given(*history).fold().pause) == (
        "paused",
        (for_interrupt("2.1/i0"),),
    )
    go_on = (answered("2.1/i0"), resumed("Answer", "wave"), *done("2.1"))
    fold = given(*history, *go_on).fold()
    assert [(each.id, each.cause) for each in fold.ready] == [("3.1", "1.1/q0")]
    assert list(fold.deferrals) == ["1.1/d0"]


def test_an_answer_to_an_interrupt_releases_no_deferral() -> None:
    events = (answered("2.1/i0"), resumed("Answer", "wave"))
    given(*OLDER).when(Answer("yes", "2.1/i0")).then(*events)


CHOSEN = (*RUNNING, interrupted(choices=(1, "a", None)), paused(for_interrupt()))
TYPED = (*RUNNING, interrupted(types=("integer", "null")), paused(for_interrupt()))


@pytest.mark.parametrize("value", [1, "a", None])
def test_an_answer_to_an_interrupt_is_one_of_its_choices(value: ev.Json) -> None:
    given(*CHOSEN).when(Answer(value)).then(answered("1.1/i0", value), resumed("Answer", "wave"))


@pytest.mark.parametrize("value", [True, 1.0, "b", 0, ["a"]])
def test_an_answer_that_is_not_among_the_choices_of_an_interrupt_is_refused(value: ev.Json) -> None:
    problem = f"{value!r} is not among the choices [1, 'a', None]; answer with one of them"
    given(*CHOSEN).when(Answer(value)).then(errors.AnswerRefused(JOB, "1.1/i0", problem))


@pytest.mark.parametrize("value", [0, -(2**63), None])
def test_an_answer_has_one_of_the_types(value: ev.Json) -> None:
    given(*TYPED).when(Answer(value)).then(answered("1.1/i0", value), resumed("Answer", "wave"))


@pytest.mark.parametrize("value", [True, 1.0, "1", [1], {"n": 1}])
def test_an_answer_of_another_type_is_refused(value: ev.Json) -> None:
    problem = f"{value!r} is no integer or null; answer with one"
    given(*TYPED).when(Answer(value)).then(errors.AnswerRefused(JOB, "1.1/i0", problem))


ANSWERED = (*INTERRUPTED, answered("1.1/i0"), resumed("Answer", "wave"))


@pytest.mark.parametrize("answer", [Answer("no"), Answer("no", "1.1/i0")])
def test_the_first_answer_to_an_interrupt_stands(answer: Answer) -> None:
    problem = "was answered with 'yes' at version 5; the first answer stands"
    refused = errors.AnswerRefused(JOB, "1.1/i0", problem, "yes", 5)
    given(*ANSWERED).when(answer).then(refused)


def test_an_answered_interrupt_says_so_though_the_job_has_gone_on_and_ended() -> None:
    problem = "was answered with 'yes' at version 5; the first answer stands"
    refused = errors.AnswerRefused(JOB, "1.1/i0", problem, "yes", 5)
    given(*ANSWERED, *done(), ev.JobCompleted()).when(Answer(1, "1.1/i0")).then(refused)


def test_an_answer_to_an_interrupt_that_nobody_asked_names_the_open_ones() -> None:
    unknown = errors.InterruptNotFound(JOB, "1.1/i1", ("1.1/i0",))
    given(*INTERRUPTED).when(Answer("yes", "1.1/i1")).then(unknown)
    unknown = errors.InterruptNotFound(JOB, "2.1/i1", ("1.1/q0", "2.1/i0"))
    given(*OLDER).when(Answer("yes", "2.1/i1")).then(unknown)


@pytest.mark.parametrize("to", [None, "1.1/i0", "1.1/i1"])
def test_an_ended_job_takes_no_answer_to_an_interrupt(to: str | None) -> None:
    history = (*INTERRUPTED, ev.JobCancelled(reason=""))
    given(*history).when(Answer("yes", to)).then(errors.JobClosed(JOB, "cancelled", "an answer"))


# Other wishes at an interrupt (rules 15, 16, 19, 20 and 30).


def test_continue_does_not_answer_an_interrupt_and_names_all_that_is_open() -> None:
    given(*INTERRUPTED).when(Continue()).then(errors.AnswerRequired(JOB, ("1.1/i0",)))
    required = errors.AnswerRequired(JOB, ("2.1/i0", "2.2/i0"))
    given(*BOTH_PAUSED).when(Continue()).then(required)
    given(*OLDER, message()).when(Continue()).then(errors.AnswerRequired(JOB, ("1.1/q0", "2.1/i0")))


def test_continue_and_goto_leave_a_wave_alone_that_still_runs() -> None:
    running = errors.NotPaused(JOB, "running", "h")
    for wish in (Continue(), GOTO, UPDATE):
        given(*WIDE, interrupted("2.1/i0")).when(wish).then(running)
    given(*ANSWERED).when(Continue()).then(running)


def test_continue_under_a_hold_lifts_the_hold_and_not_the_interrupt() -> None:
    given(*INTERRUPTED, HOLD, HELD).when(Continue()).then(resumed(lifted="operator"))
    fold = given(*INTERRUPTED, HOLD, HELD, resumed(lifted="operator")).fold()
    assert (fold.status, fold.pause) == ("paused", (for_interrupt(),))


def test_an_update_at_an_interrupt_is_the_last_write_of_its_wave() -> None:
    history = (*WIDE, *done("2.2", wrote("n", "set", 5, "2.2")), interrupted("2.1/i0"))
    history = (*history, paused(for_interrupt("2.1/i0")))
    given(*history).when(UPDATE).then(WROTE)
    assert given(*history, WROTE).fold().shared == {}
    end = (answered("2.1/i0"), resumed("Answer", "wave"), *done("2.1", wrote("n", "set", 6, "2.1")))
    assert given(*history, WROTE, *end).fold().shared == {"n": 1}


def test_an_update_that_does_not_fit_what_the_neighbours_wrote_is_refused() -> None:
    history = (*WIDE, *done("2.2", wrote("n", "set", "x", "2.2")), interrupted("2.1/i0"))
    wish = UpdateShared(writes=(("n", "add", 1),))
    refused = errors.MergeError("n", "add", "adds numbers, found str")
    given(*history, paused(for_interrupt("2.1/i0"))).when(wish).then(refused)


def test_a_goto_drops_interrupts_and_the_activations_that_they_set_aside() -> None:
    records = (emitted("2.2/o0", "a.in"), emitted("2.2/o1"), wrote("n", "set", 5, "2.2"))
    history = (*WIDE, *done("2.2", *records), interrupted("2.1/i0"))
    history = (*history, paused(for_interrupt("2.1/i0")))
    events = (resumed("Goto", "wave"), dropped("2.1", "2.1/i0", "2.2/o0"))
    given(*history).when(GOTO).then(*events)
    fold = given(*history, *events).fold()
    assert (fold.status, fold.interrupts, fold.pause, fold.shared) == ("running", [], (), {"n": 5})
    assert [(each.id, each.slot) for each in runnable(fold)] == [("3.1", "b.in")]
    assert [each.id for each in fold.outputs] == ["2.2/o1"]
    unknown = errors.InterruptNotFound(JOB, "2.1/i0", ())
    given(*history, *events).when(Answer("yes", "2.1/i0")).then(unknown)


def test_a_goto_drops_an_older_question_and_its_deferrals_too() -> None:
    events = (resumed("Goto", "wave"), dropped("1.1/d0", "1.1/q0", "2.1", "2.1/i0"))
    given(*OLDER).when(GOTO).then(*events)
    given(*OLDER, *events, *done("3.1")).at_rest().then(ev.JobCompleted())


def test_a_goto_under_a_hold_lifts_the_interrupt_and_not_the_hold() -> None:
    events = (resumed("Goto", "wave"), dropped("1.1", "1.1/i0"))
    given(*INTERRUPTED, HOLD, HELD).when(GOTO).then(*events)
    fold = given(*INTERRUPTED, HOLD, HELD, *events).fold()
    assert (fold.status, fold.pause, runnable(fold)) == ("paused", (FOR_OPERATOR,), ())


def test_a_goto_of_a_job_that_only_an_operator_holds_lifts_nothing() -> None:
    history = (*WIDE, HOLD, *done("2.1"), HELD)
    given(*history).when(GOTO).then(dropped("2.2"))


def test_a_goto_from_an_interrupt_past_the_limit_fails_the_job() -> None:
    history = (started(limit=1), CLAIMED, interrupted(), paused(for_interrupt()))
    end = errors.ActivationLimit(JOB, 1)
    failure = ev.Failure(type="ActivationLimit", message=str(end))
    given(*history, resumed("Goto", "wave"), dropped("1.1", "1.1/i0")).at_rest().then(
        ev.JobFailed(error=failure)
    )


def test_a_message_ends_no_interrupt_and_joins_the_wave_after() -> None:
    wish = SendMessage(slot="a.in", payload={"n": 1}, key=None)
    given(*INTERRUPTED).when(wish).then(message())
    given(*INTERRUPTED, message()).at_rest().then()
    end = (answered("1.1/i0"), resumed("Answer", "wave"), *done())
    assert [each.cause for each in given(*INTERRUPTED, message(), *end).fold().ready] == ["m1"]


def test_a_job_is_cancelled_at_an_interrupt() -> None:
    cancelled = ev.JobCancelled(reason="enough")
    given(*INTERRUPTED).when(CancelJob(reason="enough")).then(cancelled)
    given(*INTERRUPTED, cancelled).at_rest().then()
    assert given(*INTERRUPTED, cancelled).fold().pause == ()


def test_an_activation_that_is_set_aside_needs_its_slot() -> None:
    start = (started("gone.in"), CLAIMED)
    assert needed_slots(given(*start, interrupted()).fold()) == {"gone.in"}
    history = (*start, *done("1.1", emitted("1.1/o0", "gone.in", "a.in")), interrupted("2.1/i0"))
    given(*history).when(CLAIM).then(errors.FlowChanged(JOB, "flow", ("gone.in",)))
    given(*INTERRUPTED).when(CLAIM).then()
    given(*ANSWERED).when(CLAIM).then(CLAIMED)
