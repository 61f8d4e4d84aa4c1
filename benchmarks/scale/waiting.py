"""The tables of what is waited for at one writer: simulated, and as theory has it.

It knows nothing of how either is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.scale.constants import Constants
from benchmarks.scale.queueing import (
    Waiting,
    expected_closed,
    expected_open,
    most_closed,
    simulated_closed,
    simulated_open,
)
from benchmarks.scale.tables import NONE, duration, markdown, number

HOSTS: Final = 8
LOADS: Final = (0.3, 0.5, 0.7, 0.8, 0.9)
MAX_IN_FLIGHT: Final = 100_000  # More are not simulated: it would take minutes and gigabytes.
_UNTRIED: Final = "not simulated"
SHARES: Final = (0.1, 0.5, 0.8, 1.0, 1.5)


def open_table(constants: Constants) -> str:
    """Return how long commits wait that hosts begin at random moments."""
    columns = (
        "load",
        "a commit takes",
        "commits/s, offered",
        "done",
        "mean wait",
        "by formula",
        "half wait at most",
        "by formula",
        "99 % wait at most",
        "by formula",
    )
    return markdown(columns, _open_rows(constants))


def closed_table(constants: Constants) -> str:
    """Return what is done when so many activations are in flight, each of them in turn.

    Shape: the numbers in flight are parts of the number that would keep the writer just busy.
    """
    columns = (
        "in flight",
        "activations/s",
        "random commits",
        "by formula",
        "never more than",
        "mean wait",
        "99 % wait at most",
    )
    return markdown(columns, _closed_rows(constants))


def _open_rows(constants: Constants) -> Iterator[tuple[str, ...]]:
    commit = constants.full_commit_us / 1e6
    for fixed in (True, False):
        for load in LOADS:
            found = simulated_open(load, HOSTS, fixed=fixed)
            theory = expected_open(load, fixed=fixed)
            yield (
                f"{load * 100:.0f} %",
                "always as long" if fixed else "as chance has it",
                number(theory.per_commit_time / commit),
                number(found.per_commit_time / commit),
                *_beside(found, theory, commit),
            )


def _beside(found: Waiting, theory: Waiting, commit: float) -> Iterator[str]:
    for name in ("mean", "p50", "p99"):
        yield from (_wait(getattr(each, name) * commit) for each in (found, theory))


def _closed_rows(constants: Constants) -> Iterator[tuple[str, ...]]:
    commit = constants.full_commit_us / 1e6
    handler = constants.handler_seconds / commit
    for part in SHARES:
        in_flight = max(1, round(part * (handler + 1)))
        most = number(most_closed(in_flight, handler) / commit)
        if in_flight > MAX_IN_FLIGHT:
            yield (f"{in_flight:,}", _UNTRIED, _UNTRIED, _UNTRIED, most, _UNTRIED, _UNTRIED)
            continue
        found = simulated_closed(in_flight, handler, fixed=True)
        chance = simulated_closed(in_flight, handler, fixed=False)
        yield (
            f"{in_flight:,}",
            number(found.per_commit_time / commit),
            number(chance.per_commit_time / commit),
            number(expected_closed(in_flight, handler) / commit),
            most,
            _wait(found.mean * commit),
            _wait(found.p99 * commit),
        )


def _wait(seconds: float) -> str:
    return NONE if seconds == 0 else duration(seconds)
