"""``esflow verify``: whether what is stored is what was recorded."""

from __future__ import annotations

import click

from esflow.cli.arguments import job_named, json_option, opened, store_option
from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import counted, print_json
from esflow_projections.plain import printable


@click.command()
@click.argument("job", required=False)
@store_option
@json_option
@click.pass_context
def verify(context: click.Context, *, job: str | None, store: str, as_json: bool) -> None:
    """Check the hash of every event of JOB, or of every job.

    Prints each problem in a line, and in the last one what was checked. Where there is a problem,
    the exit code is 1.
    """
    with opened(store) as engine:
        report = engine.verify(None if job is None else job_named(engine, job))
    if as_json:
        print_json(report)
    else:
        for problem in report.problems:
            click.echo(printable(problem))
        found = "as recorded" if report.ok else counted(len(report.problems), "problem")
        click.echo(f"{counted(report.jobs, 'job')}, {counted(report.events, 'event')}: {found}")
    if not report.ok:
        context.exit(DIFFERENCE)
