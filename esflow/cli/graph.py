"""``esflow graph``: what leads where in a flow."""

from __future__ import annotations

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import json_option
from esflow.cli.exits import NOT_FOUND, Refused
from esflow.cli.printing import print_json


@click.command()
@click.argument("flow", required=False)
@app_option(required=True)
@json_option
def graph(*, flow: str | None, app: str, as_json: bool) -> None:
    """Print FLOW, or every flow of --app, as a Mermaid diagram.

    With --json it is a list of definitions, as they are recorded beside the jobs.
    """
    flows = load_flows(app)
    found = [each for each in flows if flow in (None, each.name)]
    if not found:
        names = ", ".join(each.name for each in flows)
        raise Refused(f"no flow {flow!r} in {app}; there is {names}", NOT_FOUND)
    if as_json:
        print_json([each.definition() for each in found])
        return
    for each in found:
        click.echo(each.to_mermaid().rstrip())
