"""Drawn programs whose shared data has a type: what they write is something for its fields."""

from __future__ import annotations

from typing import Final

import attrs
from hypothesis import strategies as st

from tests.reference.extras import with_more
from tests.reference.program import (
    Branch,
    Constant,
    Delete,
    FromShared,
    Log,
    Operation,
    Program,
    Reducer,
    Routine,
    Write,
)
from tests.reference.values import TYPED

_REDUCERS: Final[dict[str, tuple[Reducer, ...]]] = {
    "count": ("add", "set", "max"),
    "names": ("extend", "set"),
    "level": ("set",),
}


def typed(draw: st.DrawFn, program: Program) -> Program:
    """Give a program a type for its shared data, and have it write to that and nothing else."""
    routines = tuple(
        attrs.evolve(
            it,
            slots=tuple(
                attrs.evolve(slot, operations=_unwritten(slot.operations)) for slot in it.slots
            ),
        )
        for it in program.routines
    )
    reducers = {key: draw(st.sampled_from(kinds)) for key, kinds in _REDUCERS.items()}
    program = attrs.evolve(program, routines=routines, reducers=reducers, is_typed=True)

    def made(_: Routine, is_start: bool) -> tuple[Operation, ...]:
        return _writes(draw) if is_start or draw(st.booleans()) else ()

    return with_more(program, made, quiet=False)


def _unwritten(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Leave out what writes to the shared data."""
    made: list[Operation] = []
    for operation in operations:
        match operation:
            case Write() | Delete():
                pass
            case Branch(then=then, otherwise=otherwise):
                then, otherwise = _unwritten(then), _unwritten(otherwise)
                made.append(attrs.evolve(operation, then=then, otherwise=otherwise))
            case _:
                made.append(operation)
    return tuple(made)


def _writes(draw: st.DrawFn) -> tuple[Operation, ...]:
    """Draw one to three writes, seldom to a field that there is not, and perhaps a read."""
    made: list[Operation] = []
    for key in draw(st.lists(st.sampled_from(tuple(TYPED)), min_size=1, max_size=3)):
        made.append(Write(key, Constant(draw(TYPED[key]))))
        if draw(st.integers(0, 2)) == 0:
            made.append(Log(key, FromShared(key)))
    if draw(st.integers(0, 19)) == 19:
        made.append(Write("other", Constant(1)))
    return tuple(made)
