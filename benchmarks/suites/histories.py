"""What is recorded, read again."""

from __future__ import annotations

from typing import Final

from benchmarks.measuring import Row
from benchmarks.suites.suite import Suite


def _row(case: str, label: str) -> Row:
    return Row(label, "histories", case, "full", "step")


SUITES: Final = (
    Suite(
        name="resume",
        title="an answer on a fresh engine, with as many events behind it, FULL",
        units="events",
        sizes=(100, 10_000, 100_000),
        rows=(
            _row("resume", "with snapshots, as by default"),
            _row("resume without snapshots", "without snapshots"),
        ),
        peak=True,
    ),
    Suite(
        name="replay",
        title="one job, read from its first event",
        units="events",
        sizes=(1_000, 10_000, 100_000),
        large=(1_000_000,),
        rows=(
            _row("rows", "reading the rows"),
            _row("replay", "its state, every hash checked"),
            _row("verify", "verify(), every hash checked"),
        ),
        peak=True,
    ),
    Suite(
        name="what-if",
        title="one job, compared and forked",
        units="events",
        sizes=(1_000, 10_000, 100_000),
        rows=(
            _row("rows", "reading the rows"),
            _row("diff", "diff() of its middle and its end"),
            _row("check", "check() of every activation"),
            _row("fork", "fork() at its end, FULL"),
        ),
        peak=True,
    ),
    Suite(
        name="feeding",
        title="tables, fed from jobs of 2,000 events",
        units="events",
        sizes=(10_000, 30_000, 100_000),
        large=(1_000_000,),
        rows=(
            _row("feeding rows", "reading the rows"),
            _row("feeding", "feeding the tables"),
        ),
        peak=True,
    ),
)
