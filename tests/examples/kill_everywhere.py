"""Kill the agent's process at every place where that can matter, and let others finish its job.

Run as a program, with the name of an empty folder: one JSON object is printed for each place, and
a last one for the process that met no more places.
It has one thread, so it may fork: every process starts with the imports done and nothing open.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from esflow import Answer, Engine, JobState, events, failpoints
from esflow.cli.demo import build
from esflow.cli.demo.ledger import Ledger
from esflow.cli.demo.model import ScriptedModel


def main(folder: Path) -> None:
    """Kill at the first place, at the second, and so on, until a process outlives them all."""
    warm = folder / "warm"
    warm.mkdir()
    _drive(warm)  # Brings in what is imported at the first need, once for all processes.
    assert threading.active_count() == 1, "a thread would be lost in every fork"
    for number in count(1):
        place = folder / str(number)
        place.mkdir()
        killed = _forked(partial(_drive, place, number))
        assert not _forked(partial(_drive, place)), "nothing kills the second process"
        _forked(partial(_report, place))
        if not killed:
            return


def _forked(step: Callable[[], object]) -> bool:
    """Run a step in a process of its own; return whether that was killed."""
    process = os.fork()
    if process == 0:
        step()
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    assert status == 0, f"a process ended with status {status}"
    return False


def _engine(place: Path) -> Engine:
    flow = build(ScriptedModel(), Ledger(place / "calls.jsonl"))
    return Engine(f"sqlite:///{place / 'jobs.db'}", flows=[flow])


def _drive(place: Path, fatal: int | None = None) -> None:
    """Carry the job on from wherever it stands, and die at the place with the fatal number."""
    passed = count(1)

    def hook(point: str) -> None:
        if next(passed) == fatal:
            (place / "killed_at").write_text(point, "utf-8")
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.hook = hook
    with _engine(place) as engine:
        job = engine.start("agent", "agent.trigger", {"task": "Analyze data"}, job_id="job-1")
        if job.status == "paused":
            engine.resume("job-1", Answer("A"))


def _report(place: Path) -> None:
    """Print what became of the job, what was recorded of its calls, and what was called."""
    with _engine(place) as engine:
        job = engine.state("job-1")
        recorded = [each.event for each in engine.history("job-1")]
    killed_at = place / "killed_at"
    report = {
        "point": killed_at.read_text("utf-8") if killed_at.exists() else None,
        "outcome": _outcome(job),
        "recorded": [each.key for each in recorded if isinstance(each, events.EffectRecorded)],
        "made": [call.key for call in Ledger(place / "calls.jsonl").calls()],
    }
    print(json.dumps(report))  # noqa: T201 - what this program is run for


def _outcome(job: JobState) -> dict[str, object]:
    told = job.as_dict()
    names = ("status", "shared", "memory", "log", "outputs", "activations_count", "wave")
    return {name: told[name] for name in names}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
