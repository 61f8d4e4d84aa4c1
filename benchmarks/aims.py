"""What esflow aims for, and how far the results are from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, final

import attrs

from benchmarks import words
from benchmarks.measuring import Measured
from benchmarks.results import Results

Spread: TypeAlias = tuple[float, float, float]
"""A figure, and its lowest and highest over the rounds, where they are known."""
Figure: TypeAlias = Callable[[Results], Spread | None]
"""What is found; None where it wasn't measured."""

OUTPUT: Final = 'esflow, durability="output"'


@final
@attrs.frozen
class Aim:
    """A cost that is aimed for, at the largest size that was measured."""

    what: str
    limit: float
    against: str
    figure: Figure
    write: Callable[[float], str] = words.times


def ratio(suite: str, label: str = "esflow") -> Figure:
    """Return the ratio of a row to the first of its suite."""
    return _of(suite, label, lambda row: (row.ratio, row.low, row.high))


def microseconds(suite: str, label: str) -> Figure:
    """Return what a unit of a row takes."""
    return _of(suite, label, lambda row: _known(row.microseconds))


def stored(suite: str, label: str) -> Figure:
    """Return the bytes of a unit of a row."""
    return _of(suite, label, lambda row: _known(row.stored))


def beyond(suite: str, label: str, base: str) -> Figure:
    """Return what a unit of a row takes more than one of another."""

    def found(results: Results) -> Spread | None:
        mine, other = microseconds(suite, label)(results), microseconds(suite, base)(results)
        return None if mine is None or other is None else _known(mine[0] - other[0])

    return found


def growth(suite: str, label: str, of: Callable[[Measured], float]) -> Figure:
    """Return how many times the largest size's unit is the smallest size's."""

    def found(results: Results) -> Spread | None:
        comparison = results.suites.get(suite)
        rows = [row for row in comparison.rows if row.label == label] if comparison else []
        return _known(of(rows[-1]) / of(rows[0])) if rows else None

    return found


def _known(figure: float) -> Spread:
    return figure, figure, figure


def _of(suite: str, label: str, pick: Callable[[Measured], Spread]) -> Figure:
    def found(results: Results) -> Spread | None:
        comparison = results.suites.get(suite)
        row = comparison.row(label) if comparison else None
        return pick(row) if row else None

    return found


def _bytes(number: float) -> str:
    return f"{number:,.0f} B"


_FLOOR: Final = "plain sqlite3"
_NORMAL: Final = "plain sqlite3, NORMAL"

AIMS: Final = (
    Aim("an activation in a chain, FULL", 1.4, _FLOOR, ratio("chain")),
    Aim("the same, `AsyncEngine`", 2, _FLOOR, ratio("chain", "esflow, AsyncEngine")),
    Aim("an activation in a chain, NORMAL", 2, _NORMAL, ratio("chain-normal")),
    Aim("the same, `AsyncEngine`", 4.5, _NORMAL, ratio("chain-normal", "esflow, AsyncEngine")),
    Aim("an activation with an effect, FULL", 1.4, _FLOOR, ratio("effects")),
    Aim(
        'an activation with `durability="output"`, FULL',
        1 / 15,
        "LangGraph, `durability='sync'`",
        ratio("peers", OUTPUT),
    ),
    Aim("an activation in memory", 30, "", microseconds("chain", "esflow, in memory"), words.time),
    Aim(
        "replay of an event, its hash checked",
        4.5,
        "",
        microseconds("replay", "its state, every hash checked"),
        words.time,
    ),
    Aim(
        "an answer behind the most events, with snapshots",
        1.25,
        "behind the fewest",
        growth("resume", "with snapshots, as by default", lambda row: row.microseconds),
    ),
    Aim(
        "what a call takes after its last handler, beside the commit",
        200,
        "",
        beyond("endings", "esflow", "plain sqlite3, the last append"),
        words.time,
    ),
    Aim(
        "a wake-up in another process, beside the sending",
        5_000,
        "",
        beyond("waking", "another process follows", "sending alone"),
        words.time,
    ),
    Aim(
        "a page of 100 by status among the most jobs",
        500,
        "",
        microseconds("crowd", "a page of 100 by status"),
        words.time,
    ),
    Aim(
        "an event on disk, a few bytes of payload included",
        300,
        "",
        stored("bytes", "esflow, a chain"),
        _bytes,
    ),
    Aim(
        "`import esflow`, beside bare Python",
        80_000,
        "",
        beyond("start", "import esflow", "bare Python"),
        words.time,
    ),
    Aim(
        "bytes of a step of a growing history, the longest",
        1.25,
        "the shortest",
        growth("growing", "esflow", lambda row: row.stored),
    ),
)


def aimed(results: Results) -> str:
    """Return a table of what is aimed for, what is found, and what is missed by how much."""
    lines = ["| what | at most | of | found | |", "|---|---|---|---|---|"]
    for aim in AIMS:
        found = aim.figure(results)
        shown = "not measured" if found is None else aim.write(found[0])
        verdict = "" if found is None else _verdict(aim.limit, *found)
        lines.append(
            f"| {aim.what} | {aim.write(aim.limit)} | {aim.against} | {shown} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def _verdict(limit: float, figure: float, low: float, high: float) -> str:
    said = "met" if figure <= limit else f"**missed by {figure / limit - 1:.0%}**"
    return said if (low <= limit) is (high <= limit) else f"{said}, but not in every round"
