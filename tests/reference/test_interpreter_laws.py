"""What holds for every outcome of the reference interpreter, whatever the example."""

from __future__ import annotations

from collections import defaultdict

import attrs
from hypothesis import HealthCheck, given, settings

from tests.reference.generator import examples
from tests.reference.interpreter import course, run
from tests.reference.outcome import ChildStatus, Outcome, as_text, moment_of
from tests.reference.program import (
    Answer,
    Cancel,
    Command,
    Continue,
    Goto,
    Json,
    JustUpdate,
    Program,
    Script,
    Update,
)

EXAMPLES = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
FEWER = settings(EXAMPLES, max_examples=30)


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
    """Check the numbers of everything that an activation made, kind by kind."""
    held = (*outcome.deferrals, *outcome.released, *outcome.dropped)
    # An interrupt whose answer was forgotten is asked again, under the same id.
    asked = {*outcome.questions, *outcome.interrupts, *outcome.answers, *outcome.dropped}
    kinds = (
        list(outcome.effects),
        list(outcome.emissions),
        list(outcome.children),
        sorted((name for name in held if "/d" in name), key=_order),
        sorted((name for name in asked if "/q" in name), key=_order),
        sorted((name for name in asked if "/i" in name), key=_order),
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
    waves = [_order(name)[0] for name in outcome.activations]
    opened = [wave for wave in waves if wave <= outcome.waves]
    assert outcome.activations_count == len(opened)
    assert set(waves) <= set(range(1, outcome.waves + 2))
    assert outcome.activations_count <= example[0].max_activations


@EXAMPLES
@given(examples())
def test_an_ended_job_has_nothing_left_over(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    if outcome.status == "completed":
        assert not any((outcome.ready, outcome.deferrals, outcome.questions, outcome.interrupts))
        assert not any((outcome.undelivered, outcome.standing, outcome.holds))
    assert (outcome.failure is not None) == (outcome.status == "failed")
    if outcome.status == "paused":
        assert outcome.questions or outcome.standing or outcome.holds
    if outcome.status in ("completed", "failed"):
        assert not outcome.holds


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


@FEWER
@given(examples())
def test_what_is_ready_did_nothing_and_belongs_to_the_last_wave_or_the_next(
    example: tuple[Program, Script],
) -> None:
    outcome = run(*example)
    results = {name: result for name, (_, _, result) in outcome.activations.items()}
    assert outcome.ready == tuple(name for name, result in results.items() if result == "ready")
    is_open = outcome.status == "cancelled" or moment_of(outcome) == "before"
    last = outcome.waves if is_open else outcome.waves + 1
    assert all(_order(name)[0] in (last, outcome.waves + 1) for name in outcome.ready)
    acting = {name.partition("/")[0] for name in (*outcome.effects, *outcome.emissions)}
    acting |= {name for name, _ in (*outcome.log, *outcome.pauses)}
    assert not acting & set(outcome.ready)


@FEWER
@given(examples())
def test_what_was_dropped_is_nowhere_else(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    items = [name for name in outcome.dropped if "/" in name]  # Activations may come twice.
    assert len(set(items)) == len(items)
    held = {*outcome.deferrals, *outcome.released, *outcome.questions}
    held |= {name for name in outcome.answers if "/q" in name}  # Interrupts may be asked again.
    held |= {*outcome.interrupts, *(name for name, _, _ in outcome.outputs)}
    assert not held & set(outcome.dropped)


def _with(example: tuple[Program, Script], *commands: Command) -> Outcome:
    """Run an example with more commands behind its own."""
    program, script = example
    return run(program, attrs.evolve(script, commands=(*script.commands, *commands)))


def _refusal(example: tuple[Program, Script], command: Command) -> str | None:
    """Name the error with which a command behind those of an example is refused, if it is."""
    program, script = example
    steps = course(program, attrs.evolve(script, commands=(*script.commands, command))).steps
    is_given = len(steps) > len(course(*example).steps)
    return steps[-1].refusal if is_given else None


VALUES: dict[str, Json] = {"spare": True}  # No program writes to this key or declares a reducer.


@FEWER
@given(examples())
def test_an_update_alone_changes_data_and_nothing_else(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    updated = _with(example, JustUpdate(VALUES))
    may_be_updated = outcome.status in ("paused", "waiting")
    has_begun = moment_of(outcome) in ("interrupted", "retrying")  # Then the wave is written to.
    shared = outcome.shared | (VALUES if may_be_updated and not has_begun else {})
    expected = attrs.evolve(outcome, shared=shared)
    assert as_text(updated) == as_text(expected)


@FEWER
@given(examples())
def test_an_update_is_an_update_alone_and_a_continue(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    updated = _with(example, Update(VALUES))
    refusal = _refusal(example, Continue())
    if refusal is not None:
        refused = attrs.evolve(outcome, refusals=(*outcome.refusals, refusal))
        assert as_text(updated) == as_text(refused)
    else:
        assert as_text(updated) == as_text(_with(example, JustUpdate(VALUES), Continue()))


@FEWER
@given(examples())
def test_a_goto_drops_everything_that_a_paused_job_shows_as_waiting(
    example: tuple[Program, Script],
) -> None:
    outcome, goto = run(*example), Goto(example[0].start, {"n": 2})
    led = _with(example, goto)
    refusal = _refusal(example, goto)
    if refusal is not None:
        assert (refusal, outcome.status) in (("MergeError", "paused"), ("NotPaused", "waiting"))
        assert outcome.interrupts or refusal == "NotPaused"
    if refusal is not None or outcome.status != "paused":
        refused = () if refusal is None else (refusal,)
        expected = attrs.evolve(outcome, refusals=(*outcome.refusals, *refused))
        assert as_text(led) == as_text(expected)
        return
    waiting = {*outcome.ready, *outcome.deferrals, *outcome.questions, *outcome.interrupts}
    waiting |= {name.partition("/")[0] for name in outcome.interrupts}
    dropped = {*led.dropped} - {*outcome.dropped, *waiting}
    assert waiting <= {*led.dropped}
    if outcome.interrupts:  # Of its neighbours only what would have come of them.
        assert {_order(name)[0] for name in dropped} <= {outcome.waves}
        assert all("/" in name for name in dropped)
    else:
        assert not dropped
    wave = [name for name in led.activations if _order(name)[0] == outcome.waves + 1]
    if led.waves == outcome.waves:
        assert led.failure is not None
        assert (led.failure.type, wave) == ("ActivationLimit", [])
    else:
        assert wave == [f"{outcome.waves + 1}.1"]
        assert led.activations[wave[0]][:2] == (example[0].start, {"n": 2})


def _cancelled(outcome: Outcome) -> Outcome:
    """Give what becomes of a job that is cancelled: its open children are cancelled with it."""
    children: dict[str, ChildStatus] = {
        name: status if status in ("completed", "failed") else "cancelled"
        for name, status in outcome.children.items()
    }
    return attrs.evolve(outcome, status="cancelled", children=children)


@FEWER
@given(examples())
def test_a_cancellation_at_a_pause_changes_nothing_but_the_status(
    example: tuple[Program, Script],
) -> None:
    program, script = example
    script = attrs.evolve(script, cancel=None)
    last = run(program, script)
    now = Cancel(last.waves, moment_of(last))
    for number in range(len(script.commands) + 1):
        outcome = run(program, attrs.evolve(script, commands=script.commands[:number]))
        if outcome.status == "paused" and (outcome.waves, moment_of(outcome)) == attrs.astuple(now):
            cancelled = run(program, attrs.evolve(script, cancel=now))
            assert as_text(cancelled) == as_text(_cancelled(outcome))
            return


@FEWER
@given(examples())
def test_an_ended_job_obeys_no_command(example: tuple[Program, Script]) -> None:
    outcome = run(*example)
    if outcome.status not in ("paused", "waiting"):
        more = _with(example, JustUpdate(VALUES), Goto(example[0].start), Answer("9.9/q9", 1))
        assert as_text(more) == as_text(outcome)
