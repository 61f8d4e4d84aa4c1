"""What holds for outcomes with timers, gathers, failure policies and custom reducers."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from tests.reference.capabilities import ALL
from tests.reference.generator import examples
from tests.reference.interpreter import run
from tests.reference.outcome import as_text, moment_of
from tests.reference.program import (
    Advance,
    Continue,
    Goto,
    JustUpdate,
    Program,
    RetryJob,
    Script,
    Update,
)
from tests.reference.scripts import waits_in_vain

EXAMPLES = settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@EXAMPLES
@given(examples(enabled=ALL))
def test_two_runs_of_one_example_are_equal(example: tuple[Program, Script]) -> None:
    assert as_text(run(*example)) == as_text(run(*example))


@EXAMPLES
@given(examples(enabled=ALL))
def test_an_ended_job_waits_for_nothing_and_a_waiting_one_for_something(
    example: tuple[Program, Script],
) -> None:
    outcome = run(*example)
    results = [result for _, _, result in outcome.activations.values()]
    if outcome.status == "completed":
        assert not any((outcome.timers, outcome.gathers, outcome.deferrals, outcome.undelivered))
        assert set(results) <= {"completed", "skipped", "routed", "dropped"}
        assert set(outcome.children.values()) <= {"completed", "failed"}
    if outcome.status == "waiting":
        assert not outcome.holds
        is_left = outcome.timers or set(outcome.children.values()) & {"pending", "paused"}
        assert "retrying" in results or (is_left and not outcome.questions)
    if outcome.status in ("completed", "failed", "paused"):
        assert "retrying" not in results
    assert not set(outcome.timers) & set(outcome.fired)
    assert len(set(outcome.fired)) == len(outcome.fired)


@EXAMPLES
@given(examples(enabled=ALL))
def test_a_job_that_waits_goes_on_when_enough_time_has_passed(
    example: tuple[Program, Script],
) -> None:
    program, script = example
    outcome = run(program, script)
    if outcome.status == "waiting" and not waits_in_vain(outcome):
        later = run(program, attrs.evolve(script, commands=(*script.commands, Advance(3600))))
        assert as_text(later) != as_text(outcome)
        assert (later.waves, later.attempts, later.status, later.fired) != (
            outcome.waves,
            outcome.attempts,
            outcome.status,
            outcome.fired,
        ) or moment_of(outcome) == "retrying"


@EXAMPLES
@given(examples(enabled=ALL))
def test_a_job_that_waits_refuses_to_be_resumed(example: tuple[Program, Script]) -> None:
    program, script = example
    outcome = run(program, script)
    update = Update({"spare": True} if program.is_typed else {"a": 1})
    for command in (Continue(), Goto(program.start), update):
        if outcome.status == "waiting":
            told = run(program, attrs.evolve(script, commands=(*script.commands, command)))
            refused = attrs.evolve(outcome, refusals=(*outcome.refusals, "NotPaused"))
            assert as_text(told) == as_text(refused)


@pytest.mark.parametrize("command", [Continue(), JustUpdate({"a": 1}), Advance(1)])
@EXAMPLES
@given(examples(enabled=ALL))
def test_a_failed_job_is_told_nothing_but_a_retry(
    command: Continue | JustUpdate | Advance, example: tuple[Program, Script]
) -> None:
    program, script = example
    outcome = run(program, script)
    if outcome.status == "failed":
        more = attrs.evolve(script, commands=(*script.commands, command, RetryJob()))
        assert as_text(run(program, more)) == as_text(outcome)


@EXAMPLES
@given(examples(enabled=ALL))
def test_a_failed_job_has_nothing_ready_but_what_a_limit_kept(
    example: tuple[Program, Script],
) -> None:
    outcome = run(*example)
    if outcome.failure is not None and outcome.ready:
        assert outcome.failure.type == "ActivationLimit"
        assert all(int(name.partition(".")[0]) > outcome.waves for name in outcome.ready)


@EXAMPLES
@given(examples(enabled=ALL))
def test_a_retry_keeps_what_has_settled(example: tuple[Program, Script]) -> None:
    program, script = example
    outcome = run(program, script)
    if outcome.status == "failed":
        retried = run(program, attrs.evolve(script, commands=(*script.commands, RetryJob())))
        for name, found in outcome.activations.items():
            if found[2] in ("completed", "skipped", "routed", "dropped"):
                assert repr(retried.activations[name]) == repr(found)  # Types count.
                assert retried.attempts.get(name) == outcome.attempts.get(name)
