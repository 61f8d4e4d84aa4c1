"""``esflow demo``: a job that pauses on one host and ends on another.

Both hosts are real processes, one after the other, started from here.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import final
from urllib.parse import quote

import attrs
import click

from esflow.cli.demo.host import ACTOR
from esflow.cli.demo.ledger import Ledger
from esflow.cli.exits import DIFFERENCE, USAGE, Refused
from esflow.cli.printing import counted
from esflow.engine import Engine
from esflow.events import EffectRecorded, Recorded
from esflow.inputs import new_job_id
from esflow.state import JobState, Status
from esflow_projections.plain import shown


@final
@attrs.frozen(kw_only=True)
class Stage:
    """What the two hosts have in common, and the job that they work on."""

    store: str
    ledger: Path
    job_id: str

    def run(self, host: str, *words: str) -> JobState:
        """Run one host in a process of its own until it has exited; return the job as it left it.

        Raises: click.exceptions.Exit, when the host was refused something and has said so.
        """
        module = [sys.executable, "-P", "-m", "esflow.cli.demo.host"]  # -P: never from this folder.
        command = [*module, host, self.store, str(self.ledger), *words]
        with subprocess.Popen(  # noqa: S603 - this interpreter, with words as arguments
            command, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        ) as child:
            assert child.stdout is not None, "the process was given a pipe to write to"
            for line in child.stdout:
                click.echo(line, nl=False)
        if child.returncode:
            raise click.exceptions.Exit(child.returncode)
        with Engine(self.store) as engine:
            state = engine.state(self.job_id)
        click.echo(f"{host} has exited; {counted(state.version, 'event')} are in {self.store}")
        return state


@click.command()
@click.argument("task", default="Analyze data")
@click.option("--store", metavar="URL", help="A store instead of a new file; sqlite:///demo.db.")
@click.option("--leave-open", is_flag=True, help="Let nobody answer: you do, from another process.")
@click.pass_context
def demo(context: click.Context, task: str, store: str | None, *, leave_open: bool) -> None:
    """Watch a job pause on one host and end on another.

    An agent plans TASK and stops to ask if it has to analyze, choose or decide something; then its
    process exits. Another process, which shares nothing with it but the store, gives the answer and
    finishes. The model is a script: it needs no key. A task with the word "fail" fails, and the
    exit code is 1.

    ESFLOW_STORE is not read here, so that no demo runs where real jobs are.
    """
    folder = Path(tempfile.mkdtemp(prefix="esflow-demo-"))
    url = store or f"sqlite:///{quote(str(folder / 'jobs.db'))}"
    if url == "memory://":
        raise Refused("two processes can't share memory://; give a file: sqlite:///demo.db", USAGE)
    stage = Stage(store=url, ledger=folder / "model-calls.jsonl", job_id=new_job_id())
    state = stage.run("host-a", "start", stage.job_id, task)
    if state.status is Status.PAUSED and not leave_open:
        choices = state.questions[0].choices or ("A",)
        state = stage.run("host-b", "resume", stage.job_id, str(choices[0]))
    agree = _compare(stage)
    _next_steps(stage, state)
    if not agree or state.status is Status.FAILED:
        context.exit(DIFFERENCE)


def _compare(stage: Stage) -> bool:
    """Say how often the model was called, by its own ledger and by the history."""
    with Engine(stage.store) as engine:
        recorded = engine.history(stage.job_id)
    begun = Counter(call.key for call in Ledger(stage.ledger).calls())
    kept = Counter(effect.key for effect in _effects(recorded))
    agree = begun == kept
    times, keys = counted(begun.total(), "time"), "the same keys" if agree else "OTHER KEYS"
    click.echo(
        f"The model was called {times} in all: {begun.total()} in its ledger {stage.ledger}, "
        f"{kept.total()} in the history, under {keys}."
    )
    return agree


def _effects(recorded: Sequence[Recorded]) -> list[EffectRecorded]:
    return [each.event for each in recorded if isinstance(each.event, EffectRecorded)]


def _next_steps(stage: Stage, state: JobState) -> None:
    click.echo(f"\nNow try:\n  export ESFLOW_STORE={stage.store}")
    if state.status is Status.PAUSED:
        choices = state.questions[0].choices or ("A",)
        command = f"esflow resume {stage.job_id} --app esflow.cli.demo:app"
        click.echo(f"  {command} --answer {shown(choices[-1])} --actor {ACTOR}")
    click.echo(f"  esflow jobs\n  esflow history {stage.job_id}\n  esflow verify")
    if state.status is not Status.PAUSED:
        click.echo('  esflow demo --leave-open --store "$ESFLOW_STORE"')
