"""LangGraph with its SQLite saver, and ``durability="sync"``: a checkpoint before the next step."""

from __future__ import annotations

import operator
import sqlite3
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from benchmarks.programs.running import Prepared, Program, Task, run


class State(TypedDict):
    """What a graph's nodes see."""

    n: int
    messages: Annotated[list[str], operator.add]


def _graph(task: Task, step: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("step", step)
    builder.add_edge(START, "step")
    builder.add_conditional_edges("step", lambda state: "step" if state["n"] > 0 else END)
    database = sqlite3.connect(task.folder / "jobs.db", check_same_thread=False)
    saver = SqliteSaver(database)
    saver.setup()
    database.execute(f"PRAGMA synchronous={task.synchronous.upper()}")
    return builder.compile(checkpointer=saver)


def _thread(name: str, size: int) -> dict[str, object]:
    return {"configurable": {"thread_id": name}, "recursion_limit": size + 10}


def chain(task: Task) -> Prepared:
    """A node that leads to itself until its counter is at 0."""
    graph = _graph(task, lambda state: {"n": state["n"] - 1})
    start = {"n": task.size, "messages": []}
    return lambda: graph.invoke(start, _thread("one", task.size), durability="sync")


def growing(task: Task) -> Prepared:
    """The same, and each step appends 300 characters to a list."""
    graph = _graph(task, lambda state: {"n": state["n"] - 1, "messages": ["x" * 300]})
    start = {"n": task.size, "messages": []}
    return lambda: graph.invoke(start, _thread("one", task.size), durability="sync")


def jobs(task: Task) -> Prepared:
    """Short jobs of one step, one after the other."""
    graph = _graph(task, lambda state: {"n": state["n"] - 1})

    def work() -> None:
        for number in range(task.size):
            start = {"n": 1, "messages": []}
            graph.invoke(start, _thread(str(number), 1), durability="sync")

    return work


def answers(task: Task) -> Prepared:
    """Jobs that ask, and are answered with a graph of their own each."""

    def step(state: State) -> dict[str, int]:
        interrupt("which?")
        return {"n": state["n"] - 1}

    graph = _graph(task, step)
    for number in range(task.size):
        graph.invoke({"n": 1, "messages": []}, _thread(str(number), 1), durability="sync")

    def work() -> None:
        for number in range(task.size):
            fresh = _graph(task, step)
            fresh.invoke(Command(resume="A"), _thread(str(number), 1), durability="sync")

    return work


PROGRAM: Program = {"chain": chain, "growing": growing, "jobs": jobs, "answers": answers}

if __name__ == "__main__":
    run(PROGRAM)
