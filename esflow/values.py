"""What values do alike, written once: they are compared, hashed and shown by their fields.

It knows nothing of the rest of the library.

attrs would write these methods anew for every class and compile them while `import esflow` waits:
for a class of five fields 0.12 of 0.37 ms go to ``__repr__``, 0.10 to ``__eq__`` and ``__hash__``.
There are about a hundred such classes, and few of their values are ever compared or shown.
attrs leaves alone what a class has already, so `by_value` stands below its own decorator.

A class with slots is made twice, which takes a quarter of the rest; those of which few values are
made, as commands and the parts of a graph, do without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

import attrs

Kind = TypeVar("Kind")


def by_value(kind: type[Kind]) -> type[Kind]:
    """Let the values of a frozen class be compared, hashed and shown by their fields."""
    return _given(kind, {"__repr__": shown, "__eq__": _is_equal, "__hash__": _hash})


def by_contents(kind: type[Kind]) -> type[Kind]:
    """Let what can change be compared and shown by its fields; it has no hash."""
    return _given(kind, {"__repr__": shown, "__eq__": _is_equal})


def unlocked(
    kind: type[Kind], turns: Mapping[str, Callable[[Any], Any]] | None = None
) -> type[Kind]:
    """Return a class that fills values of a frozen one in a third of the time.

    The frozen one's own constructor sets each field past the lock that it is under.
    So a value is filled while its class is one without the lock, and whoever makes it sets its
    ``__class__`` then and there, which an audit hook hears of.

    Shape: what is returned takes all fields, in their order; ``turns`` are what some are put
    through first.
    """
    turns = turns or {}
    names = [each.name for each in attrs.fields(cast("type[Any]", kind))]
    fields: dict[str, Any] = {each: attrs.field(converter=turns.get(each)) for each in names}
    return attrs.make_class(
        kind.__name__,
        fields,
        bases=(kind,),
        class_body={each: getattr(object, each) for each in ("__setattr__", "__delattr__")},
        slots=True,
        eq=False,
        repr=False,
    )


def shown(value: Any) -> str:
    """Return what attrs would: the name of the class, and its fields."""
    fields = [field.name for field in value.__attrs_attrs__ if field.repr]
    each = ", ".join(f"{name}={getattr(value, name)!r}" for name in fields)
    return f"{type(value).__qualname__}({each})"


def listed(names: Iterable[str]) -> str:
    """Return names as they stand in a sentence."""
    return ", ".join(names) or "none"


def _is_equal(value: object, other: object) -> object:
    if type(other) is not type(value):
        return NotImplemented
    return _compared(value) == _compared(other)


def _hash(value: object) -> int:
    return hash((type(value), _compared(value)))


def _compared(value: Any) -> tuple[object, ...]:
    return tuple([getattr(value, field.name) for field in value.__attrs_attrs__ if field.eq])


def _given(kind: type[Kind], methods: Mapping[str, Callable[..., object]]) -> type[Kind]:
    """Give a class the methods that it lacks."""
    for name in methods.keys() - vars(kind).keys():
        setattr(kind, name, methods[name])
    return kind
