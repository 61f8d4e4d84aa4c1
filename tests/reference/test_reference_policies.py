"""Failure policies and retries of a job, against histories that were worked out by hand."""

from __future__ import annotations

import attrs
import pytest

from tests.reference.histories import ONE, emit, message, program, to
from tests.reference.interpreter import run
from tests.reference.outcome import Failure, Outcome
from tests.reference.program import (
    Advance,
    Answer,
    Ask,
    Cancel,
    Command,
    Connection,
    Constant,
    Continue,
    Effect,
    Fail,
    FailFirst,
    FailingEffect,
    FlakyEffect,
    Forgetting,
    FromPayload,
    FromShared,
    Goto,
    Interrupt,
    JustUpdate,
    LastResult,
    Log,
    OnError,
    Operation,
    Payload,
    Program,
    Remember,
    Retry,
    RetryJob,
    Script,
    Write,
)


def governed(
    made: Program, slot: str, *, retry: Retry | None = None, on_error: OnError = "stop"
) -> Program:
    """Give the slot of a routine a failure policy."""
    routines = tuple(
        attrs.evolve(
            it,
            slots=(attrs.evolve(it.slots[0], retry=retry, on_error=on_error),),
            outputs=(*it.outputs, "error") if on_error == "route" else it.outputs,
        )
        if it.name == slot
        else it
        for it in made.routines
    )
    return attrs.evolve(made, routines=routines)


def after(made: Program, *commands: Command) -> Outcome:
    """Run a program with the commands given."""
    return run(made, Script(commands=commands))


FLAKY = FlakyEffect(name="model", failures=1, message="busy", result=7, caught=False)
TWICE = Retry(attempts=2, delay_ms=1000)


# Attempts.


def test_a_retry_waits_for_its_delay_and_the_wave_stays_open() -> None:
    made = program({"a": (emit(),), "b": (FailFirst(1, "no"), Log("done", ONE))}, to("a", "b"))
    made = governed(made, "b", retry=TWICE)
    waiting = after(made, Advance(milliseconds=999))
    assert (waiting.status, waiting.waves) == ("waiting", 2)
    assert waiting.activations["2.1"] == ("b.in", {}, "retrying")
    outcome = after(made, Advance(milliseconds=999), Advance(milliseconds=1))
    assert (outcome.status, outcome.log) == ("completed", (("2.1", "done: 1"),))
    assert outcome.attempts == {"2.1": ("RuntimeError",)}
    assert outcome.activations_count == 2


def test_a_retry_without_a_delay_does_not_wait() -> None:
    made = governed(program({"a": (FailFirst(2, ""),)}), "a", retry=Retry(attempts=3))
    assert after(made).status == "completed"
    made = governed(made, "a", retry=Retry(attempts=2))
    assert after(made).failure == Failure("RuntimeError", "1.1")
    assert after(made).attempts == {"1.1": ("RuntimeError", "RuntimeError")}


def test_the_job_fails_only_when_nobody_is_tried_again() -> None:
    made = program({"a": (emit(),), "b": (Fail("b"),), "c": (FailFirst(1, "c"),)})
    made = attrs.evolve(made, connections=(to("a", "b"), to("a", "c")))
    made = governed(made, "c", retry=TWICE)
    waiting = after(made)
    assert (waiting.status, waiting.failure) == ("waiting", None)
    outcome = after(made, Advance(1))
    assert outcome.failure == Failure("RuntimeError", "2.1")
    assert outcome.activations["2.2"][2] == "completed"


def test_a_failed_attempt_leaves_its_effects_and_nothing_else() -> None:
    operations = (
        Effect("model", 3),
        Write("k", ONE),
        Remember("kept", ONE),
        Log("try", ONE),
        emit(),
        FailFirst(1, ""),
    )
    outcome = after(governed(program({"a": operations}), "a", retry=Retry(attempts=2)))
    assert outcome.log == (("1.1", "try: 1"),)
    assert list(outcome.emissions) == ["1.1/o0"]
    assert (outcome.effects, outcome.calls) == ({"1.1/e0": ("model", "result", 3)}, {})


def test_interrupts_are_answerable_while_a_neighbour_waits_for_its_retry() -> None:
    made = program({"a": (emit(),), "b": (FailFirst(1, ""),), "c": (Interrupt(ONE),)})
    made = attrs.evolve(made, connections=(to("a", "b"), to("a", "c")))
    made = governed(made, "b", retry=TWICE)
    waiting = after(made)
    assert (waiting.status, list(waiting.interrupts), waiting.holds) == ("waiting", ["2.2/i0"], ())
    answered = after(made, Answer("2.2/i0", 1))
    assert (answered.status, answered.activations["2.2"][2]) == ("waiting", "completed")
    assert after(made, Answer("2.2/i0", 1), Advance(1)).status == "completed"
    paused = after(made, Advance(1))
    assert (paused.status, paused.holds) == ("paused", (("interrupt", "2.2"),))


@pytest.mark.parametrize("command", [Continue(), Goto("a.in")])
def test_a_job_that_waits_is_not_paused(command: Command) -> None:
    made = governed(program({"a": (FailFirst(1, ""),)}), "a", retry=TWICE)
    assert after(made, command).refusals == ("NotPaused",)


def test_an_update_while_a_retry_is_waited_for_is_the_last_write_of_the_wave() -> None:
    made = program({"a": (FailFirst(1, ""), Write("k", ONE), Log("k", FromShared("k")))})
    outcome = after(governed(made, "a", retry=TWICE), JustUpdate({"k": 2}), Advance(1))
    assert (outcome.shared, outcome.log) == ({"k": 2}, (("1.1", "k: 1"),))


def test_messages_and_cancellations_may_come_while_a_retry_is_waited_for() -> None:
    made = program({"a": (FailFirst(1, ""),), "b": ()})
    made = governed(made, "a", retry=TWICE)
    sent = attrs.evolve(message(1, "b"), moment="retrying")
    outcome = run(made, Script(messages=(sent,), commands=(Advance(1),)))
    assert outcome.activations["2.1"] == ("b.in", {}, "completed")
    cancelled = run(made, Script(messages=(sent,), cancel=Cancel(1, "retrying")))
    assert (cancelled.status, cancelled.undelivered) == ("cancelled", ("m1",))


# Effects.


def test_an_effect_whose_error_escaped_is_called_again_and_the_one_before_it_is_not() -> None:
    made = program({"a": (Effect("first", 1), FLAKY, Log("last", LastResult()))})
    outcome = after(governed(made, "a", retry=Retry(attempts=2)))
    assert outcome.effects == {
        "1.1/e0": ("first", "result", 1),
        "1.1/e1": ("model", "result", 7),
    }
    assert (outcome.calls, outcome.attempts) == ({"1.1/e1": 2}, {"1.1": ("EffectError",)})


def test_an_error_that_was_caught_is_final() -> None:
    caught = attrs.evolve(FLAKY, caught=True)
    made = program({"a": (caught, Log("", LastResult()), FailFirst(1, ""))})
    outcome = after(governed(made, "a", retry=Retry(attempts=2)))
    assert (outcome.log, outcome.calls) == ((("1.1", ': "busy"'),), {})


def test_fresh_forgets_all_effects() -> None:
    caught = attrs.evolve(FLAKY, caught=True)
    made = program({"a": (Effect("first", 1), caught, Log("", LastResult()), FailFirst(1, ""))})
    outcome = after(governed(made, "a", retry=Retry(attempts=2, effects="fresh")))
    assert outcome.log == (("1.1", ": 7"),)
    assert outcome.calls == {"1.1/e0": 2, "1.1/e1": 2}


def test_an_effect_has_attempts_of_its_own() -> None:
    made = program({"a": (attrs.evolve(FLAKY, failures=2, attempts=3), Log("", LastResult()))})
    outcome = after(made)
    assert (outcome.log, outcome.calls) == ((("1.1", ": 7"),), {"1.1/e0": 3})
    short = program({"a": (attrs.evolve(FLAKY, failures=2, attempts=2),)})
    failed = after(short)
    assert failed.failure == Failure("EffectError", "1.1")
    assert failed.effects == {"1.1/e0": ("model", "error", "busy")}


# What follows from a final failure.


def test_a_failure_that_is_skipped_settles_with_nothing() -> None:
    made = program({"a": (Log("lost", ONE), emit(), Fail(""))}, to("a", "a"))
    outcome = after(governed(made, "a", on_error="skip"))
    assert (outcome.status, outcome.log, outcome.emissions) == ("completed", (), {})
    assert outcome.activations == {"1.1": ("a.in", {}, "skipped")}


def test_a_failure_that_is_routed_is_emitted_after_the_last_attempt() -> None:
    made = program(
        {"a": (emit(), Fail("broken")), "b": (Log("type", FromPayload("type")),)},
        Connection("a.error", "b.in"),
    )
    outcome = after(governed(made, "a", retry=Retry(attempts=2), on_error="route"))
    payload: Payload = {
        "type": "RuntimeError",
        "message": "broken",
        "slot": "a.in",
        "payload": {},
        "attempts": 2,
    }
    assert outcome.emissions == {"1.1/o0": ("a.error", payload)}
    assert outcome.activations["2.1"] == ("b.in", payload, "completed")
    assert outcome.activations["1.1"][2] == "routed"


def test_the_wording_of_other_errors_is_left_out() -> None:
    made = program({"a": (FLAKY,), "b": ()}, Connection("a.error", "b.in"))
    outcome = after(governed(made, "a", on_error="route"))
    assert outcome.activations["2.1"][1]["message"] == "…"


# Retries of the job.


def test_what_failed_runs_again_and_finished_neighbours_do_not() -> None:
    made = program({"a": (emit(),), "b": (Effect("b", 1),), "c": (FLAKY, Log("c", LastResult()))})
    made = attrs.evolve(made, connections=(to("a", "b"), to("a", "c")))
    outcome = after(made, RetryJob())
    assert (outcome.status, outcome.failure, outcome.log) == ("completed", None, (("2.2", "c: 7"),))
    assert outcome.calls == {"2.2/e0": 2}


def test_a_retry_of_the_job_gives_the_full_budget_of_attempts() -> None:
    made = program({"a": (attrs.evolve(FLAKY, failures=3),)})
    made = governed(made, "a", retry=Retry(attempts=2))
    assert after(made).attempts == {"1.1": ("EffectError",) * 2}
    outcome = after(made, RetryJob())
    assert (outcome.status, outcome.attempts) == ("completed", {"1.1": ("EffectError",) * 3})


def test_the_attempts_of_a_retried_job_count_from_one() -> None:
    made = program({"a": (FailFirst(1, ""),)})
    assert after(made, RetryJob()).failure == Failure("RuntimeError", "1.1")


def test_a_retry_of_the_job_may_forget_the_effects() -> None:
    made = program({"a": (Effect("a", 1), FailingEffect("b", "no", caught=False))})
    assert after(made, RetryJob()).calls == {"1.1/e1": 2}
    assert after(made, RetryJob("fresh")).calls == {"1.1/e0": 2, "1.1/e1": 2}


def test_interrupts_are_answerable_again_after_a_retry_of_the_job() -> None:
    made = program({"a": (emit(),), "b": (FLAKY,), "c": (Interrupt(ONE),)})
    made = attrs.evolve(made, connections=(to("a", "b"), to("a", "c")))
    assert after(made).status == "failed"
    retried = after(made, RetryJob())
    assert (retried.status, list(retried.interrupts)) == ("paused", ["2.2/i0"])
    assert after(made, RetryJob(), Answer("2.2/i0", 1)).status == "completed"


def sure(attempts: int) -> Program:
    """Make a program that asks after an effect, uses the answer, and fails at first."""
    operations = (Effect("model", 3), Interrupt(ONE), Log("sure", LastResult()))
    return program({"a": (*operations, FailFirst(attempts, "no"))})


@pytest.mark.parametrize("effects", ["reuse", "fresh"])
def test_a_fresh_attempt_asks_again_under_the_same_id(effects: Forgetting) -> None:
    made = governed(sure(1), "a", retry=Retry(attempts=2, effects=effects))
    first = after(made, Answer("1.1/i0", 1))
    if effects == "reuse":
        assert (first.status, first.log) == ("completed", (("1.1", "sure: 1"),))
        return
    assert (first.status, list(first.interrupts)) == ("paused", ["1.1/i0"])
    assert (first.answers, first.calls) == ({"1.1/i0": 1}, {"1.1/e0": 2})
    again = after(made, Answer("1.1/i0", 1), Answer("1.1/i0", 2), Answer("1.1/i0", 3))
    assert (again.status, again.log) == ("completed", (("1.1", "sure: 2"),))
    assert (again.answers, again.refusals) == ({"1.1/i0": 2}, ())


def test_a_forgotten_answer_is_not_given_again_before_it_is_asked_for_again() -> None:
    made = program({"a": (Interrupt(ONE), Interrupt(ONE), FailFirst(1, ""))})
    made = governed(made, "a", retry=attrs.evolve(TWICE, effects="fresh"))
    answered = (Answer("1.1/i0", 0), Answer("1.1/i1", 1))
    waiting = after(made, *answered, Answer("1.1/i0", 2))
    assert (waiting.status, waiting.refusals) == ("waiting", ("InterruptNotFound",))
    paused = after(made, *answered, Advance(1), Answer("1.1/i1", 2), Answer("1.1/i0", 2))
    assert (paused.refusals, list(paused.interrupts)) == (("InterruptNotFound",), ["1.1/i1"])
    assert paused.answers == {"1.1/i0": 2, "1.1/i1": 1}


@pytest.mark.parametrize("effects", ["reuse", "fresh"])
def test_a_retry_of_the_job_asks_again_only_where_it_forgets(effects: Forgetting) -> None:
    made = sure(1)
    retried = after(made, Answer("1.1/i0", 1), RetryJob(effects))
    # Attempts count from one again, so that the handler fails again where it doesn't ask.
    assert retried.status == ("failed" if effects == "reuse" else "paused")
    assert list(retried.interrupts) == ([] if effects == "reuse" else ["1.1/i0"])


def test_neighbours_keep_their_answers_at_a_fresh_retry_of_the_job() -> None:
    twice = (Interrupt(ONE), Interrupt(ONE))
    made = program({"a": (emit(),), "b": (Interrupt(ONE), FLAKY), "c": twice})
    made = attrs.evolve(made, connections=(to("a", "b"), to("a", "c")))
    answers = (Answer("2.2/i0", 1), Answer("2.1/i0", 1))
    failed = after(made, *answers)
    assert (failed.status, list(failed.interrupts)) == ("failed", ["2.2/i1"])
    retried = after(made, *answers, RetryJob("fresh"))
    assert list(retried.interrupts) == ["2.1/i0", "2.2/i1"]


def conflicting() -> Program:
    """Make a program whose writes to ``k`` do not apply."""
    operations: tuple[Operation, ...] = (
        Write("k", Constant("x"), "set"),
        Write("k", ONE, "add"),
        Write("l", ONE, "append"),
    )
    return program({"a": operations}, reducers={"k": "append", "l": "extend"})


def test_an_update_of_the_key_that_did_not_merge_replaces_the_writes_to_it() -> None:
    failed = after(conflicting())
    assert failed.failure == Failure("MergeError", "1.1")
    assert after(conflicting(), RetryJob()).failure == failed.failure
    outcome = after(conflicting(), RetryJob(values={"k": 5}))
    assert (outcome.status, outcome.shared) == ("completed", {"k": [5], "l": [1]})


def test_an_update_of_another_key_is_a_last_write_and_mends_nothing() -> None:
    outcome = after(conflicting(), RetryJob(values={"l": [2]}), RetryJob(values={"k": 5}))
    assert outcome.shared == {"k": [5], "l": [1, 2]}
    refused = after(conflicting(), RetryJob(values={"l": 2}))
    assert (refused.refusals, refused.status) == (("MergeError",), "failed")


def test_only_a_retry_is_given_to_a_failed_job_and_only_a_failed_job_is_retried() -> None:
    made = program({"a": (Ask("?", "b.in"),), "b": (FLAKY,)})
    outcome = after(made, RetryJob(), Answer("1.1/q0", 1), RetryJob())
    assert (outcome.status, outcome.refusals) == ("completed", ())
    stopped = after(made, Answer("1.1/q0", 1), Continue(), RetryJob())
    assert stopped.status == "failed"
