"""Rows as eventsourcing takes and hands them out, made as fast as many are written and read."""

from __future__ import annotations

from typing import Final

from eventsourcing.persistence import Notification, StoredEvent

_new: Final = object.__new__


def notification(
    position: int, job_id: str, version: int, topic: str, state: bytes
) -> Notification:
    """Return a row of the log.

    Its own constructor, which freezes it field by field, takes twice as long.
    """
    row = _new(Notification)
    fields = row.__dict__
    fields["originator_id"] = job_id
    fields["originator_version"] = version
    fields["topic"] = topic
    fields["state"] = state
    fields["id"] = position
    return row


def stored_event(job_id: str, version: int, topic: str, state: bytes) -> StoredEvent:
    """Return a row to be appended."""
    row = _new(StoredEvent)
    fields = row.__dict__
    fields["originator_id"] = job_id
    fields["originator_version"] = version
    fields["topic"] = topic
    fields["state"] = state
    return row
