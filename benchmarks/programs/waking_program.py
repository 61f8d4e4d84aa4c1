"""esflow's wake-ups: from a message that is sent to whoever follows the job, there and back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Thread

from benchmarks.flows import asking
from benchmarks.programs.engines import url_of, warmed
from benchmarks.programs.running import ROOT, Prepared, Program, Task, run
from esflow import Engine

Seen = Callable[[], None]
"""Returns when the next message has been seen."""


def _sending(watch: Callable[[Engine, Task, str], Seen], task: Task) -> Prepared:
    """Send message after message, each when the one before has been seen."""
    engine = warmed(task, asking())
    job_id = engine.start("asking", "desk.ask").job_id
    seen = watch(engine, task, job_id)

    def work() -> None:
        for _ in range(task.size):
            engine.send(job_id, "desk.answered", {"answer": "A"})
            seen()

    return work


def _nobody(_engine: Engine, _task: Task, _job_id: str) -> Seen:
    """Whom nobody waits for."""
    return lambda: None


def follow(engine: Engine, job_id: str, count: int, tell: Callable[[], None]) -> None:
    """Tell once before the first message to a job, and of as many messages."""
    tell()
    messages = (each for each in engine.follow(job_id) if each.event.name == "MessageReceived")
    for _ in islice(messages, count):
        tell()


def _thread(engine: Engine, task: Task, job_id: str) -> Seen:
    """A thread of this process that follows the job on the same engine."""
    told = SimpleQueue[None]()
    words = (engine, job_id, task.size, partial(told.put, None))
    Thread(target=follow, args=words, daemon=True).start()
    told.get()
    return told.get


def _process(_: Engine, task: Task, job_id: str) -> Seen:
    """Another process that follows the job, and tells by a byte in a pipe."""
    words = [sys.executable, "-m", "benchmarks.programs.following", url_of(task), job_id]
    follower = subprocess.Popen([*words, str(task.size)], cwd=ROOT, stdout=subprocess.PIPE)
    pipe = follower.stdout
    assert pipe is not None, "the pipe was asked for"

    def seen() -> None:
        assert pipe.read(1), "the follower has ended"

    seen()
    return seen


PROGRAM: Program = {
    "sending": partial(_sending, _nobody),
    "sending to a thread": partial(_sending, _thread),
    "sending to a process": partial(_sending, _process),
}

if __name__ == "__main__":
    run(PROGRAM)
