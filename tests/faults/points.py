"""Spoils one call of one run, and judges what is left: the same for the tests and the figures."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final, final

import attrs

from tests.faults.library import Kind, Lasting
from tests.faults.server import Outcome, Server
from tests.simulation.places import Place, check_equal

OPEN: Final = "may be written or not"  # What an append says that can't know its outcome.
KILLS: Final = (Kind.KILL_BEFORE, Kind.KILL_AFTER)
SPOILS: Final = (Kind.EIO, Kind.ENOSPC, Kind.SHORT_WRITE)


@final
@attrs.frozen(order=True)
class Fault:
    """What befalls the n-th call, and what the process does about it.

    Shape: with ``again`` it goes on once the fault is over; else it ends at once.
    """

    at: int
    kind: Kind
    lasting: Lasting = Lasting.ONCE
    again: bool = False


def faults(calls: int) -> Iterator[Fault]:
    """Yield every fault at every call of a run."""
    for at in range(1, calls + 1):
        yield from (Fault(at, kind) for kind in KILLS)
        yield from (Fault(at, *rest) for rest in product(SPOILS, Lasting, (False, True)))


def sampled(every: list[Fault], stride: int) -> list[Fault]:
    """Return every n-th fault; a stride that is prime to the 14 of a call meets every kind."""
    return every[::stride]


@final
@attrs.define
class Findings:
    """What the faults of a suite came to."""

    tried: Counter[str] = attrs.field(factory=Counter[str])  # By the kind of fault.
    refused: int = 0
    left_open: int = 0  # Refusals that say that the outcome is unknown.
    problems: list[str] = attrs.field(factory=list[str])

    def count(self, word: str) -> int:
        """Return how many problems are of a kind."""
        return sum(problem.startswith(word) for problem in self.problems)


def undisturbed(server: Server, folder: Path) -> tuple[Place, int]:
    """Return the place of a run that nothing befell, and how many calls it made."""
    place = new_place(folder)
    outcome = server.do("drive", folder=str(place.folder))
    return place, outcome.numbers("passed")[0]


def tried(server: Server, folder: Path, plain: Place, fault: Fault, findings: Findings) -> None:
    """Have one fault befall one run, and take down what came of it."""
    place = new_place(folder)
    request = attrs.asdict(fault)
    outcome = server.do("drive", folder=str(place.folder), **request)
    findings.tried[fault.kind.name] += 1
    refusals = outcome.refusals()
    findings.refused += len(refusals)
    findings.left_open += sum(OPEN in text for text, _ in refusals)
    problems = [*_after_the_fault(outcome, place), *_carried_on(server, place, plain)]
    findings.problems.extend(f"{problem}: {fault}" for problem in problems)
    shutil.rmtree(place.folder)  # Thousands of them would fill the memory.


def _after_the_fault(outcome: Outcome, place: Place) -> Iterator[str]:
    """Find what the fault has done to the log, as another process sees it."""
    begun, acked = (
        max(outcome.numbers("begun"), default=0),
        max(outcome.numbers("acked"), default=0),
    )
    found = len(place.history())
    if found < acked:
        yield f"lost: {acked} were acknowledged and {found} are there"
    if found not in {begun, acked}:
        yield f"partial: {found} are there, after {acked} and an append to {begun}"
    refusals = outcome.refusals()
    if any(retry for _, retry in refusals):
        yield "wrong advice: trying again doesn't mend a disk"
    unknown = any(OPEN in text for text, _ in refusals) or outcome.ended == "killed"
    if refusals and found > acked and not unknown:
        yield f"phantom: {found} are there, and the append to {begun} said that it had failed"


def _carried_on(server: Server, place: Place, plain: Place) -> Iterator[str]:
    """Find in what a job that another process carries on differs from the undisturbed one."""
    before = place.history()
    server.do("drive", folder=str(place.folder))
    if place.history()[: len(before)] != before:
        yield "wrong: what was recorded has changed"
    try:
        check_equal(place, plain, lost_calls=1)
    except AssertionError as error:
        yield f"wrong: {str(error) or 'an outcome differs'}"


def new_place(folder: Path) -> Place:
    """Return a place that nothing was done in."""
    place = Place(folder / f"{sum(1 for _ in folder.iterdir())}")
    place.folder.mkdir()
    return place
