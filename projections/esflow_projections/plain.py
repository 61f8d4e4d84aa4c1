"""Values of esflow as plain data and as text that is safe to show.

Recorded text comes from anywhere: shown as it is, it could move the cursor of a terminal or turn
the direction of writing, and so say something else than what is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeAlias, cast

import attrs

from esflow.events import Recorded

Json: TypeAlias = Any
"""A JSON value as plain data."""

_SHORT_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(value: object) -> Json:
    """Return records of ours as JSON data: names stay, moments become ISO 8601 in UTC."""
    match value:
        case Recorded():
            return recorded_as_dict(value)
        case Enum():
            return value.value
        case datetime():
            return moment(value)
        case Mapping():
            return {key: plain(each) for key, each in cast("Mapping[str, object]", value).items()}
        case list() | tuple():
            return [plain(each) for each in cast("Sequence[object]", value)]
        case _ if attrs.has(type(value)):
            return _fields(value)
        case _:
            return value


def recorded_as_dict(recorded: Recorded) -> dict[str, Json]:
    """Return an event with its envelope: who recorded it when and where, and its place."""
    return {
        "job_id": recorded.job_id,
        "version": recorded.version,
        "position": recorded.position,
        "recorded_at": moment(recorded.recorded_at),
        "actor": recorded.actor,
        "host": recorded.host,
        "token": recorded.token,
        "hash": recorded.hash,
        "event": recorded.event.name,
        "data": {name: value for name, value in _fields(recorded.event).items() if name != "event"},
    }


def moment(value: datetime) -> str:
    """Return a moment as ISO 8601 in UTC, to the millisecond."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(value: object, limit: int | None = None) -> str:
    """Return a JSON value in one line, cut to so many characters."""
    return cut(printable(json.dumps(plain(value), ensure_ascii=False)), limit)


def printable(text: str) -> str:
    """Return text in one line, with a code for every character that isn't printed as itself."""
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def cut(text: str, limit: int | None) -> str:
    """Return text with at most so many characters, the last an ellipsis where some are missing."""
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1]}…"


def _escaped(character: str) -> str:
    """Return the code of a character as JSON writes it, so that shown JSON stays JSON."""
    if character.isascii():
        return _SHORT_ESCAPES.get(character) or f"\\u{ord(character):04x}"
    return json.dumps(character)[1:-1]


def _fields(value: object) -> dict[str, Json]:
    """Return the fields of a record, behind what kind of entry or which event it is."""
    record = cast("attrs.AttrsInstance", value)
    heading = {
        label: name
        for label, attribute in (("kind", "kind"), ("event", "name"))
        if isinstance(name := vars(type(record)).get(attribute), str)
    }
    return heading | {
        field.name: plain(getattr(record, field.name)) for field in attrs.fields(type(record))
    }
