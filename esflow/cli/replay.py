"""``esflow replay``: what every event made of a job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from esflow.cli.arguments import json_option, moment_named, opened, store_option
from esflow.cli.diff import fields_of
from esflow.cli.printing import print_json
from esflow.events import Recorded
from esflow.fold import evolve
from esflow.patches import PatchOp, difference
from esflow.state import JobFold
from esflow_projections.plain import printable


@click.command()
@click.argument("job", metavar="JOB[@VERSION]")
@store_option
@json_option
def replay(*, job: str, store: str, as_json: bool) -> None:
    """Print event by event what each of them changed in the state of JOB, up to VERSION.

    Below version and name of the event stand the steps, as `esflow diff` prints them; that the
    version has grown is left out.
    """
    with opened(store) as engine:
        address = moment_named(engine, job)
        recorded = engine.history(address.job_id)[: address.version]
    course = _course(recorded)
    if as_json:
        print_json(
            [
                {"version": each.version, "event": each.event.name, "changes": _plain(steps)}
                for each, steps in course
            ]
        )
        return
    for each, steps in course:
        click.echo(f"{each.version} {each.event.name}")
        for step in steps:
            click.echo(printable("  " + " ".join(fields_of(step)).rstrip()))


def _course(recorded: Sequence[Recorded]) -> Iterator[tuple[Recorded, list[PatchOp]]]:
    fold = JobFold(job_id=recorded[0].job_id)
    before = fold.face().as_dict()
    for each in recorded:
        evolve(fold, each.event)
        after = fold.face().as_dict()
        yield each, [step for step in difference(before, after) if step.path != "/version"]
        before = after


def _plain(steps: Sequence[PatchOp]) -> list[dict[str, object]]:
    return [dict(each.as_dict()) for each in steps]
