"""``esflow jobs``: a page of jobs."""

from __future__ import annotations

import click

from esflow.cli.arguments import job_named, json_option, opened, store_option
from esflow.cli.pairs import labels_of
from esflow.cli.printing import print_fields, print_json, say
from esflow.state import Status
from esflow.summary import JobSummary
from esflow_projections.plain import moment, printable

HEADING = ("job", "status", "flow", "version", "updated", "host", "waits for, or failed by")


@click.command()
@store_option
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([each.value for each in Status]),
    help="Only jobs with this status; may be repeated.",
)
@click.option("--flow", help="Only jobs of this flow.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only jobs with this label; repeated, all must match.",
)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--after", metavar="JOB", help="Only jobs begun after this one: the next page.")
@json_option
def jobs(
    *,
    store: str,
    statuses: tuple[str, ...],
    flow: str | None,
    labels: tuple[str, ...],
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """List jobs, the oldest first.

    On a terminal this is a table. Elsewhere every job is a line of fields separated by tabs,
    without a heading: id, status, flow, version, time of the last event, host that last drove it,
    open question, error or moment at which it wakes.
    """
    with opened(store) as engine:
        found = engine.jobs(
            status=statuses or None,
            flow=flow,
            labels=labels_of(labels),
            limit=limit,
            after=None if after is None else job_named(engine, after),
        )
    if as_json:
        print_json(found)
    else:
        print_fields(map(_row, found), HEADING)
    if len(found) == limit:
        say(f"there may be more: --after {found[-1].job_id}")


def _row(job: JobSummary) -> tuple[str, ...]:
    return (
        job.job_id,
        job.status.value,
        job.flow,
        str(job.version),
        moment(job.updated_at),
        printable(job.host or "-"),
        printable(job.question or job.error or _moment(job) or "-"),
    )


def _moment(job: JobSummary) -> str:
    """Say until when a job waits, if it does."""
    return "" if job.wakes_at is None else f"until {moment(job.wakes_at)}"
