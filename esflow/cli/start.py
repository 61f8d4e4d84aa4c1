"""``esflow start``: begin a job."""

from __future__ import annotations

from collections.abc import Sequence

import click

from esflow.cli.app import app_option, load_flows
from esflow.cli.arguments import actor_option
from esflow.cli.outcome import report
from esflow.cli.pairs import labels_of, object_of, payload_of
from esflow.engine import Engine
from esflow.flow import Flow


@click.command()
@click.argument("place", metavar="[FLOW:]SLOT")
@click.argument("words", nargs=-1, metavar="[KEY=VALUE...]")
@click.option(
    "--store",
    metavar="URL",
    envvar="ESFLOW_STORE",
    required=True,
    show_envvar=True,
    help="Where the job is to be, such as sqlite:///jobs.db; the file is made where it is missing.",
)
@app_option(required=True)
@click.option("--payload", metavar="JSON", help="The payload as one JSON object.")
@click.option("--job", metavar="ID", help="The id of the job; a new one by default.")
@click.option(
    "--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label; may be repeated."
)
@click.option("--before", multiple=True, metavar="SLOT", help="Pause before it; may be repeated.")
@click.option("--after", multiple=True, metavar="SLOT", help="Pause after it; may be repeated.")
@click.option("--submit", is_flag=True, help="Only record the job, for `esflow worker`.")
@actor_option
@click.pass_context
def start(
    context: click.Context,
    *,
    place: str,
    words: tuple[str, ...],
    store: str,
    app: str,
    payload: str | None,
    job: str | None,
    labels: tuple[str, ...],
    before: tuple[str, ...],
    after: tuple[str, ...],
    submit: bool,
    actor: str | None,
) -> None:
    """Begin a job at SLOT, and run it in this process until it ends or pauses.

    FLOW is left out where --app has one flow alone. In KEY=VALUE, VALUE is JSON where it parses as
    JSON and text elsewhere. The same --job with the same request again is the existing job.

    Prints id, status and version, separated by tabs. If the job fails, the exit code is 1.
    """
    if payload is not None and words:
        raise click.UsageError("give the payload as KEY=VALUE or as --payload, not both")
    data = payload_of(words) if payload is None else object_of(payload, "--payload")
    flows = load_flows(app)
    flow, slot = _place(flows, place)
    with Engine(store, flows) as engine:
        job_id = engine.submit(
            flow,
            slot,
            data,
            job_id=job,
            actor=actor,
            labels=labels_of(labels),
            before=before,
            after=after,
        )
        state = engine.state(job_id) if submit else engine.run(job_id, actor=actor)
    report(context, state)


def _place(flows: Sequence[Flow], text: str) -> tuple[str, str]:
    """Return the names of the flow and of the slot."""
    flow, colon, slot = text.rpartition(":")
    if colon:
        return flow, slot
    if len(flows) > 1:
        names = ", ".join(each.name for each in flows)
        problem = f"{text!r} is in which flow? write FLOW:SLOT, with one of {names}"
        raise click.BadParameter(problem, param_hint="SLOT")
    return flows[0].name, slot
