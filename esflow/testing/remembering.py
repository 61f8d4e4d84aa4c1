"""What the functions of a flow remember outside of the log: their globals and closures.

A host that takes a job over in another process has nothing of it, so a check that plays several
hosts in one process puts it back to what it was in the beginning.

What is put back
----------------
The names that handlers use, and the functions of the same package that they call: numbers, text,
lists, dicts, sets and the like, with what is inside of them.
Objects of other classes stay as they are, and so does what only effects use: both are how tests
stand in for the outside world, which doesn't forget when a host is lost.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from types import CellType, CodeType, FunctionType
from typing import Any, Final, TypeAlias, cast, final

import attrs

_SCALARS: Final = (type(None), bool, int, float, complex, str, bytes, tuple, frozenset)
_CONTAINERS: Final = (list, dict, set, deque, bytearray)

Place: TypeAlias = tuple[int, str]
"""The globals or the cell that something stands in, by identity, and its name."""


@final
@attrs.frozen
class _Name:
    """A name that a function uses, with what stands behind it and the way to change that."""

    place: Place
    owner: dict[str, Any] | CellType
    name: str

    def value(self) -> object:
        """Return what stands there; something of no interest where nothing does."""
        if isinstance(self.owner, dict):
            return self.owner.get(self.name, _name_of)
        try:
            return self.owner.cell_contents
        except ValueError:  # Still empty.
            return _name_of

    def put(self, value: object) -> None:
        """Let something stand there."""
        if isinstance(self.owner, dict):
            self.owner[self.name] = value
        else:
            self.owner.cell_contents = value


@final
@attrs.frozen
class Memory:
    """What some functions remembered at a moment."""

    functions: tuple[FunctionType, ...]
    _values: dict[Place, object]
    _contents: dict[int, tuple[Any, Any]]  # Of containers, by identity: they, and what they held.

    def put_back(self, effects: AbstractSet[str]) -> None:
        """Let everything be as it was then, but for what only effects of these names use."""
        done = set[int]()
        for name in _names(self.functions, effects):
            if name.place in self._values:
                was = self._values[name.place]
                if name.value() is not was:
                    name.put(was)
                self._refill(was, done)

    def _refill(self, value: object, done: set[int]) -> None:
        """Let a container hold what it held, and so whatever is inside of it."""
        if id(value) in done:
            return
        done.add(id(value))
        if id(value) in self._contents:
            _hold(*self._contents[id(value)])
        for inner in _inside(value):
            self._refill(inner, done)


def _hold(container: Any, held: Any) -> None:
    """Let a container hold this, and be the same object still."""
    if isinstance(container, bytearray):
        container[:] = held
        return
    container.clear()
    fill: Callable[[Any], None] = getattr(container, "update", None) or container.extend
    fill(held)


def memory_of(handlers: Iterable[Callable[..., object]]) -> Memory:
    """Return what handlers remember now."""
    functions = tuple(each for handler in handlers if (each := _function(handler)) is not None)
    values, contents = dict[Place, object](), dict[int, tuple[Any, Any]]()
    for name in _names(functions, frozenset()):
        value = name.value()
        if isinstance(value, _SCALARS + _CONTAINERS):
            values[name.place] = value
            _keep(value, contents)
    return Memory(functions, values, contents)


def _keep(value: Any, contents: dict[int, tuple[Any, Any]]) -> None:
    """Remember what a container holds, and so for whatever is inside of it."""
    known: Any = value
    if isinstance(known, _CONTAINERS):
        if id(value) in contents:
            return
        contents[id(value)] = (value, value.copy())
    for inner in _inside(value):
        _keep(inner, contents)


def _inside(value: Any) -> list[Any]:
    """Return what may hold something itself."""
    if isinstance(value, dict):
        return list(cast("dict[object, object]", value).values())
    if isinstance(value, list | tuple | deque):
        return list(cast("Iterable[object]", value))
    return []


def _function(handler: object) -> FunctionType | None:
    """Return the function behind a handler, if it was written in Python."""
    while isinstance(handler, partial):
        handler = handler.func
    found = inspect.unwrap(handler) if callable(handler) else handler
    found = getattr(found, "__func__", found)
    return found if isinstance(found, FunctionType) else None


def _name_of(function: FunctionType) -> str:
    return function.__qualname__


def _package(function: FunctionType) -> str:
    """Return the package that a function was written in; what a shell runs has no real one."""
    return str(function.__module__).partition(".")[0]


def _names(functions: Iterable[FunctionType], effects: AbstractSet[str]) -> Iterator[_Name]:
    """Yield what functions use, and the functions of their package that they use, once each."""
    waiting, seen = deque(functions), set[Place]()
    while waiting:
        function = waiting.popleft()
        package = _package(function)
        for name in _used(function):
            if name.place in seen:
                continue
            seen.add(name.place)
            yield name
            used = _function(name.value())
            if used is None or _package(used) != package or _name_of(used) in effects:
                continue
            waiting.append(used)


def _used(function: FunctionType) -> Iterator[_Name]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield _Name((id(cell), name), cell, name)
    known = function.__globals__
    for name in _spelled(function.__code__):
        if name in known:
            yield _Name((id(known), name), known, name)


def _spelled(code: CodeType) -> Iterator[str]:
    """Yield the names that code spells, that of functions inside of it included."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _spelled(inner)
