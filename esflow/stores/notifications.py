"""Rows as eventsourcing takes and hands them out, made as fast as many are written and read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from eventsourcing.persistence import Notification, StoredEvent

_new: Final = object.__new__


class _Unlocked:
    """A row whose fields are set; past the lock of a frozen class that would take twice as long."""

    __setattr__: Final = object.__setattr__
    __delattr__: Final = object.__delattr__

    originator_id: str
    originator_version: int
    topic: str
    state: bytes


@final
class Row(_Unlocked, Notification):
    """A row of the log."""

    id: int

    def __init__(self, position: int, job_id: str, version: int, topic: str, state: bytes) -> None:
        self.originator_id = job_id
        self.originator_version = version
        self.topic = topic
        self.state = state
        self.id = position


@final
class NewRow(_Unlocked, StoredEvent):
    """A row to be appended."""


def rows_of(job_id: str, found: Iterable[tuple[int, int, str, bytes]]) -> list[Notification]:
    """Return rows of one job, filled here: a call for each takes a tenth of the time of reading.

    Shape: ``found`` are position, version, topic and state.
    """
    rows: list[Notification] = []
    for position, version, topic, state in found:
        row = _new(Row)
        row.originator_id = job_id
        row.originator_version = version
        row.topic = topic
        row.state = state
        row.id = position
        rows.append(row)
    return rows


def stored_event(job_id: str, version: int, topic: str, state: bytes) -> StoredEvent:
    """Return a row to be appended."""
    row = _new(NewRow)
    row.originator_id = job_id
    row.originator_version = version
    row.topic = topic
    row.state = state
    return row
