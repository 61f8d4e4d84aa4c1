"""What is compared with what, and at which sizes.

Peers run in their documented configuration for the same durability: a state that is committed
before the next step begins.
"""

from __future__ import annotations

from typing import Final, final

import attrs

from benchmarks.measuring import Row


@final
@attrs.frozen(kw_only=True)
class Suite:
    """One comparison; the first row is what the others are compared to."""

    name: str
    title: str
    units: str
    sizes: tuple[int, ...]
    rows: tuple[Row, ...]


_FLOOR: Final = Row("plain sqlite3, FULL", "floor", "chain")
_FLOOR_NORMAL: Final = Row("plain sqlite3, NORMAL", "floor", "chain", "normal")

SUITES: Final = (
    Suite(
        name="chain",
        title="a chain of durable activations, FULL",
        units="activations",
        sizes=(100, 1_000, 10_000),
        rows=(
            _FLOOR,
            Row("esflow", "esflow", "chain"),
            Row("esflow, durability output", "esflow", "chain output"),
            Row("esflow, AsyncEngine", "esflow", "chain async"),
            Row("esflow, in memory", "esflow", "chain memory"),
        ),
    ),
    Suite(
        name="chain-normal",
        title="a chain of durable activations, NORMAL",
        units="activations",
        sizes=(100, 1_000, 10_000),
        rows=(
            _FLOOR_NORMAL,
            Row("esflow", "esflow", "chain", "normal"),
            Row("esflow, durability output", "esflow", "chain output", "normal"),
            Row("esflow, AsyncEngine", "esflow", "chain async", "normal"),
        ),
    ),
    Suite(
        name="effects",
        title="a chain of activations with an effect each, FULL",
        units="activations",
        sizes=(100, 1_000, 10_000),
        rows=(
            Row("plain sqlite3, FULL", "floor", "effects"),
            Row("esflow", "esflow", "effects"),
        ),
    ),
    Suite(
        name="peers",
        title="a chain of durable steps beside other tools, FULL",
        units="steps",
        sizes=(100, 300, 1_000),
        rows=(
            Row("esflow", "esflow", "chain"),
            Row("esflow, durability output", "esflow", "chain output"),
            Row("LangGraph, SqliteSaver, durability sync", "langgraph", "chain"),
            Row("DBOS, SQLite", "dbos", "chain"),
            Row("Burr, SQLitePersister", "burr", "chain"),
            Row("routilux, in memory alone", "routilux", "chain"),
        ),
    ),
    Suite(
        name="growing",
        title="a list that grows by 300 characters a step, FULL",
        units="steps",
        sizes=(100, 300, 1_000),
        rows=(
            Row("esflow", "esflow", "growing"),
            Row("LangGraph, SqliteSaver, durability sync", "langgraph", "growing"),
            Row("Burr, SQLitePersister", "burr", "growing"),
        ),
    ),
    Suite(
        name="replay",
        title="replaying one job, every hash checked",
        units="events",
        sizes=(1_000, 10_000, 100_000),
        rows=(
            Row("reading the rows", "esflow", "rows"),
            Row("folding them, verified", "esflow", "replay"),
        ),
    ),
    Suite(
        name="feeding",
        title="feeding tables from histories",
        units="events",
        sizes=(10_000, 30_000, 100_000),
        rows=(
            Row("reading the rows", "esflow", "feeding rows"),
            Row("feeding tables", "esflow", "feeding"),
        ),
    ),
    Suite(
        name="start",
        title="starting a process",
        units="processes",
        sizes=(5,),
        rows=(
            Row("bare Python", "esflow", "bare Python"),
            Row("import esflow", "esflow", "import"),
        ),
    ),
    Suite(
        name="jobs",
        title="short jobs, one after the other, FULL",
        units="jobs",
        sizes=(100, 300, 1_000),
        rows=(
            Row("esflow", "esflow", "jobs"),
            Row("esflow, in eight threads", "esflow", "jobs at once"),
            Row("LangGraph, SqliteSaver, durability sync", "langgraph", "jobs"),
            Row("DBOS, SQLite", "dbos", "jobs"),
            Row("Burr, SQLitePersister", "burr", "jobs"),
        ),
    ),
    Suite(
        name="answers",
        title="answers to jobs that wait, on fresh hosts, FULL",
        units="answers",
        sizes=(30, 100, 300),
        rows=(
            Row("esflow", "esflow", "answers"),
            Row("LangGraph, SqliteSaver, durability sync", "langgraph", "answers"),
        ),
    ),
    Suite(
        name="fan-out",
        title="a fan-out whose parts write to one key, FULL",
        units="activations",
        sizes=(100, 1_000, 10_000),
        rows=(Row("esflow", "esflow", "fan-out"),),
    ),
)
