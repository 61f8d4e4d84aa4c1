"""Run the agent from a shell: ``python -m examples.agent start "Analyze data"``."""

import json
import os
import sys

import click

from esflow import Answer, Engine, EsflowError, JobState
from esflow.cli.demo.model import ModelRefused
from examples.agent.environment import SettingRefused, configured


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--store", default="sqlite:///agent.db", envvar="ESFLOW_STORE", show_default=True)
@click.option("--ledger", help="File of model calls (AGENT_LEDGER).")
@click.option("--model", help="Name of a model at a server (AGENT_MODEL); scripted unless told.")
@click.option("--base-url", help="Address of that server (AGENT_BASE_URL).")
@click.pass_context
def main(
    context: click.Context,
    store: str,
    ledger: str | None,
    model: str | None,
    base_url: str | None,
) -> None:
    """Give the agent a task, and later, from any process, the answer it waits for."""
    told = {"AGENT_LEDGER": ledger, "AGENT_MODEL": model, "AGENT_BASE_URL": base_url}
    environment = os.environ | {name: value for name, value in told.items() if value}
    context.obj = context.with_resource(Engine(store, flows=[configured(environment)]))


@main.command()
@click.argument("task")
@click.option("--job", help="Id of the new job; chosen unless told.")
@click.pass_obj
def start(engine: Engine, task: str, job: str | None) -> None:
    """Start a job with TASK and run it until it ends or stops to ask."""
    _show(engine.start("agent", "agent.trigger", {"task": task}, job_id=job))


@main.command()
@click.argument("job")
@click.argument("value")
@click.option("--actor", help="Who answers, for the record.")
@click.pass_obj
def answer(engine: Engine, job: str, value: str, actor: str | None) -> None:
    """Answer the question of JOB with VALUE and run it on."""
    _show(engine.resume(job, Answer(value), actor=actor))


def _show(job: JobState) -> None:
    shown = {
        "job": job.job_id,
        "status": str(job.status),
        "questions": [{"text": asked.text, "choices": asked.choices} for asked in job.questions],
        "outputs": {given.output: given.payload for given in job.outputs},
        "failure": job.failure.message if job.failure else None,
    }
    click.echo(json.dumps(shown, indent=2, default=list))


if __name__ == "__main__":
    try:
        main()
    except (EsflowError, ModelRefused, SettingRefused) as refusal:
        sys.exit(f"agent: {refusal}")
