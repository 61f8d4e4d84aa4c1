"""Runs that have to be alike: with interrupts or effects, with breakpoints or without."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from hypothesis import HealthCheck, assume, given, settings

from tests.reference.capabilities import USUAL
from tests.reference.foresight import foreseen
from tests.reference.generator import examples
from tests.reference.interpreter import course, run
from tests.reference.outcome import Outcome, as_text, moment_of
from tests.reference.program import (
    KEPT,
    Advance,
    Answer,
    Command,
    Continue,
    JustUpdate,
    Message,
    Program,
    RetryJob,
    Script,
)
from tests.reference.scripts import plain_command

EXAMPLES = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def _played(
    program: Program, script: Script, choose: Callable[[Outcome], Command | None]
) -> Script:
    """Give the script whose commands are chosen one by one, while looking at the job."""
    for _ in range(60):
        outcome = run(program, script)
        command = choose(outcome) if outcome.status in ("paused", "waiting") else None
        if command is None:
            return script
        script = attrs.evolve(script, commands=(*script.commands, command))
    return script


def _opening(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Give the messages that come while a wave runs: no pause can change when those are sent."""
    return tuple(message for message in messages if message.moment == "open")


def _bare(script: Script) -> Script:
    """Give what a script says without its commands, breakpoints and cancellation."""
    return Script(messages=_opening(script.messages))


# Rule 18.


def _seen(outcome: Outcome) -> str:
    """Write what a run with interrupts has in common with a run with effects."""
    answers = {name: value for name, value in outcome.answers.items() if "/q" in name}
    return as_text(attrs.evolve(outcome, effects={}, answers=answers))


@EXAMPLES
@given(examples(enabled=frozenset({"interrupts"})))
def test_interrupts_are_effects_that_people_answer(example: tuple[Program, Script]) -> None:
    program, drawn = example
    commands = iter(it for it in drawn.commands if not (isinstance(it, Answer) and "/i" in it.to))

    def choose(outcome: Outcome) -> Command | None:
        return plain_command(outcome) if outcome.interrupts else next(commands, None)

    script = _played(program, _bare(drawn), choose)
    outcome = run(program, script)
    assume(any("/i" in name for name in outcome.answers) and not outcome.interrupts)
    effects, same_script = foreseen(program, script, outcome.answers)
    assert _seen(run(effects, same_script)) == _seen(outcome)


# Rule 21.


@EXAMPLES
@given(examples(enabled=USUAL))
def test_breakpoints_that_are_continued_change_nothing(example: tuple[Program, Script]) -> None:
    assert_transparent(*example)


@EXAMPLES
@given(examples(enabled=frozenset((*USUAL, "gathers", "reducers", "children"))))
def test_breakpoints_change_nothing_for_joins_and_children(example: tuple[Program, Script]) -> None:
    assert_transparent(*example)


def assert_transparent(program: Program, drawn: Script) -> None:
    """Run an example with and without its breakpoints, where a ``Continue`` passes each."""
    assume(drawn.breakpoints != KEPT)
    without = _bare(drawn)
    without = attrs.evolve(
        without, commands=tuple(_unbroken(command) for command in drawn.commands)
    )
    expected = run(program, without)
    commands = iter(without.commands)

    def choose(outcome: Outcome) -> Command | None:
        if outcome.holds and outcome.holds[0][0] == "breakpoint" and not _asked(outcome):
            return Continue()
        return next(commands, None)

    held = _played(program, attrs.evolve(_bare(drawn), breakpoints=drawn.breakpoints), choose)
    outcome = run(program, held)
    assume(course(program, held).hits)
    # Beside a question and with nothing to run, a breakpoint is something to continue past (47).
    assume("AnswerRequired" not in expected.refusals)
    assert as_text(attrs.evolve(outcome, holds=expected.holds)) == as_text(expected)


def _unbroken(command: Command) -> Command:
    """Give a command that brings no breakpoints."""
    return (
        command
        if isinstance(command, JustUpdate | Advance | RetryJob)
        else attrs.evolve(command, breakpoints=KEPT)
    )


def _asked(outcome: Outcome) -> bool:
    """Say whether the wave that has closed asked for the pause itself."""
    asked = (*outcome.questions, *(activation for activation, _ in outcome.standing))
    waves = {int(name.partition(".")[0]) for name in asked}
    return moment_of(outcome) == "paused" and outcome.waves in waves
