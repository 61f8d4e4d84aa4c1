"""What is read of a flow's definition, which `defining` writes.

A definition names classes and functions and never loads any: whoever rebuilds a flow brings them.
Few do, so the module is loaded at first need.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import Final, cast, final

import attrs

from esflow.defining import name_of
from esflow.events import Json
from esflow.graph import GatherRule, Handler, name_problem
from esflow.options import SlotOptions
from esflow.outputs import Output, recorded_keys
from esflow.payloads import structure
from esflow.policies import Effects, OnError, Retry
from esflow.shared_type import DataRules, SharedType, recorded_type
from esflow.values import by_value, listed


@final
@attrs.frozen(kw_only=True)
@by_value
class RetryDefinition:
    """How often a slot is tried, as a definition has it.

    Shape: ``on`` are the names of classes, those that aren't built in with their modules.
    """

    attempts: int
    delay: float
    factor: float
    max_delay: float
    jitter: float
    on: tuple[str, ...]
    effects: Effects


@final
@attrs.frozen(kw_only=True)
@by_value
class OptionsDefinition:
    """The options of a slot, as a definition has them."""

    retry: RetryDefinition | None = None
    timeout_seconds: float | None = None
    on_error: OnError = "stop"
    gather: GatherRule | None = None


@final
@attrs.frozen(kw_only=True)
@by_value
class RoutineDefinition:
    """A routine as a definition has it; the address of a lone slot is the routine's name.

    Shape: ``outputs`` lack the one that failures are routed to, which follows from the ``options``;
    ``types`` are those of JSON, by output and key, of the outputs that declare them.
    """

    name: str
    outputs: tuple[str, ...]
    slots: tuple[str, ...]
    options: dict[str, OptionsDefinition] = attrs.field(factory=lambda: {})
    types: dict[str, dict[str, tuple[str, ...]]] = attrs.field(factory=lambda: {})


@final
@attrs.frozen(kw_only=True)
@by_value
class ConnectionDefinition:
    """A connection as a definition has it, both ends by address."""

    output: str
    slot: str
    rename: dict[str, str]


@final
@attrs.frozen(kw_only=True)
@by_value
class SharedDefinition:
    """The type of the shared data, as a definition has it: the types of JSON of its fields."""

    name: str
    fields: dict[str, tuple[str, ...]]


@final
@attrs.frozen(kw_only=True)
@by_value
class Definition:
    """All of a flow but its code."""

    name: str
    version: str
    max_activations: int
    reducers: dict[str, str]
    routines: tuple[RoutineDefinition, ...]
    connections: tuple[ConnectionDefinition, ...]
    shared: SharedDefinition | None = None

    @property
    def shared_type(self) -> SharedType | None:
        """What it says of the shared data."""
        shared = self.shared
        return None if shared is None else recorded_type(shared.name, shared.fields)


def read_definition(definition: Mapping[str, Json]) -> Definition:
    """Return what a definition says.

    Raises: PayloadError, when it is no definition.
    """
    return cast("Definition", structure(dict(definition), Definition, "definition"))


_built_in: Final[Mapping[str, type[Exception]]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}


def handlers_problem(definition: Definition, handlers: Mapping[str, Handler]) -> str | None:
    """Return which handlers don't fit the slots of a definition."""
    addresses = [address for routine in definition.routines for address in routine.slots]
    if missing := [address for address in addresses if address not in handlers]:
        return f"handlers are missing for {listed(missing)}"
    if extra := [address for address in handlers if address not in addresses]:
        return f"handlers are given for no slot: {listed(extra)}"
    return None


def address_problem(routine: RoutineDefinition, address: str) -> str | None:
    """Return why an address is none of a routine's slots."""
    name, dot, slot = address.partition(".")
    alone = len(routine.slots) == 1 and not dot
    if name == routine.name and (alone or name_problem("a slot", slot) is None):
        return None
    return f"slot {address!r:.120} is no slot of {routine.name}"


def errors_problem(definition: Definition, errors: Iterable[type[Exception]]) -> str | None:
    """Return which exception classes of a definition nobody brings."""
    missing = _missing_errors(definition, errors)
    return (
        f"errors are missing: {listed(missing)}; give the classes in errors=" if missing else None
    )


def data_problem(definition: Definition, data: DataRules) -> str | None:
    """Return in what the class and the functions that are given differ from a definition."""
    if data.shared != definition.shared_type:
        return f"the shared data of the definition is of another type than {data.shared}"
    if data.reducers != definition.reducers:
        return f"the definition has other reducers: {definition.reducers}"
    return None


def outputs_of(routine: RoutineDefinition) -> list[Output]:
    """Return the outputs that a routine declares."""
    keys = {name: recorded_keys(types) for name, types in routine.types.items()}
    return [Output(name, keys.get(name)) for name in routine.outputs]


def _missing_errors(definition: Definition, errors: Iterable[type[Exception]]) -> list[str]:
    known = _by_name(errors)
    retries = [each.retry for routine in definition.routines for each in routine.options.values()]
    names = [name for retry in retries if retry is not None for name in retry.on]
    return [name for name in dict.fromkeys(names) if name not in known]


def options_of(
    routine: RoutineDefinition, address: str, errors: Iterable[type[Exception]]
) -> SlotOptions:
    """Return the options of a slot, with the exception classes that they name."""
    said = routine.options.get(address, OptionsDefinition())
    retry, known = said.retry, _by_name(errors)
    return SlotOptions(
        retry=None
        if retry is None
        else Retry(
            attempts=retry.attempts,
            delay=retry.delay,
            factor=retry.factor,
            max_delay=retry.max_delay,
            jitter=retry.jitter,
            on=tuple(known[name] for name in retry.on),
            effects=retry.effects,
        ),
        timeout=said.timeout_seconds,
        on_error=said.on_error,
        gather=said.gather,
    )


def _by_name(errors: Iterable[type[Exception]]) -> dict[str, type[Exception]]:
    return {**_built_in, **{name_of(each): each for each in errors}}


def stand_ins(definition: Definition) -> tuple[type[Exception], ...]:
    """Return classes by the names of those that a definition needs: nothing is ever one of them."""
    return tuple(_stand_in(name) for name in _missing_errors(definition, ()))


def _stand_in(name: str) -> type[Exception]:
    module, _, qualname = name.rpartition(".")
    return type(qualname, (Exception,), {"__module__": module})
