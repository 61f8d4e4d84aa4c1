"""What a drawn program may have besides: timers, gathers, failure policies of its slots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import attrs
from hypothesis import strategies as st

from tests.reference.bodies import COUNT, drawn_payloads
from tests.reference.plain import Custom, Json
from tests.reference.program import (
    Branch,
    Connection,
    Constant,
    Emit,
    EmitAfter,
    FailFirst,
    FailingEffect,
    FlakyEffect,
    FromPayload,
    LastResult,
    Log,
    OnError,
    Operation,
    Program,
    Retry,
    Routine,
    Slot,
    Write,
)
from tests.reference.values import PLAIN, SCALARS

GATHERING: Final = "zg"  # The routine of gathers; it is the last one.
_POLICIES: Final[tuple[OnError, ...]] = ("stop", "route", "skip", "stop")


# Timers.


def timed(draw: st.DrawFn, program: Program) -> Program:
    """Have the start set one to three timers the first time, and perhaps other slots one."""
    return with_more(
        program,
        lambda routine, is_start: (
            _timers(draw, routine, 0 if is_start else 1)
            if is_start or draw(st.integers(0, 3))
            else ()
        ),
        quiet=draw(st.integers(0, 2)) < 2,
    )


def _timers(draw: st.DrawFn, routine: Routine, hops: int) -> tuple[Operation, ...]:
    """Draw timers that are set after some hops."""
    delays = draw(st.lists(st.sampled_from((1000, 10, 5000, 1000)), min_size=1, max_size=3))
    timers = tuple(
        EmitAfter(delay_ms, draw(st.sampled_from(routine.outputs)), draw(drawn_payloads()))
        for delay_ms in delays
    )
    return (Branch(COUNT, hops, timers),)


def with_more(
    program: Program, make: Callable[[Routine, bool], tuple[Operation, ...]], *, quiet: bool
) -> Program:
    """Begin the handlers of a program with more operations.

    A quiet start does nothing else the first time.
    """

    def extended(routine: Routine, slot: Slot) -> Slot:
        is_start = f"{routine.name}.{slot.name}" == program.start
        own = slot.operations
        own = (Branch(COUNT, 0, (), own),) if is_start and quiet else own
        return attrs.evolve(slot, operations=(*make(routine, is_start), *own))

    routines = tuple(
        attrs.evolve(it, slots=tuple(extended(it, slot) for slot in it.slots))
        for it in program.routines
    )
    return attrs.evolve(program, routines=routines)


# Reducers.


def reduced(draw: st.DrawFn, program: Program) -> Program:
    """Declare custom reducers for the keys that are set, and write to them at the start."""
    kinds = draw(st.sampled_from(_CUSTOM))
    reducers = program.reducers | dict(zip(PLAIN, kinds, strict=True))
    values: st.SearchStrategy[Json] = st.one_of(SCALARS, st.builds(list[Json], st.lists(SCALARS)))
    more = tuple(
        Write(key, Constant(draw(values)))
        for key in draw(st.lists(st.sampled_from(PLAIN), min_size=2, max_size=4))
    )
    program = with_more(
        program,
        lambda _, is_start: more if is_start or draw(st.integers(0, 1)) else (),
        quiet=False,
    )
    return attrs.evolve(program, reducers=reducers)


_CUSTOM: Final[tuple[tuple[Custom, Custom], ...]] = (
    ("counted", "fussy"),
    ("fussy", "counted"),
    ("counted", "counted"),
)

# Gathers.


def gathering(draw: st.DrawFn, program: Program) -> Program:
    """Add a routine of one or two slots that gather, and have the start emit to them."""
    name = program.start.partition(".")[0]
    routine = next(it for it in program.routines if it.name == name)
    connections = list(program.connections)
    slots: list[Slot] = []
    sources = [f"{it.name}.{output}" for it in program.routines for output in it.outputs]
    for number in range(draw(st.integers(1, 2))):
        slots.append(Slot(f"g{number}", _GATHERED, gather=draw(st.sampled_from(_RULES))))
        wanted = [f"{name}.{output}" for output in routine.outputs]
        if draw(st.integers(0, 2)) == 0:
            wanted.append(draw(st.sampled_from(sources)))
        connections += [
            Connection(output, f"{GATHERING}.g{number}") for output in dict.fromkeys(wanted)
        ]
    gathers = Routine(name=GATHERING, slots=tuple(slots), outputs=("o0",))
    more = draw(st.lists(st.sampled_from(routine.outputs), max_size=2))
    emissions = tuple(Emit(output, draw(drawn_payloads())) for output in (*routine.outputs, *more))
    program = with_more(
        program,
        lambda _, is_start: (Branch(COUNT, 0, emissions),) if is_start else (),
        quiet=draw(st.integers(0, 2)) < 2,
    )
    return attrs.evolve(
        program, routines=(*program.routines, gathers), connections=tuple(connections)
    )


_RULES: Final[tuple[int | Literal["all"], ...]] = ("all", 2, "all", 3)
_GATHERED: Final[tuple[Operation, ...]] = (
    Log("items", FromPayload("items")),
    Write("list", FromPayload("items"), "extend"),
    Emit("o0", {"n": Constant(9), "seen": FromPayload("items")}),
)


# Policies.


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
