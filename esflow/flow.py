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
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Self, TypeVar, cast, final, overload

from esflow.errors import FlowError, SlotNotFound
from esflow.events import Json, Target
from esflow.graph import (
    Connection,
    Definition,
    Handler,
    Slot,
    drawn,
    handler_problem,
    listed,
    name_problem,
    rename_problem,
    unknown,
    version_problem,
)
from esflow.payloads import Signature, signature_of, structure
from esflow.reducers import BUILT_IN

__all__ = ["Connection", "Flow", "Handler", "Routine", "Slot"]

_H = TypeVar("_H", bound=Handler)


@final
class Routine:
    """A node of the graph; made by `Flow.routine`, to have slots declared on it."""

    def __init__(
        self, name: str, outputs: tuple[str, ...], declare: Callable[[str | None, Handler], None]
    ) -> None:
        self.name: Final = name
        self.outputs: Final = outputs
        self._declare = declare

    @overload
    def slot(self, handler: _H, /) -> _H: ...
    @overload
    def slot(self, /, *, name: str) -> Callable[[_H], _H]: ...
    def slot(
        self, handler: _H | None = None, /, *, name: str | None = None
    ) -> _H | Callable[[_H], _H]:
        """Declare a handler as a slot, named after it unless a name is given; returns it as it is.

        Raises: FlowError, when the name is bad or taken, or a payload can't be bound to it.
        """

        def declare(handler: _H) -> _H:
            self._declare(name, handler)
            return handler

        return declare if handler is None else declare(handler)

    def __repr__(self) -> str:
        return f"<Routine {self.name} outputs: {listed(self.outputs)}>"


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
        if isinstance(outputs, str):  # It would be an output for each letter.
            raise self._error(f"outputs of {name!r} are one text; write outputs=({outputs!r},)")
        names = tuple(outputs)
        for output in names:
            self._refuse(name_problem(f"an output of {name}", output))
            if names.count(output) > 1:
                raise self._error(f"routine {name!r} has output {output!r} twice")

        def declare(slot: str | None, handler: Handler) -> None:
            slot = self._name_of(handler) if slot is None else slot
            self._refuse(name_problem(f"a slot of {name}", slot))
            self._add_slot(f"{name}.{slot}", name, handler)

        routine = Routine(name, names, declare)
        self._routines[name] = routine
        self._targets |= {(name, output): () for output in names}
        return routine

    @overload
    def slot(self, handler: _H, /) -> _H: ...
    @overload
    def slot(self, /, *, outputs: Iterable[str] = ()) -> Callable[[_H], _H]: ...
    def slot(
        self, handler: _H | None = None, /, *, outputs: Iterable[str] = ()
    ) -> _H | Callable[[_H], _H]:
        """Declare a handler as a routine with one slot, both named after it; returns it as it is.

        Raises: FlowError, when the name is bad or taken, or a payload can't be bound to it.
        """

        def declare(handler: _H) -> _H:
            name = self._name_of(handler)
            self._signature(handler)  # Refused before the routine is there.
            self.routine(name, outputs)
            self._add_slot(name, name, handler)
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
        routine, name = self._output(output)
        end = self._find_slot(slot)
        if isinstance(end, str):
            raise self._error(end)
        edge = f"{routine}.{name} -> {end.address}"
        if any(target.slot == end.address for target in self._targets[routine, name]):
            raise self._error(f"{edge} is connected twice")
        if problem := rename_problem(end.signature, rename):
            raise self._error(f"{edge}: {problem}")
        target = Target(slot=end.address, rename=dict(rename) or None)
        self._connections.append(Connection(routine, name, target))
        self._targets[routine, name] += (target,)

    def freeze(self) -> None:
        """Refuse every later declaration; an engine does this to the flows that it is given."""
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
        found = self._slots.get(spelled) or self._find_slot(spelled)
        if isinstance(found, str):
            raise SlotNotFound(self.name, spelled, tuple(self._slots))
        return found

    def targets(self, routine: str, output: str) -> tuple[Target, ...]:
        """Return where an output goes, in the order of the connections.

        Raises: FlowError, when the routine has no such output.
        """
        found = self._targets.get((routine, output))
        if found is None:
            return self.targets(*self._output(f"{routine}.{output}"))
        if all(target.rename is None for target in found):
            return found
        # What is recorded is whoever's reads it: the graph keeps a renaming of its own.
        return tuple(
            Target(slot=each.slot, rename=dict(each.rename) if each.rename else None)
            for each in found
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
                {
                    "name": name,
                    "outputs": sorted(routine.outputs),
                    "slots": sorted(
                        slot.address for slot in self._slots.values() if slot.routine == name
                    ),
                }
                for name, routine in sorted(self._routines.items())
            ],
            "connections": [
                {
                    "output": f"{edge.routine}.{edge.output}",
                    "slot": edge.target.slot,
                    "rename": dict(sorted((edge.target.rename or {}).items())),
                }
                for edge in self._connections
            ],
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
        cls, definition: Mapping[str, Json], routines: Mapping[str, Handler]
    ) -> Self:
        """Return the flow with a definition; ``routines`` maps a slot's address to its handler.

        Raises: FlowError, when a handler is missing or left over, or doesn't fit the graph;
        PayloadError, when it is no definition.
        """
        read = cast("Definition", structure(dict(definition), Definition, "definition"))
        flow = cls(
            read.name,
            read.version,
            reducers=read.reducers,
            max_activations=read.max_activations,
        )
        addresses = [address for routine in read.routines for address in routine.slots]
        flow._refuse_handlers(addresses, routines)
        for routine in read.routines:
            declared = flow.routine(routine.name, routine.outputs)
            for address in routine.slots:
                if address == routine.name and len(routine.slots) == 1:
                    flow._add_slot(address, address, routines[address])
                else:
                    owner, _, slot = address.partition(".")
                    if owner != routine.name:
                        raise flow._error(f"slot {address!r:.120} is no slot of {routine.name}")
                    declared.slot(name=slot)(routines[address])
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

    def _refuse_handlers(self, addresses: list[str], handlers: Mapping[str, Handler]) -> None:
        if missing := [address for address in addresses if address not in handlers]:
            raise self._error(f"handlers are missing for {listed(missing)}")
        if extra := [address for address in handlers if address not in addresses]:
            raise self._error(f"handlers are given for no slot: {listed(extra)}")

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

    def _add_slot(self, address: str, routine: str, handler: Handler) -> None:
        self._check_open(f"slot {address}")
        if address in self._slots:
            raise self._error(f"slot {address!r} is declared twice; choose another name")
        self._slots[address] = Slot(address, routine, handler, self._signature(handler))

    # Finding

    def _output(self, spelled: str) -> tuple[str, str]:
        name, dot, output = spelled.partition(".")
        routine = self._routines.get(name)
        if routine is None:
            raise self._error(unknown("routine", name, self._routines))
        if dot and output in routine.outputs:
            return name, output
        if dot:
            raise self._error(unknown(f"output of {name}", output, routine.outputs))
        if len(routine.outputs) != 1:
            raise self._error(f"{name!r} alone names no output; it has {listed(routine.outputs)}")
        return name, routine.outputs[0]

    def _find_slot(self, spelled: str) -> Slot | str:
        """Return the slot with this address in any spelling, or what is wrong with it."""
        if spelled in self._slots:
            return self._slots[spelled]
        name, dot, slot = spelled.partition(".")
        if name not in self._routines:
            return unknown("routine", name, self._routines)
        inside = [found for found in self._slots.values() if found.routine == name]
        if len(inside) == 1 and (not dot or inside[0].address == slot == name):
            return inside[0]
        addresses = [found.address for found in inside]
        if not dot:
            return f"{name!r} alone names no slot; it has {listed(addresses)}"
        return unknown("slot", spelled, addresses)
