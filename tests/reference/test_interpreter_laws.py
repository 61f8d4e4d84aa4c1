"""What holds for every outcome of the reference interpreter, whatever the example."""

from __future__ import annotations

from collections import defaultdict

import attrs
from hypothesis import HealthCheck, given, settings

from tests.reference.generator import examples
from tests.reference.interpreter import run
from tests.reference.outcome import Outcome, as_text
from tests.reference.program import Answer, Program, Script

EXAMPLES = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def _order(name: str) -> tuple[int, int, int]:
    """Give the numbers of an id that belongs to an activation."""
    activation, _, item = name.partition("/")
    wave, index = activation.split(".")
    return int(wave), int(index), int(item[1:] or 0)


@EXAMPLES
@given(examples())
def test_two_runs_of_one_example_are_equal(example: tuple[Program, Script]) -> None:
    assert as_text(run(*example)) == as_text(run(*example))


@EXAMPLES
@given(examples())
def test_ids_are_gapless_ordinals(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    indices: defaultdict[int, list[int]] = defaultdict(list)
    for name in outcome.activations:
        wave, index, _ = _order(name)
        indices[wave].append(index)
    assert list(indices) == list(range(1, len(indices) + 1))
    for found in indices.values():
        assert found == list(range(1, len(found) + 1))
    _assert_items_are_gapless(outcome)


def _assert_items_are_gapless(outcome: Outcome) -> None:
    """Check the numbers of effects, emissions and deferrals within each activation."""
    kinds = (
        list(outcome.effects),
        list(outcome.emissions),
        sorted((*outcome.deferrals, *outcome.released), key=_order),
        sorted((*outcome.questions, *outcome.answers), key=_order),
    )
    for names in kinds:
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for name in names:
            numbers[name.partition("/")[0]].append(_order(name)[2])
        for found in numbers.values():
            assert found == list(range(len(found)))


@EXAMPLES
@given(examples())
def test_the_count_is_that_of_the_opened_activations(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    assert outcome.activations_count == len(outcome.activations) - len(outcome.ready)
    assert outcome.activations_count <= example[0].max_activations


@EXAMPLES
@given(examples())
def test_an_ended_job_has_nothing_left_over(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    if outcome.status == "completed":
        assert not any((outcome.ready, outcome.deferrals, outcome.questions))
        assert not any((outcome.undelivered, outcome.standing))
    assert (outcome.failure is not None) == (outcome.status == "failed")
    if outcome.status == "paused":
        assert outcome.questions or outcome.standing


@EXAMPLES
@given(examples())
def test_a_refused_command_changes_nothing_but_the_list_of_refusals(
    example: tuple[Program, Script],
) -> None:
    program, script = example
    outcome = run(program, script)
    if outcome.status != "paused":
        return
    refused = run(program, attrs.evolve(script, commands=(*script.commands, Answer("9.9/q9", 1))))
    assert refused.refusals == (*outcome.refusals, "InterruptNotFound")
    assert as_text(attrs.evolve(refused, refusals=outcome.refusals)) == as_text(outcome)
