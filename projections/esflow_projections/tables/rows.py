"""Which rows each event changes, as a fold of the events of one job.

Every row is a function of the events up to it, so it comes out the same wherever a page of events
begins and ends, and however often its events are taken in again.
It knows nothing of SQLite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeAlias, cast, final

import attrs

from esflow import events as ev
from esflow.events import Event, Failure, Json, Recorded
from esflow.fold import evolve
from esflow.ids import activation_of
from esflow.replay import asked_text, index_row
from esflow.state import Activation, JobFold
from esflow_projections.plain import moment

Row: TypeAlias = dict[str, Json]
Rows: TypeAlias = dict[tuple[str, str], Row]
"""By job and id."""


def _fields(record: object) -> dict[str, Json]:
    """Return a record of ours as its fields; the values in them stay as they are."""
    kind = cast("type[attrs.AttrsInstance]", type(record))
    return {name: getattr(record, name) for name in _names(kind)}


@cache
def _names(kind: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind))


_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_fields)
_json: Final = _encoder.encode


@final
@attrs.define
class Page:
    """The rows that some events changed, as they are behind the last of them."""

    history: list[Row] = attrs.field(factory=list[Row])
    jobs: dict[str, Row] = attrs.field(factory=dict[str, Row])
    activations: Rows = attrs.field(factory=dict[tuple[str, str], Row])
    questions: Rows = attrs.field(factory=dict[tuple[str, str], Row])
    effects: Rows = attrs.field(factory=dict[tuple[str, str], Row])


@final
@attrs.define
class Book:
    """A job, and those of its rows that may still change."""

    fold: JobFold
    first: Recorded | None = None
    last: Recorded | None = None
    activations: dict[str, Row] = attrs.field(factory=dict[str, Row])
    questions: dict[str, Row] = attrs.field(factory=dict[str, Row])


def take(book: Book, recorded: Recorded, page: Page) -> None:
    """Take the next event of a job in."""
    book.first = book.first or recorded
    book.last = recorded
    wave = book.fold.wave
    TELLERS[type(recorded.event)](book, recorded, recorded.event, page)
    evolve(book.fold, recorded.event)
    if book.fold.wave != wave:
        for member in book.fold.members.values():
            _ready(book, recorded, member.activation, page)


def history_row(recorded: Recorded) -> Row:
    """Return an event as a row."""
    data = _fields(recorded.event)
    return {
        "position": recorded.position,
        "job_id": recorded.job_id,
        "version": recorded.version,
        "name": recorded.event.name,
        "recorded_at": moment(recorded.recorded_at),
        "actor": recorded.actor,
        "host": recorded.host,
        "token": recorded.token,
        "hash": recorded.hash,
        "data": _json(data),
        "text": " ".join(_words(data)).replace("\0", " "),
    }


def job_row(book: Book) -> Row:
    """Return a job as it is now."""
    first, last = book.first, book.last
    assert first is not None, "a job has a first event"
    assert last is not None, "and so a last one"
    index = index_row(
        book.fold,
        head=last.hash,
        created_at_ms=first.recorded_at_ms,
        updated_at_ms=last.recorded_at_ms,
        lease=None,
    )
    return {
        "job_id": index.job_id,
        "flow": index.flow,
        "flow_version": index.flow_version,
        "status": str(index.status),
        "version": index.version,
        "head": index.head,
        "labels": _json(index.labels),
        "created_at": moment(first.recorded_at),
        "created_by": first.actor,
        "updated_at": moment(last.recorded_at),
        "activations": book.fold.activations_count,
        "question": index.question,
        "error": index.error,
        "host": index.host,
    }


def _error(error: Failure | None) -> str | None:
    return None if error is None else f"{error.type}: {error.message}"


def _words(value: Json) -> Iterator[str]:
    """Yield what can be searched for in a JSON value: names, texts and numbers."""
    match value:
        case str():
            yield value
        case dict():
            for name, each in cast("Mapping[str, Json]", value).items():
                yield name
                yield from _words(each)
        case list() | tuple():
            for each in cast("Sequence[Json]", value):
                yield from _words(each)
        case None | bool():
            pass
        case int() | float():
            yield str(value)
        case _:
            yield from _words(_fields(value))


# Activations and questions: they begin open, and end once.


def _ready(book: Book, recorded: Recorded, activation: Activation, page: Page) -> None:
    row: Row = {
        "job_id": recorded.job_id,
        "id": activation.id,
        "slot": activation.slot,
        "cause": activation.cause or None,
        "payload": _json(activation.payload),
        "ready_version": recorded.version,
        "ready_at": moment(recorded.recorded_at),
        "started_at": None,
        "duration_us": None,
        "runs": 0,
        "outcome": None,
        "error": None,
        "settled_version": None,
        "settled_at": None,
        "host": None,
    }
    book.activations[activation.id] = row
    page.activations[recorded.job_id, activation.id] = row


def _settle(book: Book, name: str, outcome: str, recorded: Recorded, page: Page) -> Row:
    row = book.activations.pop(name)
    row["outcome"] = outcome
    row["settled_version"] = recorded.version
    row["settled_at"] = moment(recorded.recorded_at)
    row["host"] = recorded.host
    page.activations[recorded.job_id, name] = row
    return row


def _close(book: Book, name: str, outcome: str, recorded: Recorded, page: Page) -> Row:
    row = book.questions.pop(name)
    row["outcome"] = outcome
    row["closed_version"] = recorded.version
    row["closed_at"] = moment(recorded.recorded_at)
    row["closed_by"] = recorded.actor
    row["closed_on"] = recorded.host
    page.questions[recorded.job_id, name] = row
    return row


# Events, one by one.


def _history_alone(_: Book, __: Recorded, ___: Event, ____: Page) -> None:
    """Leave the other tables as they are."""


def _effect(_: Book, recorded: Recorded, event: ev.EffectRecorded, page: Page) -> None:
    page.effects[recorded.job_id, event.id] = {
        "job_id": recorded.job_id,
        "id": event.id,
        "activation": activation_of(event.id),
        "function": event.function,
        "digest": event.digest,
        "key": event.key,
        "version": recorded.version,
        "recorded_at": moment(recorded.recorded_at),
        "host": recorded.host,
        "duration_us": event.duration_us,
        "result": None if event.error is not None else _json(event.result),
        "error": _error(event.error),
    }


def _interrupted(book: Book, recorded: Recorded, event: ev.Interrupted, page: Page) -> None:
    row = book.activations[event.activation]
    _count_run(row)
    page.activations[recorded.job_id, event.activation] = row
    asked = _ask(book, recorded, event, page)
    asked["kind"] = "interrupt"
    asked["payload"] = _json(event.payload)
    asked["types"] = _json(event.types)


def _asked(book: Book, recorded: Recorded, event: ev.QuestionAsked, page: Page) -> None:
    asked = _ask(book, recorded, event, page)
    asked["kind"] = "question"
    asked["slot"] = event.to


def _ask(
    book: Book, recorded: Recorded, event: ev.QuestionAsked | ev.Interrupted, page: Page
) -> Row:
    row: Row = {
        "job_id": recorded.job_id,
        "id": event.id,
        "activation": activation_of(event.id),
        "text": asked_text(event),
        "payload": None,
        "choices": None if event.choices is None else _json(event.choices),
        "types": None,
        "slot": None,
        "asked_version": recorded.version,
        "asked_at": moment(recorded.recorded_at),
        "asked_on": recorded.host,
        "outcome": None,
        "value": None,
        "closed_version": None,
        "closed_at": None,
        "closed_by": None,
        "closed_on": None,
    }
    book.questions[event.id] = row
    page.questions[recorded.job_id, event.id] = row
    return row


def _answered(book: Book, recorded: Recorded, event: ev.AnswerRecorded, page: Page) -> None:
    row = _close(book, event.id, "answered", recorded, page)
    row["value"] = _json(event.value)


def _completed(
    book: Book, recorded: Recorded, event: ev.ActivationCompleted | ev.ActivationFailed, page: Page
) -> None:
    error = event.error if isinstance(event, ev.ActivationFailed) else None
    outcome = "completed" if error is None else "failed"
    row = _settle(book, event.activation, outcome, recorded, page)
    _count_run(row)
    row["started_at"] = moment(datetime.fromtimestamp(event.started_at_ms / 1000, tz=UTC))
    row["duration_us"] = event.duration_us
    row["error"] = _error(error)


def _failed(book: Book, recorded: Recorded, event: ev.ActivationFailed, page: Page) -> None:
    """Take note of a run that failed: the last of its activation, or one with another to come."""
    if event.outcome != "retry":
        _completed(book, recorded, event, page)
        return
    row = book.activations[event.activation]
    _count_run(row)
    page.activations[recorded.job_id, event.activation] = row


def _retried(book: Book, recorded: Recorded, _: ev.JobRetried, page: Page) -> None:
    """Let what failed be open again, and with it what else the end of the job had closed."""
    for member in book.fold.members.values():
        if member.failure is not None or not member.settled:
            _ready(book, recorded, member.activation, page)
    for asked in book.fold.questions.values():
        _asked(book, recorded, asked, page)
    for interrupt in book.fold.interrupts:
        _interrupted(book, recorded, interrupt, page)


def _count_run(row: Row) -> None:
    row["runs"] = cast("int", row["runs"]) + 1


def _dropped(book: Book, recorded: Recorded, _: Event, page: Page) -> None:
    """Let what is open come to nothing: the job was led elsewhere, or has ended."""
    for name in tuple(book.activations):
        _settle(book, name, "dropped", recorded, page)
    for name in tuple(book.questions):
        _close(book, name, "dropped", recorded, page)


TELLERS: Final[Mapping[type[Any], Callable[[Book, Recorded, Any, Page], None]]] = {
    ev.JobStarted: _history_alone,
    ev.ExecutionClaimed: _history_alone,
    ev.EffectRecorded: _effect,
    ev.EffectAttemptFailed: _history_alone,
    ev.Emitted: _history_alone,
    ev.EmissionDeferred: _history_alone,
    ev.TimerSet: _history_alone,
    ev.ChildStarted: _history_alone,
    ev.SharedWritten: _history_alone,
    ev.MemoryWritten: _history_alone,
    ev.Logged: _history_alone,
    ev.PauseRequested: _history_alone,
    ev.QuestionAsked: _asked,
    ev.Interrupted: _interrupted,
    ev.AnswerRecorded: _answered,
    ev.ActivationCompleted: _completed,
    ev.ActivationFailed: _failed,
    ev.MessageReceived: _history_alone,
    ev.TimerFired: _history_alone,
    ev.ChildFinished: _history_alone,
    ev.WaveMerged: _history_alone,
    ev.JobRetried: _retried,
    ev.JobPaused: _history_alone,
    ev.JobResumed: _history_alone,
    ev.DeferralsReleased: _history_alone,
    ev.WorkDropped: _dropped,
    ev.JobForked: _history_alone,
    ev.JobCancelled: _dropped,
    ev.JobCompleted: _dropped,
    ev.JobFailed: _dropped,
}
"""What each event does to the rows, save what its wave does; a test holds the table complete."""
