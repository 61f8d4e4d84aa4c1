"""Rows as eventsourcing hands them out, made as fast as many are read."""

from __future__ import annotations

from typing import Final

from eventsourcing.persistence import Notification

_new: Final = object.__new__


def notification(
    position: int, job_id: str, version: int, topic: str, state: bytes
) -> Notification:
    """Return a row of the log; its own constructor, which freezes it, takes twice as long."""
    row = _new(Notification)
    fields = row.__dict__
    fields["originator_id"] = job_id
    fields["originator_version"] = version
    fields["topic"] = topic
    fields["state"] = state
    fields["id"] = position
    return row
