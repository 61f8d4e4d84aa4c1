"""Run the benchmarks: ``make bench``, or ``python -m benchmarks``; some suites with their names.

``ROUNDS`` says how often each row is measured, and ``SIZES=large`` adds sizes that take minutes.
Suites that are named take the place of those that the results had, if the machine and every
version are the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from itertools import chain
from typing import Final

import attrs

from benchmarks import results
from benchmarks.machine import PASSING, machine
from benchmarks.measuring import ROUNDS, Measured, compare
from benchmarks.profile import profiled
from benchmarks.results import Comparison, Results
from benchmarks.suites import SUITES
from benchmarks.suites.suite import Suite

PROFILE: Final = "profile"
"""What is not a suite: where the time of a step goes."""


def main(names: list[str]) -> None:
    """Print a table for each suite and size; write the results as JSON."""
    unknown = sorted(set(names) - {suite.name for suite in SUITES} - {PROFILE})
    if unknown:
        sys.exit(f"no suite {', '.join(unknown)}; there are {' '.join(it.name for it in SUITES)}")
    here = machine()
    found = _kept(here) if names else Results(machine=here, suites={}, shares={})
    for suite in SUITES:
        if not names or suite.name in names:
            suites = {**found.suites, suite.name: measured(suite)}
            ordered = {it.name: suites[it.name] for it in SUITES if it.name in suites}
            found = attrs.evolve(found, machine=here, suites=ordered)
            results.write(found)
    if not names or PROFILE in names:
        results.write(attrs.evolve(found, shares=profiled()))


def measured(suite: Suite) -> Comparison:
    """Measure one suite at its sizes, and print what is found."""
    rounds = int(os.environ.get("ROUNDS", ROUNDS))
    sizes = suite.sizes + (suite.large if os.environ.get("SIZES") == "large" else ())
    rows: list[list[Measured]] = []
    for size in sizes:
        rows.append(compare(suite.rows, size, rounds))
        sys.stdout.write(table(suite, size, rows[-1]))
        sys.stdout.flush()
    return Comparison(
        name=suite.name,
        title=suite.title,
        units=suite.units,
        rounds=rounds,
        timed=suite.timed,
        stored=suite.stored,
        peak=suite.peak,
        rows=tuple(chain.from_iterable(rows)),
    )


def table(suite: Suite, size: int, rows: list[Measured]) -> str:
    """Return a table of one comparison, for people."""
    lines = [
        f"{suite.title}, {size:,} {suite.units}",
        f"  {'':<50}{'µs each':>12}{'ratio':>8}   {'spread':<13}{'B each':>9}{'MB':>7}",
    ]
    lines += [
        f"  {it.label:<50}{it.microseconds:>12.1f}{it.ratio:>8.2f}   "
        f"{f'{it.low:.2f}-{it.high:.2f}':<13}{it.stored:>9.0f}{it.peak:>7.0f}"
        for it in rows
    ]
    return "\n".join([*lines, "", ""])


def _kept(here: dict[str, str]) -> Results:
    """Return what is known of this machine already, with the same versions of everything."""
    if results.RESULTS.exists():
        before = results.read()
        if _lasting(before.machine) == _lasting(here):
            return before
    return Results(machine=here, suites={}, shares={})


def _lasting(described: Mapping[str, str]) -> dict[str, str]:
    return {name: is_ for name, is_ in described.items() if name not in PASSING}


if __name__ == "__main__":
    main(sys.argv[1:])
