"""Small flows as data: what their handlers do is written down, so that it can be drawn and shown.

A sketched flow always ends: its routines are connected from first to last only.
It does nothing outside, and keeps nothing outside of its job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, assert_never, final

import attrs

from esflow.context import Context
from esflow.errors import EffectError
from esflow.events import Json
from esflow.flow import Flow
from esflow.testing.answering import Asked

OUTPUT: Final = "out"


@final
@attrs.frozen
class Emit:
    """Put a value on the output, with what the handler was told last."""

    value: Json


@final
@attrs.frozen
class Defer:
    """Hold such an emission back."""

    value: Json


@final
@attrs.frozen
class Write:
    """Write to the shared data, by a reducer."""

    key: str
    value: Json
    reducer: str


@final
@attrs.frozen
class Remember:
    """Write what the handler was told last to the routine's memory."""

    key: str


@final
@attrs.frozen
class Log:
    """Add a line to the log, with what the handler was told last."""

    message: str


@final
@attrs.frozen
class Call:
    """Make an effect that comes back with a value, or fails and is caught."""

    value: Json
    fails: bool = False


@final
@attrs.frozen
class Draw:
    """Ask for a UUID, a random number and the time."""


@final
@attrs.frozen
class Ask:
    """Ask a question, to a routine."""

    text: str
    to: str
    choices: tuple[Json, ...] | None = None


@final
@attrs.frozen
class Interrupt:
    """Ask in the middle."""

    payload: Json
    choices: tuple[Json, ...] | None = None


@final
@attrs.frozen
class Pause:
    """Let the job stand still."""

    reason: str


@final
@attrs.frozen
class Fail:
    """Raise."""

    message: str


Telling: TypeAlias = Call | Draw | Interrupt
"""Operations by which a handler is told something."""

Operation: TypeAlias = Telling | Emit | Defer | Write | Remember | Log | Ask | Pause | Fail


@final
@attrs.frozen
class SketchedRoutine:
    """A routine with one slot, what its handler does, and where its output goes."""

    name: str
    operations: tuple[Operation, ...]
    connected_to: tuple[str, ...] = ()


@final
@attrs.frozen
class SketchedFlow:
    """A flow as data, and how to begin a job of it.

    Shape: ``flow`` makes it anew, and ``answer`` is a function of what is asked: as
    ``check_pause_anywhere(it.flow, it.slot, it.payload, answers=it.answer)`` takes them.
    """

    routines: tuple[SketchedRoutine, ...]
    payload: Mapping[str, Json]

    @property
    def slot(self) -> str:
        """The slot to begin at."""
        return self.routines[0].name

    def flow(self) -> Flow:
        """Return the flow, made anew."""
        flow = Flow("sketched")
        for routine in self.routines:
            declared = flow.routine(routine.name, outputs=(OUTPUT,))
            declared.slot(name="take")(_handler(routine.operations))
        for routine in self.routines:
            for other in routine.connected_to:
                flow.connect(f"{routine.name}.{OUTPUT}", f"{other}.take")
        return flow

    def answer(self, asked: Asked) -> Json:
        """Return the first choice, or ``yes`` where anything may be answered."""
        return asked.choices[0] if asked.choices else "yes"


def _handler(operations: tuple[Operation, ...]) -> Any:
    """Return a handler that does what is written down."""

    def take(ctx: Context, **payload: object) -> None:
        told: object = dict(payload)
        for operation in operations:
            if isinstance(operation, Telling):
                told = _told(ctx, operation)
            else:
                _do(ctx, operation, told)

    return take


def _told(ctx: Context, operation: Telling) -> object:
    """Return what a handler is told by an operation."""
    match operation:
        case Call():
            return _called(ctx, operation)
        case Draw():
            return [str(ctx.uuid()), ctx.random(), ctx.now()]
        case Interrupt(payload, choices):
            return ctx.interrupt(payload, choices=choices)
        case _:
            assert_never(operation)


def _do(
    ctx: Context,
    operation: Emit | Defer | Write | Remember | Log | Ask | Pause | Fail,
    told: object,
) -> None:
    """Do one thing with what the handler was told last."""
    match operation:
        case Emit(value):
            ctx.emit(OUTPUT, value=value, told=told)
        case Defer(value):
            ctx.defer(OUTPUT, value=value, told=told)
        case Write(key, value, reducer):
            ctx.write(key, value, reducer)
        case Remember(key):
            ctx.memory[key] = told
        case Log(message):
            ctx.log(message, told=told, shared=dict(ctx.shared), memory=dict(ctx.memory))
        case Ask(text, to, choices):
            ctx.ask(text, to=f"{to}.take", choices=choices)
        case Pause(reason):
            ctx.pause(reason)
        case Fail(message):
            raise ValueError(message)
        case _:
            assert_never(operation)


def _called(ctx: Context, call: Call) -> object:
    try:
        return ctx.effect(returned, call.value, fails=call.fails)
    except EffectError as error:
        return error.message


def returned(value: Json, *, fails: bool) -> Json:
    """Return a value, as an outside that always says the same."""
    if fails:
        raise ConnectionError("nobody there")
    return value
