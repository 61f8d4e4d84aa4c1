"""JSON values in and out of user code: what is recorded, and what a handler is given.

It knows nothing of events, flows or stores.
Plain JSON is handled here; any other class is the business of `forms` and `structures`, which bring
cattrs with them and are imported at the first need.

What is taken
-------------
None, bool, int, float, str, list, tuple and mappings with text keys stand for themselves.
attrs classes, dataclasses, enums with plain values, named tuples, sets, bytes, datetime, date,
time, timedelta, UUID, Decimal and paths are written as JSON that reads back equal under the same
annotation.
A set is sorted by the bytes of its items, so that its order is nobody's luck.
Every result is made of fresh containers; what was shared is copied each time.

What is refused, by path
------------------------
NaN and the infinities; integers beyond 64 bits; text with lone surrogates; keys that are no text;
values that contain themselves, or pass a limit below; and objects of any other class, subclasses
of str, int, float and list among them, because they would come back as something else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeAlias, final

import attrs

from esflow.annotations import hint
from esflow.errors import FlowError, PayloadError
from esflow.events import Json
from esflow.json_values import Misfit, copy_json, same_json, step_to, type_names, type_of
from esflow.values import by_value

__all__ = [
    "Signature",
    "bind",
    "copy_json",
    "digest",
    "max_bytes",
    "max_depth",
    "max_integer",
    "max_nodes",
    "payload_json",
    "reader_of",
    "same_json",
    "signature_of",
    "structure",
    "to_json",
]

max_depth: Final = 64  # Containers inside each other.
max_nodes: Final = 1_000_000  # Values in one payload, counted wherever they stand.
max_bytes: Final = 16 * 1024 * 1024  # Text of one payload, keys included, in UTF-8.
max_integer: Final = 2**63 - 1  # The smallest is one further from zero, as in 64 bits.

_Reader: TypeAlias = Callable[[Any], object]


def to_json(value: object, path: str) -> Json:
    """Return a value as plain JSON in fresh containers.

    Raises: PayloadError, naming the path to what can't be recorded.
    """
    try:
        return _copied(value, max_depth, _Room())
    except Misfit as misfit:
        raise misfit.refusal(path) from misfit.__cause__


def payload_json(payload: Mapping[str, object], path: str) -> dict[str, Json]:
    """Return the keywords of a call as plain JSON in fresh containers.

    Raises: PayloadError, naming the path to what can't be recorded.
    """
    try:
        return _copied_dict(payload, max_depth - 1, _Room())
    except Misfit as misfit:
        raise misfit.refusal(path) from misfit.__cause__


def digest(args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    """Return a fingerprint of the arguments of a call, the order of keys aside.

    Shape: 32 hex digits; what can't be represented counts by the name of its type.
    """
    room = _Room()
    room.is_strict = False
    given = _copied_items((args, kwargs), max_depth + 1, room)
    return _hashing()(_writing()(given))[:32]


class _Room:
    """How one payload is copied, and what is left of the limits for it."""

    nodes = max_nodes
    text = max_bytes
    is_strict = True  # What can't be represented is refused, and doesn't count by its type.


def _copied(value: Any, depth: int, room: _Room) -> Json:
    kind = type_of(value)
    if kind is str:
        return _text(value, room)
    if value is None or kind is bool:
        return value
    if kind is int:
        if -max_integer - 1 <= value <= max_integer:
            return value
        raise Misfit("is an integer beyond 64 bits; write it as text")
    if kind is float:
        if isfinite(value):
            return value
        raise Misfit(f"{value} is no JSON number; write None or text")
    if kind is dict:
        return _copied_dict(value, depth - 1, room)
    if kind is list or kind is tuple:
        return _copied_items(value, depth - 1, room)
    if kind is set or kind is frozenset:
        return _copied_set(value, depth - 1, room)
    from esflow import forms

    return _copied(forms.opener(kind)(value), depth, room)


def _text(value: str, room: _Room) -> str:
    if value.isascii():
        room.text -= len(value)
    else:
        try:
            room.text -= len(value.encode())
        except UnicodeEncodeError as error:
            code = ord(value[error.start])
            raise Misfit(
                f"has a lone surrogate U+{code:X} at {error.start}; it is no text"
            ) from None
    if room.text < 0:
        raise Misfit(
            f"brings the payload over {max_bytes} bytes; store it elsewhere, pass its name"
        )
    return value


def _refuse_size(depth: int) -> NoReturn:
    if depth < 0:
        raise Misfit(f"is nested more than {max_depth} deep, or contains itself; flatten it")
    raise Misfit(f"brings the payload over {max_nodes} values; pass a reference instead")


def _copied_dict(value: Mapping[Any, Any], depth: int, room: _Room) -> dict[str, Json]:
    room.nodes -= len(value)
    if depth < 0 or room.nodes < 0:
        _refuse_size(depth)
    made: dict[str, Json] = {}
    for key, item in value.items():
        if type(key) is not str:
            raise Misfit(f"has a key that is no text but {_a(key)}; JSON has no others")
        try:
            _text(key, room)
        except Misfit as misfit:
            raise Misfit(f"key {key!a:.100} {misfit.problem}") from None
        try:
            made[key] = _copied(item, depth, room)
        except Misfit as misfit:
            if room.is_strict:
                raise misfit.within(step_to(key)) from misfit.__cause__
            made[key] = _unknown(item)
    return made


def _copied_items(value: Any, depth: int, room: _Room) -> list[Json]:
    room.nodes -= len(value)
    if depth < 0 or room.nodes < 0:
        _refuse_size(depth)
    made: list[Json] = []
    for item in value:
        try:
            made.append(_copied(item, depth, room))
        except Misfit as misfit:
            if room.is_strict:
                in_order = isinstance(value, list | tuple)
                step = f"[{len(made)}]" if in_order else f"{{{type(item).__name__}}}"
                raise misfit.within(step) from misfit.__cause__
            made.append(_unknown(item))
    return made


def _copied_set(value: Any, depth: int, room: _Room) -> Json:
    items = _copied_items(value, depth, room)
    return sorted(items, key=_writing())


def _a(value: object) -> str:
    """Return what a value is, without asking it: it may be endless, or fail to show itself."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def _unknown(value: object) -> Json:
    return {"": _a(value)}


@final
@attrs.frozen(slots=False)
@by_value
class Signature:
    """What a handler takes after its context, and how each value gets there."""

    context: str
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    rest: bool  # Whether **kwargs takes what has no parameter.
    readers: Mapping[str, _Reader] = attrs.field(eq=False, repr=False)
    types: Mapping[str, tuple[str, ...]]  # Those of JSON that are read, none for any.

    def accepts(self, name: str) -> bool:
        """Tell whether a payload may have this key."""
        return name in self.readers or (self.rest and name != self.context)


def signature_of(fn: Callable[..., object], flow: str) -> Signature:
    """Return the signature of a handler.

    Raises: FlowError, when a payload can't be bound to it.
    """
    name = getattr(fn, "__qualname__", type(fn).__qualname__)

    def refusal(problem: str) -> FlowError:
        return FlowError(flow, f"handler {name} {problem}")

    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError) as error:
        raise refusal(f"has no readable signature: {error}") from error
    if not parameters or parameters[0].kind in _not_context:
        raise refusal("takes no context; give it a first parameter ctx")
    taken = [parameter for parameter in parameters[1:] if parameter.kind in _by_name]
    rest = [parameter for parameter in parameters[1:] if parameter.kind is _rest]
    for parameter in parameters[1:]:
        if parameter not in taken and parameter not in rest:
            raise refusal(f"takes {parameter.name} by place; payloads are bound by name")
    from esflow import structures

    readers: dict[str, _Reader] = {}
    types: dict[str, tuple[str, ...]] = {}
    for parameter in taken:
        try:
            annotation = hint(fn, parameter.annotation)
            readers[parameter.name] = structures.reader_of(annotation)
            types[parameter.name] = _types(annotation)
        except (NameError, AttributeError, TypeError, SyntaxError, Misfit) as error:
            raise refusal(
                f"parameter {parameter.name}: annotation {_spelled(parameter.annotation)} "
                f"can't be used: {getattr(error, 'problem', error)}"
            ) from error
    return Signature(
        parameters[0].name,
        tuple(readers),
        tuple(parameter.name for parameter in taken if parameter.default is parameter.empty),
        bool(rest),
        MappingProxyType(readers),
        MappingProxyType(types),
    )


_rest: Final = inspect.Parameter.VAR_KEYWORD
_by_name: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_not_context: Final = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


def bind(signature: Signature, slot: str, payload: Mapping[str, Json]) -> dict[str, object]:
    """Return the arguments that a handler gets for a payload, in containers of their own.

    Raises: PayloadError, naming slot and parameter, when the payload doesn't fit.
    """
    readers = signature.readers
    bound: dict[str, object] = {}
    for name, value in payload.items():
        reader = readers.get(name)
        if reader is not None:
            try:
                bound[name] = reader(value)
            except Misfit as misfit:
                raise misfit.refusal(f"{slot}.{name}") from misfit.__cause__
        elif signature.accepts(name):
            bound[name] = copy_json(value)
        else:
            takes = ", ".join(signature.parameters) or "nothing"
            raise PayloadError(f"{slot}.{name}", f"is no parameter of this slot; it takes {takes}")
    for name in signature.required:
        if name not in bound:
            raise PayloadError(f"{slot}.{name}", "is missing; the handler has no default for it")
    return bound


def structure(value: Json, annotation: object, path: str) -> object:
    """Return JSON as a value of an annotated type.

    Raises: PayloadError, naming the path to what doesn't fit.
    """
    try:
        return _reading()(annotation)(value)
    except Misfit as misfit:
        raise misfit.refusal(path) from misfit.__cause__


def reader_of(annotation: object, path: str) -> _Reader:
    """Return what reads JSON as a value of an annotated type.

    The reader raises: Misfit, when a value doesn't fit.
    Raises: PayloadError, when the annotation has no JSON form.
    """
    try:
        return _reading()(annotation)
    except Misfit as misfit:
        raise misfit.refusal(path) from misfit.__cause__


# Imported at first need, and kept: an import inside a function takes 0.9 µs each time.


@cache
def _hashing() -> Callable[[bytes], str]:
    from hashlib import sha256

    return lambda written: sha256(written).hexdigest()


@cache
def _writing() -> Callable[[object], bytes]:
    from esflow.wires import to_sorted_bytes

    return to_sorted_bytes


@cache
def _reading() -> Callable[[object], _Reader]:
    from esflow.structures import reader_of

    return reader_of


def _types(annotation: object) -> tuple[str, ...]:
    """Return the types of the JSON that an annotation is read from, sorted; none for any."""
    from esflow import hints

    types = sorted(type_names[each] for each in hints.json_types(annotation))
    return () if len(types) == len(type_names) else tuple(types)


def json_of(annotation: object, path: str) -> tuple[tuple[str, ...], tuple[Json, ...] | None]:
    """Return the types of the JSON that an annotation is read from, and its values if few are.

    Shape: types as JSON Schema calls them, sorted, none for any; the values of a Literal, or of an
    enum whose members don't combine, None for every other annotation.
    Raises: PayloadError, when it has no JSON form.
    """
    from esflow import hints, structures

    try:
        structures.reader_of(annotation)
        types = _types(annotation)
        few = hints.lists_its_values(annotation)
        values = tuple(value for value, _ in hints.choices(annotation)) if few else None
    except Misfit as misfit:
        raise misfit.refusal(path) from misfit.__cause__
    return types, values


def _spelled(annotation: object) -> str:
    return (
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__name__", repr(annotation))
    )
