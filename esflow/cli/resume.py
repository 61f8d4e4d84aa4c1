"""``esflow resume``: carry a paused job on, in this process."""

from __future__ import annotations

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option, job_named, opened, store_option
from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import say
from esflow.cli.values import answer_value
from esflow.commands import Answer, Continue, ResumeCommand
from esflow.events import Json
from esflow.state import JobState, Status
from esflow_projections.plain import printable, shown


@click.command()
@click.argument("job")
@store_option
@app_option(required=True)
@click.option("--answer", "word", metavar="VALUE", help="Answer a question; without it, continue.")
@click.option("--to", metavar="ID", help="Which question, where several are open.")
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
    actor: str | None,
) -> None:
    """Carry JOB on in this process until it ends or pauses again.

    VALUE is the choice that is exactly this text, where the question has one; else JSON, where it
    parses as JSON; else text. So --answer 17 is a number, and --answer '"17"' a text.

    Prints id, status and version, separated by tabs. If the job fails, the exit code is 1.
    """
    if to is not None and word is None:
        raise click.UsageError("--to names the question of an --answer; give both")
    with opened(store, load_flows(app)) as engine:
        job_id = job_named(engine, job)
        command: ResumeCommand = Continue()
        if word is not None:
            command = Answer(answer_value(word, _choices(engine.state(job_id), to)), to)
        state = engine.resume(job_id, command, actor=actor)
    click.echo(f"{state.job_id}\t{state.status}\t{state.version}")
    _explain(state)
    if state.status is Status.FAILED:
        context.exit(DIFFERENCE)


def _choices(state: JobState, to: str | None) -> tuple[Json, ...] | None:
    """Return the choices of the question that is to be answered."""
    asked = [each for each in state.questions if to in (None, each.id)]
    return asked[0].choices if len(asked) == 1 else None


def _explain(state: JobState) -> None:
    """Say why the job is where it is."""
    for question in state.questions:
        choices = "" if question.choices is None else f" one of {shown(question.choices)}"
        say(f"waits for an answer to {question.id}: {shown(question.text)}{choices}")
    if state.failure is not None:
        problem = printable(f"{state.failure.type}: {state.failure.message}")
        say(f"failed: {problem}; see `esflow show {state.job_id}`")
