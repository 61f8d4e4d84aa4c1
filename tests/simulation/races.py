"""Has processes race for jobs and judges the outcome: for the tests and the figures.

Every race is held against one in which a single host takes part, with the answers that won.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, final

import attrs

from esflow import Engine, JobState, Recorded
from esflow import events as ev
from tests.laws.stripping import stripped
from tests.simulation.places import Place, Server, keys, shown

WISHES: Final = ("answer", "pause", "run", "start", "send")
REFUSALS: Final = {"AnswerRefused", "NotPaused", "Fenced", "VersionConflict"}
_STATES: Final = {"paused", "running", "pending"}  # The last: read before the first claim.

Told = dict[str, list[str]]


@final
@attrs.define
class Findings:
    """What a race came to."""

    jobs: int
    granted: int = 0  # Answers and Continue; run, start and send are nobody's win.
    told: Counter[str] = attrs.field(factory=Counter[str])
    problems: list[str] = attrs.field(factory=list[str])

    def count(self, word: str) -> int:
        """Return how many problems are of a kind: ``lost``, ``doubled`` or ``wrong``."""
        return sum(problem.startswith(word) for problem in self.problems)


def names(count: int) -> list[str]:
    """Return so many job ids."""
    return [f"job-{number:04}" for number in range(count)]


def raced(
    server: Server,
    place: Place,
    wish: str,
    racers: int,
    jobs: Sequence[str],
    *,
    answers: Mapping[str, str] | None = None,
) -> Told:
    """Return what each racer was told of each job."""
    folder = str(place.folder)
    assert server.do("prepare", folder=folder, jobs=jobs, wish=wish)["ended"] == "done"
    wished: dict[str, Any] = {"jobs": jobs, "wish": wish, "answers": dict(answers or {})}
    told = server.do("race", folder=folder, racers=racers, **wished)["told"]
    return {job_id: [each[number] for each in told] for number, job_id in enumerate(jobs)}


def race(
    server: Server, new_place: Callable[[], Place], wish: str, racers: int, jobs: Sequence[str]
) -> Findings:
    """Have processes wish the same of each job at once, and judge what came of it."""
    place, alone = new_place(), new_place()
    told = raced(server, place, wish, racers, jobs)
    found = _histories(place, jobs)
    raced(server, alone, wish, 1, jobs, answers=_answers(found))
    plain = _histories(alone, jobs)
    findings = Findings(len(jobs))
    calls = place.ledger.calls()
    for job_id in jobs:
        won = [each for each in told[job_id] if each.startswith("won")]
        findings.granted += len(won)
        findings.told.update("won" if each in won else each for each in told[job_id])
        history = found[job_id][1]
        problems = (
            *_told_wrong(wish, told[job_id], won, history),
            *_recorded_wrong(found[job_id], plain[job_id]),
            *(
                f"doubled: {key} was called {calls[key]} times"
                for key in keys(history)
                if calls[key] != 1
            ),
        )
        findings.problems.extend(f"{problem}, {job_id}" for problem in problems)
    if calls.total() != alone.ledger.calls().total():
        findings.problems.append("doubled: there are calls that nothing is recorded of")
    return findings


def _histories(place: Place, jobs: Sequence[str]) -> dict[str, tuple[JobState, Sequence[Recorded]]]:
    with Engine(place.url) as engine:
        assert engine.verify().ok
        return {job_id: (engine.state(job_id), engine.history(job_id)) for job_id in jobs}


def _answers(found: Mapping[str, tuple[JobState, Sequence[Recorded]]]) -> dict[str, str]:
    """Return the answer that won, of each job that was answered."""
    return {
        job_id: str(each.event.value)
        for job_id, (_, history) in found.items()
        for each in history
        if isinstance(each.event, ev.AnswerRecorded)
    }


def _told_wrong(
    wish: str, told: Sequence[str], won: Sequence[str], history: Sequence[Recorded]
) -> Iterator[str]:
    """Find what the racers were told and was not so."""
    others = set(told) - set(won)
    if wish in {"answer", "pause"}:
        if not won:
            yield f"lost: nobody won, {told}"
        if len(won) > 1:
            yield f"doubled: several won, {told}"
        if not others <= REFUSALS:
            yield f"wrong: somebody was told {others}"
    elif wish == "send":
        (message,) = [each for each in history if isinstance(each.event, ev.MessageReceived)]
        if others != {str(message.version)}:
            yield f"wrong: the message is at {message.version}, {told}"
    elif not others <= _STATES or "paused" not in others:
        yield f"wrong: somebody was told {others}"
    if wish == "answer" and won != [f"won with {each}" for each in _answered(history)]:
        yield f"wrong: {won} is not what was recorded"


def _answered(history: Sequence[Recorded]) -> list[object]:
    return [each.event.value for each in history if isinstance(each.event, ev.AnswerRecorded)]


def _recorded_wrong(
    found: tuple[JobState, Sequence[Recorded]], plain: tuple[JobState, Sequence[Recorded]]
) -> Iterator[str]:
    """Find in what a race differs from what one host records."""
    if shown(found[0]) != shown(plain[0]):
        yield "wrong: the outcome is another"
    if stripped(found[1]) != stripped(plain[1]):
        yield "wrong: the history is another"
    counts = [Counter(each.event.name for each in history) for _, history in (found, plain)]
    if counts[0] - counts[1]:
        yield f"doubled: {counts[0] - counts[1]}"
    if counts[1] - counts[0]:
        yield f"lost: {counts[1] - counts[0]}"
