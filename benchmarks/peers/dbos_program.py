"""DBOS with SQLite as its system database: a step's result is recorded before the next one."""

from __future__ import annotations

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


def _launch(task: Task) -> None:
    url = f"sqlite:///{task.folder / 'jobs.db'}"
    DBOS(
        config={
            "name": "bench",
            "system_database_url": url,
            "log_level": "ERROR",
            "run_admin_server": False,
        }
    )
    DBOS.launch()
    counting(1)  # Whatever is set up at the first need.


def chain(task: Task) -> Prepared:
    """A workflow of as many steps."""
    _launch(task)
    return lambda: counting(task.size)


def jobs(task: Task) -> Prepared:
    """Short workflows of one step, one after the other."""
    _launch(task)

    def work() -> None:
        for _ in range(task.size):
            counting(1)

    return work


def answers(task: Task) -> Prepared:
    """Workflows that wait, and are answered."""
    _launch(task)
    handles = []
    for number in range(task.size):
        with SetWorkflowID(f"asking-{number}"):
            handles.append(DBOS.start_workflow(asking))

    def work() -> None:
        for number, handle in enumerate(handles):
            DBOS.send(f"asking-{number}", "A", topic="answer")
            handle.get_result()

    return work


PROGRAM: Program = {"chain": chain, "jobs": jobs, "answers": answers}

if __name__ == "__main__":
    run(PROGRAM)
