"""The classes that stand for JSON: how each is written, and how an annotation reads it back.

cattrs decides how attrs classes, dataclasses, named tuples and typed dictionaries are made;
what is registered here makes it strict: it reads a value only from the JSON that `opener` writes
for it, never by conversion (``"5"`` is no int, and ``"abc"`` no list of letters).
It knows nothing of limits, slots or paths from outside; it is imported at first need, because
cattrs costs more than half of what a whole ``import esflow`` may.

Unions
------
A union is told apart by the JSON type of the value alone, so ``str | int`` and ``Task | None``
are read, and ``str | datetime`` is refused where it is declared: both are text, and a guess would
turn one into the other.
Several attrs classes or dataclasses in one union are told apart by cattrs, by their fields.
"""

from __future__ import annotations

import collections
from base64 import b64decode, b64encode
from collections import abc
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from functools import lru_cache
from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

import attrs
import msgspec
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError
from cattrs.cols import is_namedtuple
from cattrs.disambiguators import create_default_dis_func
from cattrs.errors import AttributeValidationNote, StructureHandlerNotFoundError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from esflow.events import Json
from esflow.json_values import Misfit, copy_json, step_to

_Read: TypeAlias = Callable[[Any], Any]
_Write: TypeAlias = Callable[[Any], Any]


def _moment(value: datetime) -> str:
    text = value.isoformat()
    if datetime.fromisoformat(text) != value:
        raise Misfit(f"{text} is ambiguous in its time zone; give it in UTC")
    return text


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise Misfit(f"{value} is no number that JSON can hold; write None or text")
    return str(value)


def _read_decimal(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


_leaves: Final[dict[type[Any], tuple[_Write, _Read]]] = {
    datetime: (_moment, datetime.fromisoformat),
    date: (date.isoformat, date.fromisoformat),
    time: (time.isoformat, time.fromisoformat),
    timedelta: (msgspec.to_builtins, lambda text: msgspec.convert(text, timedelta)),
    UUID: (str, UUID),
    Decimal: (_decimal, _read_decimal),
    bytes: (lambda value: b64encode(value).decode(), lambda text: b64decode(text, validate=True)),
    Path: (str, Path),
    PosixPath: (str, Path),
    WindowsPath: (str, Path),
    PurePath: (str, PurePath),
    PurePosixPath: (str, PurePosixPath),
    PureWindowsPath: (str, PureWindowsPath),
}
"""Classes written as text."""


@lru_cache(maxsize=4096)
def opener(kind: type[Any]) -> _Write:
    """Return what writes one level of a class: its fields and items stay as they are.

    Raises: Misfit, when called with a class that has no JSON form.
    """
    if kind in _leaves:
        return _leaves[kind][0]
    if "__attrs_attrs__" in kind.__dict__ or "__dataclass_fields__" in kind.__dict__:
        names = get_type_hints(kind) if is_dataclass(kind) else attrs.fields_dict(kind)
        kept = {name: override(unstruct_hook=_same) for name in names}
        return make_dict_unstructure_fn(kind, _converter, **kept)
    if issubclass(kind, Enum):
        return _enum_value
    if is_namedtuple(kind):
        return list
    if issubclass(kind, abc.Mapping):
        return dict
    raise Misfit(
        f"is a {kind.__module__}.{kind.__qualname__}, which has no JSON form; "
        "pass plain data, an attrs class or a dataclass"
    )


def _same(value: object) -> object:
    return value


_scalars: Final = (str, int, float, bool, NoneType)


def _enum_value(member: Enum) -> Json:
    if type(member.value) not in _scalars:
        raise Misfit(f"{member} has no plain value; give the enum text or numbers as values")
    return member.value


def reader_of(annotation: object) -> _Read:
    """Return what reads JSON as a value of an annotated type, every container a fresh one.

    The reader raises: Misfit, when a value doesn't fit.
    Raises: Misfit, when the annotation has no JSON form.
    """
    return _cached_reader(annotation) if isinstance(annotation, Hashable) else _reader(annotation)


def _reader(annotation: Any) -> _Read:
    plain = _plain.get(annotation) if isinstance(annotation, type) or annotation is Any else None
    if plain is not None:
        return plain
    hook = _hook(annotation)

    def read(value: Json) -> object:
        try:
            return hook(value)
        except BaseValidationError as error:
            raise misfit_of(error) from error

    return read


_cached_reader = lru_cache(maxsize=4096)(_reader)


def _hook(annotation: Any) -> _Read:
    if isinstance(annotation, type) and issubclass(annotation, (str, int, float, bytes, Path)):
        return _scalar_reader(annotation)
    try:
        hook = _converter.get_structure_hook(annotation)
    except StructureHandlerNotFoundError as error:
        raise Misfit(f"{_named(annotation)} has no JSON form") from error
    return lambda value: hook(value, annotation)


def misfit_of(error: BaseException) -> Misfit:
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
            inner = misfit_of(first)  # May carry notes: those of this level must not stay on it.
            return Misfit(inner.problem, "".join(steps) + inner.path)
        case ForbiddenExtraKeysError():
            extra = ", ".join(sorted(map(repr, error.extra_fields)))
            return Misfit(f"has fields that {error.cl.__name__} lacks: {extra}")
        case KeyError():
            return Misfit("is missing")
        case _:
            return Misfit(f"is refused: {type(error).__name__}: {error}")


def _named(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or repr(annotation)


def _got(value: Json) -> str:
    return f"{value!r:.100} ({type(value).__name__})"


def _exactly(kind: type[Any]) -> _Read:
    def read(value: Json) -> Json:
        if type(value) is not kind:
            raise Misfit(f"expected {kind.__name__}, got {_got(value)}")
        return value

    return read


def _read_float(value: Json) -> float:
    if type(value) is float:
        return value
    if type(value) is int and int(float(value)) == value:
        return float(value)
    raise Misfit(f"expected float, got {_got(value)}")


def _leaf(kind: type[Any]) -> _Read:
    read = _leaves[kind][1]

    def read_text(value: Json) -> object:
        if type(value) is str:
            try:
                return read(value)
            except (ValueError, ArithmeticError):
                pass
        raise Misfit(f"expected {kind.__name__} as text, got {_got(value)}")

    return read_text


def _opaque(kind: type[Any]) -> _Read:
    def read(value: Json) -> Json:
        if type(value) is not kind:
            raise Misfit(f"expected {kind.__name__}, got {_got(value)}")
        return copy_json(value)

    return read


_plain: Final[dict[Any, _Read]] = {
    Any: copy_json,
    object: copy_json,
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _read_float,
    NoneType: _exactly(NoneType),
    list: _opaque(list),
    dict: _opaque(dict),
    **{kind: _leaf(kind) for kind in _leaves},
}

_lists: Final = (list, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable)
_sets: Final = {set: set, frozenset: frozenset, abc.Set: frozenset, abc.MutableSet: set}
_mappings: Final = (dict, abc.Mapping, abc.MutableMapping)
_refused: Final = (
    collections.deque,
    collections.Counter,
    collections.defaultdict,
    collections.OrderedDict,
)


def _origin(annotation: Any) -> Any:
    return get_origin(annotation) or annotation


def _items(values: list[Json], read: _Read) -> list[Any]:
    made: list[Any] = []
    for value in values:
        try:
            made.append(read(value))
        except (Misfit, BaseValidationError) as error:
            raise misfit_of(error).within(f"[{len(made)}]") from error
    return made


def _list_factory(annotation: Any) -> Callable[[Any, Any], Any]:
    (item,) = get_args(annotation) or (Any,)
    read = _hook(item)

    def read_list(value: Json, _: object) -> list[Any]:
        return _items(_of(list, value, annotation), read)

    return read_list


def _of(kind: type[Any], value: Json, annotation: Any) -> Any:
    if type(value) is not kind:
        raise Misfit(f"expected {_named(annotation)} as a {kind.__name__}, got {_got(value)}")
    return value


def _set_factory(annotation: Any) -> Callable[[Any, Any], Any]:
    (item,) = get_args(annotation) or (Any,)
    read, make = _hook(item), _sets[_origin(annotation)]

    def read_set(value: Json, _: object) -> Any:
        items = _items(_of(list, value, annotation), read)
        try:
            made = make(items)
        except TypeError as error:
            raise Misfit(f"has items that no set can hold: {error}") from error
        if len(made) != len(items):
            raise Misfit("has an item twice; a set has it once")
        return made

    return read_set


def _tuple_factory(annotation: Any) -> Callable[[Any, Any], Any]:
    arguments = get_args(annotation)
    if get_origin(annotation) is None:
        arguments = (Any, ...)
    if len(arguments) == 2 and arguments[1] is ...:
        read = _hook(arguments[0])
        return lambda value, _: tuple(_items(_of(list, value, annotation), read))
    return _fixed(annotation, arguments, tuple)


def _fixed(
    annotation: Any, arguments: tuple[Any, ...], make: Callable[[list[Any]], Any]
) -> Callable[[Any, Any], Any]:
    reads = [_hook(argument) for argument in arguments]

    def read_fixed(value: Json, _: object) -> Any:
        if len(_of(list, value, annotation)) != len(reads):
            raise Misfit(f"expected {len(reads)} items, got {len(value)}")
        turn = iter(reads)
        return make(_items(value, lambda item: next(turn)(item)))

    return read_fixed


def _namedtuple_factory(kind: Any) -> Callable[[Any, Any], Any]:
    hints = get_type_hints(kind, include_extras=True)
    return _fixed(kind, tuple(hints.get(name, Any) for name in kind._fields), kind._make)


def _mapping_factory(annotation: Any) -> Callable[[Any, Any], Any]:
    key, item = get_args(annotation) or (str, Any)
    read_key, read = _hook(key), _hook(item)

    def read_mapping(value: Json, _: object) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for name, inner in _of(dict, value, annotation).items():
            try:
                made[read_key(name)] = read(inner)
            except (Misfit, BaseValidationError) as error:
                raise misfit_of(error).within(step_to(name)) from error
        return made

    return read_mapping


def _class_factory(kind: Any) -> Callable[[Any, Any], Any]:
    make = make_dict_structure_fn(kind, _converter, _cattrs_forbid_extra_keys=True)
    return lambda value, _: make(_of(dict, value, kind), kind)


def _enum_factory(kind: Any) -> Callable[[Any, Any], Any]:
    return _choice(kind, {_key(member.value): member for member in kind})


def _literal_factory(annotation: Any) -> Callable[[Any, Any], Any]:
    options = get_args(annotation)
    return _choice(
        annotation,
        {_key(option.value if isinstance(option, Enum) else option): option for option in options},
    )


def _key(value: Any) -> tuple[type[Any], Any]:
    if type(value) not in _scalars:
        raise Misfit(f"{value!r} is no plain value; give the choices text or numbers")
    return type(value), value


def _choice(kind: Any, members: dict[Any, Any]) -> Callable[[Any, Any], Any]:
    def read_choice(value: Json, _: object) -> Any:
        if type(value) in _scalars and (type(value), value) in members:
            return members[type(value), value]
        if isinstance(kind, type) and issubclass(kind, Flag) and type(value) is int:
            return kind(value)
        raise Misfit(f"expected one of {[choice for _, choice in members]}, got {_got(value)}")

    return read_choice


def _union_factory(annotation: Any) -> Callable[[Any, Any], Any]:
    members = get_args(annotation)
    claims: dict[type[Any], list[Any]] = {}
    for member in members:
        for kind in _json_types(member):
            claims.setdefault(kind, []).append(member)
    if int in members and float in members:
        claims[int] = [int]
    reads = {kind: _one_of(tuple(rivals), annotation) for kind, rivals in claims.items()}

    def read_union(value: Json, _: object) -> Any:
        read = reads.get(type(value))
        if read is None:
            raise Misfit(f"expected {annotation}, got {_got(value)}")
        return read(value)

    return read_union


def _one_of(rivals: tuple[Any, ...], annotation: Any) -> _Read:
    if len(rivals) == 1:
        return _hook(rivals[0])
    if not all(map(_is_class, rivals)):
        raise Misfit(
            f"{annotation} can't be told apart in JSON: {', '.join(map(_named, rivals))} look alike"
        )
    try:
        choose = create_default_dis_func(_converter, *rivals)
    except TypeError as error:
        raise Misfit(f"{annotation} can't be told apart in JSON: {error}") from error
    reads = {rival: _hook(rival) for rival in rivals}

    def read(value: Json) -> Any:
        try:
            chosen: Any = choose(value)
        except ValueError as error:
            raise Misfit(f"expected {annotation}, got {_got(value)}") from error
        return reads[chosen](value)

    return read


_json_kinds: Final = frozenset({NoneType, bool, int, float, str, list, dict})


def _json_types(annotation: Any) -> frozenset[type[Any]]:
    """Return the types of the JSON that an annotation reads."""
    origin = _origin(annotation)
    if origin is Annotated or hasattr(annotation, "__supertype__") or _is_alias(annotation):
        return _json_types(_meant(annotation))
    if origin is Literal:
        options = get_args(annotation)
        return frozenset(type(getattr(option, "value", option)) for option in options)
    if _is_union(annotation):
        return frozenset().union(*map(_json_types, get_args(annotation)))
    if annotation is Any or annotation is object:
        return _json_kinds
    if annotation is float:
        return frozenset({int, float})
    if annotation is None or annotation in _scalars:
        return frozenset({NoneType if annotation is None else annotation})
    if annotation in _leaves:
        return frozenset({str})
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return frozenset(type(member.value) for member in annotation)
    if origin in _lists or origin in _sets or origin is tuple or is_namedtuple(annotation):
        return frozenset({list})
    if origin in _mappings or _is_class(annotation) or is_typeddict(annotation):
        return frozenset({dict})
    raise Misfit(f"{_named(annotation)} has no JSON form")


def _meant(annotation: Any) -> Any:
    if hasattr(annotation, "__supertype__"):
        return annotation.__supertype__
    return annotation.__value__ if _is_alias(annotation) else get_args(annotation)[0]


def _is_alias(annotation: Any) -> bool:
    return type(annotation).__name__ == "TypeAliasType"


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _is_class(annotation: Any) -> bool:
    origin = _origin(annotation)
    return isinstance(origin, type) and (attrs.has(origin) or is_dataclass(origin))


def _refuse(annotation: Any) -> Callable[[Any, Any], Any]:
    raise Misfit(f"{_named(annotation)} has no JSON form; use a plain type, an attrs class or a dataclass")


def _strict_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    factories: list[tuple[Callable[[Any], bool], Callable[[Any], Callable[[Any, Any], Any]]]] = [
        (lambda kind: _origin(kind) in _refused, _refuse),
        (_is_class, _class_factory),
        (lambda kind: isinstance(kind, type) and issubclass(kind, Enum), _enum_factory),
        (lambda kind: get_origin(kind) is Literal, _literal_factory),
        (lambda kind: _origin(kind) in _lists, _list_factory),
        (lambda kind: _origin(kind) in _sets, _set_factory),
        (lambda kind: _origin(kind) is tuple, _tuple_factory),
        (is_namedtuple, _namedtuple_factory),
        (lambda kind: _origin(kind) in _mappings, _mapping_factory),
        (_is_union, _union_factory),
        (_is_plain, lambda kind: _ignoring(_plain[NoneType if kind is None else kind])),
    ]
    for predicate, factory in factories:
        converter.register_structure_hook_factory(predicate, factory)
    # These cattrs finds by inheritance, before it asks any predicate.
    for kind in (str, int, float, bytes, Path):
        converter.register_structure_hook(kind, lambda value, kind: _scalar_reader(kind)(value))
    return converter


@lru_cache(maxsize=4096)
def _scalar_reader(kind: type[Any]) -> _Read:
    if kind in _plain:
        return _plain[kind]
    if not issubclass(kind, Enum):
        _refuse(kind)
    read = _enum_factory(kind)
    return lambda value: read(value, kind)


def _is_plain(annotation: Any) -> bool:
    return annotation is None or (isinstance(annotation, Hashable) and annotation in _plain)


def _ignoring(read: _Read) -> Callable[[Any, Any], Any]:
    return lambda value, _: read(value)


_converter: Final = _strict_converter()
