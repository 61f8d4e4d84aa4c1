"""Many jobs: short ones, those that wait, and how soon somebody learns of what happened."""

from __future__ import annotations

from typing import Final

from benchmarks.measuring import Row
from benchmarks.suites.suite import (
    BOTH,
    Suite,
    Synchronous,
    burr,
    dbos,
    esflow,
    floor,
    langgraph,
    named,
)


def _one(case: str, synchronous: Synchronous, label: str = "esflow") -> Row:
    return esflow(case, synchronous, program="jobs", label=label)


def _short(synchronous: Synchronous) -> Suite:
    peers = [langgraph("jobs", synchronous), burr("jobs", synchronous)]
    if synchronous == "full":
        peers.append(dbos("jobs"))
    return Suite(
        name=named("jobs", synchronous),
        title=f"short jobs, one after the other, {synchronous.upper()}",
        units="jobs",
        sizes=(30, 100, 300),
        rows=(
            floor("jobs", synchronous),
            _one("jobs", synchronous),
            esflow("jobs", synchronous, program="jobs", durability="output"),
            *peers,
        ),
        stored=True,
    )


def _at_once(synchronous: Synchronous) -> Suite:
    return Suite(
        name=named("jobs-at-once", synchronous),
        title=f"short jobs at once, {synchronous.upper()}",
        units="jobs",
        sizes=(30, 100, 300),
        rows=(
            _one("jobs", synchronous, "esflow, one after the other"),
            _one("jobs threads", synchronous, "esflow, in eight threads"),
            _one("jobs async", synchronous, "esflow, AsyncEngine, all at once"),
            langgraph("jobs threads", synchronous, "LangGraph, SqliteSaver, in eight threads"),
            *([dbos("jobs at once", "DBOS, SQLite, all at once")] * (synchronous == "full")),
        ),
        peak=True,
    )


def _answers(synchronous: Synchronous) -> Suite:
    fast = Row(
        "DBOS, SQLite, listening every 10 ms", "dbos", "answers soon", "full", "step", "DELETE"
    )
    slow = dbos("answers", "DBOS, SQLite, listening every second", upto=10)
    return Suite(
        name=named("answers", synchronous),
        title=f"an answer to a job that waits, {synchronous.upper()}",
        units="answers",
        sizes=(10, 30, 100),
        rows=(
            _one("answers", synchronous, "esflow, the engine that asked"),
            _one("answers fresh", synchronous, "esflow, a fresh engine each"),
            langgraph("answers", synchronous, "LangGraph, the graph that asked"),
            langgraph("answers fresh", synchronous, "LangGraph, a fresh graph each"),
            *([fast, slow] * (synchronous == "full")),
        ),
    )


_PROCESSES: Final = Suite(
    name="answers-processes",
    title="an answer in a fresh process each, FULL",
    units="processes",
    sizes=(2, 4, 8),
    rows=(
        Row("bare Python", "starting", "bare Python", "", "", ""),
        _one("answers processes", "full"),
        langgraph("answers processes"),
    ),
)

_PAUSED: Final = Suite(
    name="paused",
    title="jobs that are left waiting, FULL",
    units="jobs",
    sizes=(100, 300, 1_000),
    rows=(
        _one("paused", "full"),
        langgraph("paused"),
        dbos("paused", "DBOS, SQLite, a thread each"),
    ),
    stored=True,
    peak=True,
)


def _crowd(case: str, label: str) -> Row:
    return Row(label, "crowd", case, "full", "step")


_CROWD: Final = Suite(
    name="crowd",
    title="one act among as many paused jobs, FULL",
    units="paused jobs",
    sizes=(1_000, 10_000, 100_000),
    large=(1_000_000,),
    rows=(
        _crowd("opening", "opening the store and reading a job"),
        _crowd("page", "a page of 100 by status"),
        _crowd("later page", "such a page behind 500 jobs"),
        _crowd("recover", "recover(), with nothing to do"),
        _crowd("answer", "answering one of them"),
    ),
    peak=True,
)

_ENDINGS: Final = Suite(
    name="endings",
    title="from the return of the last handler to that of the call, FULL",
    units="jobs",
    sizes=(30, 100, 300),
    rows=(
        Row("plain sqlite3, the last append", "floor", "endings"),
        _one("endings", "full"),
        langgraph("endings"),
    ),
)


def _waking(case: str, label: str) -> Row:
    return Row(label, "waking", case, "full", "step")


_WAKING: Final = Suite(
    name="waking",
    title="a message, until its follower has said that it is there, FULL",
    units="messages",
    sizes=(30, 100, 300),
    rows=(
        _waking("sending", "sending alone"),
        _waking("sending to a thread", "a thread follows"),
        _waking("sending to a process", "another process follows"),
    ),
)


def _starting(case: str, label: str) -> Row:
    return Row(label, "starting", case, "", "", "")


_START: Final = Suite(
    name="start",
    title="starting a process",
    units="processes",
    sizes=(5,),
    rows=(
        _starting("bare Python", "bare Python"),
        _starting("esflow", "import esflow"),
        _starting("langgraph", "import LangGraph and its saver"),
        _starting("dbos", "import DBOS"),
        _starting("burr", "import Burr and its persister"),
        _starting("routilux", "import routilux"),
    ),
)

SUITES: Final = (
    *(make(synchronous) for make in (_short, _at_once, _answers) for synchronous in BOTH),
    _PROCESSES,
    _PAUSED,
    _CROWD,
    _ENDINGS,
    _WAKING,
    _START,
)
