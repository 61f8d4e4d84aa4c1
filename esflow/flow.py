"""The graph as data: routines with slots and outputs, the connections between them, a fingerprint.

It knows what a handler takes but never calls one, and nothing of jobs or events.
A flow is declared while its module is imported, and frozen by the engine that is given it: from
then on it is safe to read from any thread.

Addresses
---------
A slot is addressed as ``routine.slot``; the slot of a routine that `Flow.slot` declared by the
routine's name alone (``archive``, for which ``archive.archive`` is another spelling).
An output is ``routine.output``.
Wherever a flow is asked for a slot or an output, a routine's name stands for the only one it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Self, TypeVar, cast, final, overload

import attrs

from esflow.definitions import (
    OptionsDefinition,
    address_problem,
    connection_definition,
    errors_problem,
    handlers_problem,
    options_of,
    read_definition,
    routine_definition,
)
from esflow.drawing import drawn
from esflow.errors import FlowError, SlotNotFound
from esflow.events import Json, Target
from esflow.finding import Missing, find_output, find_slot
from esflow.gathering import gather_by
from esflow.graph import (
    ERROR,
    Connection,
    GatherRule,
    Handler,
    Slot,
    handler_problem,
    listed,
    name_problem,
    rename_problem,
    unconnected_problem,
    unknown,
    version_problem,
)
from esflow.options import SlotOptions, options_problem, route_problem, slot_with
from esflow.payloads import Signature, signature_of
from esflow.policies import OnError, Retry
from esflow.reducers import BUILT_IN
from esflow.routine import Routine

__all__ = ["Connection", "Flow", "Handler", "Routine", "Slot"]

_H = TypeVar("_H", bound=Handler)
_Part = TypeVar("_Part")


@final
class Flow:
    """A graph of routines; mutable while it is declared, frozen when an engine has it."""

    def __init__(
        self,
        name: str,
        version: str = "1",
        *,
        reducers: Mapping[str, str] = MappingProxyType({}),
        max_activations: int = 100_000,
    ) -> None:
        self.name: Final = name
        self.version: Final = version
        self.reducers: Final[Mapping[str, str]] = MappingProxyType(dict(reducers))
        self.max_activations: Final = max_activations
        self._routines: dict[str, Routine] = {}
        self._outputs: dict[str, list[str]] = {}
        self._slots: dict[str, Slot] = {}
        self._connections: list[Connection] = []
        self._targets: dict[tuple[str, str], tuple[Target, ...]] = {}
        self._frozen_bytes: bytes | None = None
        self._refuse(name_problem("a flow", name) or version_problem(version))
        if type(max_activations) is not int or not 1 <= max_activations < 2**63:
            raise self._error(f"max_activations={max_activations!r:.120} is no whole number from 1")
        for key, reducer in self.reducers.items():
            if reducer not in BUILT_IN:
                raise self._error(f"shared[{key!r:.100}]: {unknown('reducer', reducer, BUILT_IN)}")

    # Declaring

    def routine(self, name: str, outputs: Iterable[str] = ()) -> Routine:
        """Declare a routine, to have slots declared on it.

        Raises: FlowError, when a name is bad or taken.
        """
        self._check_open(f"routine {name!r}")
        self._refuse(name_problem("a routine", name))
        if name in self._routines:
            raise self._error(f"routine {name!r} is declared twice; choose another name")
        names = self._checked_outputs(name, outputs)

        def declare(slot: str | None, handler: Handler, options: SlotOptions) -> None:
            slot = self._name_of(handler) if slot is None else slot
            self._refuse(name_problem(f"a slot of {name}", slot))
            self._add_slot(f"{name}.{slot}", name, handler, options)

        self._routines[name] = Routine(name, names, declare)
        self._outputs[name] = names
        self._targets |= {(name, output): () for output in names}
        return self._routines[name]

    @overload
    def slot(self, handler: _H, /) -> _H: ...
    @overload
    def slot(
        self,
        /,
        *,
        name: str | None = None,
        outputs: Iterable[str] = (),
        retry: Retry | None = None,
        timeout: float | timedelta | None = None,
        on_error: OnError = "stop",
        gather: GatherRule | None = None,
    ) -> Callable[[_H], _H]: ...
    def slot(
        self,
        handler: _H | None = None,
        /,
        *,
        name: str | None = None,
        outputs: Iterable[str] = (),
        retry: Retry | None = None,
        timeout: float | timedelta | None = None,
        on_error: OnError = "stop",
        gather: GatherRule | None = None,
    ) -> _H | Callable[[_H], _H]:
        """Declare a handler as a routine with one slot; returns it as it is.

        Shape: both are named after it unless a name is given; the options are those of
        `Routine.slot`.
        Raises: FlowError, when the name is bad or taken, or a payload can't be bound to it.
        """
        options = SlotOptions(retry=retry, timeout=timeout, on_error=on_error, gather=gather)

        def declare(handler: _H) -> _H:
            called = self._name_of(handler) if name is None else name
            self._slot(called, called, handler, options)  # Refused before the routine is there.
            self.routine(called, self._checked_outputs(called, outputs, options))
            self._add_slot(called, called, handler, options)
            return handler

        return declare if handler is None else declare(handler)

    def connect(
        self, output: str, slot: str, rename: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Let what a routine emits on an output go to a slot.

        Shape: ``rename`` maps payload keys to parameters; other keys keep their names.
        Raises: FlowError, when there is no such output, slot or parameter, or it is connected
        already.
        """
        self._check_open(f"connection {output} -> {slot}")
        routine, name = self._found(find_output(self._outputs, output))
        end = self._found(find_slot(self._routines, self._slots, slot))
        edge = f"{routine}.{name} -> {end.address}"
        if any(target.slot == end.address for target in self._targets[routine, name]):
            raise self._error(f"{edge} is connected twice")
        if problem := rename_problem(end, rename):
            raise self._error(f"{edge}: {problem}")
        target = Target(slot=end.address, rename=dict(rename) or None)
        self._connections.append(Connection(routine, name, target))
        self._targets[routine, name] += (target,)

    def freeze(self) -> None:
        """Refuse every later declaration; an engine does this to the flows that it is given.

        Raises: FlowError, when a slot routes its failures to nothing, or gathers from nothing.
        """
        if self.frozen:
            return
        for slot in self._slots.values():
            self._refuse(unconnected_problem(slot, self._connections))
        self._targets = {
            (routine, output): self._resolved(f"{routine}.{output}", found)
            for (routine, output), found in self._targets.items()
        }
        self._frozen_bytes = self.definition_bytes()

    # Reading

    @property
    def frozen(self) -> bool:
        """Whether declaring has ended."""
        return self._frozen_bytes is not None

    @property
    def routines(self) -> Mapping[str, Routine]:
        """The routines by name, as they were declared."""
        return MappingProxyType(self._routines)

    @property
    def slots(self) -> Mapping[str, Slot]:
        """The slots by address, as they were declared."""
        return MappingProxyType(self._slots)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections, as they were made."""
        return tuple(self._connections)

    def resolve_slot(self, name: str) -> Slot:
        """Return the slot with an address, in any spelling.

        Raises: SlotNotFound.
        """
        spelled = str(name)  # Whatever callers give is looked up, and named if it isn't there.
        found = self._slots.get(spelled) or find_slot(self._routines, self._slots, spelled)
        if isinstance(found, Missing):
            raise SlotNotFound(self.name, spelled, tuple(self._slots))
        return found

    def targets(self, routine: str, output: str) -> tuple[Target, ...]:
        """Return where an output goes, in the order of the connections.

        Raises: FlowError, when the routine has no such output.
        """
        found = self._targets.get((routine, output))
        if found is None:
            return self.targets(*self._found(find_output(self._outputs, f"{routine}.{output}")))
        if not self.frozen:
            found = self._resolved(f"{routine}.{output}", found)
        if all(target.rename is None for target in found):
            return found
        # What is recorded is whoever's reads it: the graph keeps a renaming of its own.
        return tuple(
            attrs.evolve(each, rename=dict(each.rename) if each.rename else None) for each in found
        )

    def definition(self) -> dict[str, Json]:
        """Return the graph as JSON: all that `from_definition` needs beside the handlers.

        Shape: routines, outputs and slots sorted by name, because their order means nothing;
        connections as they were made, because theirs is the order of delivery.
        """
        return {
            "name": self.name,
            "version": self.version,
            "max_activations": self.max_activations,
            "reducers": dict(sorted(self.reducers.items())),
            "routines": [
                routine_definition(
                    name,
                    self._own_outputs(name),
                    [slot for slot in self._slots.values() if slot.routine == name],
                )
                for name in sorted(self._routines)
            ],
            "connections": [connection_definition(edge) for edge in self._connections],
        }

    def definition_bytes(self) -> bytes:
        """Return the definition as canonical JSON, of which the fingerprint is the hash."""
        if self._frozen_bytes is not None:
            return self._frozen_bytes
        return json.dumps(self.definition(), sort_keys=True, separators=(",", ":")).encode()

    @property
    def fingerprint(self) -> str:
        """The sha256 of the definition, in hex: it changes with the graph, not with handlers."""
        return sha256(self.definition_bytes()).hexdigest()

    @classmethod
    def from_definition(
        cls,
        definition: Mapping[str, Json],
        routines: Mapping[str, Handler],
        *,
        errors: Iterable[type[Exception]] = (),
    ) -> Self:
        """Return the flow with a definition; ``routines`` maps a slot's address to its handler.

        Shape: ``errors`` are the exception classes that its retries name and that aren't built in.
        Raises: FlowError, when a handler is missing or left over, or doesn't fit the graph;
        PayloadError, when it is no definition.
        """
        read, known = read_definition(definition), tuple(errors)
        flow = cls(
            read.name,
            read.version,
            reducers=read.reducers,
            max_activations=read.max_activations,
        )
        flow._refuse(handlers_problem(read, routines) or errors_problem(read, known))
        for routine in read.routines:
            flow.routine(routine.name, routine.outputs)
            for address in routine.slots:
                flow._refuse(address_problem(routine, address))
                said = routine.options.get(address, OptionsDefinition())
                flow._add_slot(address, routine.name, routines[address], options_of(said, known))
        for edge in read.connections:
            flow.connect(edge.output, edge.slot, edge.rename)
        return flow

    def to_mermaid(self) -> str:
        """Return the graph as the text of a Mermaid flowchart."""
        return drawn(self._routines, self._slots.values(), self._connections)

    def __repr__(self) -> str:
        return f"<Flow {self.name} version {self.version} slots: {listed(self._slots)}>"

    # Refusing

    def _error(self, problem: str) -> FlowError:
        return FlowError(self.name, problem)

    def _refuse(self, problem: str | None) -> None:
        if problem is not None:
            raise self._error(problem)

    def _check_open(self, what: str) -> None:
        if self.frozen:
            raise self._error(f"{what} comes too late: an engine has this flow; declare it before")

    def _name_of(self, handler: Handler) -> str:
        self._refuse(handler_problem(handler))
        name = getattr(handler, "__name__", None)
        if name_problem("a slot", name) is None:
            return cast("str", name)
        raise self._error(f"{handler!r:.120} has no usable name; give it one: slot(name=...)")

    def _signature(self, handler: Handler) -> Signature:
        self._refuse(handler_problem(handler))
        return signature_of(handler, self.name)

    def _checked_outputs(
        self, name: str, outputs: Iterable[str], options: SlotOptions | None = None
    ) -> list[str]:
        if isinstance(outputs, str):  # It would be an output for each letter.
            raise self._error(f"outputs of {name!r} are one text; write outputs=({outputs!r},)")
        names = list(outputs)
        for output in names:
            self._refuse(name_problem(f"an output of {name}", output))
            if names.count(output) > 1:
                raise self._error(f"routine {name!r} has output {output!r} twice")
        if options is not None:
            self._refuse(route_problem(name, names, options))
        return names

    def _slot(self, address: str, routine: str, handler: Handler, options: SlotOptions) -> Slot:
        """Return a slot that nothing is wrong with by itself."""
        signature = self._signature(handler)
        if problem := options_problem(options, signature):
            raise self._error(f"slot {address}: {problem}")
        return slot_with(Slot(address, routine, handler, signature), options)

    def _add_slot(self, address: str, routine: str, handler: Handler, options: SlotOptions) -> None:
        self._check_open(f"slot {address}")
        if address in self._slots:
            raise self._error(f"slot {address!r} is declared twice; choose another name")
        slot = self._slot(address, routine, handler, options)
        self._refuse(route_problem(routine, self._own_outputs(routine), options))
        self._slots[address] = slot
        if options.on_error == "route" and (routine, ERROR) not in self._targets:
            self._outputs[routine].append(ERROR)
            self._targets[routine, ERROR] = ()

    # Finding

    def _own_outputs(self, routine: str) -> list[str]:
        """Return the outputs of a routine without the one that failures are routed to."""
        slots = self._slots.values()
        routes = any(each.routine == routine and each.on_error == "route" for each in slots)
        return [each for each in self._outputs[routine] if not (routes and each == ERROR)]

    def _found(self, found: _Part | Missing) -> _Part:
        if isinstance(found, Missing):
            raise self._error(found.problem)
        return found

    def _resolved(self, edge: str, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """Return targets with what the slots that gather collect."""
        return tuple(
            each if gather is None else attrs.evolve(each, gather=gather)
            for each in targets
            for gather in (gather_by(edge, self._slots[each.slot], self._connections),)
        )
