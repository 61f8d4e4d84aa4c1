"""``esflow watch``: what happens, while it happens."""

from __future__ import annotations

import json

import click

from esflow.cli.arguments import job_named, opened, store_option
from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import is_terminal
from esflow.events import JobCancelled, JobCompleted, JobFailed, Recorded
from esflow_projections.plain import plain
from esflow_projections.render import raw_fields

_ENDS = JobCompleted | JobFailed | JobCancelled


@click.command()
@click.argument("job", required=False)
@store_option
@click.option(
    "--after",
    type=click.IntRange(min=0),
    help="Begin behind this version of JOB, or behind this position of the log.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every event as a line of JSON.")
@click.pass_context
def watch(
    context: click.Context, *, job: str | None, store: str, after: int | None, as_json: bool
) -> None:
    """Print every event as it is recorded: of JOB, from its first on, until it has ended.

    Without JOB, print those of all jobs from now on, until Ctrl-C, which ends with 130.

    An event is a line: id of the job, version, time, host, actor, name and data, separated by tabs
    unless they go to a terminal. If JOB has failed, the exit code is 1.
    """
    with opened(store) as engine:
        job_id = None if job is None else job_named(engine, job)
        begin = after if after is not None else 0 if job_id else engine.store.position()
        for recorded in engine.follow(job_id, begin):
            click.echo(_line(recorded, as_json=as_json))
            if job_id is not None and isinstance(recorded.event, _ENDS):
                break
        else:
            return
    if isinstance(recorded.event, JobFailed):
        context.exit(DIFFERENCE)


def _line(recorded: Recorded, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(plain(recorded))
    return ("  " if is_terminal() else "\t").join((recorded.job_id, *raw_fields(recorded)))
