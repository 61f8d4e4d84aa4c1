"""LangGraph with its SQLite saver, and ``durability="sync"``: a checkpoint before the next step."""

from __future__ import annotations

import operator
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from benchmarks.programs.running import ROOT, Prepared, Program, Taken, Task, run


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


def _ended(graph: Any, name: str, size: int, messages: int = 0) -> None:
    start = {"n": size, "messages": []}
    state = graph.invoke(start, _thread(name, size), durability="sync")
    assert state["n"] == 0, "it has not come to its end"
    assert len(state["messages"]) == messages, "a message was lost"


def _warmed(task: Task, step: Any) -> Any:
    """Return a graph that has come to its end once: whatever is set up at the first need."""
    graph = _graph(task, step)
    _ended(graph, "warm", 1)
    return graph


def chain(task: Task) -> Prepared:
    """A node that leads to itself until its counter is at 0."""
    graph = _warmed(task, _less)
    return lambda: _ended(graph, "one", task.size)


def growing(task: Task) -> Prepared:
    """The same, and each step appends 300 characters to a list."""
    graph = _graph(task, lambda state: {"n": state["n"] - 1, "messages": ["x" * 300]})
    _ended(graph, "warm", 1, 1)
    return lambda: _ended(graph, "one", task.size, task.size)


def _less(state: State) -> dict[str, int]:
    return {"n": state["n"] - 1}


def jobs(task: Task) -> Prepared:
    """Short jobs of one step, one after the other."""
    graph = _warmed(task, _less)

    def work() -> None:
        for number in range(task.size):
            _ended(graph, str(number), 1)

    return work


def in_threads(task: Task) -> Prepared:
    """Short jobs of one step, in eight threads."""
    graph = _warmed(task, _less)

    def work() -> None:
        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(_ended, graph, str(n), 1) for n in range(task.size)]:
                future.result()

    return work


def asking(state: State) -> dict[str, int]:
    """Ask, and take one off when the answer is there."""
    assert interrupt("which?") == "A", "another answer"
    return {"n": state["n"] - 1}


def _ask(graph: Any, count: int) -> None:
    for number in range(count):
        start = {"n": 1, "messages": []}
        state = graph.invoke(start, _thread(str(number), 1), durability="sync")
        assert state["__interrupt__"], "it doesn't ask"


def answer(graph: Any, name: str) -> None:
    """Answer a job."""
    state = graph.invoke(Command(resume="A"), _thread(name, 1), durability="sync")
    assert state["n"] == 0, "it has not come to its end"


def answers(task: Task) -> Prepared:
    """Jobs that ask, and are answered with the graph that asked."""
    graph = _graph(task, asking)
    _ask(graph, task.size)

    def work() -> None:
        for number in range(task.size):
            answer(graph, str(number))

    return work


def answers_fresh(task: Task) -> Prepared:
    """Jobs that ask, and are answered with a graph and a connection of their own each."""
    _ask(_graph(task, asking), task.size)

    def work() -> None:
        for number in range(task.size):
            answer(_graph(task, asking), str(number))

    return work


def answers_in_processes(task: Task) -> Prepared:
    """Jobs that ask, and are answered in a process of their own each."""
    _ask(_graph(task, asking), task.size)
    words = [sys.executable, "-m", "benchmarks.peers.langgraph_program", "answering", "1"]

    def work() -> None:
        for number in range(task.size):
            places = [task.synchronous, str(task.folder), str(number)]
            subprocess.run([*words, *places], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    return work


def answering(task: Task) -> Prepared:
    """Answer one job, whose name stands where others have a folder that is kept."""
    return lambda: answer(_graph(task, asking), task.kept.name)


def paused(task: Task) -> Prepared:
    """Jobs that are left waiting for an answer."""
    _warmed(task, _less)
    graph = _graph(task, asking)
    return lambda: _ask(graph, task.size)


def endings(task: Task) -> Prepared:
    """What passes between the return of a job's last node and that of its invocation."""
    returned: list[float] = []

    def last(state: State) -> dict[str, int]:
        returned.append(perf_counter())
        return _less(state)

    graph = _warmed(task, last)
    returned.clear()

    def work() -> Taken:
        seconds = 0.0
        for number in range(task.size):
            _ended(graph, str(number), 1)
            seconds += perf_counter() - returned.pop()
        return Taken(units=task.size, seconds=seconds)

    return work


PROGRAM: Program = {
    "chain": chain,
    "growing": growing,
    "jobs": jobs,
    "jobs threads": in_threads,
    "answers": answers,
    "answers fresh": answers_fresh,
    "answers processes": answers_in_processes,
    "answering": answering,
    "paused": paused,
    "endings": endings,
}

if __name__ == "__main__":
    run(PROGRAM)
