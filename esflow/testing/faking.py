"""What effects come back with in a test, in place of what their functions would return.

A fake gets what the function would get, and its result goes the same way: through the codec, to the
function's return annotation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast, final

import attrs

from esflow.chance import seeded
from esflow.effects import OWN_EFFECTS, Call, shown
from esflow.graph import is_async

Effects: TypeAlias = Mapping[Any, Any] | Sequence[Any] | None
"""What effects come back with: by name or function, or in the order of the calls; None: truly."""

_NOTHING: Final = object()


@final
@attrs.define(eq=False)
class Fakes:
    """What stands in for the functions of effects, and what was called.

    Shape: a fake is a result, an exception to be raised, or a function to be called instead.
    """

    _effects: Effects
    calls: list[Call] = attrs.field(factory=lambda: [], init=False)
    missing: list[str] = attrs.field(factory=lambda: [], init=False)
    _next: Iterator[object] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with the first result."""
        is_ordered = isinstance(cast("object", self._effects), Sequence)
        self._next = iter(cast("Any", self._effects) if is_ordered else ())

    @property
    def unused(self) -> int:
        """How many results that were given in order nobody asked for; they are gone then."""
        return sum(1 for _ in self._next)

    def stand_in(self, call: Call) -> Callable[..., Any]:
        """Return what makes a call.

        Raises: AssertionError, when nothing is given for it.
        """
        is_own = call.name in OWN_EFFECTS
        if not is_own:
            self.calls.append(call)
        fake = self._fake(call, is_own=is_own)
        if fake is _NOTHING:
            self.missing.append(shown(call))
            raise AssertionError(f"nothing is given for the effect {shown(call)}; give effects=")
        if fake is call.function:
            return _planted(call) if is_own else call.function
        return _awaited(fake) if is_async(call.function) else _made(fake)

    def _fake(self, call: Call, *, is_own: bool) -> object:
        if self._effects is None:
            return call.function
        if isinstance(self._effects, Mapping):
            for key in (call.function, call.name, call.name.rpartition(".")[2]):
                if key in self._effects:
                    return self._effects[key]
        elif not is_own:
            return next(self._next, _NOTHING)
        return call.function if is_own else _NOTHING


def _planted(call: Call) -> Callable[..., Any]:
    """Return what draws the same numbers in every run of a test."""

    def drawn() -> object:
        with seeded("a test"):
            return call.function()

    return drawn


def _made(fake: object) -> Callable[..., Any]:
    """Return a function that does what a fake says."""

    def made(*args: object, **kwargs: object) -> object:
        if isinstance(fake, Exception):
            raise fake
        return fake(*args, **kwargs) if callable(fake) else fake

    return made


def _awaited(fake: object) -> Callable[..., Any]:
    """Return an async function that does what a fake says, which may be async or not."""
    make = _made(fake)

    async def made(*args: object, **kwargs: object) -> object:
        result = make(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return made
