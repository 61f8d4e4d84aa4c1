"""Flows, and what happens to them from outside, as plain data.

Two programs read this data: the reference interpreter, and the one that builds a real flow of it.
So it holds everything on which the two have to agree, and nothing of how either of them works.
"""

from __future__ import annotations

import json
from typing import Literal, TypeAlias, final

import attrs

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Payload: TypeAlias = dict[str, Json]
Reducer: TypeAlias = Literal["set", "append", "extend", "merge", "add", "max", "min", "unique"]


def canonical(value: Json) -> str:
    """Write a value so that two values have one text exactly if they are the same JSON.

    Types count: ``True``, ``1`` and ``1.0`` are three values. The order of keys does not.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def same(left: Json, right: Json) -> bool:
    """Say whether two values are the same JSON, types included."""
    return canonical(left) == canonical(right)


def log_message(text: str, value: Json) -> str:
    """Write the line that a ``Log`` operation leaves in the log of the job."""
    return f"{text}: {canonical(value)}"


# Expressions: what a handler computes.


@final
@attrs.frozen
class Constant:
    """A value that stands in the program."""

    value: Json


@final
@attrs.frozen
class FromPayload:
    """A key of the payload, or the default where the payload lacks it."""

    key: str
    default: Json = None


@final
@attrs.frozen
class FromShared:
    """A key of the shared data at the opening of the wave, with the handler's own writes on it."""

    key: str
    default: Json = None


@final
@attrs.frozen
class FromMemory:
    """A key of the routine's memory at the opening of the wave, with the handler's own writes."""

    key: str
    default: Json = None


@final
@attrs.frozen
class LastResult:
    """The result of the handler's last effect, the message of a caught error, or at first null."""


@final
@attrs.frozen
class PlusOne:
    """One more than an integer; anything else, a boolean too, counts as 0 and gives 1."""

    of: Expression


Expression: TypeAlias = Constant | FromPayload | FromShared | FromMemory | LastResult | PlusOne


def plus_one(value: Json) -> int:
    """Compute what ``PlusOne`` means."""
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else 1


# Operations: what a handler does, one after the other.


@final
@attrs.frozen
class Write:
    """Write to the shared data; without a reducer the declared one holds, else ``set``."""

    key: str
    value: Expression
    reducer: Reducer | None = None


@final
@attrs.frozen
class Delete:
    """Read a key of the shared data and, if it is there, record its deletion."""

    key: str


@final
@attrs.frozen
class Remember:
    """Set a key of the routine's memory."""

    key: str
    value: Expression


@final
@attrs.frozen
class Forget:
    """Read a key of the routine's memory and, if it is there, record its deletion."""

    key: str


@final
@attrs.frozen
class Log:
    """Append ``log_message(text, value)`` to the log of the job."""

    text: str
    value: Expression


@final
@attrs.frozen
class Emit:
    """Put a payload on an output of the own routine."""

    output: str  # The bare name, without the routine.
    payload: dict[str, Expression]


@final
@attrs.frozen
class Defer:
    """Put a payload on an output of the own routine, held back until it is released."""

    output: str  # The bare name, without the routine.
    payload: dict[str, Expression]


@final
@attrs.frozen
class Effect:
    """Call a function outside that returns this result."""

    name: str
    result: Json


@final
@attrs.frozen
class FailingEffect:
    """Call a function outside that raises ``RuntimeError(message)``; the handler may catch it."""

    name: str
    message: str
    caught: bool


@final
@attrs.frozen
class Ask:
    """Ask a question, pause the job, and have the answer sent to a slot as ``answer``."""

    text: str
    to: str  # "routine.slot"
    choices: tuple[Json, ...] | None = None


@final
@attrs.frozen
class Pause:
    """Ask for a pause of the job once the wave has closed."""

    reason: str


@final
@attrs.frozen
class Fail:
    """Raise ``RuntimeError(message)`` out of the handler."""

    message: str


@final
@attrs.frozen
class Refused:
    """Make a call with a value that can't be recorded.

    The call raises ``PayloadError`` and leaves nothing behind; the handler may catch it, and then
    leaves ``log_message("refused", call)`` in the log of the job.
    """

    call: Literal["emit", "defer", "ask", "write", "remember", "log"]
    value: str  # The name of a value: NaN, and what is no JSON at all, can't stand here.
    caught: bool = True


@final
@attrs.frozen
class Branch:
    """Do one list of operations if a value is the same JSON as another, or else the other list."""

    value: Expression
    equals: Json
    then: tuple[Operation, ...] = ()
    otherwise: tuple[Operation, ...] = ()


DataOperation: TypeAlias = Write | Delete | Remember | Forget | Log
JobOperation: TypeAlias = Emit | Defer | Ask | Pause
ControlOperation: TypeAlias = Effect | FailingEffect | Fail | Refused | Branch
Operation: TypeAlias = DataOperation | JobOperation | ControlOperation


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


# What happens from outside.


@final
@attrs.frozen(kw_only=True)
class Message:
    """A payload sent to a slot at a named moment; if that moment never comes, it is never sent.

    ``open`` means while the wave is open. ``paused`` means at the beginning of the first pause
    after the wave has closed, before the next command is given. Messages of one moment are sent
    in the order of the script.
    """

    wave: int
    moment: Literal["open", "paused"] = "open"
    slot: str  # "routine.slot"
    payload: Payload = attrs.field(factory=dict[str, Json])
    key: str | None = None


@final
@attrs.frozen
class Continue:
    """Resume without an answer."""


@final
@attrs.frozen
class Answer:
    """Answer a question."""

    to: str  # The id of the question, "2.1/q0".
    value: Json


@final
@attrs.frozen
class Update:
    """Write to the shared data, each key with its declared reducer or else ``set``, and resume."""

    values: dict[str, Json]


@final
@attrs.frozen
class JustUpdate:
    """Write to the shared data as ``Update`` does, and leave the job paused."""

    values: dict[str, Json]


@final
@attrs.frozen
class Goto:
    """Drop what is in flight, and resume with exactly one activation."""

    slot: str  # "routine.slot"
    payload: Payload = attrs.field(factory=dict[str, Json])


Command: TypeAlias = Continue | Answer | Update | JustUpdate | Goto


@final
@attrs.frozen
class Cancel:
    """End the job from outside at a named moment; if that moment never comes, it does not happen.

    The moments are those of messages, and the messages of the moment are sent first. ``open`` is
    before anything of the wave has happened, ``paused`` before the next command is given.
    """

    wave: int
    moment: Literal["open", "paused"] = "open"


@final
@attrs.frozen(kw_only=True)
class Script:
    """Everything that comes from outside, with the moment at which it comes.

    Whenever the job is paused, the next command is given. A refused command changes nothing and
    the next one is given to the same pause, as is the one after a ``JustUpdate``. When none is
    left, the job stays paused.
    """

    messages: tuple[Message, ...] = ()
    commands: tuple[Command, ...] = ()
    cancel: Cancel | None = None
