"""What a drawn program may have of children: flows that are small and plain, and their starts.

One of them completes, one after several waves, one fails, one meets its limit, one asks for ever.
"""

from __future__ import annotations

from typing import Final

import attrs
from hypothesis import strategies as st

from tests.reference.bodies import COUNT, drawn_payloads
from tests.reference.extras import with_more
from tests.reference.program import (
    Ask,
    Branch,
    Connection,
    Constant,
    Effect,
    Emit,
    Expression,
    Fail,
    FromPayload,
    LastResult,
    Log,
    Operation,
    PlusOne,
    Program,
    Routine,
    Slot,
    StartChild,
    Write,
)


def _flow(*operations: Operation, next_one: tuple[Operation, ...] = (), limit: int = 60) -> Program:
    """Make a flow of ``k.in``, which may emit on ``on`` to ``k.next``, and on ``out``."""
    routine = Routine(
        name="k", slots=(Slot("in", operations), Slot("next", next_one)), outputs=("on", "out")
    )
    connections = (Connection("k.on", "k.next"),)
    return Program(
        routines=(routine,), connections=connections, max_activations=limit, start="k.in"
    )


_COUNTED: Final[dict[str, Expression]] = {"n": PlusOne(COUNT)}
_KINDS: Final[dict[str, Program]] = {
    "adds": _flow(Effect("model", 3), Emit("out", {"n": PlusOne(COUNT), "x": LastResult()})),
    "steps": _flow(
        Emit("on", _COUNTED),
        Emit("out", {"x": FromPayload("x")}),
        next_one=(Write("sum", Constant(1), "add"), Emit("out", _COUNTED)),
    ),
    "fails": _flow(Emit("out", _COUNTED), Fail("a child")),
    "loops": _flow(Emit("on", _COUNTED), next_one=(Emit("on", _COUNTED),), limit=3),
    "asks": _flow(Ask("for ever?", "k.next")),
}
_DRAWN: Final = ("asks", "adds", "fails", "steps", "asks", "loops", "adds", "asks")


def parental(draw: st.DrawFn, program: Program) -> Program:
    """Have the start begin with children the first time, other slots perhaps, and all use ends."""
    slots = [
        f"{it.name}.{slot.name}"
        for it in program.routines
        for slot in it.slots
        if slot.gather != "all"
    ]
    counting = [slot for slot in slots if program.slot(slot).gather is not None]

    def made(routine: Routine, is_start: bool) -> tuple[Operation, ...]:
        used: tuple[Operation, ...] = (Log("child", FromPayload("status")),)
        if draw(st.booleans()):
            seen: dict[str, Expression] = {"n": Constant(2), "seen": FromPayload("outputs")}
            used += (Emit(draw(st.sampled_from(routine.outputs)), seen),)
        starts: tuple[Operation, ...] = ()
        if is_start or draw(st.integers(0, 5)) == 0:
            starts = _starts(draw, [*slots, *counting * 2])
        # The end of a child starts no other, so that they come to an end.
        return (Branch(FromPayload("job_id"), None, starts, used),)

    program = with_more(program, made, quiet=draw(st.integers(0, 2)) < 2)
    return attrs.evolve(program, children=_KINDS)


def _starts(draw: st.DrawFn, slots: list[str]) -> tuple[Operation, ...]:
    """Draw one to three starts, before the first hop."""
    starts = tuple(
        StartChild(
            draw(st.sampled_from(_DRAWN)),
            "k.in",
            draw(drawn_payloads()),
            draw(st.sampled_from(slots)),
        )
        for _ in range(draw(st.sampled_from((2, 1, 3))))
    )
    return (Branch(COUNT, 0, starts),)
