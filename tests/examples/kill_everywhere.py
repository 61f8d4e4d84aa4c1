"""Kill an example's process at every place where that can matter, and let others finish its job.

Run as a program, with the name of an empty folder and that of a story: one JSON object is printed
for each place, and a last one for the process that met no more places.
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

from esflow import Engine, JobState, events, failpoints
from tests.examples.stories import STORIES, Story, ledger


def main(folder: Path, story: Story) -> None:
    """Kill at the first place, at the second, and so on, until a process outlives them all."""
    warm = folder / "warm"
    warm.mkdir()
    _drive(story, warm)  # Brings in what is imported at the first need, once for all processes.
    assert threading.active_count() == 1, "a thread would be lost in every fork"
    for number in count(1):
        place = folder / str(number)
        place.mkdir()
        killed = _forked(partial(_drive, story, place, number))
        assert not _forked(partial(_drive, story, place)), "nothing kills the second process"
        _forked(partial(_report, story, place))
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


def _engine(story: Story, place: Path) -> Engine:
    return Engine(f"sqlite:///{place / 'jobs.db'}", flows=[story.build(place)])


def _drive(story: Story, place: Path, fatal: int | None = None) -> None:
    """Carry the job on from wherever it stands, and die at the place with the fatal number."""
    passed = count(1)

    def hook(point: str) -> None:
        if next(passed) == fatal:
            (place / "killed_at").write_text(point, "utf-8")
            os.kill(os.getpid(), signal.SIGKILL)

    flow = story.build(place)
    failpoints.hook = hook
    with _engine(story, place) as engine:
        job = engine.start(flow.name, story.slot, story.payload, job_id="job-1")
        while job.status == "paused":
            job = engine.resume("job-1", story.answer(job))


def _report(story: Story, place: Path) -> None:
    """Print what became of the job, what was recorded of its calls, and what was called."""
    with _engine(story, place) as engine:
        job = engine.state("job-1")
        recorded = [each.event for each in engine.history("job-1")]
    killed_at = place / "killed_at"
    effects = [each for each in recorded if isinstance(each, events.EffectRecorded)]
    report = {
        "point": killed_at.read_text("utf-8") if killed_at.exists() else None,
        "outcome": _outcome(job),
        "recorded": [story.label(effect) for effect in effects],
        "made": [call.key for call in ledger(place).calls()],
        "world": story.world(place),
    }
    print(json.dumps(report))  # noqa: T201 - what this program is run for


def _outcome(job: JobState) -> dict[str, object]:
    told = job.as_dict()
    names = ("status", "shared", "memory", "log", "outputs", "activations_count", "wave")
    return {name: told[name] for name in names}


if __name__ == "__main__":
    main(Path(sys.argv[1]), STORIES[sys.argv[2]])
