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
OWN: Final = ("esflow", "floor")


@final
@attrs.frozen
class Row:
    """One program with one case, as it stands in a table."""

    label: str
    program: str
    case: str
    synchronous: str = "full"
    variables: tuple[str, ...] = ()  # Further words for the program.


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
    """What the runs of one row took.

    Units: microseconds per unit, and bytes per unit, medians over the rounds; megabytes of memory;
    ``ratio`` is the median of the paired ratios to the first row, ``low`` and ``high`` their
    extremes.
    """

    label: str
    size: int
    microseconds: float
    ratio: float
    low: float
    high: float
    stored: float
    peak: float


def compare(rows: Sequence[Row], size: int, rounds: int = ROUNDS) -> list[Measured]:
    """Run rows in turn, several rounds; the first is what the others are compared to."""
    samples: list[list[Sample]] = [[] for _ in rows]
    for _ in range(rounds):
        for row, taken in zip(rows, samples, strict=True):
            taken.append(_sampled(row, size))
    return [_measured(row, taken, samples[0]) for row, taken in zip(rows, samples, strict=True)]


def _sampled(row: Row, size: int) -> Sample:
    with TemporaryDirectory() as folder:
        folder_of = "programs" if row.program in OWN else "peers"
        module = f"benchmarks.{folder_of}.{row.program}_program"
        words = [sys.executable, "-m", module, row.case, str(size), row.synchronous, folder]
        done = subprocess.run(
            [*words, *row.variables],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    return Sample(**json.loads(done.stdout.splitlines()[-1]))


def _measured(row: Row, taken: Sequence[Sample], least: Sequence[Sample]) -> Measured:
    each = [sample.seconds / sample.units * 1e6 for sample in taken]
    ratios = [
        mine / (floor.seconds / floor.units * 1e6) for mine, floor in zip(each, least, strict=True)
    ]
    return Measured(
        label=row.label,
        size=taken[0].units,
        microseconds=median(each),
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
        stored=median(sample.stored / sample.units for sample in taken),
        peak=median(sample.peak for sample in taken) / 1e6,
    )
