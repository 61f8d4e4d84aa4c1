"""Flows, and what happens to them from outside, as plain data.

Two programs read this data: the reference interpreter, and the one that builds a real flow of it.
So it holds everything on which the two have to agree, and nothing of how either of them works.
The graph is here; operations, commands and plain values come from the modules beside this one.
"""

from __future__ import annotations

from typing import final

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
    Expression,
    Fail,
    FailingEffect,
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
    Script,
    Update,
)
from tests.reference.plain import (
    Json,
    Payload,
    Reducer,
    canonical,
    log_message,
    plus_one,
    same,
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
    "Expression",
    "Fail",
    "FailingEffect",
    "Foreseen",
    "Forget",
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
    "Operation",
    "Pause",
    "Payload",
    "PlusOne",
    "Program",
    "Reducer",
    "Refused",
    "Remember",
    "Routine",
    "Script",
    "Slot",
    "Update",
    "Write",
    "canonical",
    "log_message",
    "plus_one",
    "same",
)

# The graph.


@final
@attrs.frozen
class Slot:
    """An inlet of a routine, with the operations of its handler."""

    name: str
    operations: tuple[Operation, ...] = ()


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
    reducers: dict[str, Reducer] = attrs.field(factory=dict[str, Reducer])
    max_activations: int = 60
    start: str  # "routine.slot"
    payload: Payload = attrs.field(factory=dict[str, Json])
