"""Reading JSON as values of annotated types: what `forms` writes, and only that.

cattrs decides how attrs classes, dataclasses and typed dictionaries are made.
The hooks registered here make it strict, because by itself it converts: ``"5"`` is no int here,
``1`` no bool, ``"abc"`` no list of letters; only an int is taken where a float is meant, when
that float is equal to it.
The module knows nothing of limits or slots, and is imported at first need, because cattrs costs
more than half of what a whole ``import esflow`` may.

Unions
------
A union is told apart by the JSON type of a value alone, so ``str | int`` and ``Task | None`` are
read, and ``str | datetime`` is refused where it is declared: both are text, and a guess would
turn one into the other.
Several attrs classes or dataclasses in one union are told apart by cattrs, by their fields.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from enum import Flag
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, TypeAlias, cast, get_args, get_origin, get_type_hints

from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError
from cattrs.cols import is_namedtuple
from cattrs.disambiguators import create_default_dis_func
from cattrs.errors import AttributeValidationNote, StructureHandlerNotFoundError
from cattrs.gen import make_dict_structure_fn

from esflow import hints
from esflow.events import Json
from esflow.forms import Read, leaves, scalars
from esflow.hints import name_of, origin_of
from esflow.json_values import Misfit, copy_json, step_to, type_of

_Hook: TypeAlias = Callable[[Any, Any], Any]


def _reader(annotation: Any) -> Read:
    """Return what reads JSON as a value of an annotated type, every container a fresh one.

    The reader raises: Misfit, when a value doesn't fit.
    Raises: Misfit, when the annotation has no JSON form.
    """
    hook = _hook(annotation)

    def read(value: Json) -> object:
        try:
            return hook(value)
        except BaseValidationError as error:
            raise _first_misfit(error) from error

    return read if hook not in _plain.values() else hook


_cached_reader: Final = cast("Callable[[Any], Read]", lru_cache(maxsize=4096)(_reader))


def reader_of(annotation: object) -> Read:
    """Return what reads JSON as a value of an annotated type, every container a fresh one.

    The reader raises: Misfit, when a value doesn't fit.
    Raises: Misfit, when the annotation has no JSON form.
    """
    try:
        return _cached_reader(annotation)
    except TypeError:  # An Annotated of something that has no hash.
        return _reader(annotation)


def _hook(annotation: Any) -> Read:
    """Return the reader of an annotation inside another; it may raise what cattrs raises."""
    if isinstance(annotation, type) and issubclass(annotation, _inherited):
        return _scalar_reader(annotation)
    meant = hints.meant_by(annotation)
    if meant is not annotation:
        return _hook(meant)
    try:
        hook = _converter.get_structure_hook(annotation)
    except StructureHandlerNotFoundError as error:
        raise Misfit(f"{name_of(annotation)} has no JSON form") from error
    return lambda value: hook(value, annotation)


def _first_misfit(error: BaseException) -> Misfit:
    """Return the first thing that cattrs found wrong, with the path to it."""
    match error:
        case Misfit():
            return error
        case BaseValidationError():
            first = error.exceptions[0]
            steps = [
                step_to(note.name)
                for note in getattr(first, "__notes__", ())
                if isinstance(note, AttributeValidationNote)
            ]
            inner = _first_misfit(first)  # May carry notes: those of this level end here.
            return Misfit(inner.problem, "".join(steps) + inner.path)
        case ForbiddenExtraKeysError():
            extra = ", ".join(sorted(map(repr, error.extra_fields)))
            return Misfit(f"has fields that {error.cl.__name__} lacks: {extra}")
        case KeyError():
            return Misfit("is missing")
        case _:
            return Misfit(f"is refused: {type(error).__name__}: {error}")


def _expected(what: str, value: Json) -> Misfit:
    return Misfit(f"expected {what}, got {value!r:.100} ({type(value).__name__})")


# Values without parts


def _exactly(kind: type[Any]) -> Read:
    def read_exactly(value: Json) -> Json:
        if type_of(value) is not kind:
            raise _expected(kind.__name__, value)
        return value

    return read_exactly


def _copied(kind: type[Any]) -> Read:
    check = _exactly(kind)
    return lambda value: copy_json(check(value))


def _read_float(value: Json) -> float:
    if type(value) is float:
        return value
    if type_of(value) is int and int(float(value)) == value:
        return float(value)
    raise _expected("float", value)


def _leaf(kind: type[Any]) -> Read:
    read = leaves[kind][1]

    def read_text(value: Json) -> object:
        if type_of(value) is not str:
            raise _expected(f"{kind.__name__} as text", value)
        try:
            return read(value)
        except (ValueError, ArithmeticError) as error:
            raise _expected(f"{kind.__name__} as text", value) from error

    return read_text


_plain: Final[dict[Any, Read]] = {
    Any: copy_json,
    object: copy_json,
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _read_float,
    NoneType: _exactly(NoneType),
    None: _exactly(NoneType),
    list: _copied(list),
    dict: _copied(dict),
    **{kind: _leaf(kind) for kind in leaves},
}
"""Annotations read without cattrs."""

_as_they_are: Final = (Any, object, None, NoneType, bool, int, float, str, list, dict)
"""Annotations that, where one of them is Any, read the same JSON as the same value."""

_inherited: Final = (str, int, float, bytes, Path)
"""Classes whose subclasses cattrs would read as these; only their enums have a JSON form."""


def _inheriting(kind: Any) -> Read:
    if kind in _plain:
        return _plain[kind]
    return _choice_reader(kind) if hints.is_enum(kind) else _refused(kind)


_scalar_reader: Final = cast("Callable[[Any], Read]", lru_cache(maxsize=4096)(_inheriting))


def _refused(annotation: Any) -> Any:
    raise Misfit(
        f"{name_of(annotation)} has no JSON form; use a plain type, an attrs class or a dataclass"
    )


def _choice_reader(kind: Any) -> Read:
    members: dict[tuple[type[Any], Json], Any] = {
        (type(value), value): member for value, member in hints.choices(kind)
    }
    is_flag = isinstance(kind, type) and issubclass(kind, Flag)
    expected = f"one of {[value for _, value in members]}"

    def read_choice(value: Json) -> Any:
        if type(value) in scalars and (type(value), value) in members:
            return members[type(value), value]
        if is_flag and type_of(value) is int:
            try:
                return kind(value)
            except ValueError as error:
                raise _expected(expected, value) from error
        raise _expected(expected, value)

    return read_choice


# Values with parts


def _items(annotation: Any, value: Json, read: Read) -> list[Any]:
    if type_of(value) is not list:
        raise _expected(f"{name_of(annotation)} as a list", value)
    made: list[Any] = []
    for item in value:
        try:
            made.append(read(item))
        except (Misfit, BaseValidationError) as error:
            raise _first_misfit(error).within(f"[{len(made)}]") from error
    return made


def _list_reader(annotation: Any) -> Read:
    (item,) = get_args(annotation) or (Any,)
    read = _hook(item)
    return lambda value: _items(annotation, value, read)


def _set_reader(annotation: Any) -> Read:
    (item,) = get_args(annotation) or (Any,)
    read = _hook(item)
    make = hints.sets[origin_of(annotation)]

    def read_set(value: Json) -> Any:
        items = _items(annotation, value, read)
        try:
            made = make(items)
        except TypeError as error:
            raise Misfit(f"has an item that no set can hold: {error}") from error
        if len(made) != len(items):
            raise Misfit("has an item twice, which no set has")
        return made

    return read_set


def _tuple_reader(annotation: Any) -> Read:
    match get_args(annotation) if get_origin(annotation) else (Any, ...):
        case (item, second) if second is ...:
            read = _hook(item)
            return lambda value: tuple(_items(annotation, value, read))
        case items:
            return _fixed_reader(annotation, items, tuple)


def _named_tuple_reader(kind: Any) -> Read:
    types = get_type_hints(kind, include_extras=True)
    return _fixed_reader(kind, tuple(types.get(name, Any) for name in kind._fields), kind._make)


def _fixed_reader(
    annotation: Any, items: tuple[Any, ...], make: Callable[[list[Any]], Any]
) -> Read:
    reads = [_hook(item) for item in items]

    def read_fixed(value: Json) -> Any:
        if type_of(value) is list and len(value) != len(reads):
            raise _expected(f"{len(reads)} items", value)
        turn = iter(reads)

        def read_next(item: Json) -> object:
            return next(turn)(item)

        return make(_items(annotation, value, read_next))

    return read_fixed


def _mapping_reader(annotation: Any) -> Read:
    key, item = get_args(annotation) or (str, Any)
    if hints.json_types(key) != frozenset[type[Any]]({str}):
        raise Misfit(f"{name_of(annotation)} has keys that are no text; JSON has no others")
    read_key, read = _hook(key), _hook(item)

    def read_mapping(value: Json) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for name, inner in _object(annotation, value).items():
            try:
                made[read_key(name)] = read(inner)
            except (Misfit, BaseValidationError) as error:
                raise _first_misfit(error).within(step_to(name)) from error
        return made

    return read_mapping


def _object(annotation: Any, value: Json) -> dict[str, Json]:
    if type_of(value) is not dict:
        raise _expected(f"{name_of(annotation)} as an object", value)
    return cast("dict[str, Json]", value)


def _class_reader(kind: Any) -> Read:
    make = make_dict_structure_fn(kind, _converter, _cattrs_forbid_extra_keys=True)
    return lambda value: make(_object(kind, value), kind)


# Unions


def _union_reader(annotation: Any) -> Read:
    members = get_args(annotation)
    claims: dict[type[Any], list[Any]] = {}
    for member in members:
        for kind in hints.json_types(member):
            claims.setdefault(kind, []).append(member)
    if int in members and float in members:
        claims[int] = [int]
    reads = {kind: _one_of(rivals, annotation) for kind, rivals in claims.items()}

    def read_union(value: Json) -> Any:
        read = reads.get(type_of(value))
        if read is None:
            raise _expected(name_of(annotation), value)
        return read(value)

    return read_union


def _one_of(rivals: list[Any], annotation: Any) -> Read:
    if len(rivals) == 1:
        return _hook(rivals[0])
    if all(rival in _as_they_are for rival in rivals):
        return copy_json
    alike = f"{name_of(annotation)} can't be told apart in JSON"
    if not all(map(hints.is_class, rivals)):
        raise Misfit(f"{alike}: {' and '.join(map(name_of, rivals))} look the same")
    try:
        choose = create_default_dis_func(_converter, *rivals)
    except TypeError as error:
        raise Misfit(f"{alike}: {error}") from error
    reads = {rival: _hook(rival) for rival in rivals}

    def read(value: Json) -> Any:
        try:
            chosen = choose(value)
        except ValueError as error:
            raise _expected(name_of(annotation), value) from error
        return reads[chosen](value)

    return read


def _strict_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    loose = {collections.deque, collections.Counter, collections.defaultdict}
    kinds: list[tuple[Callable[[Any], bool], Callable[[Any], Read]]] = [
        (lambda kind: origin_of(kind) in loose | {collections.OrderedDict}, _refused),
        (hints.is_class, _class_reader),
        (hints.is_enum, _choice_reader),
        (lambda kind: get_origin(kind) is Literal, _choice_reader),
        (lambda kind: origin_of(kind) in hints.lists, _list_reader),
        (lambda kind: origin_of(kind) in hints.sets, _set_reader),
        (lambda kind: origin_of(kind) is tuple, _tuple_reader),
        (is_namedtuple, _named_tuple_reader),
        (lambda kind: origin_of(kind) in hints.mappings, _mapping_reader),
        (hints.is_union, _union_reader),
        (_plain.__contains__, _plain.__getitem__),
    ]
    for applies, reader in kinds:
        converter.register_structure_hook_factory(applies, _as_factory(reader))
    for inherited in _inherited:  # Found by inheritance, before any predicate is asked.
        converter.register_structure_hook(
            inherited, lambda value, kind: _scalar_reader(kind)(value)
        )
    return converter


def _as_factory(reader: Callable[[Any], Read]) -> Callable[[Any], _Hook]:
    def factory(kind: Any) -> _Hook:
        read = reader(kind)
        return lambda value, _: read(value)

    return factory


_converter: Final = _strict_converter()
