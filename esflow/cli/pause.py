"""``esflow pause``: let a job stand still."""

from __future__ import annotations

import click

from esflow.cli.arguments import actor_option, job_named, opened, store_option
from esflow.cli.printing import say
from esflow.state import Status


@click.command()
@click.argument("job")
@store_option
@click.option("--reason", default="", help="Why, for the record.")
@actor_option
def pause(*, job: str, store: str, reason: str, actor: str | None) -> None:
    """Let nothing of JOB start until `esflow resume JOB` without an answer.

    What is running finishes first, and the program can't tell that it was paused.
    Prints id, status and version, separated by tabs.
    """
    with opened(store) as engine:
        state = engine.pause(job_named(engine, job), reason, actor=actor)
    click.echo(f"{state.job_id}\t{state.status}\t{state.version}")
    if state.status is not Status.PAUSED:
        say("asked for: the job pauses when its host has finished what is running")
