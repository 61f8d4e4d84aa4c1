"""What happened to a job, as a fold of its recorded events: no store and no flow is needed.

`History` takes events in order and can be asked for its entries at any moment; the entries that it
gave before never change.
An activation has one entry, at the place of its first event, however often it was interrupted and
run again; its questions have theirs behind it.
An answer joins the question or the interrupt that it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, final

import attrs

from esflow import events as ev
from esflow.events import Event, Failure, PauseReason, Recorded
from esflow.fold import evolve
from esflow.ids import activation_of
from esflow.state import JobFold, Status
from esflow_projections.book import Book, moment
from esflow_projections.entries import (
    AnswerGiven,
    Call,
    ChildEntry,
    ClaimEntry,
    EndEntry,
    Entry,
    ForkEntry,
    HoldEntry,
    Interruption,
    LeadEntry,
    MergeEntry,
    MessageEntry,
    PauseEntry,
    QuestionEntry,
    ReleaseEntry,
    ResumeEntry,
    RetryEntry,
    Settlement,
    StartEntry,
    TimerEntry,
    UpdateEntry,
    circumstances,
)


def grouped(recorded: Iterable[Recorded]) -> tuple[Entry, ...]:
    """Return the entries of one job's events, from its first."""
    history = History()
    for each in recorded:
        history.take(each)
    return history.entries()


@final
@attrs.define
class History:
    """The entries of one job, in progress."""

    _book: Book = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with an empty book."""
        self._book = Book()

    def take(self, recorded: Recorded) -> None:
        """Take the next event of the job in."""
        TELLERS[type(recorded.event)](self._book, recorded, recorded.event)
        evolve(self._book.fold, recorded.event)

    def entries(self) -> tuple[Entry, ...]:
        """Return what has happened so far."""
        book = self._book
        entries = list(book.entries)
        for name, activation in book.open.items():
            entries[book.places[name]] = activation.entry()
        return tuple(entries)


# Events, one by one.


def _started(book: Book, recorded: Recorded, event: ev.JobStarted) -> None:
    book.add(
        StartEntry(
            at=circumstances(recorded),
            flow=event.flow,
            flow_version=event.flow_version,
            slot=event.slot,
            payload=event.payload,
            labels=event.labels,
            before=event.before,
            after=event.after,
            parent=event.parent,
        )
    )


def _claimed(book: Book, recorded: Recorded, event: ev.ExecutionClaimed) -> None:
    book.add(
        ClaimEntry(
            at=circumstances(recorded),
            host=event.host,
            process=event.process,
            flow_version=event.flow_version,
        )
    )


def _called(book: Book, recorded: Recorded, event: ev.EffectRecorded) -> None:
    call = Call(
        at=circumstances(recorded),
        id=event.id,
        function=event.function,
        key=event.key,
        duration_us=event.duration_us,
        result=event.result,
        error=event.error,
        attempt=event.attempt,
    )
    book.activation(activation_of(event.id), recorded).calls.append(call)


def _call_failed(book: Book, recorded: Recorded, event: ev.EffectAttemptFailed) -> None:
    call = Call(
        at=circumstances(recorded),
        id=event.id,
        function=event.function,
        key=event.key,
        duration_us=event.duration_us,
        result=None,
        error=event.error,
        attempt=event.attempt,
        again_at=moment(event.again_at_ms),
    )
    book.activation(activation_of(event.id), recorded).calls.append(call)


def _interrupted(book: Book, recorded: Recorded, event: ev.Interrupted) -> None:
    interruption = Interruption(
        at=circumstances(recorded),
        id=event.id,
        payload=event.payload,
        choices=event.choices,
        types=event.types,
        started_at=moment(event.started_at_ms),
        duration_us=event.duration_us,
    )
    book.activation(event.activation, recorded).interrupts.append(interruption)


def _buffered(book: Book, recorded: Recorded, _: Event) -> None:
    book.buffer.append(recorded)


def _settled(
    book: Book, recorded: Recorded, event: ev.ActivationCompleted | ev.ActivationFailed
) -> None:
    settled = Settlement(
        at=circumstances(recorded),
        started_at=moment(event.started_at_ms),
        duration_us=event.duration_us,
        error=event.error if isinstance(event, ev.ActivationFailed) else None,
        outcome=event.outcome if isinstance(event, ev.ActivationFailed) else None,
        attempt=event.attempt,
        again_at=_again_at(event),
    )
    if settled.outcome == "retry":
        book.activation(event.activation, recorded).failures.append(settled)
        return
    book.settle(event.activation, settled, recorded)


def _again_at(event: ev.ActivationCompleted | ev.ActivationFailed) -> datetime | None:
    if isinstance(event, ev.ActivationCompleted) or event.again_at_ms is None:
        return None
    return moment(event.again_at_ms)


def _answered(book: Book, recorded: Recorded, event: ev.AnswerRecorded) -> None:
    answer = AnswerGiven(at=circumstances(recorded), value=event.value)
    if event.id not in book.places:
        asked = book.open[activation_of(event.id)].interrupts
        asked[-1] = attrs.evolve(asked[-1], answer=answer)
        return
    place = book.places.pop(event.id)
    question = book.entries[place]
    assert isinstance(question, QuestionEntry), "an answer belongs to a question or an interrupt"
    book.entries[place] = attrs.evolve(question, answer=answer)


def _message(book: Book, recorded: Recorded, event: ev.MessageReceived) -> None:
    book.add(
        MessageEntry(
            at=circumstances(recorded),
            id=event.id,
            slot=event.slot,
            payload=event.payload,
            key=event.key,
        )
    )


def _shared_written(book: Book, recorded: Recorded, event: ev.SharedWritten) -> None:
    if event.activation is not None:
        _buffered(book, recorded, event)
        return
    book.add(
        UpdateEntry(
            at=circumstances(recorded), key=event.key, reducer=event.reducer, value=event.value
        )
    )


def _dropped(book: Book, recorded: Recorded, event: ev.WorkDropped) -> None:
    book.add(
        LeadEntry(
            at=circumstances(recorded), slot=event.slot, payload=event.payload, dropped=event.ids
        )
    )


def _pause_requested(book: Book, recorded: Recorded, event: ev.PauseRequested) -> None:
    if event.activation is None:
        book.add(HoldEntry(at=circumstances(recorded), reason=event.reason))
    else:
        _buffered(book, recorded, event)


def _paused(book: Book, recorded: Recorded, event: ev.JobPaused) -> None:
    book.add(PauseEntry(at=circumstances(recorded), reasons=event.reasons))


def _resumed(book: Book, recorded: Recorded, event: ev.JobResumed) -> None:
    book.add(
        ResumeEntry(
            at=circumstances(recorded),
            command=event.command,
            lifted=event.lifted,
            reasons=_lifted(book.fold, event.lifted),
            before=event.before,
            after=event.after,
        )
    )


def _lifted(fold: JobFold, lifted: str) -> tuple[PauseReason, ...]:
    match lifted:
        case "operator":
            return () if fold.operator is None else (fold.operator,)
        case "wave":
            return fold.halt
        case _:
            return fold.program


def _released(book: Book, recorded: Recorded, event: ev.DeferralsReleased) -> None:
    book.add(ReleaseEntry(at=circumstances(recorded), ids=event.ids))


def _fired(book: Book, recorded: Recorded, event: ev.TimerFired) -> None:
    book.add(TimerEntry(at=circumstances(recorded), ids=event.ids))


def _child_ended(book: Book, recorded: Recorded, event: ev.ChildFinished) -> None:
    book.add(
        ChildEntry(
            at=circumstances(recorded),
            id=event.id,
            status=event.status,
            outputs=event.outputs,
            failure=event.failure,
        )
    )


def _merged(book: Book, recorded: Recorded, event: ev.WaveMerged) -> None:
    book.add(MergeEntry(at=circumstances(recorded), values=event.values))


def _retried(book: Book, recorded: Recorded, event: ev.JobRetried) -> None:
    book.add(RetryEntry(at=circumstances(recorded), effects=event.effects))


def _forked(book: Book, recorded: Recorded, event: ev.JobForked) -> None:
    at = circumstances(recorded)
    book.add(ForkEntry(at=at, origin=event.origin, version=event.version, live=event.live))


def _completed(book: Book, recorded: Recorded, _: ev.JobCompleted) -> None:
    book.add(EndEntry(at=circumstances(recorded), status=Status.COMPLETED))


def _failed(book: Book, recorded: Recorded, event: ev.JobFailed) -> None:
    end = EndEntry(
        at=circumstances(recorded),
        status=Status.FAILED,
        error=Failure(type=event.error.type, message=event.error.message),
        activation=event.activation,
    )
    book.add(end)


def _cancelled(book: Book, recorded: Recorded, event: ev.JobCancelled) -> None:
    at = circumstances(recorded)
    book.add(EndEntry(at=at, status=Status.CANCELLED, reason=event.reason))


TELLERS: Final[Mapping[type[Any], Callable[[Book, Recorded, Any], None]]] = {
    ev.JobStarted: _started,
    ev.ExecutionClaimed: _claimed,
    ev.EffectRecorded: _called,
    ev.EffectAttemptFailed: _call_failed,
    ev.Emitted: _buffered,
    ev.EmissionDeferred: _buffered,
    ev.TimerSet: _buffered,
    ev.ChildStarted: _buffered,
    ev.SharedWritten: _shared_written,
    ev.MemoryWritten: _buffered,
    ev.Logged: _buffered,
    ev.PauseRequested: _pause_requested,
    ev.QuestionAsked: _buffered,
    ev.Interrupted: _interrupted,
    ev.AnswerRecorded: _answered,
    ev.ActivationCompleted: _settled,
    ev.ActivationFailed: _settled,
    ev.MessageReceived: _message,
    ev.TimerFired: _fired,
    ev.ChildFinished: _child_ended,
    ev.WaveMerged: _merged,
    ev.JobRetried: _retried,
    ev.JobPaused: _paused,
    ev.JobResumed: _resumed,
    ev.DeferralsReleased: _released,
    ev.WorkDropped: _dropped,
    ev.JobForked: _forked,
    ev.JobCompleted: _completed,
    ev.JobFailed: _failed,
    ev.JobCancelled: _cancelled,
}
"""How each event is told; a test holds the table complete."""
