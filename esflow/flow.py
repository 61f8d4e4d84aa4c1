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

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, Self, TypeAlias, TypeVar, final, overload

import attrs

from esflow.errors import FlowError, SlotNotFound
from esflow.events import Json, Target
from esflow.payloads import Signature, signature_of
from esflow.reducers import BUILT_IN

max_name: Final = 100  # Characters.
_name: Final = re.compile(r"[^\W\d][\w-]*", re.ASCII)

Handler: TypeAlias = Callable[..., object]
_H = TypeVar("_H", bound=Handler)


@final
@attrs.frozen
class Slot:
    """An inlet of a routine: the handler that an activation calls."""

    address: str
    routine: str
    function: Handler
    signature: Signature


@final
@attrs.frozen
class Connection:
    """An edge from an output to a slot."""

    routine: str
    output: str
    target: Target


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
        return f"<Routine {self.name} outputs: {_listed(self.outputs)}>"


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
        self._frozen = False
        self._check_name("flow", name)
        if not version or len(version) > max_name or not version.isprintable():
            raise self._error(f"version {version!r:.120} is no line of 1 to {max_name} characters")
        if type(max_activations) is not int or not 1 <= max_activations < 2**63:
            raise self._error(f"max_activations={max_activations!r:.120} is no whole number from 1")
        for key, reducer in self.reducers.items():
            if reducer not in BUILT_IN:
                raise self._unknown(f"reducer of shared[{key!r:.100}]", str(reducer), BUILT_IN)

    # Declaring

    def routine(self, name: str, outputs: Iterable[str] = ()) -> Routine:
        """Declare a routine, to have slots declared on it.

        Raises: FlowError, when a name is bad or taken.
        """
        self._check_open(f"routine {name!r}")
        self._check_name("routine", name)
        if name in self._routines:
            raise self._error(f"routine {name!r} is declared twice; choose another name")
        if isinstance(outputs, str):
            raise self._error(f"outputs of {name!r} are one text; write outputs=({outputs!r},)")
        names = tuple(outputs)
        for output in names:
            self._check_name(f"output of {name}", output)
            if names.count(output) > 1:
                raise self._error(f"routine {name!r} has output {output!r} twice")
        routine = Routine(name, names, lambda slot, handler: self._add_slot(name, slot, handler))
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
            signature = self._signature(handler)
            self.routine(name, outputs)
            self._slots[name] = Slot(name, name, handler, signature)
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
        self._check_rename(edge, end.signature, rename)
        target = Target(slot=end.address, rename=dict(rename) or None)
        self._connections.append(Connection(routine, name, target))
        self._targets[routine, name] += (target,)

    def freeze(self) -> None:
        """Refuse every later declaration; an engine does this to the flows that it is given."""
        self._frozen = True

    # Reading

    @property
    def frozen(self) -> bool:
        """Whether declaring has ended."""
        return self._frozen

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
        found = self._slots.get(name) or self._find_slot(name)
        if isinstance(found, str):
            raise SlotNotFound(self.name, name, tuple(self._slots))
        return found

    def targets(self, routine: str, output: str) -> tuple[Target, ...]:
        """Return where an output goes, in the order of the connections.

        Raises: FlowError, when the routine has no such output.
        """
        found = self._targets.get((routine, output))
        return self.targets(*self._output(f"{routine}.{output}")) if found is None else found

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
                    "from": f"{edge.routine}.{edge.output}",
                    "to": edge.target.slot,
                    "rename": dict(sorted((edge.target.rename or {}).items())),
                }
                for edge in self._connections
            ],
        }

    @property
    def fingerprint(self) -> str:
        """The sha256 of the definition, in hex: it changes with the graph, not with handlers."""
        text = json.dumps(self.definition(), sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()

    @classmethod
    def from_definition(
        cls, definition: Mapping[str, Json], routines: Mapping[str, Handler]
    ) -> Self:
        """Return the flow with a definition; ``routines`` maps the address of each slot to its handler.

        Raises: FlowError, when a handler is missing or left over, or doesn't fit the graph.
        """
        flow = cls(
            definition["name"],
            definition["version"],
            reducers=definition["reducers"],
            max_activations=definition["max_activations"],
        )
        addresses = [slot for routine in definition["routines"] for slot in routine["slots"]]
        if missing := [address for address in addresses if address not in routines]:
            raise flow._error(f"handlers are missing for {_listed(missing)}")
        if extra := [address for address in routines if address not in addresses]:
            raise flow._error(f"handlers are given for no slot: {_listed(extra)}")
        for routine in definition["routines"]:
            name = routine["name"]
            flow.routine(name, routine["outputs"])
            for address in routine["slots"]:
                handler = routines[address]
                flow._slots[address] = Slot(address, name, handler, flow._signature(handler))
        for edge in definition["connections"]:
            flow.connect(edge["from"], edge["to"], edge["rename"])
        return flow

    def to_mermaid(self) -> str:
        """Return the graph as the text of a Mermaid flowchart.

        Shape: nodes have ids of their own, because a name like ``end`` means something there.
        """
        ids: dict[str, str] = {}
        lines = ["flowchart LR"]
        for number, name in enumerate(self._routines):
            ids[name] = f"r{number}"
            inside = [slot for slot in self._slots.values() if slot.routine == name]
            if [slot.address for slot in inside] == [name]:
                lines.append(f'    r{number}["{name}"]')
                continue
            lines.append(f'    subgraph r{number}["{name}"]')
            for place, slot in enumerate(inside):
                ids[slot.address] = f"r{number}s{place}"
                lines.append(f'        r{number}s{place}["{slot.address.removeprefix(name + ".")}"]')
            lines.append("    end")
        for edge in self._connections:
            start, end = ids[edge.routine], ids[edge.target.slot]
            lines.append(f'    {start} -- "{edge.output}" --> {end}')
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"<Flow {self.name} version {self.version} slots: {_listed(self._slots)}>"

    # Refusing

    def _error(self, problem: str) -> FlowError:
        return FlowError(self.name, problem)

    def _unknown(self, what: str, name: str, known: Iterable[str]) -> FlowError:
        return self._error(_unknown(what, name, known))

    def _check_open(self, what: str) -> None:
        if self._frozen:
            raise self._error(f"{what} comes too late: an engine has this flow; declare it before")

    def _check_name(self, what: str, name: object) -> None:
        if not isinstance(name, str) or len(name) > max_name or not _name.fullmatch(name):
            raise self._error(
                f"{name!r:.120} is no name for a {what}; use 1 to {max_name} letters, digits, "
                "_ and -, a letter or _ first"
            )

    def _check_rename(self, edge: str, signature: Signature, rename: Mapping[str, str]) -> None:
        parameters = list(rename.values())
        for key, parameter in rename.items():
            if not isinstance(key, str) or not key:
                raise self._error(f"{edge}: rename of {key!r:.100} is no payload key")
            if parameters.count(parameter) > 1:
                raise self._error(f"{edge}: rename gives parameter {parameter!r} twice")
            if parameter in signature.parameters:
                continue
            if not signature.rest or parameter == signature.context:
                raise self._unknown(f"{edge}: parameter", parameter, signature.parameters)

    def _name_of(self, handler: Handler) -> str:
        name = getattr(handler, "__name__", None)
        if not isinstance(name, str) or not _name.fullmatch(name):
            raise self._error(f"{handler!r:.120} has no usable name; give it one: slot(name=...)")
        return name

    def _signature(self, handler: Handler) -> Signature:
        if not callable(handler):
            raise self._error(f"{handler!r:.120} can't be called; a slot is a function")
        calls = (handler, getattr(handler, "__call__", None))
        if any(map(inspect.iscoroutinefunction, calls)):
            raise self._error(f"{handler!r:.120} is async: async handlers need AsyncEngine")
        if any(inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call) for call in calls):
            raise self._error(f"{handler!r:.120} is a generator, which would never run; emit instead")
        return signature_of(handler, self.name)

    def _add_slot(self, routine: str, slot: str | None, handler: Handler) -> None:
        name = self._name_of(handler) if slot is None else slot
        self._check_open(f"slot {routine}.{name}")
        self._check_name(f"slot of {routine}", name)
        address = f"{routine}.{name}"
        if address in self._slots:
            raise self._error(f"slot {address!r} is declared twice; choose another name")
        self._slots[address] = Slot(address, routine, handler, self._signature(handler))

    # Finding

    def _output(self, spelled: str) -> tuple[str, str]:
        name, dot, output = spelled.partition(".")
        routine = self._routines.get(name)
        if routine is None:
            raise self._unknown("routine", name, self._routines)
        if dot and output in routine.outputs:
            return name, output
        if dot:
            raise self._unknown(f"output of {name}", output, routine.outputs)
        if len(routine.outputs) != 1:
            raise self._error(f"{name!r} alone names no output; it has {_listed(routine.outputs)}")
        return name, routine.outputs[0]

    def _find_slot(self, spelled: str) -> Slot | str:
        """Return the slot with this address in any spelling, or what is wrong with it."""
        if spelled in self._slots:
            return self._slots[spelled]
        name, dot, slot = spelled.partition(".")
        if name not in self._routines:
            return _unknown("routine", name, self._routines)
        inside = [found for found in self._slots.values() if found.routine == name]
        if not dot:
            addresses = _listed(found.address for found in inside)
            return inside[0] if len(inside) == 1 else f"{name!r} alone names no slot; it has {addresses}"
        if slot == name and name in self._slots:
            return self._slots[name]
        return _unknown(f"slot of {name}", slot, [found.address for found in inside])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"there is {_listed(names)}"
    return f"no {what} {name!r:.120}; {advice}"
