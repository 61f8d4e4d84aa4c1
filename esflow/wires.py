"""The shapes in which events stand in JSON, with the functions that fill and read them.

Every event class has a mirror, a msgspec structure of the same fields, made when the class is
first met.
The module knows nothing of hashes or of old schemas, and is imported at first need, because
msgspec costs half of what a whole ``import esflow`` may.

Why mirrors
-----------
msgspec reads and writes attrs classes itself, but it passes over fields that it doesn't know and
writes those that equal their default.
A mirror refuses the former, leaves out the latter, and is as fast: an emission with one target
takes 0.5 µs to write (1.0 with cattrs hooks) and as long to read as msgspec's own way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from types import GenericAlias
from typing import Any, Final, Optional, TypeAlias, cast, final, get_args, get_type_hints

import attrs
import msgspec
from msgspec.json import Decoder, Encoder

Malformed: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading bytes that are not ours can raise."""

to_bytes: Final[Callable[[object], bytes]] = Encoder().encode
to_sorted_bytes: Final[Callable[[object], bytes]] = Encoder(order="deterministic").encode
from_bytes: Final[Callable[[bytes], Any]] = Decoder().decode

_Turn: TypeAlias = Callable[[Any], Any]


@final
@attrs.frozen(kw_only=True)
class Mirror:
    """A class of ours as a structure of JSON, and the ways there and back."""

    structure: type[msgspec.Struct]
    write: _Turn
    read: _Turn


@final
@attrs.frozen(kw_only=True)
class Row:
    """The ways between an event and its stored row.

    Shape: ``read`` gives ``(at, host, actor, token, event)``; ``lifted`` makes an event of the
    plain data of the current schema.
    """

    write: Callable[[Any], bytes]
    read: Callable[[bytes], tuple[int, str, str | None, int, Any]]
    lifted: Callable[[Any], Any]


def filler(kind: type[Any], names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    """Return a function that makes an instance of a slotted class from the values of its fields.

    It fills the slots directly, in half the time of a frozen constructor, which would add nothing:
    these classes have neither converters nor validators.
    """
    setters = tuple(getattr(kind, name).__set__ for name in names)
    new = object.__new__

    def fill(values: Sequence[Any]) -> Any:
        made = new(kind)
        for put, value in zip(setters, values, strict=True):
            put(made, value)
        return made

    return fill


def _row_of(kind: type[Any]) -> Row:
    mirror = _mirror_of(kind)
    read_row = Decoder(_row_structure(kind.__name__, mirror.structure)).decode
    pick = attrgetter("at", "host", "actor", "token", "data")
    write, read, structure = mirror.write, mirror.read, mirror.structure

    def read_bytes(state: bytes) -> tuple[int, str, str | None, int, Any]:
        at, host, actor, token, data = pick(read_row(state))
        return at, host, actor, token, read(data)

    return Row(
        write=lambda event: to_bytes(write(event)),
        read=read_bytes,
        lifted=lambda data: read(msgspec.convert(data, structure)),
    )


row_of: Final = cast("Callable[[type[Any]], Row]", cache(_row_of))
"""Return the ways between events of one class and their rows."""


@cache
def old_row() -> Callable[[bytes], tuple[int, str, str | None, int, dict[str, Any]]]:
    """Return the reader of rows of older schemas, whose data stays plain JSON."""
    read_row = Decoder(_row_structure("Old", dict[str, Any])).decode
    pick = attrgetter("at", "host", "actor", "token", "data")
    return lambda state: pick(read_row(state))


def _row_structure(name: str, data: object) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        f"{name}Row",
        [
            ("hash", str),
            ("at", int),
            ("host", str),
            ("data", data),
            ("actor", str | None, None),
            ("token", int, 0),
        ],
        forbid_unknown_fields=True,
        gc=False,
    )


def _made_mirror(kind: type[Any]) -> Mirror:
    hints = get_type_hints(kind)
    fields = sorted(attrs.fields(kind), key=lambda field: field.default is not attrs.NOTHING)
    names = tuple(field.name for field in fields)
    turns = [_turns(hints[name]) for name in names]
    structure = msgspec.defstruct(
        kind.__name__,
        [_column(field, turn.hint) for field, turn in zip(fields, turns, strict=True)],
        forbid_unknown_fields=True,
        omit_defaults=True,
        frozen=True,
        gc=False,
    )
    pick = _picker(names)
    fill = filler(kind, names)
    inner = tuple((place, turn) for place, turn in enumerate(turns) if turn.write is not None)
    if not inner:
        return Mirror(
            structure=structure,
            write=lambda event: structure(*pick(event)),
            read=lambda wire: fill(pick(wire)),
        )
    writes = tuple((place, turn.write) for place, turn in inner)
    reads = tuple((place, turn.read) for place, turn in inner)
    return Mirror(
        structure=structure,
        write=lambda event: structure(*_turned(pick(event), writes)),
        read=lambda wire: fill(_turned(pick(wire), reads)),
    )


_mirror_of: Final = cast("Callable[[type[Any]], Mirror]", cache(_made_mirror))


@final
@attrs.frozen(kw_only=True)
class _Turns:
    """How one field's values go to the mirror and back; no functions where they stay."""

    hint: object
    write: _Turn | None = None
    read: _Turn | None = None


def _turns(hint: Any) -> _Turns:
    if attrs.has(hint):
        inner = _mirror_of(hint)
        return _Turns(hint=inner.structure, write=inner.write, read=inner.read)
    arguments = get_args(hint)
    kinds = [argument for argument in arguments if attrs.has(argument)]
    if not kinds:
        return _Turns(hint=hint)
    inner = _mirror_of(kinds[0])
    write, read = inner.write, inner.read
    if arguments == (kinds[0], type(None)):
        return _Turns(
            hint=Optional[inner.structure],  # noqa: UP045 - the class is a value here
            write=lambda value: None if value is None else write(value),
            read=lambda value: None if value is None else read(value),
        )
    assert arguments == (kinds[0], ...), f"events hold no {hint}: choose tuple[X, ...] or X | None"
    return _Turns(
        hint=GenericAlias(tuple, (inner.structure, ...)),
        write=lambda values: tuple(map(write, values)),
        read=lambda values: tuple(map(read, values)),
    )


def _turned(values: tuple[Any, ...], turns: tuple[tuple[int, Any], ...]) -> list[Any]:
    changed = list(values)
    for place, turn in turns:
        changed[place] = turn(changed[place])
    return changed


def _picker(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    match names:
        case ():
            return lambda _: ()
        case (name,):
            return lambda value: (getattr(value, name),)
        case _:
            return attrgetter(*names)


def _column(field: attrs.Attribute[Any], hint: object) -> tuple[Any, ...]:
    if field.default is attrs.NOTHING:
        return (field.name, hint)
    default: Any = field.default
    if hasattr(default, "factory"):
        default = default.factory()
    # msgspec leaves out what *is* the default; of these values, what is equal is the same object.
    assert default in (None, 0, "", (), {}), f"{field.name} may not default to {default!r}"
    return (field.name, hint, default)
