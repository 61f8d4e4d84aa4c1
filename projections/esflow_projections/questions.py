"""Which questions wait for an answer, as a fold of the recorded events of all jobs.

An interrupt, which a handler asks in its middle, is a question too.
It is open as soon as it is recorded, whatever its neighbours do.
What a handler asks for another slot is open once the wave that it was asked in has closed, which
is when the job pauses for it: before that, its neighbours may still fail, and an answer would be
refused.
A question leaves when it is answered, when it is dropped because its job was led elsewhere, and
when its job ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias, final

import attrs

from esflow import events as ev
from esflow.events import Json, Recorded
from esflow.ids import activation_of
from esflow.replay import asked_text

Questions: TypeAlias = dict[str, "OpenQuestion"]
"""By their ids, of one job."""


@final
@attrs.frozen(kw_only=True)
class OpenQuestion:
    """A question or an interrupt that nobody has answered; ``host`` is where it was asked.

    Shape: ``payload`` is what is asked: the text of a question, any JSON of an interrupt; ``text``
    is the same in words.
    ``to`` is the slot that the answer goes to, None where it goes back into the ``activation`` that
    asks; ``types`` are the types of JSON that it may have there, none for any.
    """

    job_id: str
    id: str
    activation: str
    payload: Json
    text: str
    choices: tuple[Json, ...] | None
    types: tuple[str, ...]
    to: str | None
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
    _failed: set[str] = attrs.field(factory=set[str], init=False)  # Jobs that ask once retried.

    def take(self, recorded: Recorded) -> None:
        """Take the next event of any job in."""
        job, event = recorded.job_id, recorded.event
        match event:
            case ev.QuestionAsked():
                self._asked.setdefault(job, {})[event.id] = _question(recorded, event)
            case ev.Interrupted():
                self._open.setdefault(job, {})[event.id] = _interrupt(recorded, event)
            case ev.JobPaused() if any(each.kind == "question" for each in event.reasons):
                self._open.setdefault(job, {}).update(self._asked.pop(job, {}))
            case ev.AnswerRecorded():
                self._open[job].pop(event.id)
            case ev.JobFailed():
                self._failed.add(job)
            case ev.JobRetried():
                self._failed.discard(job)
            case ev.WorkDropped() | ev.JobCompleted() | ev.JobCancelled():
                self._asked.pop(job, None)
                self._open.pop(job, None)
            case _:
                pass

    def listed(self) -> tuple[OpenQuestion, ...]:
        """Return the open questions of all jobs, the oldest first."""
        asking = [it for job, it in self._open.items() if job not in self._failed]
        found = [each for questions in asking for each in questions.values()]
        return tuple(sorted(found, key=lambda each: each.position))


def _question(recorded: Recorded, event: ev.QuestionAsked) -> OpenQuestion:
    return OpenQuestion(
        job_id=recorded.job_id,
        id=event.id,
        activation=activation_of(event.id),
        payload=event.text,
        text=event.text,
        choices=event.choices,
        types=(),
        to=event.to,
        asked_at=recorded.recorded_at,
        host=recorded.host,
        version=recorded.version,
        position=recorded.position,
    )


def _interrupt(recorded: Recorded, event: ev.Interrupted) -> OpenQuestion:
    return OpenQuestion(
        job_id=recorded.job_id,
        id=event.id,
        activation=event.activation,
        payload=event.payload,
        text=asked_text(event),
        choices=event.choices,
        types=event.types,
        to=None,
        asked_at=recorded.recorded_at,
        host=recorded.host,
        version=recorded.version,
        position=recorded.position,
    )
