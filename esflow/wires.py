"""Rows and the events in them as JSON: which fields stand there, and what is read from them.

The module knows nothing of hashes, and is imported at first need, because msgspec costs half of
what a whole ``import esflow`` may.

Why two structures for one class
--------------------------------
msgspec reads and writes attrs classes itself.
But it would pass over fields that it doesn't know, and look for each that isn't there by an error
that it catches, so what is read is a structure of the same fields that knows no others, and the
instance is made of its values.
And it would write fields that equal their default, in the order of the alphabet, so what is
written is a structure of the same fields that leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from operator import attrgetter
from types import GenericAlias
from typing import (
    Annotated,
    Any,
    Final,
    Protocol,
    TypeAlias,
    cast,
    final,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
import msgspec
from msgspec.json import Decoder, Encoder
from msgspec.structs import astuple

from esflow.json_values import Misfit
from esflow.moments import FIRST_MOMENT_MS, LAST_MOMENT_MS
from esflow.parts import Target
from esflow.values import by_value, unlocked

_malformed: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_moment: Final = Annotated[int, msgspec.Meta(ge=FIRST_MOMENT_MS, le=LAST_MOMENT_MS)]
_version: Final = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

to_bytes: Final[Callable[[object], bytes]] = Encoder().encode
to_sorted_bytes: Final[Callable[[object], bytes]] = Encoder(order="deterministic").encode


class Stored(Protocol):
    """A row, taken apart; ``data`` is its event."""

    hash: str
    at: int
    host: str
    data: Any
    actor: str | None
    token: int


Read: TypeAlias = Callable[[bytes], Stored]
"""Takes a row apart. Raises: Misfit."""
Write: TypeAlias = Callable[[Any], bytes]
"""Gives the ``data`` of a row."""
Lift: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
_ValuesOf: TypeAlias = Callable[[Any], Sequence[Any]]
_MakeAll: TypeAlias = Callable[[tuple[msgspec.Struct, ...]], tuple[Any, ...]]


@final
@attrs.frozen
@by_value
class Row:
    """The ways between the events of one class and their JSON.

    Shape: ``read_lifted`` reads a row with other data, as an upcaster makes it.
    """

    write: Write
    read: Read
    read_lifted: Callable[[bytes, Lift], Stored]


def _row_of(kind: type[Any]) -> Row:
    structure, open_kind = _likeness_of(kind)
    fields: list[Any] = [("hash", str), ("at", _moment), ("host", str), ("data", structure)]
    fields += [("actor", str | None, None), ("token", _version, 0), ("nonce", str | None, None)]
    row = msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True, gc=False)
    read_row = cast("Read", Decoder(row).decode)
    mirror, values_of = _mirror_of(kind)

    def read(state: bytes) -> Stored:
        try:
            stored = read_row(state)
        except _malformed as error:
            raise Misfit(str(error)) from error
        stored.data = made = open_kind(*astuple(stored.data))
        made.__class__ = kind
        return stored

    return Row(
        lambda event: to_bytes(mirror(*values_of(event))),
        read,
        lambda state, lift: read(_lifted(state, lift)),
    )


row_of: Final = cast("Callable[[type[Any]], Row]", cache(_row_of))
"""Return the ways between the events of one class and their JSON."""

_read_plain: Final = Decoder(dict[str, Any]).decode


def _lifted(state: bytes, lift: Lift) -> bytes:
    try:
        row = _read_plain(state)
        if not isinstance(row.get("data"), dict):
            raise Misfit("has no data")
        return to_bytes(row | {"data": lift(row["data"])})
    except (*_malformed, OverflowError) as error:
        raise Misfit(str(error)) from error


def _parts(hint: Any) -> tuple[type[Any], ...]:
    """Return the classes of ours inside a hint: one, or none."""
    return tuple(part for part in (hint, *get_args(hint)) if attrs.has(part))


def _around(hint: Any, part: type[Any], inside: Any) -> Any:
    """Return a hint with one of our classes replaced."""
    if hint == part:
        return inside
    if get_args(hint) == (part, type(None)):
        return inside | None
    assert hint == GenericAlias(tuple, (part, ...)), f"no event holds a {hint}"
    return GenericAlias(tuple, (inside, ...))


def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in attrs.fields(kind)}


def _made_likeness(kind: type[Any]) -> tuple[type[msgspec.Struct], type[Any]]:
    """Return the structure that is read for a class, and its `unlocked` class."""
    columns: list[Any] = []
    turns: dict[str, Callable[[Any], Any]] = {}
    for field, hint in zip(attrs.fields(kind), _hints(kind).values(), strict=True):
        parts = _parts(hint)
        inside = _around(hint, parts[0], _likeness_of(parts[0])[0]) if parts else hint
        if parts:
            turns[field.name] = _turn_back(hint, parts[0])
        columns.append((field.name, inside, *_default(field)))
    structure = msgspec.defstruct(
        kind.__name__, columns, forbid_unknown_fields=True, frozen=True, gc=False
    )
    return structure, unlocked(kind, turns)


_likeness_of: Final = cast(
    "Callable[[type[Any]], tuple[type[msgspec.Struct], type[Any]]]", cache(_made_likeness)
)


def _turn_back(hint: Any, part: type[Any]) -> Callable[[Any], Any]:
    """Return what makes one of ours, or several, of the structures that were read for them."""
    open_part = _likeness_of(part)[1]

    def make(found: msgspec.Struct) -> Any:
        made = open_part(*astuple(found))
        made.__class__ = part
        return made

    def make_all(found: tuple[msgspec.Struct, ...]) -> tuple[Any, ...]:
        return tuple([make(each) for each in found])

    if get_origin(hint) is not tuple:
        return lambda found: None if found is None else make(found)
    return _shared(make_all) if part is Target else make_all


def _shared(make_all: _MakeAll) -> _MakeAll:
    """Return what makes targets once for all emissions that say the same of them.

    Those that rename are made each time: what they hold could be changed, so it has no hash.
    """
    made = lru_cache(maxsize=128)(make_all)

    def make_shared(found: tuple[msgspec.Struct, ...]) -> tuple[Any, ...]:
        try:
            return made(found)
        except TypeError:
            return make_all(found)

    return make_shared


def _made_mirror(kind: type[Any]) -> tuple[type[msgspec.Struct], _ValuesOf]:
    """Return the structure that is written for a class, and what tells its values."""
    columns: list[Any] = []
    turns: list[tuple[int, Callable[[Any], Any]]] = []
    for place, field in enumerate(attrs.fields(kind)):
        parts = _parts(_hints(kind)[field.name])
        if parts:
            turns.append((place, _turn(_hints(kind)[field.name], parts[0])))
        columns.append((field.name, Any, *_default(field)))
    structure = msgspec.defstruct(kind.__name__, columns, omit_defaults=True, gc=False)
    pick = _picker(tuple(field.name for field in attrs.fields(kind)))
    if not turns:
        return structure, pick

    def turned(event: Any) -> Sequence[Any]:
        values = [*pick(event)]
        for place, turn in turns:
            value = values[place]
            if value:
                values[place] = turn(value)
        return values

    return structure, turned


_mirror_of: Final = cast(
    "Callable[[type[Any]], tuple[type[msgspec.Struct], _ValuesOf]]", cache(_made_mirror)
)


def _turn(hint: Any, part: type[Any]) -> Callable[[Any], Any]:
    mirror, values_of = _mirror_of(part)

    def fill(value: Any) -> msgspec.Struct:
        return mirror(*values_of(value))

    if get_origin(hint) is not tuple:
        return fill
    last: tuple[object, Sequence[msgspec.Struct]] = (None, ())

    def fill_all(values: tuple[Any, ...]) -> Sequence[msgspec.Struct]:
        nonlocal last  # A flow's targets are the same object for all that is emitted to them.
        known, filled = last
        if known is not values:
            filled = [fill(each) for each in values]
            last = values, filled
        return filled

    return fill_all


def _picker(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    match names:
        case ():
            return lambda _: ()
        case (name,):
            return lambda value: (getattr(value, name),)
        case _:
            return attrgetter(*names)


def _default(field: attrs.Attribute[Any]) -> tuple[Any, ...]:
    default: Any = field.default
    if default is attrs.NOTHING:
        return ()
    if hasattr(default, "factory"):
        default = default.factory()
    # msgspec leaves out what *is* the default; of these values, what is equal is the same object.
    assert default in (None, 0, 1, "", (), {}), f"{field.name} may not default to {default!r}"
    return (default,)
