"""A store that is partitioned by job: where a job belongs, how even that is, and what it costs.

It knows nothing of stores: a partition is a number from 0.

Which hash
----------
Python's own `hash` of a text is another one in every process, so two hosts would disagree.
A sha256 is the same everywhere and for ever, and takes about a microsecond.

Which part of an id
-------------------
A child's id begins with that of its parent and a slash, and the host that drives a job looks for
its children, and for its parent, in the job's own store.
So what stands before the first slash decides, and a whole family stands in one partition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from hashlib import sha256
from itertools import accumulate
from math import ceil, exp, lgamma, log, log1p
from typing import Final

from benchmarks.scale.constants import Constants
from benchmarks.scale.tables import duration, markdown, number, share

SPREADS: Final = ((1_000, 4), (1_000, 64), (100_000, 4), (100_000, 64), (100_000, 256))
COUNTS: Final = (1, 4, 16, 64, 256)
MOVED_JOBS: Final = 4_000
MOVES: Final = ((4, 5), (4, 8), (16, 17), (16, 32))
RISK: Final = 0.01
POOL_CONNECTIONS: Final = 16  # As in esflow.stores.sqlite_pool; a test compares them.
LOOK_SECONDS: Final = 0.002  # As in esflow.stores.watcher; the same test.
_FILES: Final = 2  # The database and its write-ahead log, of each connection.
_ROWS: Final = 100
_BITS: Final = 64


def root(job_id: str) -> str:
    """Return the part of an id that a whole family of jobs has in common."""
    return job_id.partition("/")[0]


def partition_of(job_id: str, partitions: int) -> int:
    """Return where a job, its children and theirs belong."""
    return _hashed(root(job_id)) % partitions


def drawn_partition_of(job_id: str, partitions: int) -> int:
    """Return the partition whose hash with the job is the greatest.

    One partition more takes jobs from all the others, and moves no job between those.
    Source: D. G. Thaler and C. V. Ravishankar, "Using name-based mappings to increase hit rates",
    1998 (rendezvous hashing).
    """
    return max(range(partitions), key=lambda each: _hashed(f"{each} {root(job_id)}"))


def fullest(jobs: Iterable[str], partitions: int) -> int:
    """Return how many jobs the fullest partition has."""
    return max(Counter(partition_of(job_id, partitions) for job_id in jobs).values(), default=0)


def fullest_at_most(jobs: int, partitions: int, risk: float = RISK) -> int:
    """Return what the fullest partition does not exceed, save with a small chance.

    Each partition's number is binomial; the chance that one of them exceeds a bound is at most the
    sum of their chances (Boole's inequality).
    """
    tails = accumulate(_binomial(count, jobs, 1 / partitions) for count in range(jobs, -1, -1))
    for count, tail in zip(range(jobs, -1, -1), tails, strict=True):
        if partitions * tail > risk:
            return count
    return 0


def moved(
    jobs: Iterable[str], before: int, after: int, belongs: Callable[[str, int], int]
) -> float:
    """Return the part of jobs that belong elsewhere when there are more partitions."""
    found = [belongs(job_id, before) != belongs(job_id, after) for job_id in jobs]
    return sum(found) / len(found)


def names(count: int) -> list[str]:
    """Return ids of jobs, the same ones every time."""
    return [f"job-{number:x}" for number in range(count)]


def spread_table(_: Constants) -> str:
    """Return how even partitions are that a hash fills."""
    columns = (
        "jobs",
        "partitions",
        "on average",
        "the fullest",
        "above",
        "at most, in 99 % of cases",
    )
    return markdown(columns, (_spread_row(*each) for each in SPREADS))


def _spread_row(jobs: int, partitions: int) -> tuple[str, ...]:
    average, most = jobs / partitions, fullest(names(jobs), partitions)
    bound = fullest_at_most(jobs, partitions)
    return (
        f"{jobs:,}",
        str(partitions),
        number(average),
        f"{most:,}",
        share(most / average - 1),
        share(bound / average - 1),
    )


def moves_table(_: Constants) -> str:
    """Return how many jobs belong elsewhere when partitions are added."""
    columns = ("partitions", "and then", "move, by remainder", "move, by the greatest hash")
    return markdown(columns, _move_rows())


def _move_rows() -> Iterator[tuple[str, ...]]:
    jobs = names(MOVED_JOBS)
    for before, after in MOVES:
        moves = partial(moved, jobs, before, after)
        yield (
            str(before),
            str(after),
            share(moves(partition_of)),
            share(moves(drawn_partition_of)),
        )


def cost_table(constants: Constants) -> str:
    """Return what so many partitions cost a process that uses all of them."""
    columns = (
        "partitions",
        "files open, at most",
        "connections, at most",
        "watching threads",
        "of a core, while watching",
        "rows read for a page of 100",
        "the page, one partition after the other",
        "positions to remember",
    )
    return markdown(columns, (_cost_row(constants, each) for each in COUNTS))


def _cost_row(constants: Constants, partitions: int) -> tuple[str, ...]:
    connections = partitions * (POOL_CONNECTIONS + 1)  # One of them is the watcher's.
    looking = partitions * constants.look_us / 1e6 / LOOK_SECONDS
    return (
        str(partitions),
        f"{connections * _FILES + partitions:,}",  # And the memory that connections share.
        f"{connections:,}",
        str(partitions),
        share(looking),
        f"{partitions * _ROWS:,}",
        duration(partitions * constants.page_us / 1e6),
        str(partitions),
    )


def _hashed(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[: ceil(_BITS / 8)], "big")


def _binomial(count: int, trials: int, chance: float) -> float:
    """Return the chance of so many successes; by logarithms, because the factors are huge."""
    if chance >= 1:
        return float(count == trials)
    ways = lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1)
    return exp(ways + count * log(chance) + (trials - count) * log1p(-chance))
