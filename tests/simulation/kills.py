"""Kills one process after the other and judges what is left: for the tests and the figures."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import final

import attrs

from esflow import Recorded
from tests.simulation.places import Place, Server, check_equal


@final
@attrs.define
class Findings:
    """What the kills of a suite came to."""

    runs: int = 0
    killed: Counter[str] = attrs.field(factory=Counter[str])  # By the point that was reached.
    problems: list[str] = attrs.field(factory=list[str])

    def count(self, word: str) -> int:
        """Return how many problems are of a kind: ``lost``, ``doubled`` or ``wrong``."""
        return sum(problem.startswith(word) for problem in self.problems)


def killed_at(server: Server, place: Place, point: str | None, at: int, parallel: int) -> str:
    """Return where a process was killed, '' if it came to its end."""
    outcome = server.do("drive", folder=str(place.folder), parallel=parallel, point=point, at=at)
    return str(outcome["told"][-1]) if outcome["ended"] == "killed" else ""


def finish(server: Server, place: Place) -> None:
    """Have what is left of the job done, by a process that nothing befalls."""
    assert server.do("drive", folder=str(place.folder), parallel=1)["ended"] == "done"


def kill_until(
    server: Server, new_place: Callable[[], Place], undisturbed: Place, kills: int
) -> Findings:
    """Kill processes at steps that the seed chooses, until there were so many of them."""
    findings = Findings()
    for seed in count():
        if findings.killed.total() >= kills:
            return findings
        parallel = 1 + seed % 3
        place = new_place()
        found = _killed_again_and_again(server, place, parallel, random.Random(seed))
        before = place.history()
        finish(server, place)
        calls = found.total() * parallel
        problems = _problems(place, undisturbed, before, lost_calls=calls)
        findings.problems.extend(f"{problem}, seed {seed}" for problem in problems)
        findings.runs += 1
        findings.killed += found
        shutil.rmtree(place.folder)  # Thousands of them would fill the disk.
    raise AssertionError("the seeds never end")


def _killed_again_and_again(
    server: Server, place: Place, parallel: int, chance: random.Random
) -> Counter[str]:
    killed: Counter[str] = Counter()
    recorded: Sequence[Recorded] = ()
    while found := killed_at(server, place, None, chance.randint(1, 14), parallel):
        killed[found] += 1
        after = place.history()
        assert after[: len(recorded)] == recorded, "what was recorded stands"
        recorded = after
    return killed


def _problems(
    place: Place, undisturbed: Place, before: Sequence[Recorded], *, lost_calls: int
) -> Iterator[str]:
    if place.history()[: len(before)] != before:
        yield "lost: what was recorded has changed"
    try:
        check_equal(place, undisturbed, lost_calls=lost_calls)
    except AssertionError as error:
        doubled = "recorded once" in str(error)
        yield f"{'doubled' if doubled else 'wrong'}: {str(error) or 'an outcome differs'}"
