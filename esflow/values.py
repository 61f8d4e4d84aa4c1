"""What values do alike, written once: they are compared, hashed and shown by their fields.

It knows nothing of the rest of the library.

attrs would write these methods anew for every class and compile them while `import esflow` waits:
for a class of five fields 0.12 of 0.37 ms go to ``__repr__``, 0.10 to ``__eq__`` and ``__hash__``.
There are about a hundred such classes, and few of their values are ever compared or shown.
attrs leaves alone what a class has already, so `by_value` stands below its own decorator.

A class with slots is made twice, which takes a quarter of the rest; those of which few values are
made, as commands and the parts of a graph, do without.

Half of the classes stand for what many a program never meets: a failure, a child job, a fork.
What attrs does for such a class waits for its first value, if `late` stands above it: that is a
sixth of what `import esflow` takes, 57 of 376 million instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import attrs

__all__ = ["by_contents", "by_value", "late", "listed", "shown", "unlocked"]

Kind = TypeVar("Kind")

if TYPE_CHECKING:
    from attrs import frozen as late
else:

    def late(**options: Any) -> Callable[[type[Kind]], type[Kind]]:
        """Freeze a class as attrs does, but when its first value is made, or its fields are read.

        It has no slots: to give it some, attrs would make another class.
        """

        def mark(kind: type[Kind]) -> type[Kind]:
            kind.__init__ = _first
            kind.__attrs_attrs__ = _Unwritten(options)
            return kind

        return mark


class _Unwritten:
    """Stands where attrs keeps the fields of a class, until it is asked for them."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def __get__(self, _: object, kind: Any) -> Any:
        _write(kind)
        return kind.__attrs_attrs__


def _first(self: Any, *values: object, **named: object) -> None:
    """Begin the first value of a class, by the constructor that attrs writes for it now."""
    _write(self.__class__)
    self.__init__(*values, **named)


def _write(kind: type[Any]) -> None:
    """Let attrs do what it has not done yet for a class.

    It does it to another class with the same fields, and the class itself only gains by it: so
    two threads may well do this at the same time.
    """
    unwritten = vars(kind)["__attrs_attrs__"]
    if isinstance(unwritten, _Unwritten):
        names = ("__module__", "__qualname__", "__annotations__", *kind.__annotations__)
        body = {name: vars(kind)[name] for name in names if name in vars(kind)}
        fields = type(kind.__name__, (), body)
        written = vars(attrs.frozen(fields, slots=False, eq=False, repr=False, **unwritten.options))
        for name in (each for each in _WRITTEN if each in written):
            setattr(kind, name, written[name])


_WRITTEN: Final = (
    "__setattr__",
    "__delattr__",
    "__match_args__",
    "__replace__",  # Since Python 3.13.
    "__init__",
    "__attrs_props__",
    "__attrs_attrs__",  # The last: it tells that all the others are there.
)


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
        slots="__slots__" in vars(kind),
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
