"""Programs and scripts for the property tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
from hypothesis import strategies as st

from tests.reference.awkward import awkward_command, awkward_message, awkward_program
from tests.reference.bodies import (
    COUNT,
    SIMPLE,
    Graph,
    drawn_graphs,
    drawn_operations,
    drawn_payloads,
    drawn_questions,
)
from tests.reference.capabilities import ALL, USUAL, Capability
from tests.reference.extras import gathering, governed, reduced, timed
from tests.reference.interpreter import run
from tests.reference.oddities import ODD_KEYS
from tests.reference.offspring import parental
from tests.reference.outcome import moment_of
from tests.reference.program import (
    Branch,
    Connection,
    Constant,
    Defer,
    Delete,
    Emit,
    Fail,
    FailingEffect,
    LastResult,
    Log,
    Operation,
    Pause,
    Program,
    Reducer,
    Remember,
    Routine,
    Script,
    Slot,
    Write,
)
from tests.reference.scripts import (
    drawn_breakpoints,
    drawn_cancel,
    drawn_command,
    drawn_message,
    drawn_messages,
    may_be_told,
    plain_command,
    rebroken,
    waits_in_vain,
)
from tests.reference.typed import typed
from tests.reference.values import GROWING, VALUES, payloads_from_outside

__all__ = (
    "COMMON_FLAVOURS",
    "FLAVOURS",
    "PAYLOAD_KEYS",
    "VALUES",
    "enabled_in",
    "examples",
    "programs",
)

PAYLOAD_KEYS: Final = ("n", "x", "y", "z", "seen", "answer", *ODD_KEYS)  # There are no others.
_PLAIN_FLAVOURS: Final = ("calm", "failure", "conflict", "loop")
_RICH_FLAVOURS: Final[Mapping[str, frozenset[Capability]]] = {
    "timed": frozenset((*USUAL, "timers", "deadlines")),
    "joined": frozenset((*USUAL, "gathers", "reducers")),
    "governed": frozenset((*USUAL, "policies", "timers")),
    "typed": frozenset((*USUAL, "typed", "policies")),
    "family": frozenset((*USUAL, "children", "timers", "deadlines", "gathers")),
    # A type would leave no other writes, and children have a flavour of their own.
    "mixed": ALL - {"typed", "children"},
}
COMMON_FLAVOURS: Final = (*_PLAIN_FLAVOURS, "awkward")
FLAVOURS: Final = (*COMMON_FLAVOURS, *_RICH_FLAVOURS)
"""Those behind the plain ones are any of them, with odd payloads or with more in the program."""


def enabled_in(flavour: str) -> frozenset[Capability]:
    """Return what examples of a flavour may hold beyond the plain."""
    return _RICH_FLAVOURS.get(flavour, USUAL)


# Programs.


@st.composite
def programs(
    draw: st.DrawFn,
    *,
    asks: bool,
    flavour: str,
    enabled: frozenset[Capability] = USUAL,
) -> Program:
    """Draw a program that asks and defers or may not, and may loop, conflict or fail."""
    graph = draw(drawn_graphs(enabled))
    start = draw(st.sampled_from(graph.slots[:2]))
    bodies = {
        slot: draw(drawn_operations(graph, slot.partition(".")[0], 0)) for slot in graph.slots
    }
    if asks:
        place = start if draw(st.integers(0, 4)) else draw(st.sampled_from(graph.slots))
        bodies[place] = _asking(draw, graph, place) + bodies[place]
    elif draw(st.integers(0, 3)):
        bodies[start] = (Branch(COUNT, 0, (Pause("at first"),)), *bodies[start])
    connections = list(graph.connections)
    if "interrupts" in enabled and (flavour == "failure" or draw(st.integers(0, 5)) < 5):
        _crowd(draw, graph, start, connections, bodies)
    routine = start.partition(".")[0]
    output = graph.outputs[routine][0]
    if flavour == "loop":
        if not any(it.output == f"{routine}.{output}" and it.slot == start for it in connections):
            connections.append(Connection(f"{routine}.{output}", start))
        bodies[start] += (Emit(output, draw(drawn_payloads())),)
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


def _asking(draw: st.DrawFn, graph: Graph, slot: str) -> tuple[Operation, ...]:
    """Draw what forces a deferral and one or two questions, the first time or every time."""
    routine = slot.partition(".")[0]
    asks: tuple[Operation, ...] = tuple(
        draw(drawn_questions(graph)) for _ in range(draw(st.sampled_from((2, 1, 2))))
    )
    asks += (Pause("and a pause"),) if draw(st.integers(0, 3)) == 0 else ()
    output = draw(st.sampled_from(graph.outputs[routine]))
    forced = (Defer(output, draw(drawn_payloads())), *asks)
    return (Branch(COUNT, 0, forced, ()),) if draw(st.integers(0, 3)) else forced


def _crowd(
    draw: st.DrawFn,
    graph: Graph,
    start: str,
    connections: list[Connection],
    bodies: dict[str, tuple[Operation, ...]],
) -> None:
    """Have the start activate a slot twice whose handler is interrupted and uses the answers."""
    slot = draw(st.sampled_from(graph.slots[::-1]))
    routine = start.partition(".")[0]
    output = graph.outputs[routine][0]
    if not any(it.output == f"{routine}.{output}" and it.slot == slot for it in connections):
        connections.append(Connection(f"{routine}.{output}", slot))
    forced = _interrupted(draw)
    if slot == start or draw(st.integers(0, 3)) == 0:
        forced = (Branch(COUNT, 0, (), forced),)
    where = draw(st.sampled_from((0, 0, len(bodies[slot]))))
    bodies[slot] = bodies[slot][:where] + forced + bodies[slot][where:]
    emissions = (Emit(output, draw(drawn_payloads())),) * draw(st.sampled_from((3, 2)))
    held: tuple[Operation, ...] = (Defer(output, draw(drawn_payloads())),)
    held = held if draw(st.integers(0, 2)) == 0 else ()
    bodies[start] += (Branch(COUNT, 0, held + emissions),)


def _interrupted(draw: st.DrawFn) -> tuple[Operation, ...]:
    """Draw an interrupt whose answer is used, and perhaps another one."""
    used: tuple[Operation, ...] = (
        Log("answer", LastResult()),
        Write("a", LastResult()),
        Branch(LastResult(), 1, (Remember("kept", LastResult()),), (Pause("not one"),)),
        Branch(LastResult(), "A", (Fail("refused"),), (Write("list", LastResult(), "append"),)),
        Branch(LastResult(), True, (Fail("granted"),), (Log("not granted", LastResult()),)),
    )
    operations: tuple[Operation, ...] = (draw(SIMPLE["interrupt"]), draw(st.sampled_from(used)))
    if draw(st.integers(0, 2)) < 2:
        operations += (draw(SIMPLE["interrupt"]), draw(st.sampled_from(used)))
    return operations


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
    # After any hop, at the start and at answers, or after exactly one hop or two.
    third = (0, False) if flavour == "conflict" else (2, False)  # Few jobs come to a second hop.
    hops, late = draw(st.sampled_from(((0, True), (1, False), third, (1, False), (0, False))))
    return (Branch(COUNT, hops, () if late else ending, ending if late else ()),)


# Examples.


def _finished(program: Program, script: Script) -> Script:
    """Have a job that is paused at the end of its script carried on, as far as it goes."""
    for _ in range(12):
        outcome = run(program, script)
        if outcome.status not in ("paused", "waiting") or waits_in_vain(outcome):
            break
        script = attrs.evolve(script, commands=(*script.commands, plain_command(outcome)))
    return script


@st.composite
def examples(
    draw: st.DrawFn,
    *,
    asks: bool | None = None,
    flavour: str | None = None,
    enabled: frozenset[Capability] | None = None,
) -> tuple[Program, Script]:
    """Draw a program, and a script that was made while looking at its course.

    Hypothesis likes to vary what it has just drawn, so the examples of one run resemble each other.
    A test that wants an even mixture runs each of ``FLAVOURS``, with and without questions.
    """
    asks = draw(st.booleans()) if asks is None else asks
    flavour = draw(st.sampled_from(FLAVOURS)) if flavour is None else flavour
    enabled = enabled_in(flavour) if enabled is None else enabled
    awkward = flavour == "awkward"
    if flavour not in _PLAIN_FLAVOURS:
        flavour = draw(st.sampled_from(_PLAIN_FLAVOURS))
    program = draw(programs(asks=asks, flavour=flavour, enabled=enabled))
    if awkward:
        program = awkward_program(draw, program, interrupts="interrupts" in enabled)
    program = reduced(draw, program) if "reducers" in enabled else program
    program = timed(draw, program) if "timers" in enabled else program
    program = gathering(draw, program) if "gathers" in enabled else program
    program = parental(draw, program) if "children" in enabled else program
    if "typed" in enabled and not awkward and ("reducers" not in enabled or draw(st.booleans())):
        program = typed(draw, program)
    if "policies" in enabled:
        program = governed(draw, program)
    messages = drawn_messages(draw, program)
    if awkward:
        messages = tuple(awkward_message(draw, message) for message in messages)
    pausing = "breakpoints" in enabled and draw(st.integers(0, 2)) < 2
    script = Script(messages=messages, breakpoints=drawn_breakpoints(draw, program, often=pausing))
    often = 3 if enabled & {"timers", "gathers", "children"} else 1
    for _ in range(draw(st.sampled_from((8, 6, 4, 10, 2) if not enabled else (12, 20, 15, 8, 4)))):
        outcome = run(program, script)
        if not may_be_told(outcome, enabled):
            break
        if outcome.status != "failed" and draw(st.integers(0, 5)) == 5:
            message = drawn_message(draw, program, outcome.waves, moment_of(outcome))
            message = awkward_message(draw, message) if awkward else message
            script = attrs.evolve(script, messages=(*script.messages, message))
        else:
            command = drawn_command(draw, program, outcome)
            command = awkward_command(draw, command, outcome) if awkward else command
            if pausing and draw(st.integers(0, 3)) == 0:
                command = rebroken(draw, program, outcome, command)
            script = attrs.evolve(script, commands=(*script.commands, command))
    script = _finished(program, script) if draw(st.integers(0, 3)) < often else script
    script = attrs.evolve(script, cancel=drawn_cancel(draw, program, script))
    return program, script
