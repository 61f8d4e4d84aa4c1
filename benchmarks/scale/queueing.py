"""Hosts that commit through one writer, simulated event by event, beside what theory says of it.

The writer is the lock of a SQLite file, or the ordering lock of a table: it serves one commit at a
time, in the order in which they come.
SQLite's own lock keeps no order, so there the mean is the same and the longest waits are longer.

Where the formulas are from
---------------------------
Open: every host begins commits at random moments, whatever became of the ones before.
The mean wait is that of Pollaczek (1930) and Khinchine (1932); how waits are spread is that of
Erlang (1909) for commits that all take the same time (M/D/1), and the exponential one of M/M/1 for
commits of random length.
All three stand in L. Kleinrock, "Queueing Systems", volume 1 (1975), and H. C. Tijms, "A First
Course in Stochastic Models" (2003), section 9.2.

Closed: so many activations are in flight, and each commits when its handler has returned.
Mean value analysis, by M. Reiser and S. S. Lavenberg (1980), is exact for commits of random length;
that a writer does no more than one after the other, and that what is in flight comes back no sooner
than its handler allows, holds for every length (P. J. Denning and J. P. Buzen, 1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from math import exp, floor, log
from random import Random
from typing import Final, final

import attrs

SEED: Final = 1
COMMITS: Final = 400_000
_WARMING: Final = 10  # One commit in ten is not counted: the writer begins with nothing to do.
_DIGITS: Final = 80  # Erlang's terms are large and alternate; floats would cancel to nothing.
_HALVINGS: Final = 40


@final
@attrs.frozen(kw_only=True)
class Waiting:
    """What commits went through before their turn, in units of the mean time of a commit."""

    per_commit_time: float  # How many were done in the time of one: the load that was carried.
    mean: float
    p50: float
    p99: float


def simulated_open(
    load: float, hosts: int, *, fixed: bool, commits: int = COMMITS, seed: int = SEED
) -> Waiting:
    """Let hosts begin commits at random moments, and count how long each waits for the writer.

    Shape: ``load`` is the share of time in which the writer is to be at work, below 1.
    """
    chance = Random(seed)  # noqa: S311 - repeats itself, guards nothing
    pause = hosts / load
    coming = [(_drawn(chance, pause), host) for host in range(hosts)]
    heapq.heapify(coming)
    waits, free_at = list[float](), 0.0
    for _ in range(commits):
        now, host = coming[0]
        waits.append(max(0.0, free_at - now))
        free_at = max(free_at, now) + (1.0 if fixed else _drawn(chance, 1.0))
        heapq.heapreplace(coming, (now + _drawn(chance, pause), host))
    return _summed(waits, commits / free_at)


def simulated_closed(
    in_flight: int, handler: float, *, fixed: bool, commits: int = COMMITS, seed: int = SEED
) -> Waiting:
    """Let activations run for a random time and then commit, over and over.

    Units: ``handler`` is the mean time of a handler in those of a commit.
    """
    chance = Random(seed)  # noqa: S311 - repeats itself, guards nothing
    coming = [(_drawn(chance, handler), place) for place in range(in_flight)]
    heapq.heapify(coming)
    waits, free_at, counted_from = list[float](), 0.0, 0.0
    for count in range(commits):
        now, place = coming[0]
        waits.append(max(0.0, free_at - now))
        free_at = max(free_at, now) + (1.0 if fixed else _drawn(chance, 1.0))
        heapq.heapreplace(coming, (free_at + _drawn(chance, handler), place))
        if count == commits // _WARMING:
            counted_from = free_at
    return _summed(waits, (commits - commits // _WARMING - 1) / (free_at - counted_from))


def expected_open(load: float, *, fixed: bool) -> Waiting:
    """Return what theory says of commits that come at random: M/D/1, or M/M/1."""
    mean = load / (1 - load) * (0.5 if fixed else 1)
    within = within_fixed if fixed else _within_random
    return Waiting(
        per_commit_time=load,
        mean=mean,
        p50=_quantile(within, load, 0.5),
        p99=_quantile(within, load, 0.99),
    )


def expected_closed(in_flight: int, handler: float) -> float:
    """Return how many commits of random length are done in the time of one."""
    at_writer = rate = 0.0
    for count in range(1, in_flight + 1):
        stay = 1 + at_writer
        rate = count / (handler + stay)
        at_writer = rate * stay
    return rate


def most_closed(in_flight: int, handler: float) -> float:
    """Return how many commits of any length are done, at most, in the time of one."""
    return min(1.0, in_flight / (handler + 1))


def _within_random(load: float, wait: float) -> float:
    """Return the share of commits of random length that wait no longer."""
    return 1 - load * exp(-(1 - load) * wait)


def within_fixed(load: float, wait: float) -> float:
    """Return the share of commits of fixed length that wait no longer."""
    with localcontext() as context:
        context.prec = _DIGITS
        rate, total = Decimal(load), Decimal(0)
        for count in range(floor(wait) + 1):
            term = (rate * (Decimal(wait) - count)).copy_abs().exp()
            for factor in range(1, count + 1):
                term *= rate * (count - Decimal(wait)) / factor
            total += term
        return float((1 - rate) * total)


def _quantile(within: Callable[[float, float], float], load: float, part: float) -> float:
    """Return the wait that a part of the commits does not exceed."""
    if within(load, 0.0) >= part:
        return 0.0
    low, high = 0.0, 1.0
    while within(load, high) < part:
        low, high = high, high * 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if within(load, middle) < part else (low, middle)
    return high


def _summed(waits: Sequence[float], per_commit_time: float) -> Waiting:
    counted = sorted(waits[len(waits) // _WARMING :])
    return Waiting(
        per_commit_time=per_commit_time,
        mean=sum(counted) / len(counted),
        p50=counted[len(counted) // 2],
        p99=counted[len(counted) * 99 // 100],
    )


def _drawn(chance: Random, mean: float) -> float:
    """Draw a time without memory."""
    return -log(1 - chance.random()) * mean
