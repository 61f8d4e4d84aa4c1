"""Run the benchmarks: ``make bench``, or ``python -m benchmarks``; one suite with its name."""

from __future__ import annotations

import json
import platform
import sqlite3
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import attrs

from benchmarks.measuring import Measured, compare
from benchmarks.suites import SUITES, Suite

RESULTS: Final = Path(__file__).parent / "results.json"
PEERS: Final = ("langgraph", "langgraph-checkpoint-sqlite", "dbos", "burr", "routilux")


def main(names: list[str]) -> None:
    """Print a table for each suite and size; write the results as JSON."""
    found: dict[str, list[dict[str, object]]] = {}
    for suite in SUITES:
        if names and suite.name not in names:
            continue
        for size in suite.sizes:
            measured = compare(suite.rows, size)
            sys.stdout.write(table(suite, size, measured))
            sys.stdout.flush()
            found.setdefault(suite.name, []).extend(map(attrs.asdict, measured))
    report = {"machine": machine(), "suites": found}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def machine() -> dict[str, str]:
    """Return what the results depend on."""
    found = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
    }
    for name in ("esflow-jobs", *PEERS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def table(suite: Suite, size: int, measured: list[Measured]) -> str:
    """Return a table of one comparison, for people."""
    lines = [
        f"{suite.title}, {size:,} {suite.units}",
        f"  {'':<40}{'µs each':>10}{'ratio':>8}   {'spread':<13}{'B each':>9}{'MB':>7}",
    ]
    lines += [
        f"  {it.label:<40}{it.microseconds:>10.1f}{it.ratio:>8.2f}   "
        f"{f'{it.low:.2f}-{it.high:.2f}':<13}{it.stored:>9.0f}{it.peak:>7.0f}"
        for it in measured
    ]
    return "\n".join([*lines, "", ""])


if __name__ == "__main__":
    main(sys.argv[1:])
