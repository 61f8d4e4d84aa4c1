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
            command = answer_to(engine.state(job_id), word, to)
        state = engine.resume(job_id, command, actor=actor)
    report(context, state)
