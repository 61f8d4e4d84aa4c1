"""What a handler computes, and what it does: expressions and operations, as plain data."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import attrs

from tests.reference.plain import Json, Reducer

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
class EmitAfter:
    """Put a payload on an output of the own routine some time after the activation completed."""

    delay_ms: int
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
@attrs.frozen(kw_only=True)
class FlakyEffect:
    """Call a function outside that raises ``RuntimeError(message)`` at first and then returns.

    Its calls are counted for every effect by itself, which is the id ``W.I/eN`` of this call, over
    all attempts of the handler. ``attempts``: those of the effect itself, ``Retry(attempts=…,
    delay=0)`` on the function; the handler waits for them in place.
    """

    name: str
    failures: int  # Calls that raise.
    message: str
    result: Json
    caught: bool
    attempts: int = 1


@final
@attrs.frozen
class FailFirst:
    """Raise ``RuntimeError(message)`` out of the handler while ``ctx.attempt <= attempts``."""

    attempts: int
    message: str


@final
@attrs.frozen
class Interrupt:
    """Ask in the middle of a handler; its last result is then the answer.

    ``tidied``: in a ``finally`` around the call the handler leaves ``log_message("finally", None)``
    in the log of the job, which a run that is set aside must not do.
    """

    payload: Expression
    choices: tuple[Json, ...] | None = None
    tidied: bool = False


@final
@attrs.frozen
class Foreseen:
    """Call a function outside that returns what an interrupt in this place was answered.

    The N-th of them in the activation ``W.I`` returns what stands under ``W.I/iN``.
    """

    name: str
    answers: dict[str, Json]


@final
@attrs.frozen
class Ask:
    """Ask a question, pause the job, and have the answer sent to a slot as ``answer``."""

    text: str
    to: str  # "routine.slot"
    choices: tuple[Json, ...] | None = None
    timeout: int | None = None  # Seconds, after which the default is the answer.
    default: Json = None


@final
@attrs.frozen
class Pause:
    """Ask for a pause of the job once the wave has closed."""

    reason: str


@final
@attrs.frozen
class StartChild:
    """Start a child of a flow of the program's children, whose end is sent to an own slot."""

    name: str
    slot: str  # "routine.slot" of the child.
    payload: dict[str, Expression]
    then: str  # "routine.slot" of the program itself.


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

    call: Literal["emit", "defer", "ask", "interrupt", "write", "remember", "log"]
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
JobOperation: TypeAlias = Emit | EmitAfter | Defer | Ask | Pause | StartChild
ControlOperation: TypeAlias = (
    Effect | FailingEffect | FlakyEffect | Foreseen | Fail | FailFirst | Refused | Branch
)
Operation: TypeAlias = DataOperation | JobOperation | Interrupt | ControlOperation
