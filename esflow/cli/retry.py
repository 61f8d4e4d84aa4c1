"""``esflow retry``: let run again what failed in a job, in this process."""

from __future__ import annotations

from typing import get_args

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option, job_named, opened, store_option
from esflow.cli.outcome import report
from esflow.policies import Effects


@click.command()
@click.argument("job")
@store_option
@app_option(required=True)
@click.option(
    "--effects",
    type=click.Choice(get_args(Effects)),
    default="reuse",
    show_default=True,
    help="Give it the effects that are recorded, or call them afresh.",
)
@actor_option
@click.pass_context
def retry(
    context: click.Context, *, job: str, store: str, app: str, effects: Effects, actor: str | None
) -> None:
    """Let what failed in JOB run again, with all its attempts, in this process.

    What has finished beside it is kept. Effects that are reused are given to it as they are
    recorded, but for the one whose error ended it and those after that one, which are called again.

    Prints id, status and version, separated by tabs. If the job fails, the exit code is 1.
    """
    with opened(store, load_flows(app)) as engine:
        state = engine.retry(job_named(engine, job), effects=effects, actor=actor)
    report(context, state)
