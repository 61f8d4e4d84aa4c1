"""``esflow resume``: carry a paused job on, in this process."""

from __future__ import annotations

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option, job_named, opened, store_option
from esflow.cli.outcome import answer_to, report
from esflow.commands import Continue, ResumeCommand


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
            command = answer_to(engine.state(job_id), word, to)
        state = engine.resume(
            job_id,
            command,
            actor=actor,
            before=before or (() if no_breakpoints else None),
            after=after or (() if no_breakpoints else None),
        )
    report(context, state)
