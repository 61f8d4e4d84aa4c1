"""A job that has been played, and forks of it that are given the same inputs again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, final

import attrs

from esflow import Engine, Recorded
from esflow import events as ev
from esflow.stores import open_store
from tests.laws.play import JOB, Play
from tests.laws.stripping import stripped
from tests.laws.watched import Watched
from tests.reference import program as data

LONGEST: Final = 35  # Events: each of them is the place of a play.
_WHEREVER: Final = (ev.SharedWritten, ev.WaveMerged, ev.AnswerRecorded)
"""Behind these the log doesn't tell whether what follows was recorded with them."""


@final
@attrs.frozen
class Source:
    """An undisturbed run, and where its appends ended."""

    play: Play
    watched: Watched
    history: tuple[Recorded, ...]

    @classmethod
    def of(cls, program: data.Program, script: data.Script) -> Source:
        """Play a program and a script."""
        watched = Watched(open_store("memory://"))
        play = Play(program, script, watched.as_store, parallel=1)
        play.run()
        return cls(play, watched, tuple(play.history()))

    @property
    def ends(self) -> set[int]:
        """The versions behind which nothing is cut: ends of appends, and whatever a claim follows.

        A claim changes nothing that a program can see, and what is due is no part of what is
        recorded before it.
        """
        apart = ev.ExecutionClaimed | ev.TimerFired
        alone = [it.version for it in self.history if isinstance(it.event, apart)]
        return {*self.watched.ends[JOB], *(each - 1 for each in alone)}

    @property
    def versions(self) -> range:
        """The versions that can be forked: from the end of the first append on."""
        return range(min(self.ends), len(self.history) + 1)

    def whole(self, version: int) -> set[int]:
        """Return where a fork at a version may begin: the last end, or where that can't be told."""
        ends = sorted((each for each in self.ends if each <= version), reverse=True)
        found = set[int]()
        for end in ends:
            found.add(end)
            if not self._is_unclear(end):
                break
        return found

    def _is_unclear(self, end: int) -> bool:
        following = self.history[end].event if end < len(self.history) else None
        alone = isinstance(following, ev.JobPaused)  # As an operator's may be.
        return alone or (
            following is not None and isinstance(self.history[end - 1].event, _WHEREVER)
        )

    def forked(self, version: int, *, live: bool) -> Play:
        """Return a play of what is left, on a fork that is recorded and not yet carried on."""
        with Engine(self.watched.as_store) as engine:  # Without flows it only records.
            fork = engine.fork(JOB, version, live=live).job_id
            origin = engine.state(fork).forked_from
        assert origin is not None
        script = self.play.script
        commands, messages = [*script.commands], [*script.messages]
        for at, what, rest in self.play.given:
            if at < origin.version:
                _take(commands, what, rest)
                _take(messages, what, rest)
        left = attrs.evolve(script, commands=tuple(commands), messages=tuple(messages))
        play = Play(self.play.program, left, self.watched.as_store, parallel=1, job=fork)
        play.clock.set(self.history[origin.version - 1].recorded_at)
        play.told = {
            each.event.id: each.event.result
            for each in self.history
            if isinstance(each.event, ev.EffectRecorded)
        }
        return play


def _take(waiting: list[Any], what: object, rest: object) -> None:
    """Leave what is left of something that came already, if it is among what waits."""
    for place, each in enumerate(waiting):
        if each is what:
            waiting[place : place + 1] = [] if rest is None else [rest]
            return


def without_origin(history: Sequence[Recorded]) -> dict[str, list[object]]:
    """Return a history without circumstances, and without what only a fork records."""
    return stripped(list(_comparable(history)))


def _comparable(history: Sequence[Recorded]) -> Iterator[Recorded]:
    told = set[str]()
    for each in history:
        event = each.event
        if isinstance(event, ev.Interrupted) and event.call is not None:
            told.add(event.id)
        elif isinstance(event, ev.EffectRecorded | ev.EffectAttemptFailed):
            yield attrs.evolve(each, event=attrs.evolve(event, key=""))
        elif isinstance(event, ev.JobFailed):  # A limit names the job.
            message = event.error.message.replace(each.job_id, JOB)
            error = attrs.evolve(event.error, message=message)
            yield attrs.evolve(each, event=attrs.evolve(event, error=error))
        elif not isinstance(event, ev.JobForked) and getattr(event, "id", "") not in told:
            yield each


def keys(history: Sequence[Recorded]) -> set[tuple[str, int]]:
    """Return the idempotency key of every recorded effect, with its version."""
    events = [(each.event, each.version) for each in history]
    return {
        (event.key, version) for event, version in events if isinstance(event, ev.EffectRecorded)
    }
