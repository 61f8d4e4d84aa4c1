"""DBOS with SQLite as its system database: a step's result is recorded before the next one."""

from __future__ import annotations

from functools import partial
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.programs.running import Prepared, Program, Task, run


@DBOS.step()
def less(n: int) -> int:
    """Return one less."""
    return n - 1


@DBOS.workflow()
def counting(n: int) -> int:
    """Take steps until nothing is left."""
    while n:
        n = less(n)
    return n


@DBOS.workflow()
def asking() -> object:
    """Wait for an answer."""
    return DBOS.recv("answer", timeout_seconds=600)


def _launch(task: Task, listening_seconds: float = 1.0) -> None:
    url = f"sqlite:///{task.folder / 'jobs.db'}"
    DBOS(
        config={
            "name": "bench",
            "system_database_url": url,
            "log_level": "ERROR",
            "run_admin_server": False,
            "notification_listener_polling_interval_sec": listening_seconds,
        }
    )
    DBOS.launch()
    counting(1)  # Whatever is set up at the first need.


def _ended(n: int) -> None:
    assert counting(n) == 0, "it has not come to its end"


def chain(task: Task) -> Prepared:
    """A workflow of as many steps."""
    _launch(task)
    return lambda: _ended(task.size)


def jobs(task: Task) -> Prepared:
    """Short workflows of one step, one after the other."""
    _launch(task)

    def work() -> None:
        for _ in range(task.size):
            _ended(1)

    return work


def at_once(task: Task) -> Prepared:
    """Short workflows of one step, all started before the first is waited for."""
    _launch(task)

    def work() -> None:
        for handle in [DBOS.start_workflow(counting, 1) for _ in range(task.size)]:
            assert handle.get_result() == 0, "it has not come to its end"

    return work


def _waiting(task: Task) -> list[Any]:
    handles: list[Any] = []
    for number in range(task.size):
        with SetWorkflowID(f"asking-{number}"):
            handles.append(DBOS.start_workflow(asking))
    return handles


def answers(task: Task, listening_seconds: float = 1.0) -> Prepared:
    """Workflows that wait, and are answered, in the process where they wait."""
    _launch(task, listening_seconds)
    handles = _waiting(task)

    def work() -> None:
        for number, handle in enumerate(handles):
            DBOS.send(f"asking-{number}", "A", topic="answer")
            assert handle.get_result() == "A", "another answer"

    return work


def paused(task: Task) -> Prepared:
    """Workflows that are left waiting for an answer."""
    _launch(task)

    def work() -> None:
        assert len(_waiting(task)) == task.size, "one is missing"

    return work


PROGRAM: Program = {
    "chain": chain,
    "jobs": jobs,
    "jobs at once": at_once,
    "answers": answers,
    "answers soon": partial(answers, listening_seconds=0.01),
    "paused": paused,
}

if __name__ == "__main__":
    run(PROGRAM)
