"""What becomes of a job that a command carries on: how it is answered, and how it is reported."""

from __future__ import annotations

import click

from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import say
from esflow.cli.values import answer_value
from esflow.commands import Answer
from esflow.events import QuestionAsked
from esflow.state import ENDED, Interrupt, JobState, Status
from esflow_projections.plain import printable, shown
from esflow_projections.render import answers_text


def answer_to(state: JobState, word: str, to: str | None) -> Answer:
    """Return the answer that a word means to the question or interrupt that is to be answered."""
    asked: list[QuestionAsked | Interrupt] = [*state.questions, *state.interrupts]
    meant = [each for each in asked if to in (None, each.id)]
    if len(meant) != 1:
        return Answer(answer_value(word, None, ()), to)
    types = meant[0].types if isinstance(meant[0], Interrupt) else ()
    return Answer(answer_value(word, meant[0].choices, types), to)


def report(context: click.Context, state: JobState) -> None:
    """Print id, status and version, say why the job is there, and end with 1 if it has failed."""
    click.echo(f"{state.job_id}\t{state.status}\t{state.version}")
    if state.status not in ENDED:
        _explain_waiting(state)
    if state.failure is not None:
        problem = printable(f"{state.failure.type}: {state.failure.message}")
        say(f"failed: {problem}; see `esflow show {state.job_id}`")
    if state.status is Status.FAILED:
        context.exit(DIFFERENCE)


def _explain_waiting(state: JobState) -> None:
    for question in state.questions:
        answers = answers_text(question.choices, ())
        say(f"waits for an answer to {question.id}: {shown(question.text)}{answers}")
    for asked in state.interrupts:
        answers = answers_text(asked.choices, asked.types)
        say(f"waits for an answer to {asked.id}: {shown(asked.payload)}{answers}")
    stops = [each.text for each in state.pause if each.kind == "breakpoint"]
    for place in dict.fromkeys(stops):
        say(f"stands at a breakpoint: {place}")
