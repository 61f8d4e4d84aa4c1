"""Programs and scripts for the property tests, sparse and lively, with what an example exercised.

Endless loops are wanted, endless growth is not: a list that is appended to itself doubles with
every write. So the keys that grow are read only where nothing grows from them: in the log, in
branches, and in what travels under the name ``seen``.
"""

from __future__ import annotations

from typing import Final, TypeAlias, final

import attrs
from hypothesis import strategies as st

from tests.reference.awkward import awkward_command, awkward_message, awkward_program
from tests.reference.interpreter import run
from tests.reference.oddities import ODD_KEYS
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
    Fail,
    FailingEffect,
    Forget,
    FromMemory,
    FromPayload,
    FromShared,
    Json,
    LastResult,
    Log,
    Operation,
    Pause,
    PlusOne,
    Program,
    Reducer,
    Remember,
    Routine,
    Script,
    Slot,
    Write,
)
from tests.reference.scripts import drawn_cancel, drawn_command, drawn_message, drawn_messages
from tests.reference.values import FITTING, GROWING, PLAIN, SCALARS, VALUES, payloads_from_outside

__all__ = ("FLAVOURS", "PAYLOAD_KEYS", "VALUES", "examples", "programs")

PAYLOAD_KEYS: Final = ("n", "x", "y", "z", "seen", "answer", *ODD_KEYS)  # There are no others.
_PLAIN_FLAVOURS: Final = ("calm", "failure", "conflict", "loop")
FLAVOURS: Final = (*_PLAIN_FLAVOURS, "awkward")  # Which is any of the others, with odd payloads.
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


@final
@attrs.frozen(kw_only=True)
class _Graph:
    """What operations may name."""

    slots: tuple[str, ...]  # "routine.slot"
    outputs: dict[str, tuple[str, ...]]  # By routine, bare names.
    connections: tuple[Connection, ...]


# Expressions.

_Expressions: TypeAlias = st.SearchStrategy[Expression]
_COUNT: Final = FromPayload("n", 0)
_STEADY: Final[_Expressions] = st.one_of(
    st.builds(Constant, VALUES),
    st.builds(FromPayload, st.sampled_from(("n", "x", "y", "z", "answer")), SCALARS),
    st.builds(FromShared, st.sampled_from(PLAIN), SCALARS),
    st.builds(FromMemory, st.just("kept"), SCALARS),
    st.just(LastResult()),
    st.builds(PlusOne, st.sampled_from((_COUNT, FromMemory("kept", 0), LastResult()))),
)
_SEEING: Final[_Expressions] = st.one_of(
    _STEADY,
    st.builds(FromShared, st.sampled_from(tuple(GROWING)), SCALARS),
    st.just(FromPayload("seen")),
    st.just(FromMemory("seen")),
)


@st.composite
def _payloads(draw: st.DrawFn) -> dict[str, Expression]:
    """Draw a payload to emit; it counts the hops since the last start, message or answer."""
    payload: dict[str, Expression] = {"n": PlusOne(_COUNT)}
    for key in draw(st.sets(st.sampled_from(("x", "y", "seen")), max_size=3)):
        payload[key] = draw(_SEEING if key == "seen" else _STEADY)
    return dict(sorted(payload.items()))


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
    "add": st.one_of(st.builds(Constant, FITTING["add"]), st.just(PlusOne(_COUNT))),
    "max": st.builds(Constant, FITTING["max"]),
    "min": st.builds(Constant, FITTING["min"]),
}
_TEXTS: Final = st.text(max_size=8)
_NAMES: Final = st.sampled_from(("model", "search", "über"))
_EXPECTED: Final = st.one_of(st.just(0), st.just(1), SCALARS)
_LOGS: Final = st.builds(Log, _TEXTS, _SEEING)
_SIMPLE: Final[dict[str, st.SearchStrategy[Operation]]] = {
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
}


@st.composite
def _operations(draw: st.DrawFn, graph: _Graph, routine: str, depth: int) -> tuple[Operation, ...]:
    """Draw the operations of a handler or of one side of a branch."""
    number = draw(st.sampled_from((5, 4, 3, 2, 1) if depth == 0 else (2, 1)))
    return tuple(_operation(draw, graph, routine, depth) for _ in range(number))


def _operation(draw: st.DrawFn, graph: _Graph, routine: str, depth: int) -> Operation:
    """Draw an operation; branches are not nested."""
    kind = draw(st.sampled_from(_OPERATIONS))
    if kind in ("emit", "defer"):
        return draw(_emissions(graph, routine, kind))
    if kind == "ask":
        return draw(_questions(graph))
    if kind == "branch" and depth == 0:
        inner = _operations(graph, routine, 1)
        return Branch(draw(_SEEING), draw(_EXPECTED), draw(inner), draw(inner))
    return draw(_SIMPLE.get(kind, _LOGS))


@st.composite
def _questions(draw: st.DrawFn, graph: _Graph) -> Ask:
    """Draw a question to any slot."""
    return Ask(draw(_TEXTS), draw(st.sampled_from(graph.slots)), draw(st.sampled_from(_CHOICES)))


@st.composite
def _emissions(draw: st.DrawFn, graph: _Graph, routine: str, kind: str) -> Operation:
    """Draw an emission or a deferral; most of those that may come back stop after some hops."""
    output = draw(st.sampled_from(graph.outputs[routine]))
    make = Emit if kind == "emit" else Defer
    operation = make(output, draw(_payloads()))
    back = any(
        connection.output == f"{routine}.{output}" and connection.slot < f"{routine}.~"
        for connection in graph.connections
    )
    if not back or draw(st.integers(0, 9)) == 0:
        return operation
    last = draw(st.integers(1, 3))
    guarded: tuple[Operation, ...] = (operation,)
    for hops in range(last, last + 3):  # A path may step over one number, not over three.
        guarded = (Branch(_COUNT, hops, (), guarded),)
    return guarded[0]


# Programs.


@st.composite
def _graphs(draw: st.DrawFn) -> _Graph:
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
    return _Graph(
        slots=everywhere,
        outputs=outputs,
        connections=tuple(draw(st.permutations(connections))),
    )


@st.composite
def programs(draw: st.DrawFn, *, asks: bool, flavour: str) -> Program:
    """Draw a program that asks and defers or may not, and may loop, conflict or fail."""
    graph = draw(_graphs())
    start = draw(st.sampled_from(graph.slots[:2]))
    bodies = {slot: draw(_operations(graph, slot.partition(".")[0], 0)) for slot in graph.slots}
    if asks:
        place = start if draw(st.integers(0, 4)) else draw(st.sampled_from(graph.slots))
        bodies[place] = _asking(draw, graph, place) + bodies[place]
    elif draw(st.integers(0, 3)):
        bodies[start] = (Branch(_COUNT, 0, (Pause("at first"),)), *bodies[start])
    connections = list(graph.connections)
    routine = start.partition(".")[0]
    output = graph.outputs[routine][0]
    if flavour == "loop":
        if not any(it.output == f"{routine}.{output}" and it.slot == start for it in connections):
            connections.append(Connection(f"{routine}.{output}", start))
        bodies[start] += (Emit(output, draw(_payloads())),)
    elif flavour in ("conflict", "failure"):
        ending = _ending(draw, flavour)
        bodies = {slot: operations + ending for slot, operations in bodies.items()}
    reducers: dict[str, Reducer] = {
        key: draw(st.sampled_from(GROWING[key]))
        for key in sorted(draw(st.sets(st.sampled_from(tuple(GROWING)))))
    }
    return Program(
        routines=tuple(
            Routine(
                name=name,
                slots=tuple(
                    Slot(slot.partition(".")[2], operations)
                    for slot, operations in bodies.items()
                    if slot.startswith(f"{name}.")
                ),
                outputs=outputs,
            )
            for name, outputs in graph.outputs.items()
        ),
        connections=tuple(connections),
        reducers=reducers,
        max_activations=draw(st.integers(5, 15) if flavour == "loop" else st.just(60)),
        start=start,
        payload={"n": 0} | draw(payloads_from_outside()),
    )


def _asking(draw: st.DrawFn, graph: _Graph, slot: str) -> tuple[Operation, ...]:
    """Draw what forces a deferral and one or two questions, the first time or every time."""
    routine = slot.partition(".")[0]
    asks: tuple[Operation, ...] = tuple(
        draw(_questions(graph)) for _ in range(draw(st.sampled_from((2, 1, 2))))
    )
    asks += (Pause("and a pause"),) if draw(st.integers(0, 3)) == 0 else ()
    output = draw(st.sampled_from(graph.outputs[routine]))
    forced = (Defer(output, draw(_payloads())), *asks)
    return (Branch(_COUNT, 0, forced, ()),) if draw(st.integers(0, 3)) else forced


def _ending(draw: st.DrawFn, flavour: str) -> tuple[Operation, ...]:
    """Draw what makes a wave fail, at once or after some hops, wherever it then is."""
    endings: tuple[tuple[Operation, ...], ...] = (
        (Fail("broken"),),
        (FailingEffect("model", "no answer", caught=False),),
    )
    if flavour == "conflict":
        endings = (
            (Write("sum", Constant("x"), "set"), Write("sum", Constant(1), "add")),
            (Write("sum", Constant("x"), "set"), Write("sum", Constant(1), "add")),
            (Write("list", Constant({}), "extend"),),
            (Write("a", Constant(True), "set"), Write("a", Constant(1), "max"), Delete("a")),
        )
    ending = draw(st.sampled_from(endings))
    # After any hop, at the start and at answers, or after exactly one hop.
    hops, late = draw(st.sampled_from(((0, True), (0, True), (0, False), (1, False))))
    return (Branch(_COUNT, hops, () if late else ending, ending if late else ()),)


# Examples.


@st.composite
def examples(
    draw: st.DrawFn, *, asks: bool | None = None, flavour: str | None = None
) -> tuple[Program, Script]:
    """Draw a program, and a script that was made while looking at its course.

    Hypothesis likes to vary what it has just drawn, so the examples of one run resemble each other.
    A test that wants an even mixture runs each of ``FLAVOURS``, with and without questions.
    """
    asks = draw(st.booleans()) if asks is None else asks
    flavour = draw(st.sampled_from(FLAVOURS)) if flavour is None else flavour
    if awkward := flavour == "awkward":
        flavour = draw(st.sampled_from(_PLAIN_FLAVOURS))
    program = draw(programs(asks=asks, flavour=flavour))
    program = awkward_program(draw, program) if awkward else program
    messages = drawn_messages(draw, program)
    if awkward:
        messages = tuple(awkward_message(draw, message) for message in messages)
    script = Script(messages=messages)
    for _ in range(draw(st.sampled_from((8, 6, 4, 10, 2)))):
        outcome = run(program, script)
        if outcome.status != "paused":
            break
        if draw(st.integers(0, 4)) == 0:
            message = drawn_message(draw, program, outcome.waves, "paused")
            message = awkward_message(draw, message) if awkward else message
            script = attrs.evolve(script, messages=(*script.messages, message))
        else:
            command = drawn_command(draw, program, outcome)
            command = awkward_command(draw, command, outcome) if awkward else command
            script = attrs.evolve(script, commands=(*script.commands, command))
    script = attrs.evolve(script, cancel=drawn_cancel(draw, run(program, script)))
    return program, script
