"""``python -m benchmarks.scale [--measure | [--constants FILE] [--try | TABLE ...]]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scale.constants import (
    ConstantRefused,
    Constants,
    read_constants,
    written_constants,
)
from benchmarks.scale.measure import measured
from benchmarks.scale.report import TABLES
from benchmarks.scale.trial import trial_table


def main(words: Sequence[str]) -> int:
    """Print tables, or constants; return the exit code: 2 for what can't be meant so."""
    parser = _parser()
    chosen = parser.parse_args(words)
    if chosen.tables and (chosen.measure or chosen.trial):
        parser.error("a measurement is no table; name tables, or measure")
    if chosen.constants and chosen.measure:
        parser.error("what is measured needs no constants; leave one of the two out")
    try:
        if chosen.measure:
            sys.stdout.write(written_constants(measured()))
            return 0
        constants = Constants() if chosen.constants is None else read_constants(chosen.constants)
    except ConstantRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    if chosen.trial:
        sys.stdout.write(trial_table(constants))
        return 0
    for name in chosen.tables or TABLES:
        sys.stdout.write(f"{name}\n\n{TABLES[name](constants)}\n")
        sys.stdout.flush()
    return 0


def _table(name: str) -> str:
    """Let argparse refuse a name; its choices can't be none of several."""
    if name not in TABLES:
        problem = f"{name!r} is no table; choose from {', '.join(TABLES)}"
        raise argparse.ArgumentTypeError(problem)
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("tables", nargs="*", type=_table, metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--constants", type=Path, metavar="FILE", help="JSON to compute with")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--measure", action="store_true", help="measure this machine, print JSON")
    help_of_try = "run several processes on this machine, beside what the model allows"
    source.add_argument("--try", dest="trial", action="store_true", help=help_of_try)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
