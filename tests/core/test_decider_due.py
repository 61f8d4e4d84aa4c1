"""What follows by itself, what may run, and what a job still needs."""

from __future__ import annotations

import pytest

from esflow import events as ev
from esflow.consequences import needed_slots, runnable
from esflow.errors import ActivationLimit, MergeError
from tests.core.scenario import (
    ASKED,
    ENDED,
    FOR_OPERATOR,
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
    wrote,
)

LIMITED = (started(limit=1), RUNNING[1])
WIDE = (*RUNNING, *done("1.1", emitted("1.1/o0", "a.in", "b.in")))


def ended_by(
    kind: str, text: str, activation: str | None = None, key: str | None = None
) -> ev.JobFailed:
    """Return the end that a failure leads to, which holds no traceback of its own."""
    return ev.JobFailed(error=ev.Failure(type=kind, message=text), activation=activation, key=key)


def test_nothing_is_due_while_a_wave_is_open() -> None:
    given(*RUNNING).at_rest().then()


def test_nothing_is_due_after_the_end() -> None:
    given(*ENDED, HOLD).at_rest().then()


def test_nothing_is_due_of_a_job_that_rests() -> None:
    for history in (ASKED, PAUSED, (started(), HOLD, HELD)):
        given(*history).at_rest().then()


def test_a_job_with_nothing_left_is_completed() -> None:
    given(*RUNNING, *done()).at_rest().then(ev.JobCompleted())


def test_an_emission_keeps_the_job_going() -> None:
    given(*WIDE).at_rest().then()


def test_what_the_program_asked_for_pauses_the_job_when_the_wave_has_closed() -> None:
    neighbours = (*WIDE, *done("2.2", wants_pause("b", "2.2")))
    given(*neighbours).at_rest().then()
    given(*neighbours, *done("2.1", asked("2.1/q0"))).at_rest().then(
        paused(for_question("2.1/q0"), for_program("b", "2.2"))
    )


def test_an_idle_job_with_a_question_open_is_paused_again() -> None:
    records = (asked("1.1/q0"), asked("1.1/q1"), deferred("1.1/d0", "a.in"))
    history = (*RUNNING, *done("1.1", *records), paused(for_question("1.1/q0")))
    resumption = (answered("1.1/q1"), resumed("Answer"), *done("2.1"))
    given(*history, *resumption).at_rest().then(paused(for_question("1.1/q0")))


def test_deferrals_are_released_when_a_program_that_never_paused_is_done() -> None:
    given(*RUNNING, *done("1.1", deferred("1.1/d0", "a.in"), deferred("1.1/d1"))).at_rest().then(
        released("1.1/d0", "1.1/d1")
    )
    given(*RUNNING, *done("1.1", deferred("1.1/d0"))).at_rest().then(
        released("1.1/d0"), ev.JobCompleted()
    )


def test_an_accepted_message_is_delivered_before_the_job_completes() -> None:
    given(*RUNNING, message(), *done()).at_rest().then()
    given(*RUNNING, message(), *done(), *done("2.1")).at_rest().then(ev.JobCompleted())


def test_the_operators_hold_comes_into_force_when_nothing_runs() -> None:
    given(*RUNNING, HOLD).at_rest(quiet=False).then()
    given(*RUNNING, HOLD).at_rest().then(HELD)
    given(*WIDE, HOLD, *done("2.1")).at_rest().then(HELD)


def test_the_operators_hold_comes_into_force_beside_the_programs() -> None:
    given(*PAUSED, HOLD).at_rest(quiet=False).then(HELD)
    given(*RUNNING, HOLD, *done("1.1", wants_pause())).at_rest().then(paused(for_program()), HELD)
    given(*ASKED, HOLD).at_rest().then(HELD)


def test_a_held_job_with_nothing_left_is_completed() -> None:
    given(*RUNNING, HOLD, *done()).at_rest().then(ev.JobCompleted())


def test_a_failure_lets_the_neighbours_settle() -> None:
    given(*WIDE, failed("2.2", "second")).at_rest().then()
    given(*WIDE, failed("2.2", "second"), *done("2.1")).at_rest().then(
        ended_by("ValueError", "second", "2.2")
    )


def test_the_failure_of_a_job_is_the_first_in_activation_order() -> None:
    given(*WIDE, failed("2.2", "second"), failed("2.1", "first")).at_rest().then(
        ended_by("ValueError", "first", "2.1")
    )


def test_a_write_that_does_not_apply_fails_the_job() -> None:
    records = (wrote("sum", "set", "x"), wrote("sum", "add", 1), wrote("sum", "append", 1))
    error = MergeError("sum", "add", "adds numbers, found str")
    given(*RUNNING, *done("1.1", *records)).at_rest().then(
        ended_by("MergeError", str(error), "1.1", key="sum")
    )


def test_a_wave_that_would_pass_the_limit_is_not_begun() -> None:
    end = ended_by("ActivationLimit", str(ActivationLimit(JOB, 1)))
    given(*LIMITED, *done("1.1", emitted("1.1/o0", "a.in"))).at_rest().then(end)
    given(*LIMITED, message(), *done()).at_rest().then(end)
    given(*LIMITED, *done()).at_rest().then(ev.JobCompleted())


def test_a_resumption_that_would_pass_the_limit_fails_the_job() -> None:
    asking = (*LIMITED, *done("1.1", asked()), paused(for_question()))
    end = ended_by("ActivationLimit", str(ActivationLimit(JOB, 1)))
    given(*asking, answered(), resumed("Answer")).at_rest().then(end)


# What may run.


def test_what_has_not_settled_may_run_in_order() -> None:
    assert [each.id for each in runnable(given(*WIDE).fold())] == ["2.1", "2.2"]
    assert [each.id for each in runnable(given(*WIDE, *done("2.1")).fold())] == ["2.2"]


@pytest.mark.parametrize(
    "history", [ASKED, PAUSED, ENDED, (*RUNNING, HOLD), (*RUNNING, HOLD, HELD)]
)
def test_nothing_of_a_held_paused_or_ended_job_may_run(history: tuple[ev.Event, ...]) -> None:
    assert runnable(given(*history).fold()) == ()


def test_nothing_of_a_failed_job_may_run() -> None:
    history = (*WIDE, failed("2.1"), ended_by("ValueError", "no", "2.1"))
    assert runnable(given(*history).fold()) == ()


def test_everything_that_will_be_delivered_needs_its_slot() -> None:
    records = (
        emitted("1.1/o0", "kept.in"),
        deferred("1.1/d0", "deferred.in", "deferred.too"),
        asked(to="asked.in"),
    )
    history = (*RUNNING, *done("1.1", *records), message(slot="sent.in"))
    assert needed_slots(given(*history).fold()) == {
        "kept.in",
        "deferred.in",
        "deferred.too",
        "asked.in",
        "sent.in",
    }
    assert needed_slots(given(started("first.in")).fold()) == {"first.in"}
    assert needed_slots(given(*ENDED).fold()) == frozenset()


def test_the_reasons_of_a_pause_are_kept_apart() -> None:
    fold = given(*PAUSED, HOLD, HELD).fold()
    assert fold.pause == (for_program(), FOR_OPERATOR)
    assert given(*PAUSED, HOLD, HELD, resumed(lifted="operator")).fold().pause == (for_program(),)
    assert given(*RUNNING, HOLD).fold().pause == ()
