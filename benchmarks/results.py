"""What was measured, as it is kept in a file.

It knows nothing of how it was measured, or of how it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

import attrs

from benchmarks.measuring import Measured

RESULTS: Final = Path(__file__).parent / "results.json"


@final
@attrs.frozen(kw_only=True)
class Comparison:
    """What one suite came to, at every size."""

    name: str
    title: str
    units: str
    rounds: int
    timed: bool  # Whether times mean something; if not, what is compared is bytes.
    stored: bool  # Whether bytes per unit mean something.
    peak: bool  # Whether the memory does.
    rows: tuple[Measured, ...]

    def cost(self, row: Measured) -> float:
        """Return what a unit of a row costs: microseconds, or bytes where nothing is timed."""
        return row.microseconds if self.timed else row.stored

    @property
    def sizes(self) -> tuple[int, ...]:
        """What was measured, from the smallest to the largest."""
        return tuple(sorted({row.size for row in self.rows}))

    @property
    def labels(self) -> tuple[str, ...]:
        """The rows of its table."""
        return tuple(dict.fromkeys(row.label for row in self.rows))

    def row(self, label: str, size: int | None = None) -> Measured | None:
        """Return one row at one size, the largest it was measured at by default."""
        found = [row for row in self.rows if row.label == label and size in (None, row.size)]
        return max(found, key=lambda row: row.size, default=None)


@final
@attrs.frozen(kw_only=True)
class Results:
    """What was measured on one machine."""

    machine: Mapping[str, str]
    suites: Mapping[str, Comparison]
    shares: Mapping[str, Mapping[str, float]]  # Of the time of a case: by what it is spent on.


def read(file: Path = RESULTS) -> Results:
    """Read a file of results."""
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return Results(
        machine=found["machine"],
        suites={name: _suite(it) for name, it in found["suites"].items()},
        shares=found["shares"],
    )


def write(results: Results, file: Path = RESULTS) -> None:
    """Write a file of results, so that it can be compared line by line."""
    suites = {name: attrs.asdict(it) for name, it in results.suites.items()}
    report = {"machine": results.machine, "suites": suites, "shares": results.shares}
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _suite(found: Mapping[str, Any]) -> Comparison:
    rows: Sequence[Mapping[str, Any]] = found["rows"]
    words = {name: value for name, value in found.items() if name != "rows"}
    return Comparison(rows=tuple(Measured(**row) for row in rows), **words)
