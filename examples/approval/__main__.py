"""Run the newsroom from a shell: ``python -m examples.approval start Lamps``."""

import json
import sys

import click

from esflow import Answer, Engine, EsflowError, JobState
from examples.approval.environment import app
from examples.approval.flow import Verdict


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--store", default="sqlite:///approval.db", envvar="ESFLOW_STORE", show_default=True)
@click.pass_context
def main(context: click.Context, store: str) -> None:
    """Have something drafted, and later, from any process, decide what becomes of it."""
    context.obj = context.with_resource(Engine(store, flows=[app()]))


@main.command()
@click.argument("topic")
@click.option("--job", help="Id of the new job; chosen unless told.")
@click.pass_obj
def start(engine: Engine, topic: str, job: str | None) -> None:
    """Have a text on TOPIC drafted, and stop for its review."""
    _show(engine.start("approval", "newsroom.draft", {"topic": topic}, job_id=job))


@main.command()
@click.argument("job")
@click.argument("verdict", type=click.Choice([each.value for each in Verdict]))
@click.argument("text", default="")
@click.option("--actor", help="Who decides, for the record.")
@click.pass_obj
def review(engine: Engine, job: str, verdict: str, text: str, actor: str | None) -> None:
    """Say VERDICT of the draft of JOB, with the edited TEXT, or the reason of a rejection."""
    _show(engine.resume(job, Answer({"verdict": verdict, "text": text}), actor=actor))


def _show(job: JobState) -> None:
    shown = {
        "job": job.job_id,
        "status": str(job.status),
        "asked": [asked.payload for asked in job.interrupts],
        "outputs": {given.output: given.payload for given in job.outputs},
        "failure": job.failure.message if job.failure else None,
    }
    click.echo(json.dumps(shown, indent=2))


if __name__ == "__main__":
    try:
        main()
    except EsflowError as refusal:
        sys.exit(f"approval: {refusal}")
