"""Graphs and the operations of handlers, drawn: sparse and lively.

Endless loops are wanted, endless growth is not: a list that is appended to itself doubles with
every write. So the keys that grow are read only where nothing grows from them: in the log, in
branches, and in what travels under the name ``seen``.
"""

from __future__ import annotations

from typing import Final, TypeAlias, final

import attrs
from hypothesis import strategies as st

from tests.reference.capabilities import Capability
from tests.reference.program import (
    Ask,
    Branch,
    Connection,
    Constant,
    Defer,
    Delete,
    Effect,
    Emit,
    Expression,
    FailingEffect,
    Forget,
    FromMemory,
    FromPayload,
    FromShared,
    Interrupt,
    Json,
    LastResult,
    Log,
    Operation,
    Pause,
    PlusOne,
    Reducer,
    Remember,
    Write,
)
from tests.reference.values import FITTING, GROWING, PLAIN, SCALARS, VALUES

_RENAMES: Final[tuple[dict[str, str], ...]] = (
    {},
    {"x": "y"},
    {"y": "z"},
    {"x": "y", "y": "x"},
    {"x": "z", "y": "x"},
)
_CHOICES: Final[tuple[tuple[Json, ...] | None, ...]] = (
    None,
    ("A", "B"),
    (1, 2.0),
    (True, False, None),
    ("ja", "nein", "何か"),
)
_OPERATIONS: Final = (
    *("emit", "emit", "emit", "emit", "defer", "grow", "grow", "grow", "write", "write"),
    *("delete", "remember", "remember", "forget", "log", "log", "log", "effect", "effect"),
    *("caught", "caught", "ask", "pause", "pause", "branch"),
)
_MORE: Final[dict[Capability, tuple[str, ...]]] = {"interrupts": ("interrupt",)}


@final
@attrs.frozen(kw_only=True)
class Graph:
    """What operations may name."""

    slots: tuple[str, ...]  # "routine.slot"
    outputs: dict[str, tuple[str, ...]]  # By routine, bare names.
    connections: tuple[Connection, ...]
    enabled: frozenset[Capability]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Name the kinds of operations."""
        return sum((kinds for it, kinds in _MORE.items() if it in self.enabled), _OPERATIONS)


# Expressions.

_Expressions: TypeAlias = st.SearchStrategy[Expression]
COUNT: Final = FromPayload("n", 0)
_STEADY: Final[_Expressions] = st.one_of(
    st.builds(Constant, VALUES),
    st.builds(FromPayload, st.sampled_from(("n", "x", "y", "z", "answer")), SCALARS),
    st.builds(FromShared, st.sampled_from(PLAIN), SCALARS),
    st.builds(FromMemory, st.just("kept"), SCALARS),
    st.just(LastResult()),
    st.builds(PlusOne, st.sampled_from((COUNT, FromMemory("kept", 0), LastResult()))),
)
_SEEING: Final[_Expressions] = st.one_of(
    _STEADY,
    st.builds(FromShared, st.sampled_from(tuple(GROWING)), SCALARS),
    st.just(FromPayload("seen")),
    st.just(FromMemory("seen")),
)


@st.composite
def drawn_payloads(draw: st.DrawFn) -> dict[str, Expression]:
    """Draw a payload to emit; it counts the hops since the last start, message or answer."""
    payload: dict[str, Expression] = {"n": PlusOne(COUNT)}
    for key in sorted(draw(st.sets(st.sampled_from(("x", "y", "seen")), max_size=3))):
        payload[key] = draw(_SEEING if key == "seen" else _STEADY)
    return payload


# Operations.


@st.composite
def _growth(draw: st.DrawFn) -> Operation:
    """Draw a write to a growing key, with a reducer and a value that fit it."""
    key = draw(st.sampled_from(tuple(GROWING)))
    reducer = draw(st.sampled_from(GROWING[key]))
    return Write(key, draw(_FITTING[reducer]), reducer)


_FITTING: Final[dict[Reducer, _Expressions]] = {
    "append": _STEADY,
    "unique": _STEADY,
    "extend": st.builds(Constant, FITTING["extend"]),
    "merge": st.builds(Constant, FITTING["merge"]),
    "add": st.one_of(st.builds(Constant, FITTING["add"]), st.just(PlusOne(COUNT))),
    "max": st.builds(Constant, FITTING["max"]),
    "min": st.builds(Constant, FITTING["min"]),
}
_TEXTS: Final = st.text(max_size=8)
_NAMES: Final = st.sampled_from(("model", "search", "über"))
_EXPECTED: Final = st.one_of(st.just(0), st.just(1), SCALARS)
_LOGS: Final = st.builds(Log, _TEXTS, _SEEING)
SIMPLE: Final[dict[str, st.SearchStrategy[Operation]]] = {
    "grow": _growth(),
    "write": st.builds(Write, st.sampled_from(PLAIN), _STEADY),
    "delete": st.builds(Delete, st.sampled_from((*PLAIN, *GROWING))),
    "remember": st.one_of(
        st.builds(Remember, st.just("kept"), _STEADY),
        st.builds(Remember, st.just("seen"), _SEEING),
    ),
    "forget": st.builds(Forget, st.sampled_from(("kept", "seen"))),
    "effect": st.builds(Effect, _NAMES, VALUES),
    "caught": st.builds(FailingEffect, _NAMES, _TEXTS, st.just(True)),
    "pause": st.builds(Pause, _TEXTS),
    "interrupt": st.builds(Interrupt, _STEADY, st.sampled_from(_CHOICES), st.booleans()),
}


@st.composite
def drawn_operations(
    draw: st.DrawFn, graph: Graph, routine: str, depth: int
) -> tuple[Operation, ...]:
    """Draw the operations of a handler or of one side of a branch."""
    number = draw(st.sampled_from((5, 4, 3, 2, 1) if depth == 0 else (2, 1)))
    return tuple(_operation(draw, graph, routine, depth) for _ in range(number))


def _operation(draw: st.DrawFn, graph: Graph, routine: str, depth: int) -> Operation:
    """Draw an operation; branches are not nested."""
    kind = draw(st.sampled_from(graph.kinds))
    if kind in ("emit", "defer"):
        return draw(_emissions(graph, routine, kind))
    if kind == "ask":
        return draw(drawn_questions(graph))
    if kind == "branch" and depth == 0:
        inner = drawn_operations(graph, routine, 1)
        return Branch(draw(_SEEING), draw(_EXPECTED), draw(inner), draw(inner))
    return draw(SIMPLE.get(kind, _LOGS))


@st.composite
def drawn_questions(draw: st.DrawFn, graph: Graph) -> Ask:
    """Draw a question to any slot, perhaps with a deadline."""
    choices = draw(st.sampled_from(_CHOICES))
    asked = Ask(draw(_TEXTS), draw(st.sampled_from(graph.slots)), choices)
    if "deadlines" not in graph.enabled or draw(st.integers(0, 3)) == 3:
        return asked
    default = draw(VALUES if choices is None else st.sampled_from(choices))
    return attrs.evolve(asked, timeout=draw(st.sampled_from((10, 10, 60, 1))), default=default)


@st.composite
def _emissions(draw: st.DrawFn, graph: Graph, routine: str, kind: str) -> Operation:
    """Draw an emission or a deferral; most of those that may come back stop after some hops."""
    output = draw(st.sampled_from(graph.outputs[routine]))
    make = Emit if kind == "emit" else Defer
    operation = make(output, draw(drawn_payloads()))
    back = any(
        connection.output == f"{routine}.{output}" and connection.slot < f"{routine}.~"
        for connection in graph.connections
    )
    if not back or draw(st.integers(0, 9)) == 0:
        return operation
    last = draw(st.integers(1, 3))
    guarded: tuple[Operation, ...] = (operation,)
    for hops in range(last, last + 3):  # A path may step over one number, not over three.
        guarded = (Branch(COUNT, hops, (), guarded),)
    return guarded[0]


# Graphs.


@st.composite
def drawn_graphs(draw: st.DrawFn, enabled: frozenset[Capability]) -> Graph:
    """Draw routines and their connections, most of them forward."""
    names = [f"r{number}" for number in range(draw(st.integers(1, 5)))]
    slots = {name: tuple(f"s{n}" for n in range(draw(st.integers(1, 3)))) for name in names}
    outputs = {name: tuple(f"o{n}" for n in range(draw(st.integers(1, 2)))) for name in names}
    everywhere = tuple(f"{name}.{slot}" for name in names for slot in slots[name])
    connections: list[Connection] = []
    for name in names:
        forward = tuple(slot for slot in everywhere if slot > f"{name}.~") or everywhere
        for output in outputs[name]:
            targets = st.sampled_from(forward if draw(st.integers(0, 3)) else everywhere)
            for slot in draw(st.lists(targets, max_size=2, unique=True)):
                rename = draw(st.sampled_from(_RENAMES))
                connections.append(Connection(f"{name}.{output}", slot, rename))
    return Graph(
        slots=everywhere,
        outputs=outputs,
        connections=tuple(draw(st.permutations(connections))),
        enabled=enabled,
    )
