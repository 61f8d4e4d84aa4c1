"""A telling in progress: the entries so far, and those of them that may still change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import final

import attrs

from esflow import events as ev
from esflow.events import Recorded
from esflow.state import JobFold
from esflow_projections.entries import (
    ActivationEntry,
    Call,
    Entry,
    Interruption,
    QuestionEntry,
    Settlement,
    circumstances,
)


@final
@attrs.define
class OpenActivation:
    """An activation that is being told: its calls and its interrupts come one by one."""

    begun: ActivationEntry
    calls: list[Call] = attrs.field(factory=list[Call])
    interrupts: list[Interruption] = attrs.field(factory=list[Interruption])
    failures: list[Settlement] = attrs.field(factory=list[Settlement])

    def entry(self) -> ActivationEntry:
        """Return the entry as far as it goes."""
        return attrs.evolve(
            self.begun,
            calls=tuple(self.calls),
            interrupts=tuple(self.interrupts),
            failures=tuple(self.failures),
        )


@final
@attrs.define
class Book:
    """What the telling of a job needs to remember."""

    fold: JobFold = attrs.field(factory=lambda: JobFold(job_id=""))
    entries: list[Entry] = attrs.field(factory=list[Entry])
    places: dict[str, int] = attrs.field(factory=dict[str, int])  # Id of what may change -> entry.
    open: dict[str, OpenActivation] = attrs.field(factory=dict[str, OpenActivation])
    buffer: list[Recorded] = attrs.field(factory=list[Recorded])

    def add(self, entry: Entry) -> None:
        """Take an entry in behind all others."""
        self.entries.append(entry)

    def activation(self, name: str, first: Recorded) -> OpenActivation:
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
            self.open[name] = OpenActivation(entry)
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


def _question(recorded: Recorded, event: ev.QuestionAsked) -> QuestionEntry:
    return QuestionEntry(
        at=circumstances(recorded),
        id=event.id,
        text=event.text,
        choices=event.choices,
        to=event.to,
        due_at=None if event.due_at_ms is None else moment(event.due_at_ms),
        default=event.default,
    )


def moment(at_ms: int) -> datetime:
    """Return a moment that an event holds, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)
