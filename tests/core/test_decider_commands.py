"""What `decide` makes of each wish: one example for each rule at the edges."""

from __future__ import annotations

import attrs
import pytest

from esflow import errors
from esflow import events as ev
from esflow.commands import Answer, ClaimExecution, Continue, PauseJob, SendMessage, StartJob
from tests.core.scenario import (
    ASKED,
    CLAIMED,
    ENDED,
    HELD,
    HOLD,
    JOB,
    PAUSED,
    RUNNING,
    answered,
    asked,
    deferred,
    done,
    emitted,
    failed,
    for_program,
    for_question,
    given,
    message,
    paused,
    released,
    resumed,
    started,
    wants_pause,
)

CLAIM = ClaimExecution(
    host="h", process="p", flow_version="1", fingerprint="f", slots=frozenset({"a.in"})
)
SEND = SendMessage(slot="a.in", payload={"n": 1}, key="k")
PAUSE = PauseJob(reason="inspection")
BROKEN = ev.Failure(type="ValueError", message="no")
FAILED = (*RUNNING, failed(), ev.JobFailed(error=BROKEN, activation="1.1"))
TWO_ASKED = (
    *RUNNING,
    *done("1.1", asked("1.1/q0"), asked("1.1/q1")),
    paused(for_question("1.1/q0"), for_question("1.1/q1")),
)


# Beginning and taking over.


def test_a_job_begins_with_what_was_asked_for() -> None:
    start = StartJob(
        flow="flow",
        flow_version="1",
        fingerprint="f",
        slot="a.in",
        payload={"n": 1},
        limit=5,
        labels={"team": "blue"},
    )
    begun = attrs.evolve(started(limit=5, n=1), labels={"team": "blue"})
    given().when(start).then(begun)


def test_a_job_with_something_to_run_can_be_claimed() -> None:
    given(started()).when(CLAIM).then(CLAIMED)


def test_a_running_job_can_be_claimed_by_another_host() -> None:
    given(*RUNNING).when(attrs.evolve(CLAIM, host="b")).then(attrs.evolve(CLAIMED, host="b"))


@pytest.mark.parametrize("history", [PAUSED, ASKED, ENDED, FAILED, (started(), HOLD, HELD)])
def test_a_job_with_nothing_to_run_is_not_claimed(history: tuple[ev.Event, ...]) -> None:
    given(*history).when(CLAIM).then()


@pytest.mark.parametrize(
    "history",
    [
        (started("gone.in"),),
        (started(), message(slot="gone.in")),
        (*RUNNING, *done("1.1", emitted("1.1/o0", "gone.in"))),
        (*RUNNING, *done("1.1", emitted("1.1/o0", "a.in"), deferred("1.1/d0", "gone.in"))),
        (
            *(*RUNNING, *done("1.1", asked(to="gone.in"), emitted("1.1/o0", "a.in"))),
            *(paused(for_question()), resumed()),
        ),
    ],
    ids=["ready", "input", "emission", "deferral", "question"],
)
def test_a_flow_that_lacks_a_needed_slot_cannot_take_the_job_over(
    history: tuple[ev.Event, ...],
) -> None:
    given(*history).when(CLAIM).then(errors.FlowChanged(JOB, "flow", ("gone.in",)))


# Messages (rule 30).


def test_a_message_is_recorded_under_the_next_number() -> None:
    given(*RUNNING, message(1), message(2)).when(SEND).then(
        ev.MessageReceived(id="m3", slot="a.in", payload={"n": 1}, key="k")
    )


@pytest.mark.parametrize("history", [(started(),), RUNNING, ASKED, PAUSED, (started(), HOLD, HELD)])
def test_every_unended_job_takes_messages(history: tuple[ev.Event, ...]) -> None:
    given(*history).when(SEND).then(message(1, key="k"))


@pytest.mark.parametrize(("history", "status"), [(ENDED, "completed"), (FAILED, "failed")])
def test_an_ended_job_takes_no_message(history: tuple[ev.Event, ...], status: str) -> None:
    closed = errors.JobClosed(JOB, status, "a message to 'a.in'")
    given(*history).when(SEND).then(closed)


def test_a_message_sent_again_is_there_already() -> None:
    given(*RUNNING, message(1, key="k")).when(SEND).then()


def test_a_message_sent_again_is_there_already_though_the_job_has_ended() -> None:
    history = (*RUNNING, message(1, key="k"), *done(), *done("2.1"), ev.JobCompleted())
    given(*history).when(SEND).then()


@pytest.mark.parametrize(
    "other",
    [attrs.evolve(SEND, slot="b.in"), attrs.evolve(SEND, payload={"n": True})],
    ids=["slot", "payload"],
)
def test_a_key_stands_for_one_message(other: SendMessage) -> None:
    reused = errors.MessageKeyReused(JOB, "k", 3)
    given(*RUNNING, message(1, key="k")).when(other).then(reused)


def test_messages_without_a_key_are_never_the_same() -> None:
    keyless = attrs.evolve(SEND, key=None)
    given(*RUNNING, message(1)).when(keyless).then(attrs.evolve(message(2), payload={"n": 1}))


# The operator's hold (rules 12 and 13).


@pytest.mark.parametrize("history", [(started(),), RUNNING, ASKED, PAUSED])
def test_every_unended_job_can_be_held(history: tuple[ev.Event, ...]) -> None:
    given(*history).when(PAUSE).then(HOLD)


@pytest.mark.parametrize("history", [(*RUNNING, HOLD), (*RUNNING, HOLD, HELD)])
def test_a_held_job_is_not_held_twice(history: tuple[ev.Event, ...]) -> None:
    given(*history).when(PauseJob(reason="another")).then()


def test_an_ended_job_cannot_be_held() -> None:
    given(*ENDED).when(PAUSE).then(errors.JobClosed(JOB, "completed", "a pause"))


def test_continue_withdraws_a_hold_that_has_not_come_into_force() -> None:
    given(*RUNNING, HOLD).when(Continue()).then(resumed(lifted="operator"))


def test_continue_lifts_the_operators_hold_and_no_other() -> None:
    history = (*RUNNING, *done("1.1", deferred("1.1/d0", "a.in"), wants_pause()))
    given(*history, paused(for_program()), HOLD, HELD).when(Continue()).then(
        resumed(lifted="operator")
    )


def test_an_answer_is_taken_under_a_hold_and_resumes_the_program_only() -> None:
    given(*ASKED, HOLD, HELD).when(Answer("yes")).then(answered(), resumed("Answer"))


# Continue (rules 14 and 15).


def test_continue_resumes_a_program_that_paused_itself() -> None:
    given(*PAUSED).when(Continue()).then(resumed())


def test_continue_releases_deferrals_in_their_order() -> None:
    records = (deferred("1.1/d0"), deferred("1.1/d1"), wants_pause())
    given(*RUNNING, *done("1.1", *records), paused(for_program())).when(Continue()).then(
        released("1.1/d0", "1.1/d1"), resumed()
    )


def test_continue_releases_nothing_while_something_is_asked() -> None:
    records = (deferred("1.1/d0"), asked(), wants_pause())
    reasons = (for_question(), for_program())
    given(*RUNNING, *done("1.1", *records), paused(*reasons)).when(Continue()).then(resumed())


@pytest.mark.parametrize(
    "history",
    [
        (*RUNNING, *done("1.1", asked(), emitted("1.1/o0", "a.in")), paused(for_question())),
        (*ASKED, message()),
    ],
    ids=["kept work", "a message"],
)
def test_continue_runs_what_there_is_while_something_is_asked(
    history: tuple[ev.Event, ...],
) -> None:
    given(*history).when(Continue()).then(resumed())


def test_continue_needs_an_answer_where_only_that_carries_on() -> None:
    required = errors.AnswerRequired(JOB, ("1.1/q0", "1.1/q1"))
    given(*TWO_ASKED).when(Continue()).then(required)


@pytest.mark.parametrize(
    ("history", "status", "host"), [((started(),), "pending", None), (RUNNING, "running", "h")]
)
def test_only_a_paused_job_continues(
    history: tuple[ev.Event, ...], status: str, host: str | None
) -> None:
    given(*history).when(Continue()).then(errors.NotPaused(JOB, status, host))


def test_an_ended_job_does_not_continue() -> None:
    given(*ENDED).when(Continue()).then(errors.JobClosed(JOB, "completed", "Continue()"))


# Answers (rules 14 and 16).


def test_a_lone_question_is_answered_without_naming_it() -> None:
    given(*ASKED).when(Answer("yes")).then(answered(), resumed("Answer"))


def test_an_answer_to_one_of_several_questions_is_a_full_resume() -> None:
    records = (asked("1.1/q0"), deferred("1.1/d0"), asked("1.1/q1"))
    reasons = (for_question("1.1/q0"), for_question("1.1/q1"))
    given(*RUNNING, *done("1.1", *records), paused(*reasons)).when(Answer(1, "1.1/q1")).then(
        answered("1.1/q1", 1), released("1.1/d0"), resumed("Answer")
    )


def test_an_answer_to_a_running_job_is_recorded_and_waits() -> None:
    history = (*RUNNING, *done("1.1", asked(), emitted("1.1/o0", "a.in")), paused(for_question()))
    given(*history, resumed()).when(Answer("yes")).then(answered())


def test_several_questions_must_be_told_apart() -> None:
    problem = "several are open; name one with Answer(value, to=id)"
    refused = errors.AnswerRefused(JOB, "1.1/q0 or 1.1/q1", problem)
    given(*TWO_ASKED).when(Answer("yes")).then(refused)


@pytest.mark.parametrize("answer", [Answer("no"), Answer("no", "1.1/q0")])
def test_the_first_answer_stands(answer: Answer) -> None:
    problem = "was answered with 'yes' at version 6; the first answer stands"
    refused = errors.AnswerRefused(JOB, "1.1/q0", problem, "yes", 6)
    given(*ASKED, answered(), resumed("Answer")).when(answer).then(refused)


def test_an_answered_question_says_so_though_the_job_has_ended() -> None:
    history = (*ASKED, answered(), resumed("Answer"), *done("2.1"), ev.JobCompleted())
    problem = "was answered with 'yes' at version 6; the first answer stands"
    refused = errors.AnswerRefused(JOB, "1.1/q0", problem, "yes", 6)
    given(*history).when(Answer("no", "1.1/q0")).then(refused)


@pytest.mark.parametrize("to", [None, "1.1/q0"])
def test_a_job_that_ended_with_a_question_open_takes_no_answer(to: str | None) -> None:
    asking = (asked(), emitted("1.1/o0", "a.in"))
    history = (*RUNNING, *done("1.1", *asking), paused(for_question()), resumed())
    ended = (failed("2.1"), ev.JobFailed(error=BROKEN, activation="2.1"))
    closed = errors.JobClosed(JOB, "failed", "an answer")
    given(*history, *ended).when(Answer("yes", to)).then(closed)


@pytest.mark.parametrize("to", [None, "1.1/q9"])
def test_an_ended_job_takes_no_answer(to: str | None) -> None:
    closed = errors.JobClosed(JOB, "completed", "an answer")
    given(*ENDED).when(Answer("yes", to)).then(closed)


def test_an_answer_to_what_nobody_asked_is_refused() -> None:
    unknown = errors.InterruptNotFound(JOB, "1.1/q9", ("1.1/q0",))
    given(*ASKED).when(Answer("yes", "1.1/q9")).then(unknown)
    given(*PAUSED).when(Answer("yes")).then(errors.InterruptNotFound(JOB, "", ()))


@pytest.mark.parametrize("value", [1, 2.0, None, True, {"a": [1]}])
def test_an_answer_is_one_of_the_choices(value: ev.Json) -> None:
    choices = (1, 2.0, None, True, {"a": [1]})
    history = (*RUNNING, *done("1.1", asked(choices=choices)), paused(for_question()))
    given(*history).when(Answer(value)).then(answered(value=value), resumed("Answer"))


def test_an_answer_that_only_python_takes_for_a_choice_is_refused() -> None:
    history = (*RUNNING, *done("1.1", asked(choices=(1, 2))), paused(for_question()))
    problem = "True is not among the choices [1, 2]; answer with one of them"
    refused = errors.AnswerRefused(JOB, "1.1/q0", problem)
    given(*history).when(Answer(True)).then(refused)
