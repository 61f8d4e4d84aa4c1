"""``esflow diff``: in what two moments differ."""

from __future__ import annotations

import click

from esflow.cli.arguments import Address, json_option, moment_named, opened, store_option
from esflow.cli.exits import DIFFERENCE
from esflow.cli.printing import print_fields, print_json
from esflow.engine import Engine
from esflow.patches import PatchOp
from esflow.runtime.looking import Moment
from esflow_projections.plain import shown

HEADING = ("step", "path", "value")


@click.command()
@click.argument("a", metavar="JOB[@VERSION]")
@click.argument("b", metavar="JOB[@VERSION]")
@store_option
@json_option
@click.pass_context
def diff(context: click.Context, *, a: str, b: str, store: str, as_json: bool) -> None:
    """Print what turns the state of the first moment into that of the second.

    Each step is a line: add, remove or replace, a JSON Pointer and the new value, separated by
    tabs unless they go to a terminal. With --json it is a JSON Patch (RFC 6902). Where there is a
    difference, the exit code is 1.
    """
    with opened(store) as engine:
        steps = engine.diff(_moment(engine, a), _moment(engine, b))
    if as_json:
        print_json([each.as_dict() for each in steps])
    elif steps:
        print_fields(map(fields_of, steps), HEADING)
    if steps:
        context.exit(DIFFERENCE)


def fields_of(step: PatchOp) -> tuple[str, str, str]:
    """Return a step as it is printed."""
    return step.op, step.path, "" if step.op == "remove" else shown(step.value)


def _moment(engine: Engine, text: str) -> Moment:
    address: Address = moment_named(engine, text)
    return address.job_id if address.version is None else (address.job_id, address.version)
