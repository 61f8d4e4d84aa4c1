"""The parts of a flow, what is refused of them, and how they are drawn.

It knows what a handler takes but never calls one, and nothing of how a flow is declared.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Final, Literal, TypeAlias, final

import attrs

from esflow.events import Target
from esflow.payloads import Signature
from esflow.policies import OnError, Retry

max_name: Final = 100  # Characters.
_name: Final = re.compile(r"[^\W\d][\w-]*", re.ASCII)

Handler: TypeAlias = Callable[..., object]


@final
@attrs.frozen
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
    gather: int | Literal["all"] | None = None
    is_async: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Look once whether the handler has to be awaited."""
        object.__setattr__(self, "is_async", is_async(self.function))


@final
@attrs.frozen
class Connection:
    """An edge from an output to a slot."""

    routine: str
    output: str
    target: Target


@final
@attrs.frozen(kw_only=True)
class RoutineDefinition:
    """A routine as a definition has it; the address of a lone slot is the routine's name."""

    name: str
    outputs: tuple[str, ...]
    slots: tuple[str, ...]


@final
@attrs.frozen(kw_only=True)
class ConnectionDefinition:
    """A connection as a definition has it, both ends by address."""

    output: str
    slot: str
    rename: dict[str, str]


@final
@attrs.frozen(kw_only=True)
class Definition:
    """All of a flow but its handlers."""

    name: str
    version: str
    max_activations: int
    reducers: dict[str, str]
    routines: tuple[RoutineDefinition, ...]
    connections: tuple[ConnectionDefinition, ...]


def name_problem(what: str, name: object) -> str | None:
    """Return what is wrong with the name of a part of a flow."""
    if isinstance(name, str) and len(name) <= max_name and _name.fullmatch(name):
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
    calls = (function, type(function).__call__)
    return any(map(inspect.iscoroutinefunction, calls))


def rename_problem(signature: Signature, rename: Mapping[str, str]) -> str | None:
    """Return what is wrong with the renaming of payload keys to a slot's parameters."""
    given = list(rename.values())
    for key, parameter in rename.items():
        if not key:
            return "rename has an empty payload key"
        if given.count(parameter) > 1:
            return f"rename gives parameter {parameter!r} twice"
        if not signature.accepts(parameter):
            return f"rename: {unknown('parameter', parameter, signature.parameters)}"
    return None


def listed(names: Iterable[str]) -> str:
    """Return names as they stand in a sentence."""
    return ", ".join(names) or "none"


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return what to say of a name that isn't known, with the nearest one that is."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"there is {listed(names)}"
    return f"there is no {what} {name!r:.120}; {advice}"


def drawn(routines: Iterable[str], slots: Iterable[Slot], connections: Iterable[Connection]) -> str:
    """Return a graph as the text of a Mermaid flowchart.

    Shape: nodes have ids of their own, because a name like ``end`` means something there.
    """
    ids: dict[str, str] = {}
    lines = ["flowchart LR"]
    everything = list(slots)
    for number, name in enumerate(routines):
        ids[name] = f"r{number}"
        inside = [slot.address for slot in everything if slot.routine == name]
        if inside == [name]:
            lines.append(f'    r{number}["{name}"]')
            continue
        lines.append(f'    subgraph r{number}["{name}"]')
        for place, address in enumerate(inside):
            ids[address] = f"r{number}s{place}"
            lines.append(f'        r{number}s{place}["{address.removeprefix(f"{name}.")}"]')
        lines.append("    end")
    lines += [
        f'    {ids[edge.routine]} -- "{edge.output}" --> {ids[edge.target.slot]}'
        for edge in connections
    ]
    return "\n".join(lines) + "\n"
