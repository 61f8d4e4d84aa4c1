"""What an annotation means for JSON: its kind, and the JSON types that it is read from.

It knows nothing of values; `structures` reads them.
"""

from __future__ import annotations

from collections import abc
from dataclasses import is_dataclass
from enum import Enum, Flag
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, is_typeddict

import attrs
from cattrs.cols import is_namedtuple

from esflow.forms import leaves, scalars
from esflow.json_values import Misfit, type_of

lists: Final[tuple[Any, ...]] = (
    list,
    abc.Sequence,
    abc.MutableSequence,
    abc.Collection,
    abc.Iterable,
)
"""Read as lists."""

sets: Final[dict[Any, type[Any]]] = {
    set: set,
    frozenset: frozenset,
    abc.Set: frozenset,
    abc.MutableSet: set,
}
"""Read as sets, of these classes."""

mappings: Final[tuple[Any, ...]] = (dict, abc.Mapping, abc.MutableMapping)
"""Read as dictionaries."""


def origin_of(annotation: Any) -> Any:
    """Return the class behind a parametrised annotation, or the annotation itself."""
    return get_origin(annotation) or annotation


def name_of(annotation: Any) -> str:
    """Return an annotation as it stands in a sentence."""
    if get_args(annotation) or not isinstance(annotation, type):
        return repr(annotation).replace("typing.", "")
    return annotation.__name__


def is_union(annotation: Any) -> bool:
    """Tell whether an annotation is ``X | Y`` or ``Optional[X]``."""
    return get_origin(annotation) in (Union, UnionType)


def is_class(annotation: Any) -> bool:
    """Tell whether an annotation is an attrs class or a dataclass, generic or not."""
    origin = origin_of(annotation)
    return isinstance(origin, type) and (attrs.has(origin) or is_dataclass(origin))


def is_enum(annotation: Any) -> bool:
    """Tell whether an annotation is an enum."""
    return isinstance(annotation, type) and issubclass(annotation, Enum)


def lists_its_values(annotation: Any) -> bool:
    """Tell whether what an annotation lists is all there is: members of a flag combine to more."""
    if is_enum(annotation):
        return not issubclass(annotation, Flag)
    return get_origin(annotation) is Literal


def meant_by(annotation: Any) -> Any:
    """Return what stands behind a NewType, an Annotated or a type alias."""
    if get_origin(annotation) is Annotated:
        return get_args(annotation)[0]
    for behind in ("__supertype__", "__value__"):
        if hasattr(annotation, behind) and not isinstance(annotation, type):
            return getattr(annotation, behind)
    return annotation


def choices(annotation: Any) -> list[tuple[Any, Any]]:
    """Return the plain values and the members of an enum or of a Literal.

    Raises: Misfit, when a value is not plain.
    """
    members: list[Any] = list(annotation if is_enum(annotation) else get_args(annotation))
    found = [(member.value if isinstance(member, Enum) else member, member) for member in members]
    for value, _ in found:
        if type(value) not in scalars:
            raise Misfit(f"{name_of(annotation)} has {value!r:.100}, which is no plain value")
    return found


def json_types(annotation: Any) -> frozenset[type[Any]]:
    """Return the types of the JSON that an annotation is read from.

    Raises: Misfit, when it has no JSON form.
    """
    if annotation is Any or annotation is object:
        return frozenset({NoneType, bool, int, float, str, list, dict})
    if annotation is float:
        return frozenset({int, float})
    if annotation is None or annotation in scalars:
        return frozenset({NoneType if annotation is None else annotation})
    if is_union(annotation):
        return _all(get_args(annotation))
    if is_enum(annotation) or get_origin(annotation) is Literal:
        return frozenset(type_of(value) for value, _ in choices(annotation))
    meant = meant_by(annotation)
    return _structured(annotation) if meant is annotation else json_types(meant)


def _all(annotations: tuple[Any, ...]) -> frozenset[type[Any]]:
    return frozenset(kind for annotation in annotations for kind in json_types(annotation))


def _structured(annotation: Any) -> frozenset[type[Any]]:
    origin = origin_of(annotation)
    if annotation in leaves:
        return frozenset({str})
    if origin in lists or origin in sets or origin is tuple or is_namedtuple(annotation):
        return frozenset({list})
    if origin in mappings or is_class(annotation) or is_typeddict(annotation):
        return frozenset({dict})
    raise Misfit(f"{name_of(annotation)} has no JSON form")
