"""``esflow send``: a message to a slot of a job."""

from __future__ import annotations

import json
from typing import Any, cast

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option, job_named, opened, store_option
from esflow.cli.values import json_or_text


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
    data = _payload(payload)
    with opened(store, () if app is None else load_flows(app)) as engine:
        click.echo(engine.send(job_named(engine, job), slot, data, key=key, actor=actor))


def _payload(words: tuple[str, ...]) -> dict[str, Any]:
    if len(words) == 1 and words[0].lstrip().startswith("{"):
        return _object(words[0])
    return dict(map(_pair, words))


def _object(text: str) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(
            f"{text!r:.80} is no JSON: {error}", param_hint="PAYLOAD"
        ) from error


def _pair(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        problem = f"{text!r} is neither a JSON object nor KEY=VALUE"
        raise click.BadParameter(problem, param_hint="PAYLOAD")
    return key, json_or_text(value)
