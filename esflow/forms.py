"""How each class that may be recorded is written as JSON, one level at a time.

It knows nothing of annotations: a value is written by what it is, never by what a field says it
might be.
cattrs takes apart attrs classes and dataclasses; their fields stay as they are, so that whoever
goes through them sees every value, and can name the path to it.

What a class is written as
--------------------------
attrs classes, dataclasses: an object of the fields their constructor takes (what it derives, it
derives again). Enum: its value. Named tuple: an array. Another mapping: an object.
datetime, date, time, timedelta: ISO 8601. UUID, Decimal, path: their text. bytes: base64.
"""

from __future__ import annotations

import dataclasses
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from types import NoneType
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

import attrs
import msgspec
from cattrs import Converter
from cattrs.cols import is_namedtuple
from cattrs.gen import make_dict_unstructure_fn, override

from esflow.events import Json
from esflow.json_values import Misfit

Write: TypeAlias = Callable[[Any], Any]
Read: TypeAlias = Callable[[Any], Any]

scalars: Final[tuple[type[Any], ...]] = (str, int, float, bool, NoneType)
_converter: Final = Converter()


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


leaves: Final[dict[type[Any], tuple[Write, Read]]] = {
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


def _opener(kind: type[Any]) -> Write:
    """Return what writes one level of a class: its fields and items stay as they are.

    Raises: Misfit, for a class that has no JSON form.
    """
    if kind in leaves:
        return leaves[kind][0]
    if "__attrs_attrs__" in kind.__dict__ or "__dataclass_fields__" in kind.__dict__:
        return _fields_of(kind)
    if issubclass(kind, Enum):
        return _enum_value
    if is_namedtuple(kind):
        return list
    if issubclass(kind, Mapping):
        return dict
    raise Misfit(
        f"is a {kind.__module__}.{kind.__qualname__}, which has no JSON form; "
        "pass plain data, an attrs class or a dataclass"
    )


opener: Final = cast("Callable[[type[Any]], Write]", lru_cache(maxsize=4096)(_opener))


def _fields_of(kind: type[Any]) -> Write:
    fields = attrs.fields(kind) if attrs.has(kind) else dataclasses.fields(kind)
    as_they_are: dict[str, Any] = {field.name: override(unstruct_hook=_same) for field in fields}
    try:
        return make_dict_unstructure_fn(kind, _converter, **as_they_are)
    except NameError as error:
        raise Misfit(f"is a {kind.__qualname__}, whose annotations fail: {error}") from error


def _same(value: object) -> object:
    return value


def _enum_value(member: Enum) -> Json:
    if type(member.value) not in scalars:
        raise Misfit(
            f"is {type(member).__name__}.{member.name}, whose value is not plain; "
            "give the enum text or numbers as values"
        )
    return member.value
