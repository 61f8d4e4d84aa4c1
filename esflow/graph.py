"""The parts of a flow, and what is refused of them.

It knows what a handler takes but never calls one, and nothing of how a flow is declared.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Final, Literal, TypeAlias, final

import attrs

from esflow.events import Target
from esflow.payloads import Signature
from esflow.policies import OnError, Retry
from esflow.values import by_value, listed

max_name: Final = 100  # Characters.
_NAME: Final = r"[^\W\d][\w-]*"

Handler: TypeAlias = Callable[..., object]
GatherRule: TypeAlias = int | Literal["all"]

ERROR: Final = "error"
"""The output that the failures of a slot go to which routes them."""


@final
@attrs.frozen(slots=False)
@by_value
class Slot:
    """An inlet of a routine: the handler that an activation calls.

    Shape: ``gather`` is how many payloads it collects, or ``all`` for one by each connection.
    """

    address: str
    routine: str
    function: Handler
    signature: Signature
    retry: Retry | None = None
    timeout_seconds: float | None = None
    on_error: OnError = "stop"
    gather: GatherRule | None = None
    is_async: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Look once whether the handler has to be awaited."""
        object.__setattr__(self, "is_async", is_async(self.function))


@final
@attrs.frozen(slots=False)
@by_value
class Connection:
    """An edge from an output to a slot."""

    routine: str
    output: str
    target: Target

    @property
    def name(self) -> str:
        """The address of its output."""
        return f"{self.routine}.{self.output}"


def name_problem(what: str, name: object) -> str | None:
    """Return what is wrong with the name of a part of a flow."""
    if isinstance(name, str) and len(name) <= max_name and re.fullmatch(_NAME, name, re.ASCII):
        return None
    return (
        f"{name!r:.120} is no name for {what}; use 1 to {max_name} letters, digits, _ and -, "
        "a letter or _ first"
    )


def version_problem(version: object) -> str | None:
    """Return what is wrong with the version of a flow."""
    if isinstance(version, str) and 0 < len(version) <= max_name and version.isprintable():
        return None
    return f"version {version!r:.120} is no line of 1 to {max_name} characters"


def handler_problem(handler: object) -> str | None:
    """Return why something can't be the handler of a slot."""
    if not callable(handler):
        return f"{handler!r:.120} can't be called; a slot is a function"
    calls = (handler, type(handler).__call__)
    generators = (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(is_generator(call) for is_generator in generators for call in calls):
        return f"{handler!r:.120} is a generator, whose body would never run; use ctx.emit"
    return None


def is_async(function: Callable[..., object]) -> bool:
    """Tell whether what a function returns has to be awaited."""
    if isinstance(function, FunctionType):  # Which most are.
        return inspect.iscoroutinefunction(function)
    calls = (function, type(function).__call__)
    return any(map(inspect.iscoroutinefunction, calls))


def nameless_problem(handler: Handler) -> str | None:
    """Return why a slot can't be named after its handler."""
    if name_problem("a slot", getattr(handler, "__name__", None)) is None:
        return None
    return f"{handler!r:.120} has no usable name; give it one: slot(name=...)"


def rename_problem(slot: Slot, rename: Mapping[str, str]) -> str | None:
    """Return what is wrong with the renaming of payload keys to a slot's parameters.

    A slot that gathers has a list of payloads for its parameter, so their keys may have any names.
    """
    signature = slot.signature
    given = list(rename.values())
    for key, parameter in rename.items():
        if not key:
            return "rename has an empty payload key"
        if given.count(parameter) > 1:
            return f"rename gives parameter {parameter!r} twice"
        if slot.gather is None and not signature.accepts(parameter):
            return f"rename: {unknown('parameter', parameter, signature.parameters)}"
    return None


def unconnected_problem(slot: Slot, connections: Iterable[Connection]) -> str | None:
    """Return what a slot lacks that only a connection brings."""
    edges = list(connections)
    error = f"{slot.routine}.{ERROR}"
    if slot.on_error == "route" and all(each.name != error for each in edges):
        return f"slot {slot.address} routes its failures to {error}; connect that to a slot"
    if slot.gather == "all" and all(each.target.slot != slot.address for each in edges):
        return f"slot {slot.address} gathers from all its connections; connect an output to it"
    return None


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return what to say of a name that isn't known, with the nearest one that is."""
    names = list(known)
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"there is {listed(names)}"
    return f"there is no {what} {name!r:.120}; {advice}"
