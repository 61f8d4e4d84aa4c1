"""``esflow send``: a message to a slot of a job."""

from __future__ import annotations

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option, job_named, opened, store_option
from esflow.cli.pairs import payload_of


@click.command()
@click.argument("job")
@click.argument("slot")
@click.argument("payload", nargs=-1, metavar="[JSON | KEY=VALUE...]")
@store_option
@app_option(required=False)
@click.option("--key", help="Sent again under the same key, the message counts once.")
@actor_option
def send(
    *,
    job: str,
    slot: str,
    payload: tuple[str, ...],
    store: str,
    app: str | None,
    key: str | None,
    actor: str | None,
) -> None:
    """Send a payload to SLOT of JOB; print the version at which it is durable.

    The payload is one JSON object, or KEY=VALUE pairs, in which VALUE is JSON where it parses as
    JSON and text elsewhere. The message waits for whoever drives the job; nothing is run here.

    SLOT has to be one of the flow that is recorded with the job; with --app, the payload has to fit
    what its handler takes, too.
    """
    data = payload_of(payload)
    with opened(store, () if app is None else load_flows(app)) as engine:
        click.echo(engine.send(job_named(engine, job), slot, data, key=key, actor=actor))
