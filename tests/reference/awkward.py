"""Payloads that are easily spoilt on the way, put into programs and scripts that are there."""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs
from hypothesis import strategies as st

from tests.reference.oddities import AWKWARD, ODD_KEYS, REFUSED
from tests.reference.outcome import Outcome, choices_of
from tests.reference.program import (
    Answer,
    Branch,
    Command,
    Constant,
    Defer,
    Effect,
    Emit,
    Goto,
    JustUpdate,
    Log,
    Message,
    Operation,
    Payload,
    Program,
    Refused,
    Remember,
    Slot,
    Update,
    Write,
)

_CALLS: Final = ("emit", "defer", "ask", "write", "remember", "log")
_Refusals: TypeAlias = st.SearchStrategy[Refused]
_values: Final = st.sampled_from(AWKWARD)
_keys: Final = st.sampled_from(ODD_KEYS)
_constants: Final = st.builds(Constant, _values)
_caught: Final = st.builds(Refused, st.sampled_from(_CALLS), st.sampled_from(REFUSED))
_interrupting: Final = st.builds(Refused, st.just("interrupt"), st.sampled_from(REFUSED))
_odd: Final[st.SearchStrategy[Operation]] = st.one_of(
    st.builds(Write, _keys, _constants),
    st.builds(Remember, _keys, _constants),
    st.builds(Effect, st.just("odd"), _values),
    st.builds(Log, st.sampled_from(ODD_KEYS), _constants),
)


def awkward_program(draw: st.DrawFn, program: Program, *, interrupts: bool) -> Program:
    """Have every handler do something awkward first, and payloads hold more than they did."""
    escaping = draw(st.sampled_from([routine.name for routine in program.routines]))
    escapes = draw(st.integers(0, 5)) == 0
    caught = st.one_of(_caught, _interrupting) if interrupts else _caught
    routines = tuple(
        attrs.evolve(
            routine,
            slots=tuple(
                _slot(draw, slot, caught, escapes=escapes and routine.name == escaping)
                for slot in routine.slots
            ),
        )
        for routine in program.routines
    )
    return attrs.evolve(program, routines=routines, payload=_payload(draw, program.payload))


def _slot(draw: st.DrawFn, slot: Slot, caught: _Refusals, *, escapes: bool) -> Slot:
    first = (draw(_odd), draw(caught))
    last: tuple[Operation, ...] = ()
    if escapes:
        last = (attrs.evolve(draw(caught), caught=False),)
    return attrs.evolve(slot, operations=(*first, *_fuller(draw, slot.operations), *last))


def _fuller(draw: st.DrawFn, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Return operations whose emissions and deferrals hold something awkward besides."""
    made: list[Operation] = []
    for operation in operations:
        match operation:
            case Emit(payload=payload) | Defer(payload=payload) if draw(st.booleans()):
                more = {draw(_keys): draw(_constants)}
                made.append(attrs.evolve(operation, payload=payload | more))
            case Branch(then=then, otherwise=otherwise):
                then, otherwise = _fuller(draw, then), _fuller(draw, otherwise)
                made.append(attrs.evolve(operation, then=then, otherwise=otherwise))
            case _:
                made.append(operation)
    return tuple(made)


def _payload(draw: st.DrawFn, payload: Payload) -> Payload:
    return payload | {draw(_keys): draw(_values)}


def awkward_message(draw: st.DrawFn, message: Message) -> Message:
    """Return the message with something awkward in it besides."""
    return attrs.evolve(message, payload=_payload(draw, message.payload))


def awkward_command(draw: st.DrawFn, command: Command, outcome: Outcome) -> Command:
    """Return the command with something awkward in it; where any answer will do, as the answer."""
    match command:
        case Update(values=values) | JustUpdate(values=values):
            return attrs.evolve(command, values=_payload(draw, values))
        case Goto(payload=payload):
            return attrs.evolve(command, payload=_payload(draw, payload))
        case Answer(to=to) if choices_of(outcome, to) is None:
            return attrs.evolve(command, value=draw(_values))
        case _:
            return command
