"""What becomes of a job that a command carries on: how it is answered, and how it is reported."""

from __future__ import annotations

from collections.abc import Iterator

import click

from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import say
from esflow.cli.values import answer_value
from esflow.commands import Answer
from esflow.events import Json
from esflow.state import JobState, Status
from esflow_projections.plain import printable, shown


def answer_to(state: JobState, word: str, to: str | None) -> Answer:
    """Return the answer that a word means, to what a job asks."""
    found = [choices for name, _, choices in _asked(state) if to in (None, name)]
    return Answer(answer_value(word, found[0] if len(found) == 1 else None), to)


def report(context: click.Context, state: JobState) -> None:
    """Print id, status and version, say why the job is there, and end with 1 if it has failed."""
    click.echo(f"{state.job_id}\t{state.status}\t{state.version}")
    for name, text, listed in _asked(state):
        choices = "" if listed is None else f" one of {shown(listed)}"
        say(f"waits for an answer to {name}: {shown(text)}{choices}")
    if state.failure is not None:
        problem = printable(f"{state.failure.type}: {state.failure.message}")
        say(f"failed: {problem}; see `esflow show {state.job_id}`")
    if state.status is Status.FAILED:
        context.exit(DIFFERENCE)


def _asked(state: JobState) -> Iterator[tuple[str, Json, tuple[Json, ...] | None]]:
    for question in state.questions:
        yield question.id, question.text, question.choices
    for interrupt in state.interrupts:
        yield interrupt.id, interrupt.payload, interrupt.choices
