"""What a suite is, and rows that stand in many."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, final

import attrs

from benchmarks.measuring import Row

Synchronous: TypeAlias = Literal["full", "normal"]
BOTH: Final[tuple[Synchronous, ...]] = ("full", "normal")


@final
@attrs.frozen(kw_only=True)
class Suite:
    """One comparison; the first row is what the others are compared to.

    Shape: ``large`` sizes are measured only where they are asked for; ``timed``, ``stored`` and
    ``peak`` say whether times, bytes per unit and megabytes of memory mean something here.
    """

    name: str
    title: str
    units: str
    sizes: tuple[int, ...]
    rows: tuple[Row, ...]
    large: tuple[int, ...] = ()
    timed: bool = True
    stored: bool = False
    peak: bool = False


def named(name: str, synchronous: Synchronous) -> str:
    """Return the name of one of two suites that differ in their pragma."""
    return name if synchronous == "full" else f"{name}-normal"


def floor(case: str, synchronous: Synchronous, *, output: bool = False) -> Row:
    """Return what plain sqlite3 takes for the appends of a durability."""
    label = "plain sqlite3, as many rows a transaction" if output else "plain sqlite3"
    return Row(label, "floor", f"{case} output" if output else case, synchronous)


def esflow(
    case: str,
    synchronous: Synchronous = "full",
    *,
    program: str = "esflow",
    label: str = "esflow",
    durability: str = "step",
) -> Row:
    """Return what esflow takes with one durability."""
    output = durability == "output"
    shown = f'{label}, durability="output"' if output else label
    return Row(shown, program, f"{case} output" if output else case, synchronous, durability)


def langgraph(
    case: str, synchronous: Synchronous = "full", label: str = "LangGraph, SqliteSaver"
) -> Row:
    """Return what LangGraph takes, with a checkpoint before the next step."""
    return Row(label, "langgraph", case, synchronous, "sync")


def dbos(case: str, label: str = "DBOS, SQLite", upto: int | None = None) -> Row:
    """Return what DBOS takes: it sets no pragma of SQLite's journal, and documents none."""
    return Row(label, "dbos", case, "full", "step", "DELETE", upto=upto)


def burr(case: str, synchronous: Synchronous = "full") -> Row:
    """Return what Burr takes, with the journal that its persister leaves as it is."""
    return Row("Burr, SQLitePersister", "burr", case, synchronous, "step", "DELETE")
