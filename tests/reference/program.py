"""Flows, and what happens to them from outside, as plain data.

Two programs read this data: the reference interpreter, and the one that builds a real flow of it.
So it holds everything on which the two have to agree, and nothing of how either of them works.
The graph is here; operations, commands and plain values come from the modules beside this one.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import attrs

from tests.reference.operations import (
    Ask,
    Branch,
    Constant,
    ControlOperation,
    DataOperation,
    Defer,
    Delete,
    Effect,
    Emit,
    EmitAfter,
    Expression,
    Fail,
    FailFirst,
    FailingEffect,
    FlakyEffect,
    Foreseen,
    Forget,
    FromMemory,
    FromPayload,
    FromShared,
    Interrupt,
    JobOperation,
    LastResult,
    Log,
    Operation,
    Pause,
    PlusOne,
    Refused,
    Remember,
    StartChild,
    Write,
)
from tests.reference.outside import (
    KEPT,
    Advance,
    Answer,
    Breakpoints,
    Cancel,
    Command,
    Continue,
    Goto,
    JustUpdate,
    Message,
    Moment,
    RetryJob,
    Script,
    Update,
)
from tests.reference.plain import (
    Forgetting,
    Json,
    Payload,
    Reducer,
    canonical,
    child_ended,
    log_message,
    plus_one,
    routed_payload,
    same,
    without_wording,
)

__all__ = (
    "KEPT",
    "Advance",
    "Answer",
    "Ask",
    "Branch",
    "Breakpoints",
    "Cancel",
    "Command",
    "Connection",
    "Constant",
    "Continue",
    "ControlOperation",
    "DataOperation",
    "Defer",
    "Delete",
    "Effect",
    "Emit",
    "EmitAfter",
    "Expression",
    "Fail",
    "FailFirst",
    "FailingEffect",
    "FlakyEffect",
    "Foreseen",
    "Forget",
    "Forgetting",
    "FromMemory",
    "FromPayload",
    "FromShared",
    "Goto",
    "Interrupt",
    "JobOperation",
    "Json",
    "JustUpdate",
    "LastResult",
    "Log",
    "Message",
    "Moment",
    "OnError",
    "Operation",
    "Pause",
    "Payload",
    "PlusOne",
    "Program",
    "Reducer",
    "Refused",
    "Remember",
    "Retry",
    "RetryJob",
    "Routine",
    "Script",
    "Slot",
    "StartChild",
    "Update",
    "Write",
    "canonical",
    "child_ended",
    "log_message",
    "plus_one",
    "routed_payload",
    "same",
    "without_wording",
)

# The graph.


@final
@attrs.frozen(kw_only=True)
class Retry:
    """How often a handler is tried; every delay is the same: no factor, no jitter."""

    attempts: int  # The first one counts.
    delay_ms: int = 0
    effects: Forgetting = "reuse"


OnError: TypeAlias = Literal["stop", "skip", "route"]


@final
@attrs.frozen
class Slot:
    """An inlet of a routine, with the operations of its handler, and what its failures mean.

    A routine with a slot that routes has the output ``error``, and it is connected.
    """

    name: str
    operations: tuple[Operation, ...] = ()
    retry: Retry | None = attrs.field(default=None, kw_only=True)
    on_error: OnError = attrs.field(default="stop", kw_only=True)
    gather: int | Literal["all"] | None = attrs.field(default=None, kw_only=True)


@final
@attrs.frozen(kw_only=True)
class Routine:
    """A node of the graph."""

    name: str
    slots: tuple[Slot, ...]
    outputs: tuple[str, ...] = ()


@final
@attrs.frozen
class Connection:
    """An edge of the graph; no two keys may be renamed to the same parameter."""

    output: str  # "routine.output"
    slot: str  # "routine.slot"
    rename: dict[str, str] = attrs.field(factory=dict[str, str])


@final
@attrs.frozen(kw_only=True)
class Program:
    """A flow, where it starts, and with what."""

    routines: tuple[Routine, ...]
    connections: tuple[Connection, ...] = ()
    is_typed: bool = False  # Whether ``Whole`` is declared as the whole of the shared data.
    reducers: dict[str, Reducer] = attrs.field(factory=dict[str, Reducer])
    max_activations: int = 60
    start: str  # "routine.slot"
    payload: Payload = attrs.field(factory=dict[str, Json])
    # By the name of their flow; where they start is said by ``StartChild``, and none has children.
    children: dict[str, Program] = attrs.field(factory=dict[str, "Program"])

    def slot(self, name: str) -> Slot:
        """Find the slot that is written ``routine.slot``."""
        return next(
            slot
            for routine in self.routines
            for slot in routine.slots
            if f"{routine.name}.{slot.name}" == name
        )
