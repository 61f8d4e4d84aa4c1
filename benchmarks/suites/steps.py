"""The activations of one job."""

from __future__ import annotations

from typing import Final

from benchmarks.measuring import Row
from benchmarks.suites.suite import BOTH, Suite, Synchronous, burr, dbos, esflow, floor, langgraph
from benchmarks.suites.suite import named as name_of


def _durabilities(case: str, synchronous: Synchronous) -> tuple[Row, ...]:
    return (
        floor(case, synchronous),
        esflow(case, synchronous),
        floor(case, synchronous, output=True),
        esflow(case, synchronous, durability="output"),
    )


def _loop(synchronous: Synchronous) -> Suite:
    more = [esflow("chain async", synchronous, label="esflow, AsyncEngine")]
    if synchronous == "full":
        more.append(Row("esflow, in memory", "esflow", "chain memory", "", "step", ""))
    return Suite(
        name=name_of("chain", synchronous),
        title=f"a slot that emits to itself, {synchronous.upper()}",
        units="activations",
        sizes=(100, 1_000, 10_000),
        rows=(*_durabilities("chain", synchronous), *more),
        stored=True,
    )


def _line(synchronous: Synchronous) -> Suite:
    return Suite(
        name=name_of("line", synchronous),
        title=f"a chain of as many routines, {synchronous.upper()}",
        units="activations",
        sizes=(100, 300, 1_000),
        rows=_durabilities("line", synchronous),
    )


def _effects(synchronous: Synchronous) -> Suite:
    return Suite(
        name=name_of("effects", synchronous),
        title=f"an effect in each activation, {synchronous.upper()}",
        units="activations",
        sizes=(100, 300, 1_000),
        rows=_durabilities("effects", synchronous),
    )


def _fan_out(synchronous: Synchronous) -> Suite:
    return Suite(
        name=name_of("fan-out", synchronous),
        title=f"a fan-out whose parts write to one key, {synchronous.upper()}",
        units="parts",
        sizes=(100, 300, 1_000),
        rows=_durabilities("fan-out", synchronous),
    )


def _join(synchronous: Synchronous) -> Suite:
    return Suite(
        name=name_of("join", synchronous),
        title=f"a fan-out that is joined by a gather, {synchronous.upper()}",
        units="parts",
        sizes=(10, 100, 300),
        rows=_durabilities("join", synchronous),
    )


def _growing(synchronous: Synchronous) -> Suite:
    return Suite(
        name=name_of("growing", synchronous),
        title=f"a shared list that grows by 300 characters a step, {synchronous.upper()}",
        units="steps",
        sizes=(100, 300, 1_000),
        rows=(
            *_durabilities("growing", synchronous),
            langgraph("growing", synchronous),
            burr("growing", synchronous),
        ),
        stored=True,
        peak=True,
    )


def _peers(synchronous: Synchronous) -> Suite:
    alone: tuple[Row, ...] = ()
    if synchronous == "full":
        alone = (dbos("chain"), Row("routilux", "routilux", "chain", "", "none", ""))
    return Suite(
        name=name_of("peers", synchronous),
        title=f"a chain of steps beside other tools, {synchronous.upper()}",
        units="steps",
        sizes=(100, 300, 1_000),
        rows=(
            langgraph("chain", synchronous),
            esflow("chain", synchronous),
            esflow("chain", synchronous, durability="output"),
            burr("chain", synchronous),
            *alone,
        ),
        stored=True,
        peak=True,
    )


_BYTES: Final = Suite(
    name="bytes",
    title="what an event takes on disk",
    units="steps",
    timed=False,
    sizes=(100, 1_000, 10_000),
    rows=(
        Row("their bytes alone, in a table", "floor", "bytes"),
        esflow("bytes", label="esflow, a chain"),
        Row("their bytes alone, 300 characters in every third", "floor", "bytes growing"),
        esflow("bytes growing", label="esflow, 300 characters in every third"),
    ),
    stored=True,
)

SUITES: Final = (
    *(
        make(synchronous)
        for make in (_loop, _line, _effects, _fan_out, _join, _growing, _peers)
        for synchronous in BOTH
    ),
    _BYTES,
)
