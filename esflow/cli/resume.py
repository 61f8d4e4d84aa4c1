"""``esflow resume``: carry a paused job on, in this process."""

from __future__ import annotations

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option, job_named, opened, store_option
from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import say
from esflow.cli.values import answer_value
from esflow.commands import Answer, Continue, ResumeCommand
from esflow.events import Json, QuestionAsked
from esflow.state import ENDED, Interrupt, JobState, Status
from esflow_projections.plain import printable, shown
from esflow_projections.render import answers_text


@click.command()
@click.argument("job")
@store_option
@app_option(required=True)
@click.option(
    "--answer",
    "word",
    metavar="VALUE",
    help="Answer a question or an interrupt; without it, continue.",
)
@click.option("--to", metavar="ID", help="Which question or interrupt, where several are open.")
@click.option(
    "--before",
    metavar="SLOT",
    multiple=True,
    help="Stop before this slot from now on; repeated, before each.",
)
@click.option(
    "--after",
    metavar="SLOT",
    multiple=True,
    help="Stop after this slot from now on; repeated, after each.",
)
@click.option("--no-breakpoints", is_flag=True, help="Take the breakpoints that there are away.")
@actor_option
@click.pass_context
def resume(
    context: click.Context,
    *,
    job: str,
    store: str,
    app: str,
    word: str | None,
    to: str | None,
    before: tuple[str, ...],
    after: tuple[str, ...],
    no_breakpoints: bool,
    actor: str | None,
) -> None:
    """Carry JOB on in this process until it ends or pauses again.

    VALUE is the choice that is exactly this text, where the question has one; else JSON, where it
    parses as JSON; else text. So --answer 17 is a number, and --answer '"17"' a text. Where an
    interrupt asks for text and takes no such JSON, --answer 17 is text as well.

    Breakpoints before slots take the place of those that the job had before slots, and likewise
    after; without these options they stay.

    Prints id, status and version, separated by tabs. If the job fails, the exit code is 1.
    """
    if to is not None and word is None:
        raise click.UsageError("--to names what an --answer is for; give both")
    with opened(store, load_flows(app)) as engine:
        job_id = job_named(engine, job)
        command: ResumeCommand = Continue()
        if word is not None:
            command = Answer(_answer(word, engine.state(job_id), to), to)
        state = engine.resume(
            job_id,
            command,
            actor=actor,
            before=before or (() if no_breakpoints else None),
            after=after or (() if no_breakpoints else None),
        )
    click.echo(f"{state.job_id}\t{state.status}\t{state.version}")
    _explain(state)
    if state.status is Status.FAILED:
        context.exit(DIFFERENCE)


def _answer(word: str, state: JobState, to: str | None) -> Json:
    """Return what a word means to the question or interrupt that is to be answered."""
    asked: list[QuestionAsked | Interrupt] = [*state.questions, *state.interrupts]
    meant = [each for each in asked if to in (None, each.id)]
    if len(meant) != 1:
        return answer_value(word, None, ())
    types = meant[0].types if isinstance(meant[0], Interrupt) else ()
    return answer_value(word, meant[0].choices, types)


def _explain(state: JobState) -> None:
    """Say why the job is where it is."""
    if state.status not in ENDED:
        _explain_waiting(state)
    if state.failure is not None:
        problem = printable(f"{state.failure.type}: {state.failure.message}")
        say(f"failed: {problem}; see `esflow show {state.job_id}`")


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
