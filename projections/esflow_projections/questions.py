"""Which questions wait for an answer, as a fold of the recorded events of all jobs.

A question is open once the wave that it was asked in has closed, which is when the job pauses for
it: before that, its neighbours may still fail, and an answer would be refused.
It leaves when it is answered, when it is dropped because its job was led elsewhere, and when its
job ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias, final

import attrs

from esflow import events as ev
from esflow.events import Json, Recorded

Questions: TypeAlias = dict[str, "OpenQuestion"]
"""By their ids, of one job."""


@final
@attrs.frozen(kw_only=True)
class OpenQuestion:
    """A question that nobody has answered; ``host`` is where it was asked."""

    job_id: str
    id: str
    text: str
    choices: tuple[Json, ...] | None
    to: str
    asked_at: datetime
    host: str
    version: int
    position: int


def open_questions(recorded: Iterable[Recorded]) -> tuple[OpenQuestion, ...]:
    """Return the questions that recorded events leave open, the oldest first."""
    questions = OpenQuestions()
    for each in recorded:
        questions.take(each)
    return questions.listed()


@final
@attrs.define
class OpenQuestions:
    """The questions of all jobs, in progress."""

    _asked: dict[str, Questions] = attrs.field(factory=dict[str, Questions], init=False)
    _open: dict[str, Questions] = attrs.field(factory=dict[str, Questions], init=False)

    def take(self, recorded: Recorded) -> None:
        """Take the next event of any job in."""
        job, event = recorded.job_id, recorded.event
        match event:
            case ev.QuestionAsked():
                self._asked.setdefault(job, {})[event.id] = _question(recorded, event)
            case ev.JobPaused() if any(each.kind != "operator" for each in event.reasons):
                self._open.setdefault(job, {}).update(self._asked.pop(job, {}))
            case ev.AnswerRecorded():
                self._open[job].pop(event.id)
            case ev.WorkDropped() | ev.JobCompleted() | ev.JobFailed() | ev.JobCancelled():
                self._asked.pop(job, None)
                self._open.pop(job, None)
            case _:
                pass

    def listed(self) -> tuple[OpenQuestion, ...]:
        """Return the open questions of all jobs, the oldest first."""
        found = [each for questions in self._open.values() for each in questions.values()]
        return tuple(sorted(found, key=lambda each: each.position))


def _question(recorded: Recorded, event: ev.QuestionAsked) -> OpenQuestion:
    return OpenQuestion(
        job_id=recorded.job_id,
        id=event.id,
        text=event.text,
        choices=event.choices,
        to=event.to,
        asked_at=recorded.recorded_at,
        host=recorded.host,
        version=recorded.version,
        position=recorded.position,
    )
