"""``esflow doctor``: whether a store can be worked with, and what may go wrong with it."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Final

import click

from esflow.cli.arguments import json_option, opened, store_option
from esflow.cli.exits import STORE
from esflow.cli.printing import counted, print_json
from esflow.health import HealthReport
from esflow.verification import rebuild_index
from esflow_projections.plain import moment, plain, printable

_PACKAGES: Final = ("esflow-jobs", "eventsourcing", "cattrs", "attrs", "sqlite-utils")


@click.command()
@store_option
@click.option(
    "--rebuild-index",
    "rebuild",
    is_flag=True,
    help="First make the index of jobs anew from their events; whoever drives one lets go of it.",
)
@json_option
@click.pass_context
def doctor(context: click.Context, *, store: str, rebuild: bool, as_json: bool) -> None:
    """Look at a store, write to it, and say how it is.

    What is written means nothing, and no job is changed. Warnings are about what may go wrong one
    day. Where the store can't be read or written, the exit code is 5.
    """
    with opened(store) as engine:
        if rebuild:
            rebuild_index(engine.store)
        report = engine.health()
    versions = {"Python": platform.python_version()}
    versions |= {package: version(package) for package in _PACKAGES}
    if as_json:
        print_json({**plain(report), "versions": versions})
    else:
        for line in _lines(report, versions):
            click.echo(printable(line))
    if not report.ok:
        context.exit(STORE)


def _lines(report: HealthReport, versions: Mapping[str, str]) -> Iterator[str]:
    yield f"{report.store}: {_standing(report)}"
    if report.reachable:
        schema = "" if report.schema is None else f", schema {report.schema}"
        yield f"{report.database}{schema}; " + ", ".join(map(" ".join, versions.items()))
        yield _jobs(report)
    if report.oldest_left is not None:
        since = moment(report.oldest_left.updated_at)
        yield (
            f"{counted(report.left, 'job')} left undriven, longest {report.oldest_left.job_id}, "
            f"of which nothing was recorded since {since}; `esflow worker` carries them on"
        )
    for warning in report.warnings:
        yield f"warning: {warning}"


def _standing(report: HealthReport) -> str:
    if report.ok:
        return "reachable and writable"
    return f"{'reachable, but ' if report.reachable else ''}{report.problem}"


def _jobs(report: HealthReport) -> str:
    counts = {status: count for status, count in report.jobs.items() if count}
    listed = ", ".join(f"{count} {status}" for status, count in counts.items())
    return counted(sum(counts.values()), "job") + (f": {listed}" if listed else "")
