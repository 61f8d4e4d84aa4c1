"""One host of the demo, in a process of its own: it shares the store with the other, and no more.

It says in a line each what it does, with its name and process in front.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import final

import attrs
import click

from esflow.cli.demo.flow import build
from esflow.cli.demo.ledger import Ledger
from esflow.cli.demo.model import ScriptedModel
from esflow.cli.exits import refusals
from esflow.cli.printing import counted
from esflow.commands import Answer
from esflow.engine import Engine
from esflow.events import EffectRecorded
from esflow.state import JobState, Status
from esflow_projections.plain import printable, shown

max_value_characters = 120
ACTOR = "user:17"


@final
@attrs.frozen(kw_only=True)
class Seat:
    """Where one host of the demo works."""

    name: str
    engine: Engine
    ledger: Ledger

    def say(self, text: str) -> None:
        """Print what this host does."""
        click.echo(f"[{self.name} pid {os.getpid()}] {text}")

    def calls(self, job_id: str) -> int:
        """Return how often the model was called for a job, whoever called it."""
        return sum((each.key or "").startswith(f"{job_id}/") for each in self.ledger.calls())


@click.group()
@click.argument("name")
@click.argument("store")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.pass_context
def host(context: click.Context, name: str, store: str, ledger: Path) -> None:
    """Be the host NAME, with the jobs in STORE; model calls go into the file LEDGER."""
    context.with_resource(refusals())
    book = Ledger(ledger)
    engine = context.with_resource(Engine(store, [build(ScriptedModel(), book)], host=name))
    context.obj = Seat(name=name, engine=engine, ledger=book)


@host.command()
@click.argument("job")
@click.argument("task")
@click.pass_obj
def start(seat: Seat, job: str, task: str) -> None:
    """Start JOB with TASK and run it until it ends or asks."""
    seat.say(f"{job} started  task={shown(task)}")
    state = seat.engine.start("agent", "agent.trigger", {"task": task}, job_id=job)
    _report(seat, state, after=0)


@host.command()
@click.argument("job")
@click.argument("answer")
@click.pass_obj
def resume(seat: Seat, job: str, answer: str) -> None:
    """Answer the question of JOB and run it on."""
    before = seat.calls(job)
    state = seat.engine.state(job)
    repeated = seat.calls(job) - before
    events, calls = counted(state.version, "event"), counted(repeated, "model call")
    seat.say(f"replayed {events}, {calls}")
    seat.say(f"resumed  answer={answer} by {ACTOR}")
    _report(seat, seat.engine.resume(job, Answer(answer), actor=ACTOR), after=state.version)


def _report(seat: Seat, state: JobState, *, after: int) -> None:
    """Say what was called since a version, and where the job stands."""
    for recorded in seat.engine.history(state.job_id, after=after):
        if isinstance(recorded.event, EffectRecorded):
            seat.say(_called(recorded.event))
    status = state.status.upper()
    match state.status:
        case Status.PAUSED:
            seat.say(f"{status}  waiting for: {printable(state.questions[0].text)}")
        case Status.FAILED if state.failure is not None:
            seat.say(f"{status}  {printable(f'{state.failure.type}: {state.failure.message}')}")
        case _:
            outputs = {each.output: each.payload for each in state.outputs}
            seat.say(f"{status}  output: {shown(outputs.get('output'))}")


def _called(effect: EffectRecorded) -> str:
    name = effect.function.rpartition(".")[2]
    if effect.error is not None:
        return f"effect {name} failed: {printable(effect.error.message)}"
    return f"effect {name} → {shown(effect.result, max_value_characters)}"


if __name__ == "__main__":
    host()
