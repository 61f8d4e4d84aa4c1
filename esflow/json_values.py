"""JSON values as plain data: copying and comparing them, and saying where one doesn't fit.

Part of the pure core: it knows neither bytes nor classes, and takes for granted that its
arguments are JSON, which `payloads` sees to where they come in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Self, cast, final

from esflow.errors import PayloadError
from esflow.events import Json

type_of: Final = cast("Callable[[Json], type[Json]]", type)
"""`type`, without what checkers conclude about a value that they know to be any JSON."""


type_names: Final[Mapping[type[Any], str]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
"""The types of JSON, as its schemas call them."""


def type_name(value: Json) -> str:
    """Return the type of a JSON value, in the words of JSON Schema."""
    return type_names[type_of(value)]


@final
class Misfit(Exception):
    """A value that can't be taken, found on the way down into a larger one.

    Every container on the way back up puts its step before the others.
    """

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem, path)
        self.problem = problem
        self.path = path

    def within(self, step: str) -> Self:
        """Put a step, like ``.price`` or ``[3]``, before the path so far."""
        self.path = step + self.path
        return self

    def refusal(self, root: str) -> PayloadError:
        """Return the error that the user sees, its path beginning at a root."""
        return PayloadError(root + self.path, self.problem)


def step_to(key: str) -> str:
    """Return the step from a mapping to one of its values."""
    return f".{key}" if key.isidentifier() else f"[{key!r:.100}]"


def copy_json(value: Json) -> Json:
    """Return the same value in containers of its own."""
    kind = type_of(value)
    if kind is dict:
        return {
            key: copy_json(item) if type(item) is dict or type(item) is list else item
            for key, item in value.items()
        }
    if kind is list:
        return [
            copy_json(item) if type(item) is dict or type(item) is list else item for item in value
        ]
    return value


def same_json(a: Json, b: Json) -> bool:
    """Tell whether two values would be stored as the same bytes, the order of keys aside.

    Shape: ``True`` is not ``1``, ``1`` is not ``1.0``, and ``0.0`` is not ``-0.0``.
    """
    kind = type_of(a)
    if kind is not type_of(b):
        return False
    if kind is dict:
        return len(a) == len(b) and all(key in b and same_json(a[key], b[key]) for key in a)
    if kind is list:
        return len(a) == len(b) and all(map(same_json, a, b))
    if kind is float:
        return bool(a.hex() == b.hex())
    return bool(a == b)
