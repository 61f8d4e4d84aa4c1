"""Short words for the small programs that are worked out by hand."""

from __future__ import annotations

from tests.reference.interpreter import run
from tests.reference.outcome import Outcome
from tests.reference.program import (
    Command,
    Connection,
    Constant,
    Emit,
    Expression,
    Json,
    Message,
    Operation,
    Program,
    Reducer,
    Routine,
    Script,
    Slot,
)

ONE = Constant(1)


def program(
    slots: dict[str, tuple[Operation, ...]],
    *connections: Connection,
    reducers: dict[str, Reducer] | None = None,
    limit: int = 60,
) -> Program:
    """Make a routine ``a``, ``b``, … of every slot ``in``, each with outputs ``out`` and ``on``."""
    return Program(
        routines=tuple(
            Routine(name=name, slots=(Slot("in", operations),), outputs=("out", "on"))
            for name, operations in slots.items()
        ),
        connections=connections,
        reducers=reducers or {},
        max_activations=limit,
        start="a.in",
    )


def after(made: Program, *commands: Command, messages: tuple[Message, ...] = ()) -> Outcome:
    """Run a program with the commands and messages given."""
    return run(made, Script(messages=messages, commands=commands))


def to(source: str, target: str, **rename: str) -> Connection:
    """Connect ``a.out`` to ``b.in`` by the names of their routines."""
    output = source if "." in source else f"{source}.out"
    return Connection(output, f"{target}.in", rename)


def emit(**payload: Expression) -> Emit:
    """Emit on ``out``."""
    return Emit("out", payload)


def slots_of(outcome: Outcome) -> dict[str, str]:
    """Show which activation ran at which routine."""
    return {name: slot.partition(".")[0] for name, (slot, _, _) in outcome.activations.items()}


def message(wave: int, slot: str, **payload: Json) -> Message:
    """Make a message for an open wave."""
    return Message(wave=wave, slot=f"{slot}.in", payload=payload)
