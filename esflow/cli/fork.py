"""``esflow fork``: what if it had gone another way."""

from __future__ import annotations

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option, moment_named, opened, store_option
from esflow.cli.outcome import answer_to, report
from esflow.cli.printing import say
from esflow.commands import Continue, ResumeCommand


@click.command()
@click.argument("job", metavar="JOB[@VERSION]")
@store_option
@app_option(required=False)
@click.option("--answer", "word", metavar="VALUE", help="Answer a question in the fork.")
@click.option("--to", metavar="ID", help="Which question, where several are open.")
@click.option("--continue", "goes_on", is_flag=True, help="Carry the fork on as it is.")
@click.option("--live", is_flag=True, help="Call effects; without it, their results are asked for.")
@click.option("--job", "name", metavar="ID", help="The id of the fork; a new one by default.")
@actor_option
@click.pass_context
def fork(
    context: click.Context,
    *,
    job: str,
    store: str,
    app: str | None,
    word: str | None,
    to: str | None,
    goes_on: bool,
    live: bool,
    name: str | None,
    actor: str | None,
) -> None:
    """Begin a job that shares the history of JOB up to VERSION, and goes its own way from there.

    JOB itself is only read. With --app the fork is run in this process until it ends or pauses;
    without, it is only recorded. What is recorded of effects up to VERSION is not repeated.

    VALUE is read as `esflow resume --answer` reads it. Prints id, status and version, separated by
    tabs, and says on stderr where the fork begins. If the fork fails, the exit code is 1.
    """
    if to is not None and word is None:
        raise click.UsageError("--to names the question of an --answer; give both")
    if goes_on and word is not None:
        raise click.UsageError("--answer and --continue are two commands; give one")
    with opened(store, () if app is None else load_flows(app)) as engine:
        address = moment_named(engine, job)
        before = engine.state(address.job_id, address.version)
        command: ResumeCommand | None = Continue() if goes_on else None
        if word is not None:
            command = answer_to(before, word, to)
        state = engine.fork(
            address.job_id,
            before.version,
            new_job_id=name,
            command=command,
            live=live,
            actor=actor,
        )
    if state.forked_from is not None:
        say(f"forked from {state.forked_from.job_id}@{state.forked_from.version}")
    report(context, state)
