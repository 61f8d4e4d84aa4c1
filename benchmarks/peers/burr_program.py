"""Burr with its SQLite persister, which saves the whole state after each action."""

from __future__ import annotations

from typing import Any

from burr.core import ApplicationBuilder, State, action, default, expr
from burr.core.persistence import SQLitePersister

from benchmarks.programs.running import Prepared, Program, Task, run


@action(reads=["n", "messages"], writes=["n", "messages"])
def step(state: State, text: str) -> State:
    """Count down, and append a text if there is one."""
    messages = [*state["messages"], text] if text else state["messages"]
    return state.update(n=state["n"] - 1, messages=messages)


@action(reads=[], writes=[])
def end(state: State) -> State:
    """Do nothing."""
    return state


def _application(name: str, count: int, text: str, persister: Any) -> Any:
    return (
        ApplicationBuilder()
        .with_actions(step=step.bind(text=text), end=end)
        .with_transitions(("step", "step", expr("n > 0")), ("step", "end", default))
        .with_entrypoint("step")
        .with_state(n=count, messages=[])
        .with_identifiers(app_id=name)
        .with_state_persister(persister)
        .build()
    )


def _persister(task: Task) -> Any:
    persister = SQLitePersister(str(task.folder / "jobs.db"))
    persister.initialize()
    persister.connection.execute(f"PRAGMA synchronous={task.synchronous.upper()}")
    _ended(_application("warm", 1, "", persister), 0)  # Whatever is set up at the first need.
    return persister


def _ended(application: Any, messages: int) -> None:
    _, _, state = application.run(halt_after=["end"])
    assert state["n"] == 0, "it has not come to its end"
    assert len(state["messages"]) == messages, "a message was lost"


def chain(task: Task) -> Prepared:
    """An action that leads to itself until its counter is at 0."""
    application = _application("one", task.size, "", _persister(task))
    return lambda: _ended(application, 0)


def growing(task: Task) -> Prepared:
    """The same, and each step appends 300 characters to a list."""
    application = _application("one", task.size, "x" * 300, _persister(task))
    return lambda: _ended(application, task.size)


def jobs(task: Task) -> Prepared:
    """Short applications of one step, one after the other."""
    persister = _persister(task)

    def work() -> None:
        for number in range(task.size):
            _ended(_application(str(number), 1, "", persister), 0)

    return work


PROGRAM: Program = {"chain": chain, "growing": growing, "jobs": jobs}

if __name__ == "__main__":
    run(PROGRAM)
