"""Paired measurement: cases are measured in turn, and only their ratios within a round count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Final, TypeAlias, final

import attrs

ROUNDS: Final = 7

Case: TypeAlias = Callable[[], int]
"""Does something and returns how many units of it were done."""


@final
@attrs.frozen(kw_only=True)
class Measured:
    """What one case took.

    Units: microseconds per unit, median over the rounds; ``ratio`` is the median of the paired
    ratios to the first case, ``low`` and ``high`` their extremes.
    """

    name: str
    microseconds: float
    ratio: float
    low: float
    high: float


def compare(cases: Mapping[str, Case], rounds: int = ROUNDS) -> list[Measured]:
    """Measure cases in turn, several rounds; the first case is what the others are compared to."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            began = perf_counter()
            units = case()
            times[name].append((perf_counter() - began) / units * 1e6)
    floor = next(iter(times.values()))
    return [_measured(name, taken, floor) for name, taken in times.items()]


def _measured(name: str, taken: list[float], floor: list[float]) -> Measured:
    ratios = [mine / least for mine, least in zip(taken, floor, strict=True)]
    return Measured(
        name=name,
        microseconds=median(taken),
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
    )


def table(title: str, measured: list[Measured]) -> str:
    """Return a table of one comparison, for people."""
    lines = [title, f"  {'case':<44}{'µs':>10}{'ratio':>8}   spread"]
    lines += [
        f"  {it.name:<44}{it.microseconds:>10.1f}{it.ratio:>8.2f}   {it.low:.2f}-{it.high:.2f}"
        for it in measured
    ]
    return "\n".join(lines)
