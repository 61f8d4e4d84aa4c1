"""What a drawn program may have besides: failure policies of its slots."""

from __future__ import annotations

from typing import Final

import attrs
from hypothesis import strategies as st

from tests.reference.program import (
    Connection,
    FailFirst,
    FailingEffect,
    FlakyEffect,
    LastResult,
    Log,
    OnError,
    Operation,
    Program,
    Retry,
    Slot,
)

_POLICIES: Final[tuple[OnError, ...]] = ("stop", "route", "skip", "stop")


def governed(draw: st.DrawFn, program: Program) -> Program:
    """Give most slots a failure policy, and something that it is for."""
    routines = tuple(
        attrs.evolve(
            routine,
            slots=tuple(
                _governed(draw, slot, f"{routine.name}.{slot.name}" == program.start)
                for slot in routine.slots
            ),
        )
        for routine in program.routines
    )
    connections = list(program.connections)
    slots = [f"{routine.name}.{slot.name}" for routine in routines for slot in routine.slots]
    routing = {it.name for it in routines if any(slot.on_error == "route" for slot in it.slots)}
    for name in sorted(routing):
        # Forward, so that what fails for ever does not come back for ever.
        forward = [slot for slot in slots if slot > f"{name}.~"] or slots
        connections.append(Connection(f"{name}.error", draw(st.sampled_from(forward))))
    routines = tuple(
        attrs.evolve(it, outputs=(*it.outputs, "error")) if it.name in routing else it
        for it in routines
    )
    return attrs.evolve(program, routines=routines, connections=tuple(connections))


def _governed(draw: st.DrawFn, slot: Slot, is_start: bool) -> Slot:
    """Draw the policy of a slot; the start has one always."""
    if not is_start and draw(st.integers(0, 3)) == 0:
        return slot
    on_error = draw(st.sampled_from(_POLICIES))
    retry = None
    if draw(st.integers(0, 3)):
        retry = Retry(
            attempts=draw(st.integers(2, 3)),
            delay_ms=draw(st.sampled_from((1000, 1500, 0, 10))),
            effects=draw(st.sampled_from(("reuse", "fresh"))),
        )
    return attrs.evolve(
        slot,
        operations=_failing(draw, slot.operations, stops=on_error == "stop"),
        retry=retry,
        on_error=on_error,
    )


def _failing(
    draw: st.DrawFn, operations: tuple[Operation, ...], *, stops: bool
) -> tuple[Operation, ...]:
    """Draw what fails at first, or for ever, before or after the rest."""
    flaky = FlakyEffect(
        name="flaky",
        failures=draw(st.sampled_from((2, 4, 1, 3))),
        message=draw(st.sampled_from(("busy", "größer"))),
        result=draw(st.integers(0, 3)),
        caught=draw(st.integers(0, 3)) == 3,
        attempts=draw(st.sampled_from((1, 1, 2, 3))),
    )
    parts: dict[str, tuple[Operation, ...]] = {
        "flaky": (flaky, Log("flaky", LastResult())),
        "first": (FailFirst(draw(st.integers(1, 2)), "at first"),),
        "both": (flaky, FailFirst(1, "after an effect")),
        "never": (FailingEffect("model", "never", caught=False),),
    }
    kinds = ("flaky", "both", "first", "flaky", "never", "none", "both")
    kind = draw(st.sampled_from(("flaky", "flaky", "flaky", "both") if stops else kinds))
    added = parts.get(kind, ())
    return added + operations if draw(st.booleans()) else operations + added
