"""Turn results into the tables and pictures of a document; ``python -m benchmarks.report`` draws.

It measures nothing: what it writes follows from the file of results alone.
The tables are blocks of the document like others, which ``make docs`` writes with the pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks import results, words
from benchmarks.aims import aimed
from benchmarks.measuring import Measured
from benchmarks.plots import picture
from benchmarks.results import Comparison, Results

PICTURES: Final = Path(__file__).parents[1] / "docs" / "performance"
PREFIX: Final = "measured"

_FLAT: Final = 1.25
"""How much the cost of a unit may change with the size and still be called the same."""
_PEERS: Final = ("LangGraph", "DBOS", "Burr", "routilux")


def blocks(found: Results) -> dict[str, str]:
    """Return every block of the document by its name."""
    return {
        f"{PREFIX}-machine": _machine(found),
        f"{PREFIX}-aims": aimed(found),
        f"{PREFIX}-growth": _growth(found),
        f"{PREFIX}-shares": _shares(found),
        **{f"{PREFIX}-{name}": _suite(it) for name, it in found.suites.items()},
    }


def pictures(found: Results) -> dict[str, str]:
    """Return every picture by the name of its file."""
    return {f"{name}.svg": drawn for name, it in found.suites.items() if (drawn := picture(it))}


def main() -> None:
    """Draw the pictures of the document anew."""
    PICTURES.mkdir(exist_ok=True)
    for name, drawn in pictures(results.read()).items():
        (PICTURES / name).write_text(drawn, "utf-8")


def _machine(found: Results) -> str:
    lines = ["| | |", "|---|---|", *(f"| {name} | {is_} |" for name, is_ in found.machine.items())]
    return "\n".join(lines) + "\n"


def _shares(found: Results) -> str:
    """Return which share of a case's time is spent on what."""
    areas = list(dict.fromkeys(area for shares in found.shares.values() for area in shares))
    heads = f"| | {' | '.join(areas)} |"
    lines = [heads, re.sub(r"[^|]+", "---", heads)]
    for case, shares in found.shares.items():
        cells = (f"{shares[area]:.0%}" if area in shares else "" for area in areas)
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _suite(comparison: Comparison) -> str:
    """Return the table of a suite: what each row takes at every size, and how it compares."""
    shown = f"![{comparison.title}](performance/{comparison.name}.svg)\n\n"
    sizes = "".join(f" {size:,} |" for size in comparison.sizes)
    heads = f"| | settings |{sizes}" + " ratio | spread |" * comparison.timed
    heads += " B each |" * comparison.stored + " MB |" * comparison.peak
    lines = [heads, re.sub(r"[^|]+", "---", heads)]
    lines += [_line(comparison, label) for label in comparison.labels]
    return "\n".join([shown * bool(picture(comparison)) + _said(comparison), "", *lines, ""])


def _said(comparison: Comparison) -> str:
    of = f"{words.listed(comparison.sizes)} {comparison.units}"
    if not comparison.timed:
        return f"Bytes of each event: {of}."
    return (
        f"Time for each, of {of}: medians of {comparison.rounds} rounds; "
        "the ratio is to the first row, at the largest size of both."
    )


def _line(comparison: Comparison, label: str) -> str:
    row = comparison.row(label)
    assert row is not None, "a label is that of a row"
    cells = [label.replace('durability="output"', '`durability="output"`'), row.settings]
    for size in comparison.sizes:
        at = comparison.row(label, size)
        cells.append(_written(comparison, at) if at else "")
    if comparison.timed:
        cells += [words.times(row.ratio), words.spread(row.low, row.high)]
    cells += [f"{row.stored:,.0f}"] * comparison.stored + [f"{row.peak:,.0f}"] * comparison.peak
    return f"| {' | '.join(cells)} |"


def _written(comparison: Comparison, row: Measured) -> str:
    return words.time(row.microseconds) if comparison.timed else f"{row.stored:,.0f} B"


def _growth(found: Results) -> str:
    """Return the rows whose units don't cost the same at every size, the dearer ones first."""
    lines = [
        "| suite | row | smallest to largest | step by step | the first row of the suite |",
        "|---|---|---|---|---|",
    ]
    grown = (
        each
        for comparison in found.suites.values()
        for label in comparison.labels
        if not label.startswith(_PEERS) and (each := _grown(comparison, label))
    )
    lines += [line for _, line in sorted(grown, reverse=True)]
    return "\n".join(lines) + "\n"


def _grown(comparison: Comparison, label: str) -> tuple[float, str] | None:
    """Return how a row grows, and its line; None for one that costs the same at every size."""
    costs, first = _costs(comparison, label), _costs(comparison, comparison.labels[0])
    whole = costs[-1] / costs[0]
    if 1 / _FLAT <= whole <= _FLAT:
        return None
    steps = ", ".join(words.digits(step) for step in _steps(costs))
    cells = (comparison.name, label, words.times(whole), steps, words.times(first[-1] / first[0]))
    return whole, f"| {' | '.join(cells)} |"


def _costs(comparison: Comparison, label: str) -> list[float]:
    return [comparison.cost(row) for row in comparison.rows if row.label == label]


def _steps(costs: list[float]) -> Iterator[float]:
    return (after / before for before, after in pairwise(costs))


if __name__ == "__main__":
    main()
