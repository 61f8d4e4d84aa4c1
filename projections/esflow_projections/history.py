"""What happened to a job, as a fold of its recorded events: no store and no flow is needed.

`History` takes events in order and can be asked for its entries at any moment; the entries that it
gave before never change.
An activation has one entry, at the place of its first event, however often it was interrupted and
run again; its questions have theirs behind it.
An answer joins the question or the interrupt that it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, final

import attrs

from esflow import events as ev
from esflow.events import Event, Failure, PauseReason, Recorded
from esflow.fold import evolve
from esflow.ids import activation_of
from esflow.state import JobFold, Status
from esflow_projections.entries import (
    ActivationEntry,
    AnswerGiven,
    Call,
    ClaimEntry,
    EndEntry,
    Entry,
    ForkEntry,
    HoldEntry,
    Interruption,
    LeadEntry,
    MessageEntry,
    PauseEntry,
    QuestionEntry,
    ReleaseEntry,
    ResumeEntry,
    Settlement,
    StartEntry,
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

    _book: _Book = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with an empty book."""
        self._book = _Book()

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


@final
@attrs.define
class _OpenActivation:
    """An activation that is being told: its calls and its interrupts come one by one."""

    begun: ActivationEntry
    calls: list[Call] = attrs.field(factory=list[Call])
    interrupts: list[Interruption] = attrs.field(factory=list[Interruption])

    def entry(self) -> ActivationEntry:
        return attrs.evolve(self.begun, calls=tuple(self.calls), interrupts=tuple(self.interrupts))


@final
@attrs.define
class _Book:
    """What the telling of a job needs to remember."""

    fold: JobFold = attrs.field(factory=lambda: JobFold(job_id=""))
    entries: list[Entry] = attrs.field(factory=list[Entry])
    places: dict[str, int] = attrs.field(factory=dict[str, int])  # Id of what may change -> entry.
    open: dict[str, _OpenActivation] = attrs.field(factory=dict[str, _OpenActivation])
    buffer: list[Recorded] = attrs.field(factory=list[Recorded])

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)

    def activation(self, name: str, first: Recorded) -> _OpenActivation:
        """Return an open activation; its first event gives it a place."""
        if name not in self.open:
            known = self.fold.members[name].activation
            entry = ActivationEntry(
                at=circumstances(first),
                id=name,
                slot=known.slot,
                payload=known.payload,
                cause=known.cause,
            )
            self.open[name] = _OpenActivation(entry)
            self.places[name] = len(self.entries)
            self.add(entry)
        return self.open[name]

    def settle(self, name: str, settled: Settlement, recorded: Recorded) -> None:
        """Close an activation with what was recorded together with its end."""
        mine, self.buffer = self.buffer, []
        activation = self.activation(name, mine[0] if mine else recorded)
        self.entries[self.places.pop(name)] = attrs.evolve(
            activation.entry(), records=tuple(each.event for each in mine), settled=settled
        )
        del self.open[name]
        for each in mine:
            if isinstance(each.event, ev.QuestionAsked):
                self.places[each.event.id] = len(self.entries)
                self.add(_question(each, each.event))


# Events, one by one.


def _started(book: _Book, recorded: Recorded, event: ev.JobStarted) -> None:
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
        )
    )


def _claimed(book: _Book, recorded: Recorded, event: ev.ExecutionClaimed) -> None:
    book.add(
        ClaimEntry(
            at=circumstances(recorded),
            host=event.host,
            process=event.process,
            flow_version=event.flow_version,
        )
    )


def _called(book: _Book, recorded: Recorded, event: ev.EffectRecorded) -> None:
    call = Call(
        at=circumstances(recorded),
        id=event.id,
        function=event.function,
        key=event.key,
        duration_us=event.duration_us,
        result=event.result,
        error=event.error,
    )
    book.activation(activation_of(event.id), recorded).calls.append(call)


def _interrupted(book: _Book, recorded: Recorded, event: ev.Interrupted) -> None:
    interruption = Interruption(
        at=circumstances(recorded),
        id=event.id,
        payload=event.payload,
        choices=event.choices,
        types=event.types,
        started_at=_moment(event.started_at_ms),
        duration_us=event.duration_us,
    )
    book.activation(event.activation, recorded).interrupts.append(interruption)


def _buffered(book: _Book, recorded: Recorded, _: Event) -> None:
    book.buffer.append(recorded)


def _settled(
    book: _Book, recorded: Recorded, event: ev.ActivationCompleted | ev.ActivationFailed
) -> None:
    settled = Settlement(
        at=circumstances(recorded),
        started_at=_moment(event.started_at_ms),
        duration_us=event.duration_us,
        error=event.error if isinstance(event, ev.ActivationFailed) else None,
    )
    book.settle(event.activation, settled, recorded)


def _question(recorded: Recorded, event: ev.QuestionAsked) -> QuestionEntry:
    return QuestionEntry(
        at=circumstances(recorded),
        id=event.id,
        text=event.text,
        choices=event.choices,
        to=event.to,
    )


def _answered(book: _Book, recorded: Recorded, event: ev.AnswerRecorded) -> None:
    answer = AnswerGiven(at=circumstances(recorded), value=event.value)
    if event.id not in book.places:
        asked = book.open[activation_of(event.id)].interrupts
        asked[-1] = attrs.evolve(asked[-1], answer=answer)
        return
    place = book.places.pop(event.id)
    question = book.entries[place]
    assert isinstance(question, QuestionEntry), "an answer belongs to a question or an interrupt"
    book.entries[place] = attrs.evolve(question, answer=answer)


def _message(book: _Book, recorded: Recorded, event: ev.MessageReceived) -> None:
    book.add(
        MessageEntry(
            at=circumstances(recorded),
            id=event.id,
            slot=event.slot,
            payload=event.payload,
            key=event.key,
        )
    )


def _shared_written(book: _Book, recorded: Recorded, event: ev.SharedWritten) -> None:
    if event.activation is not None:
        _buffered(book, recorded, event)
        return
    book.add(
        UpdateEntry(
            at=circumstances(recorded), key=event.key, reducer=event.reducer, value=event.value
        )
    )


def _dropped(book: _Book, recorded: Recorded, event: ev.WorkDropped) -> None:
    book.add(
        LeadEntry(
            at=circumstances(recorded), slot=event.slot, payload=event.payload, dropped=event.ids
        )
    )


def _pause_requested(book: _Book, recorded: Recorded, event: ev.PauseRequested) -> None:
    if event.activation is None:
        book.add(HoldEntry(at=circumstances(recorded), reason=event.reason))
    else:
        _buffered(book, recorded, event)


def _paused(book: _Book, recorded: Recorded, event: ev.JobPaused) -> None:
    book.add(PauseEntry(at=circumstances(recorded), reasons=event.reasons))


def _resumed(book: _Book, recorded: Recorded, event: ev.JobResumed) -> None:
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


def _released(book: _Book, recorded: Recorded, event: ev.DeferralsReleased) -> None:
    book.add(ReleaseEntry(at=circumstances(recorded), ids=event.ids))


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)


def _forked(book: _Book, recorded: Recorded, event: ev.JobForked) -> None:
    at = circumstances(recorded)
    book.add(ForkEntry(at=at, origin=event.origin, version=event.version, live=event.live))


def _completed(book: _Book, recorded: Recorded, _: ev.JobCompleted) -> None:
    book.add(EndEntry(at=circumstances(recorded), status=Status.COMPLETED))


def _failed(book: _Book, recorded: Recorded, event: ev.JobFailed) -> None:
    end = EndEntry(
        at=circumstances(recorded),
        status=Status.FAILED,
        error=Failure(type=event.error.type, message=event.error.message),
        activation=event.activation,
    )
    book.add(end)


def _cancelled(book: _Book, recorded: Recorded, event: ev.JobCancelled) -> None:
    at = circumstances(recorded)
    book.add(EndEntry(at=at, status=Status.CANCELLED, reason=event.reason))


TELLERS: Final[Mapping[type[Any], Callable[[_Book, Recorded, Any], None]]] = {
    ev.JobStarted: _started,
    ev.ExecutionClaimed: _claimed,
    ev.EffectRecorded: _called,
    ev.Emitted: _buffered,
    ev.EmissionDeferred: _buffered,
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
