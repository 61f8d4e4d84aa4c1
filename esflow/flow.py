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

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final, Self, TypeVar, final, overload

import attrs

from esflow.defining import graph_definition
from esflow.errors import FlowError, SlotNotFound
from esflow.events import Json, Target
from esflow.finding import find_output, find_slot
from esflow.gathering import resolved
from esflow.graph import (
    ERROR,
    Connection,
    GatherRule,
    Handler,
    Slot,
    handler_problem,
    name_problem,
    nameless_problem,
    unconnected_problem,
    version_problem,
)
from esflow.options import SlotOptions, declared_slot, route_problem
from esflow.outputs import Output, connection_problem, outputs_problem, refuse_misfit, routed
from esflow.policies import OnError, Retry
from esflow.routine import Routine
from esflow.shared_type import Reducer, SharedType, data_rules, missing_problem
from esflow.values import listed

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
        shared: type | SharedType | None = None,
        reducers: Mapping[str, str | Reducer] = MappingProxyType({}),
        max_activations: int = 100_000,
    ) -> None:
        """Begin a graph.

        Shape: ``shared`` is an attrs class, of which the shared data of a job is one; ``reducers``
        are names, or functions of the current value and another, by the key of shared data.
        Raises: FlowError.
        """
        self.name: Final = name
        self.version: Final = version
        rules = data_rules(shared, reducers)
        if isinstance(rules, str):
            raise FlowError(name, rules)
        self.data: Final = rules
        self.reducers: Final = rules.reducers
        self.max_activations: Final = max_activations
        self._routines: dict[str, Routine] = {}
        self._outputs: dict[str, dict[str, Output]] = {}
        self._slots: dict[str, Slot] = {}
        self._connections: list[Connection] = []
        self._targets: dict[tuple[str, str], tuple[Target, ...]] = {}
        self._fixed: dict[tuple[str, str], tuple[Target, ...]] = {}  # Once nothing can change.
        self._frozen_bytes: bytes | None = None
        self._refuse(name_problem("a flow", name) or version_problem(version))
        if type(max_activations) is not int or not 1 <= max_activations < 2**63:
            raise self._error(f"max_activations={max_activations!r:.120} is no whole number from 1")

    # Declaring

    def routine(self, name: str, outputs: Iterable[str] = ()) -> Routine:
        """Declare a routine, to have slots declared on it.

        Raises: FlowError, when a name is bad or taken.
        """
        self._check_open(f"routine {name!r}")
        names = outputs if isinstance(outputs, str) else tuple(outputs)
        self._refuse(name_problem("a routine", name) or outputs_problem(name, names))
        if name in self._routines:
            raise self._error(f"routine {name!r} is declared twice; choose another name")
        declared = {each: Output(each) for each in names}

        def declare(slot: str | None, handler: Handler, options: SlotOptions) -> None:
            slot = self._name_of(handler) if slot is None else slot
            self._refuse(name_problem(f"a slot of {name}", slot))
            self._add_slot(f"{name}.{slot}", name, handler, options)

        self._routines[name] = Routine(name, declared, declare, partial(self._add_output, name))
        self._outputs[name] = declared
        self._targets |= {(name, output): () for output in declared}
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
        names = outputs if isinstance(outputs, str) else tuple(outputs)

        def declare(handler: _H) -> _H:
            called = self._name_of(handler) if name is None else name
            declared_slot(called, called, handler, options, self.name)  # Before the routine is.
            self._refuse(route_problem(called, names, options))
            self.routine(called, names)
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
        routine, name = self._found(find_output(self._outputs, output, self._routing()))
        end = self._found(find_slot(self._routines, self._slots, slot))
        edge = f"{routine}.{name} -> {end.address}"
        if any(target.slot == end.address for target in self._targets[routine, name]):
            raise self._error(f"{edge} is connected twice")
        if problem := connection_problem(self._outputs[routine][name], end, rename):
            raise self._error(f"{edge}: {problem}")
        target = Target(slot=end.address, rename=dict(rename) or None)
        self._connections.append(Connection(routine, name, target))
        self._targets[routine, name] += (target,)

    def freeze(self) -> None:
        """Refuse every later declaration; an engine does this to the flows that it is given.

        Raises: FlowError, when a slot routes its failures to nothing, or gathers from nothing, or
        code is missing that merges shared data.
        """
        if self.frozen:
            return
        self._refuse(missing_problem(self.data))
        for slot in self._slots.values():
            self._refuse(unconnected_problem(slot, self._connections))
        self._targets = {
            (routine, output): resolved(
                found, f"{routine}.{output}", self._slots, self._connections
            )
            for (routine, output), found in self._targets.items()
        }
        for output, found in self._targets.items():
            if not any(each.rename for each in found):
                self._fixed[output] = found
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
        if isinstance(found, str):
            raise SlotNotFound(self.name, spelled, tuple(self._slots))
        return found

    def targets(self, routine: str, output: str) -> tuple[Target, ...]:
        """Return where an output goes, in the order of the connections.

        Raises: FlowError, when the routine has no such output.
        """
        if (fixed := self._fixed.get((routine, output))) is not None:
            return fixed
        found = self._targets.get((routine, output))
        if found is None:
            named = find_output(self._outputs, f"{routine}.{output}", ())
            return self.targets(*self._found(named))
        if not self.frozen:
            found = resolved(found, f"{routine}.{output}", self._slots, self._connections)
        # What is recorded is whoever's reads it: the graph keeps a renaming of its own.
        return tuple(
            attrs.evolve(each, rename=dict(each.rename) if each.rename else None) for each in found
        )

    def refuse_misfit(self, routine: str, output: str, payload: Mapping[str, Json]) -> None:
        """Refuse a payload that a routine's output doesn't declare.

        Raises: PayloadError, naming the key.
        """
        declared = self._outputs[routine][output]
        if declared.keys is not None:
            refuse_misfit(declared.name, declared.keys, payload)

    def definition(self) -> dict[str, Json]:
        """Return the graph as JSON: all that `from_definition` needs beside the handlers.

        Shape: routines, outputs and slots sorted by name, because their order means nothing;
        connections as they were made, because theirs is the order of delivery.
        """
        head: dict[str, Json] = {
            "name": self.name,
            "version": self.version,
            "max_activations": self.max_activations,
            "reducers": dict(sorted(self.reducers.items())),
        }
        outputs = {name: self._own_outputs(name) for name in sorted(self._routines)}
        return head | graph_definition(
            outputs, self._slots.values(), self._connections, self.data.shared
        )

    def definition_bytes(self) -> bytes:
        """Return the definition as canonical JSON, of which the fingerprint is the hash."""
        if self._frozen_bytes is not None:
            return self._frozen_bytes
        from json import dumps

        return dumps(self.definition(), sort_keys=True, separators=(",", ":")).encode()

    @property
    def fingerprint(self) -> str:
        """The sha256 of the definition, in hex: it changes with the graph, not with handlers."""
        from hashlib import sha256

        return sha256(self.definition_bytes()).hexdigest()

    @classmethod
    def from_definition(
        cls,
        definition: Mapping[str, Json],
        routines: Mapping[str, Handler],
        *,
        errors: Iterable[type[Exception]] = (),
        reducers: Mapping[str, Reducer] = MappingProxyType({}),
        shared: type | None = None,
    ) -> Self:
        """Return the flow with a definition; ``routines`` maps a slot's address to its handler.

        Shape: ``errors`` are the exception classes that its retries name and that aren't built in;
        ``reducers`` are the functions of its own, and ``shared`` is the class of its shared data.
        Raises: FlowError, when a handler is missing or left over, or doesn't fit the graph;
        PayloadError, when it is no definition.
        """
        from esflow import definitions

        read, known = definitions.read_definition(definition), tuple(errors)
        flow = cls(
            read.name,
            read.version,
            shared=shared or read.shared_type,
            reducers={**read.reducers, **reducers},
            max_activations=read.max_activations,
        )
        flow._refuse(
            definitions.handlers_problem(read, routines)
            or definitions.errors_problem(read, known)
            or definitions.data_problem(read, flow.data)
        )
        for routine in read.routines:
            flow.routine(routine.name)
            for output in definitions.outputs_of(routine):
                flow._add_output(routine.name, output)
            for address in routine.slots:
                flow._refuse(definitions.address_problem(routine, address))
                options = definitions.options_of(routine, address, known)
                flow._add_slot(address, routine.name, routines[address], options)
        for edge in read.connections:
            flow.connect(edge.output, edge.slot, edge.rename)
        return flow

    def to_mermaid(self) -> str:
        """Return the graph as the text of a Mermaid flowchart."""
        from esflow.drawing import drawn

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
        self._refuse(handler_problem(handler) or nameless_problem(handler))
        return str(getattr(handler, "__name__", None))

    def _add_slot(self, address: str, routine: str, handler: Handler, options: SlotOptions) -> None:
        self._check_open(f"slot {address}")
        if address in self._slots:
            raise self._error(f"slot {address!r} is declared twice; choose another name")
        slot = declared_slot(address, routine, handler, options, self.name)
        own = [each.name for each in self._own_outputs(routine)]
        self._refuse(route_problem(routine, own, options))
        self._slots[address] = slot
        if options.on_error == "route" and (routine, ERROR) not in self._targets:
            self._outputs[routine][ERROR] = routed()
            self._targets[routine, ERROR] = ()

    def _add_output(self, routine: str, output: Output) -> None:
        self._check_open(f"output {routine}.{output.name}")
        self._refuse(outputs_problem(routine, [*self._outputs[routine], output.name]))
        self._outputs[routine][output.name] = output
        self._targets[routine, output.name] = ()

    # Finding

    def _routing(self) -> set[str]:
        """Return the routines that route failures."""
        return {each.routine for each in self._slots.values() if each.on_error == "route"}

    def _own_outputs(self, routine: str) -> list[Output]:
        """Return the outputs of a routine without the one that failures are routed to."""
        # To look through all slots for each would cost a flow of many the square of them.
        taken = ERROR if ERROR in self._outputs[routine] and routine in self._routing() else None
        return [each for name, each in self._outputs[routine].items() if name != taken]

    def _found(self, found: _Part | str) -> _Part:
        if isinstance(found, str):
            raise self._error(found)
        return found
