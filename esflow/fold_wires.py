"""A job's fold as JSON and back, for snapshots: which fields stand there, and what is read of them.

It knows nothing of hashes and stores, and is imported at first need, as `wires` is.

msgspec writes and reads our classes itself.
It can't tell the classes of a union apart, so an event stands there as its name and its fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import GenericAlias
from typing import Any, Final, TypeAlias, cast, final, get_args, get_type_hints

import attrs
import msgspec
from msgspec.json import Decoder

from esflow.events import Event
from esflow.json_values import Misfit
from esflow.state import JobFold, Member
from esflow.values import by_value
from esflow.wires import to_bytes

_malformed: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_kinds: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in get_args(Event)}
_Told: TypeAlias = "tuple[str, msgspec.Raw]"  # An event: its name, its fields.


def _structure(kind: type[Any], others: Mapping[str, Any]) -> Any:
    """Return a structure with the fields of a class, some of them with another annotation."""
    fields: list[Any] = [
        (field.name, others.get(field.name, get_type_hints(kind)[field.name]))
        for field in attrs.fields(kind)
    ]
    return msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True)


_Member: Final = _structure(Member, {"records": list[tuple[str, msgspec.Raw]]})
_Fold: Final = _structure(
    JobFold,
    {"members": GenericAlias(dict, (str, _Member)), "buffer": list[tuple[str, msgspec.Raw]]},
)
_Snapshot: Final = msgspec.defstruct(
    "Snapshot",
    [("hash", str), ("created_at_ms", int), ("fold", _Fold)],
    forbid_unknown_fields=True,
)
_read: Final = Decoder(cast("type[Any]", _Snapshot)).decode
_reads: Final = {name: Decoder(kind) for name, kind in _kinds.items()}


@final
@attrs.frozen
@by_value
class Unpacked:
    """What a snapshot's bytes hold beside their hash."""

    created_at_ms: int
    fold: JobFold


def _values(kind: type[Any], value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in attrs.fields(kind)}


def pack(fold: JobFold) -> bytes:
    """Return a fold as JSON."""
    members = {
        key: _values(Member, member) | {"records": _told(member.records)}
        for key, member in fold.members.items()
    }
    return to_bytes(_values(JobFold, fold) | {"members": members, "buffer": _told(fold.buffer)})


def _told(events: Iterable[Event]) -> list[tuple[str, Event]]:
    return [(type(event).__name__, event) for event in events]


def unpack(state: bytes) -> Unpacked:
    """Return what stands in a snapshot's bytes.

    Raises: Misfit, when it is no fold.
    """
    try:
        found = _read(state)
        members = {key: _member(member) for key, member in found.fold.members.items()}
        told: dict[str, Any] = {"members": members, "buffer": _events(found.fold.buffer)}
        fold = JobFold(**(_values(JobFold, found.fold) | told))
    except _malformed as error:
        raise Misfit(str(error)) from error
    return Unpacked(found.created_at_ms, fold)


def _member(found: Any) -> Member:
    member = Member(found.activation)
    for name, value in _values(Member, found).items():
        setattr(member, name, value)
    member.records = _events(found.records)
    return member


def _events(told: Iterable[_Told]) -> list[Event]:
    return [_event(name, fields) for name, fields in told]


def _event(name: str, fields: msgspec.Raw) -> Event:
    if name not in _reads:
        raise Misfit(f"no event has the name {name!r:.100}")
    return _reads[name].decode(fields)
