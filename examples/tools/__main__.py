"""Run the agent from a shell: ``python -m examples.tools start "Tidy up"``."""

import json
import sys

import click

from esflow import Answer, Continue, Engine, EsflowError, Goto, JobState
from examples.tools.environment import app

DENIED = {"text": "refused: an operator has denied this", "by": "operator"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--store", default="sqlite:///tools.db", envvar="ESFLOW_STORE", show_default=True)
@click.pass_context
def main(context: click.Context, store: str) -> None:
    """Give the agent a task, and later, from any process, permission for what is dangerous."""
    context.obj = context.with_resource(Engine(store, flows=[app()]))


@main.command()
@click.argument("task")
@click.option("--job", help="Id of the new job; chosen unless told.")
@click.option("--stop", is_flag=True, help="Stop at a breakpoint before each dangerous tool.")
@click.pass_obj
def start(engine: Engine, task: str, job: str | None, *, stop: bool) -> None:
    """Start a job with TASK and run it until it ends or needs permission."""
    before = ["agent.risk"] if stop else []
    _show(engine.start("tools", "agent.think", {"text": task}, job_id=job, before=before))


@main.command()
@click.argument("job")
@click.argument("permission", type=click.Choice(["allow", "deny"]))
@click.option("--actor", help="Who decides, for the record.")
@click.pass_obj
def decide(engine: Engine, job: str, permission: str, actor: str | None) -> None:
    """Say PERMISSION to what JOB asks for, or stands before, and run it on."""
    state = engine.state(job)
    if state.interrupts or not state.ready:
        command: Answer | Continue | Goto = Answer(permission)
    elif permission == "allow":
        command = Continue()
    else:
        command = Goto("agent.think", DENIED)
    _show(engine.resume(job, command, actor=actor, expected_version=state.version))


def _show(job: JobState) -> None:
    shown = {
        "job": job.job_id,
        "status": str(job.status),
        "asked": [asked.payload for asked in job.interrupts],
        "before": [{each.slot: each.payload} for each in job.ready],
        "outputs": {given.output: given.payload for given in job.outputs},
        "failure": job.failure.message if job.failure else None,
    }
    click.echo(json.dumps(shown, indent=2))


if __name__ == "__main__":
    try:
        main()
    except EsflowError as refusal:
        sys.exit(f"tools: {refusal}")
