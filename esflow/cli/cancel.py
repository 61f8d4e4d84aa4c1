"""``esflow cancel``: end a job before its time."""

from __future__ import annotations

import sys

import click

from esflow.cli.arguments import actor_option, job_named, opened, store_option


@click.command()
@click.argument("job")
@store_option
@click.option("--reason", default="", help="Why, for the record.")
@actor_option
@click.option("--yes", is_flag=True, help="Don't ask.")
def cancel(*, job: str, store: str, reason: str, actor: str | None, yes: bool) -> None:
    """End JOB now, for good; on a terminal, ask first.

    What its handlers are doing will not be recorded; a host that is driving it stops when they
    return. Prints id, status and version, separated by tabs.
    """
    with opened(store) as engine:
        job_id = job_named(engine, job)
        if sys.stdin.isatty() and not yes:
            status = engine.state(job_id).status
            click.confirm(f"{job_id} is {status}: end it for good?", abort=True, err=True)
        state = engine.cancel(job_id, reason, actor=actor)
    click.echo(f"{state.job_id}\t{state.status}\t{state.version}")
