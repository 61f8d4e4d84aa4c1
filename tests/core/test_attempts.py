"""Attempts: what a failure leads to, what the next attempt is given, and when it may run."""

from __future__ import annotations

import attrs
import pytest

from esflow import errors
from esflow import events as ev
from esflow.commands import (
    Answer,
    ClaimExecution,
    FireTimers,
    PauseJob,
    RetryJob,
    UpdateShared,
)
from esflow.consequences import runnable
from tests.core.scenario import (
    CLAIMED,
    ENDED,
    HELD,
    HOLD,
    JOB,
    PAUSED,
    RUNNING,
    Given,
    answered,
    done,
    emitted,
    failed,
    for_interrupt,
    given,
    interrupted,
    paused,
    started,
    wrote,
)

CLAIM = ClaimExecution(
    host="h",
    process="p",
    flow_version="1",
    fingerprint="f",
    slots=frozenset({"a.in", "b.in"}),
    max_claims=5,
)
BROKEN = ev.Failure(type="ValueError", message="no")
TWO = (*RUNNING, *done("1.1", emitted("1.1/o0", "a.in", "b.in")))
"""A job whose second wave has two activations."""
FAILED = (*RUNNING, failed(), ev.JobFailed(error=BROKEN, activation="1.1"))


def again(
    activation: str = "1.1",
    *,
    attempt: int = 1,
    escaped: str | None = None,
    at_ms: int = 1000,
    effects: str = "reuse",
) -> ev.ActivationFailed:
    """Return a failure behind which there is another attempt."""
    return attrs.evolve(
        failed(activation),
        outcome="retry",
        attempt=attempt,
        escaped=escaped,
        again_at_ms=at_ms,
        effects=effects,
    )


def effect(item: str, *, error: ev.Failure | None = None) -> ev.EffectRecorded:
    """Return an effect that came back, or failed."""
    return ev.EffectRecorded(
        id=item, function="f", digest="d", key=item, duration_us=0, result=1, error=error
    )


def effect_again(item: str) -> ev.EffectAttemptFailed:
    """Return an attempt of an effect behind which there is another."""
    return ev.EffectAttemptFailed(
        id=item,
        function="f",
        digest="d",
        key=item,
        attempt=1,
        duration_us=0,
        error=BROKEN,
        again_at_ms=5,
    )


def fired(*ids: str) -> ev.TimerFired:
    """Return the moment at which something is due."""
    return ev.TimerFired(ids=ids)


def due(now_ms: int) -> FireTimers:
    """Return the wish that what is due happens."""
    return FireTimers(now_ms=now_ms)


def _known(history: Given, activation: str = "1.1") -> tuple[set[str], int]:
    """Return the effects that the next attempt is given, and its number."""
    member = history.fold().members[activation]
    return set(member.effects), member.attempt


# Waiting for the next attempt.


def test_a_job_waits_for_the_next_attempt_and_nothing_of_it_runs_before() -> None:
    history = given(*RUNNING, again(at_ms=1000))
    history.at_rest().then()
    fold = history.fold()
    assert (fold.status, fold.wakes_at_ms, runnable(fold)) == ("waiting", 1000, ())
    history.when(CLAIM).then()
    history.when(due(999)).then()
    history.when(due(1000)).then(fired("1.1"))


def test_the_next_attempt_runs_when_it_is_due() -> None:
    history = given(*RUNNING, again(), fired("1.1"))
    fold = history.fold()
    assert [each.id for each in runnable(fold)] == ["1.1"]
    assert (fold.status, fold.wakes_at_ms, fold.members["1.1"].attempt) == ("running", None, 2)
    history.when(due(10**6)).then()
    history.when(CLAIM).then(CLAIMED)


def test_what_is_due_fires_together_by_the_time_at_which_it_was_due() -> None:
    history = given(*TWO, again("2.1", at_ms=30), again("2.2", at_ms=20))
    history.when(due(10)).then()
    history.when(due(20)).then(fired("2.2"))
    history.when(due(30)).then(fired("2.2", "2.1"))


def test_a_job_whose_neighbours_go_is_running_while_one_waits() -> None:
    history = given(*TWO, again("2.1"))
    fold = history.fold()
    assert (fold.status, [each.id for each in runnable(fold)]) == ("running", ["2.2"])
    assert given(*TWO, again("2.1"), *done("2.2")).fold().status == "waiting"


def test_a_wave_stays_open_for_the_next_attempt() -> None:
    history = given(*TWO, again("2.1"), *done("2.2", emitted("2.2/o0")))
    history.at_rest().then()
    assert history.fold().outputs == []
    closed = given(*history.events, fired("2.1"), *done("2.1", emitted("2.1/o0")))
    closed.at_rest().then(ev.JobCompleted())
    assert [each.id for each in closed.fold().outputs] == ["2.1/o0", "2.2/o0"]


def test_a_failure_beside_who_waits_ends_the_job_only_when_all_have_settled() -> None:
    history = given(*TWO, failed("2.1"), again("2.2"))
    history.at_rest().then()
    assert history.fold().status == "waiting"
    settled = given(*history.events, fired("2.2"), *done("2.2"))
    settled.at_rest().then(ev.JobFailed(error=BROKEN, activation="2.1"))


def test_an_interrupt_beside_who_waits_can_be_answered_and_pauses_the_job_afterwards() -> None:
    history = given(*TWO, again("2.1"), interrupted("2.2/i0"))
    history.at_rest().then()
    assert history.fold().status == "waiting"
    history.when(Answer("yes")).then(answered("2.2/i0"))
    settled = given(*history.events, fired("2.1"), *done("2.1"))
    settled.at_rest().then(paused(for_interrupt("2.2/i0")))


def test_nobodys_attempt_is_due_while_an_operator_holds_the_job() -> None:
    history = given(*RUNNING, again())
    history.when(PauseJob(reason="inspection")).then(HOLD)
    held = given(*history.events, HOLD)
    held.at_rest().then(HELD)
    held.when(due(10**6)).then()
    given(*history.events, HOLD, HELD).when(due(10**6)).then()
    assert given(*history.events, HOLD, HELD).fold().wakes_at_ms == 1000


def test_shared_data_may_be_updated_while_an_attempt_is_waited_for() -> None:
    history = given(*RUNNING, again())
    write = ev.SharedWritten(activation=None, key="k", reducer="set", value=1)
    history.when(UpdateShared(writes=(("k", "set", 1),))).then(write)
    settled = given(*history.events, write, fired("1.1"), *done("1.1", wrote("k", "set", 2)))
    assert settled.fold().shared == {"k": 1}


# What an attempt is given.


def test_the_next_attempt_calls_the_effect_that_escaped_and_those_after_it() -> None:
    effects = (effect("1.1/e0", error=BROKEN), effect("1.1/e1", error=BROKEN), effect("1.1/e2"))
    history = given(*RUNNING, *effects, again(escaped="1.1/e1"))
    assert _known(history) == ({"1.1/e0"}, 2)


def test_the_next_attempt_is_given_every_effect_if_none_escaped() -> None:
    history = given(*RUNNING, effect("1.1/e0"), effect("1.1/e1", error=BROKEN), again())
    assert _known(history) == ({"1.1/e0", "1.1/e1"}, 2)


def test_a_fresh_attempt_is_given_nothing() -> None:
    events = (effect("1.1/e0"), effect_again("1.1/e1"), again(effects="fresh"))
    history = given(*RUNNING, *events)
    assert (_known(history), history.fold().members["1.1"].attempts) == ((set(), 2), {})


def test_a_fresh_attempt_asks_anew_and_is_answered_anew() -> None:
    asked = (*RUNNING, interrupted(), paused(for_interrupt()), answered("1.1/i0", "old"))
    resumed = ev.JobResumed(command="Answer", lifted="wave")
    reused = given(*asked, resumed, again())
    assert set(reused.fold().members["1.1"].answered) == {"1.1/i0"}
    fresh = given(*asked, resumed, again(effects="fresh"), fired("1.1"), interrupted())
    assert fresh.fold().members["1.1"].answered == {}
    held = given(*fresh.events, paused(for_interrupt()))
    held.when(Answer("new", to="1.1/i0")).then(answered("1.1/i0", "new"), resumed)


def test_attempts_of_an_effect_are_counted_across_attempts_of_its_handler() -> None:
    history = given(*RUNNING, effect_again("1.1/e0"), again())
    assert history.fold().members["1.1"].attempts["1.1/e0"].attempt == 1
    called = given(*history.events, fired("1.1"), effect("1.1/e0"))
    assert called.fold().members["1.1"].attempts == {}


# What settles in spite of a failure.


def test_a_failure_that_is_skipped_settles_with_nothing() -> None:
    skipped = attrs.evolve(failed(), outcome="skip")
    given(*RUNNING, skipped).at_rest().then(ev.JobCompleted())


def test_a_failure_that_is_routed_is_an_emission() -> None:
    routed = attrs.evolve(failed(), outcome="route", events=1)
    history = given(*RUNNING, emitted("1.1/o0", "b.in", type="ValueError"), routed)
    fold = history.fold()
    assert [(each.id, each.slot, each.payload) for each in fold.ready] == [
        ("2.1", "b.in", {"type": "ValueError"})
    ]
    history.at_rest(quiet=False).then()


# Retrying by hand.


@pytest.mark.parametrize("effects", ["reuse", "fresh"])
def test_a_failed_job_is_retried(effects: str) -> None:
    given(*FAILED).when(RetryJob(effects=effects)).then(ev.JobRetried(effects=effects))


def test_only_a_failed_job_is_retried() -> None:
    for history, status in ((RUNNING, "running"), (PAUSED, "paused"), ((started(),), "pending")):
        refusal = errors.NotPaused(JOB, status, "h" if CLAIMED in history else None, "failed")
        given(*history).when(RetryJob(effects="reuse")).then(refusal)
        assert "not failed; only what failed is retried" in str(refusal)
    given(*ENDED).when(RetryJob(effects="reuse")).then(
        errors.JobClosed(JOB, "completed", "a retry")
    )


def test_only_what_failed_runs_again_with_all_its_attempts() -> None:
    last = attrs.evolve(failed("2.1"), attempt=3)
    history = given(
        *(*TWO, last, *done("2.2"), ev.JobFailed(error=BROKEN, activation="2.1")),
        ev.JobRetried(effects="reuse"),
    )
    fold = history.fold()
    assert [each.id for each in runnable(fold)] == ["2.1"]
    assert (fold.members["2.1"].attempt, fold.failure, fold.status) == (1, None, "running")
    given(*history.events, *done("2.1")).at_rest().then(ev.JobCompleted())


def test_interrupts_beside_a_failure_can_be_answered_after_a_retry() -> None:
    ended = (*TWO, failed("2.1"), interrupted("2.2/i0"), ev.JobFailed(error=BROKEN))
    given(*ended).when(Answer("yes")).then(errors.JobClosed(JOB, "failed", "an answer"))
    retried = given(*ended, ev.JobRetried(effects="reuse"))
    retried.when(Answer("yes")).then(answered("2.2/i0"))
    settled = given(*retried.events, *done("2.1"))
    settled.at_rest().then(paused(for_interrupt("2.2/i0")))


def test_a_retry_runs_nothing_while_an_operator_holds_the_job() -> None:
    ended = (*RUNNING, HOLD, failed(), ev.JobFailed(error=BROKEN, activation="1.1"))
    history = given(*ended, ev.JobRetried(effects="reuse"))
    history.at_rest().then(HELD)
    given(*history.events, HELD).when(CLAIM).then()


def test_one_update_mends_one_key_though_another_one_does_not_merge_either() -> None:
    writes = (
        *(wrote("x", "set", "text"), wrote("x", "add", 1)),
        *(wrote("y", "set", "text"), wrote("y", "add", 1)),
    )
    open_wave = given(*RUNNING, *done("1.1", *writes))
    first = open_wave.at_rest().outcome
    assert isinstance(first, tuple)
    assert [(type(each), getattr(each, "key", None)) for each in first] == [(ev.JobFailed, "x")]
    broken = given(*open_wave.events, *first)
    mend_x = ev.SharedWritten(activation=None, key="x", reducer="set", value=1)
    broken.when(UpdateShared(writes=(("x", "set", 1),))).then(mend_x)
    again_broken = given(*broken.events, mend_x, ev.JobRetried(effects="reuse"))
    second = again_broken.at_rest().outcome
    assert isinstance(second, tuple)
    assert [getattr(each, "key", None) for each in second] == ["y"]
    mend_y = ev.SharedWritten(activation=None, key="y", reducer="set", value=2)
    mended = given(*again_broken.events, *second, mend_y, ev.JobRetried(effects="reuse"))
    mended.at_rest().then(ev.JobCompleted())
    assert mended.fold().shared == {"x": 1, "y": 2}


# Executions that come to nothing.

ANOTHER = attrs.evolve(CLAIMED, process="q")


def test_what_five_executions_did_not_bring_forward_fails() -> None:
    four = given(*RUNNING, *[ANOTHER] * 3)
    four.when(CLAIM).then(CLAIMED)
    outcome = given(*four.events, ANOTHER).when(CLAIM).outcome
    assert isinstance(outcome, tuple)
    (ended,) = outcome
    assert isinstance(ended, ev.JobFailed)
    assert (ended.error.type, ended.activation) == ("NoProgress", None)
    assert "1.1 did not get anywhere in 5 executions" in ended.error.message
    given(*four.events, ANOTHER).when(attrs.evolve(CLAIM, max_claims=None)).then(CLAIMED)
    retried = given(*four.events, ANOTHER, ended, ev.JobRetried(effects="reuse"))
    retried.when(CLAIM).then(CLAIMED)


@pytest.mark.parametrize(
    "progress",
    [
        (effect("2.1/e0"),),
        (effect_again("2.1/e0"),),
        done("2.1"),
        (again("2.1"),),
        (interrupted("2.1/i0"),),
        (HOLD, HELD, ev.JobResumed(command="Continue", lifted="operator")),
    ],
)
def test_whatever_brings_a_job_forward_begins_the_count_anew(
    progress: tuple[ev.Event, ...],
) -> None:
    spent = given(*TWO, *[ANOTHER] * 5)
    assert spent.fold().claims == 5
    assert given(*spent.events, *progress).fold().claims == 0
    message = ev.MessageReceived(id="m1", slot="a.in", payload={})
    assert given(*spent.events, message).fold().claims == 5
