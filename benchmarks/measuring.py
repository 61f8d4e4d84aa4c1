"""Paired measurement: programs are run in turn, and only ratios within a round count."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, final

import attrs

ROUNDS: Final = 5
PATIENCE_SECONDS: Final = 600
PEERS: Final = ("burr", "dbos", "langgraph", "routilux")


@final
@attrs.frozen
class Row:
    """One program with one case, as it stands in a table."""

    label: str
    program: str
    case: str
    synchronous: str = "full"  # Empty: nothing is written to a file.
    durability: str = ""  # What the tool calls it.
    journal: str = "WAL"
    upto: int | None = None  # The largest size at which it is measured; None: every one.

    @property
    def settings(self) -> str:
        """What it is measured with, in words."""
        return ", ".join(filter(None, (self.durability, self.journal, self.synchronous.upper())))


@final
@attrs.frozen(kw_only=True)
class Sample:
    """What one run took. Units: seconds, bytes."""

    seconds: float
    units: int
    peak: int
    stored: int


@final
@attrs.frozen(kw_only=True)
class Measured:
    """What the runs of one row took at one size.

    Units: microseconds per unit, and bytes per unit, medians over the rounds; megabytes of memory;
    ``ratio`` is the median of the paired ratios to the first row, ``low`` and ``high`` their
    extremes.
    """

    label: str
    settings: str
    size: int
    microseconds: float
    ratio: float
    low: float
    high: float
    stored: float
    peak: float


def compare(rows: Sequence[Row], size: int, rounds: int = ROUNDS) -> list[Measured]:
    """Run rows in turn, several rounds; the first is what the others are compared to."""
    rows = [row for row in rows if row.upto is None or size <= row.upto]
    samples: list[list[Sample]] = [[] for _ in rows]
    with TemporaryDirectory() as kept:
        for _ in range(rounds):
            for row, taken in zip(rows, samples, strict=True):
                taken.append(_sampled(row, size, kept))
    return [
        _measured(row, size, taken, samples[0]) for row, taken in zip(rows, samples, strict=True)
    ]


def _sampled(row: Row, size: int, kept: str) -> Sample:
    with TemporaryDirectory() as folder:
        folder_of = "peers" if row.program in PEERS else "programs"
        module = f"benchmarks.{folder_of}.{row.program}_program"
        synchronous = row.synchronous or "full"
        done = subprocess.run(
            [sys.executable, "-m", module, row.case, str(size), synchronous, folder, kept],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    return Sample(**json.loads(done.stdout.splitlines()[-1]))


def _measured(row: Row, size: int, taken: Sequence[Sample], least: Sequence[Sample]) -> Measured:
    each = [sample.seconds / sample.units * 1e6 for sample in taken]
    ratios = [
        mine / (floor.seconds / floor.units * 1e6) for mine, floor in zip(each, least, strict=True)
    ]
    return Measured(
        label=row.label,
        settings=row.settings,
        size=size,
        microseconds=median(each),
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
        stored=median(sample.stored / sample.units for sample in taken),
        peak=median(sample.peak for sample in taken) / 1e6,
    )
