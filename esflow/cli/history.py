"""``esflow history``: what happened to a job."""

from __future__ import annotations

from collections.abc import Sequence

import click

from esflow.cli.arguments import json_option, moment_named, opened, store_option
from esflow.cli.printing import print_fields, print_json, print_lines
from esflow.events import Recorded
from esflow_projections.history import grouped
from esflow_projections.render import lines, raw_fields

HEADING = ("version", "recorded", "host", "actor", "event", "data")


@click.command()
@click.argument("job", metavar="JOB[@VERSION]")
@store_option
@click.option("--raw", is_flag=True, help="Every event as it is recorded, one in a line.")
@json_option
def history(*, job: str, store: str, raw: bool, as_json: bool) -> None:
    """Tell what happened to JOB, up to VERSION.

    Each activation is told with its calls and everything that it asked for, each question with its
    answer and who gave it. Long values are cut; --raw and --json have them whole.

    With --raw every event is a line: version, time, host, actor, name and data, as a table on a
    terminal, elsewhere separated by tabs. With --json and --raw, events stand with their envelope.
    """
    with opened(store) as engine:
        address = moment_named(engine, job)
        recorded = engine.history(address.job_id)[: address.version]
    if as_json:
        print_json(recorded if raw else grouped(recorded))
    elif raw:
        print_fields(map(raw_fields, recorded), HEADING)
    else:
        _print_grouped(recorded)


def _print_grouped(recorded: Sequence[Recorded]) -> None:
    print_lines(lines(grouped(recorded)))
