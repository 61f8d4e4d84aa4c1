"""Where the time goes: ``python -m benchmarks.profile CASE [full|normal] [SIZE]``.

What a builtin takes counts for whoever calls it, except for SQLite and the hash.
The profiler makes calls of Python dearer than they are, so SQLite's share is a lower bound.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

from benchmarks.programs import esflow_program, histories_program
from benchmarks.programs.running import Program, Task

Place: TypeAlias = "tuple[str, int, str]"
"""File, line and name of a function, as the profiler tells them."""

CASES: Final[Program] = {**esflow_program.PROGRAM, **histories_program.PROGRAM}
PROFILED: Final = (
    ("chain", "full", 2_000),
    ("chain", "normal", 5_000),
    ("chain output", "full", 5_000),
    ("chain memory", "", 5_000),
    ("effects", "full", 2_000),
    ("replay", "full", 20_000),
)
"""Whose shares stand in the document."""

SQLITE: Final = "SQLite"
AREAS: Final[Mapping[str, str]] = {
    "sqlite3": SQLITE,
    "esflow/stores": "the store around it",
    "eventsourcing": "the store around it",
    "esflow/codec": "encoding and hashing",
    "esflow/wires": "encoding and hashing",
    "esflow/fold_wires": "encoding and hashing",
    "esflow/json_values": "encoding and hashing",
    "esflow/replay": "encoding and hashing",
    "esflow/upcasters": "encoding and hashing",
    "_hashlib": "encoding and hashing",
    "msgspec": "encoding and hashing",
    "cattrs": "encoding and hashing",
    "esflow/fold": "deciding and folding",
    "esflow/state": "deciding and folding",
    "esflow/decider": "deciding and folding",
    "esflow/consequences": "deciding and folding",
    "esflow/waves": "deciding and folding",
    "esflow/holds": "deciding and folding",
    "esflow/merge": "deciding and folding",
    "esflow/transitions": "deciding and folding",
    "attrs generated": "making values",
    "esflow/": "driving handlers",
    "benchmarks/": "handlers",
}
"""What a path or a name stands for; the first that fits counts."""
_REST: Final = "the rest"


def profiled() -> dict[str, dict[str, float]]:
    """Return the shares of every case that stands in the document."""
    return {
        f"{case}, {synchronous.upper()}".rstrip(", "): shares(case, synchronous or "full", size)
        for case, synchronous, size in PROFILED
    }


def shares(case: str, synchronous: str, size: int) -> dict[str, float]:
    """Return which share of a case's time is spent on what, the largest first."""
    taken = Counter[str]()
    for area, seconds in _spent(_statistics(case, synchronous, size)):
        taken[area] += seconds  # type: ignore[assignment]  # A count of seconds.
    whole = sum(taken.values())
    return {area: round(seconds / whole, 3) for area, seconds in taken.most_common()}


def _statistics(case: str, synchronous: str, size: int) -> Mapping[Place, Any]:
    with TemporaryDirectory() as folder, TemporaryDirectory() as kept:
        work = CASES[case](Task(size, synchronous, Path(folder), Path(kept)))
        profile = cProfile.Profile()
        profile.runcall(work)
        found: Any = pstats.Stats(profile)
        statistics: Mapping[Place, Any] = found.stats
        return statistics


def _spent(statistics: Mapping[Place, Any]) -> Iterator[tuple[str, float]]:
    """Yield areas and seconds: of a builtin, for each of its callers."""
    for place, (_, _, own, _, callers) in statistics.items():
        area = _area(place)
        if area is not None or not callers:
            yield area or _REST, own
        else:
            yield from ((_area(caller) or _REST, spent[2]) for caller, spent in callers.items())


def _area(place: Place) -> str | None:
    """Return what a function stands for, None for one that counts for its callers."""
    file, _, name = place
    shown = f"{file} {name}".replace("\\", "/")
    named = next((area for part, area in AREAS.items() if part in shown), None)
    return named or (None if file == "~" else _REST)


def main(case: str, synchronous: str = "full", size: str = "2000") -> None:
    """Print which share of a case's time is spent on what."""
    for area, share in shares(case, synchronous, int(size)).items():
        print(f"{share:6.1%}  {area}")


if __name__ == "__main__":
    main(*sys.argv[1:])
