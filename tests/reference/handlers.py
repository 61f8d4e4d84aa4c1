"""What one handler does: it reads the data of the opening of its wave, and only asks for changes.

Nothing here touches the job. What a handler asked for is kept on its activation until the wave
closes; how data changes is said here too, as a handler sees its own writes before anybody else.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never, final

import attrs

from tests.reference.outcome import EffectRecord, Result
from tests.reference.program import (
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
    Forget,
    FromMemory,
    FromPayload,
    FromShared,
    JobOperation,
    Json,
    LastResult,
    Log,
    Operation,
    Pause,
    Payload,
    PlusOne,
    Program,
    Reducer,
    Refused,
    Remember,
    Write,
    log_message,
    plus_one,
    same,
)

Item: TypeAlias = tuple[str, Payload]  # An output or a slot, and what goes there.
Data: TypeAlias = dict[str, Json]


@final
class HandlerFailed(Exception):
    """A handler raised, or a write does not apply."""

    def __init__(self, type_name: str) -> None:
        super().__init__(type_name)
        self.type_name = type_name


@final
@attrs.frozen
class Change:
    """One write or deletion, with its reducer resolved."""

    key: str
    reducer: Reducer | Literal["delete"]
    value: Json = None


@final
@attrs.define(kw_only=True)
class Activation:
    """One run of one handler, with what it asked for in the order of its calls."""

    wave: int
    index: int
    slot: str
    payload: Payload
    result: Result = "ready"
    failure: str = ""
    last: Json = None
    changes: list[Change] = attrs.field(factory=list[Change])
    memories: list[Change] = attrs.field(factory=list[Change])
    log: list[str] = attrs.field(factory=list[str])
    emissions: list[Item] = attrs.field(factory=list[Item])
    deferrals: list[Item] = attrs.field(factory=list[Item])
    questions: list[Ask] = attrs.field(factory=list[Ask])
    pauses: list[str] = attrs.field(factory=list[str])
    effects: list[EffectRecord] = attrs.field(factory=list[EffectRecord])

    @property
    def id(self) -> str:
        """Write the ordinals."""
        return f"{self.wave}.{self.index}"

    @property
    def routine(self) -> str:
        """Name the routine that the slot belongs to."""
        return self.slot.partition(".")[0]


@final
@attrs.frozen
class _Run:
    """What a handler has before it: its program, the data of the opening, and its activation."""

    program: Program
    shared: Data
    memory: Data  # Of its own routine.
    activation: Activation


def settle(program: Program, shared: Data, memory: Data, activation: Activation) -> None:
    """Run the handler of an activation to its end or its failure."""
    operations = next(
        slot.operations
        for routine in program.routines
        for slot in routine.slots
        if f"{routine.name}.{slot.name}" == activation.slot
    )
    try:
        _perform(_Run(program, shared, memory, activation), operations)
    except HandlerFailed as error:
        activation.result, activation.failure = "failed", error.type_name
    else:
        activation.result = "completed"


def _perform(run: _Run, operations: tuple[Operation, ...]) -> None:
    """Do one operation after the other."""
    for operation in operations:
        match operation:
            case Write() | Delete() | Remember() | Forget() | Log():
                _change(run, operation)
            case Emit() | Defer() | Ask() | Pause():
                _request(run, operation)
            case Effect() | FailingEffect() | Fail() | Refused() | Branch():
                _control(run, operation)
            case _:
                assert_never(operation)


def _change(run: _Run, operation: DataOperation) -> None:
    """Note a change of the data or a line of the log."""
    activation = run.activation
    match operation:
        case Write(key=key, value=value):
            reducer = operation.reducer or run.program.reducers.get(key, "set")
            activation.changes.append(Change(key, reducer, _value(run, value)))
        case Delete(key=key):
            if key in _seen(run.shared, activation.changes, key):
                activation.changes.append(Change(key, "delete"))
        case Remember(key=key, value=value):
            activation.memories.append(Change(key, "set", _value(run, value)))
        case Forget(key=key):
            if key in _seen(run.memory, activation.memories, key):
                activation.memories.append(Change(key, "delete"))
        case Log(text=text, value=value):
            activation.log.append(log_message(text, _value(run, value)))
        case _:
            assert_never(operation)


def _request(run: _Run, operation: JobOperation) -> None:
    """Note what shall happen when the wave closes."""
    activation = run.activation
    match operation:
        case Emit(output=output, payload=payload):
            activation.emissions.append(_item(run, output, payload))
        case Defer(output=output, payload=payload):
            activation.deferrals.append(_item(run, output, payload))
        case Ask():
            activation.questions.append(operation)
        case Pause(reason=reason):
            activation.pauses.append(reason)
        case _:
            assert_never(operation)


def _item(run: _Run, output: str, payload: dict[str, Expression]) -> Item:
    """Compute a payload for an output of the own routine."""
    computed = {key: _value(run, expression) for key, expression in payload.items()}
    return f"{run.activation.routine}.{output}", computed


def _control(run: _Run, operation: ControlOperation) -> None:
    """Call outside, fail, or choose what to do next."""
    activation = run.activation
    match operation:
        case Effect(name=name, result=result):
            activation.effects.append((name, "result", result))
            activation.last = result
        case FailingEffect(name=name, message=message):
            activation.effects.append((name, "error", message))
            if not operation.caught:
                raise HandlerFailed("EffectError")
            activation.last = message
        case Fail():
            raise HandlerFailed("RuntimeError")
        case Refused(call=call, caught=caught):
            if not caught:
                raise HandlerFailed("PayloadError")
            activation.log.append(log_message("refused", call))
        case Branch(value=value, equals=equals, then=then, otherwise=otherwise):
            _perform(run, then if same(_value(run, value), equals) else otherwise)
        case _:
            assert_never(operation)


def _value(run: _Run, expression: Expression) -> Json:
    """Compute an expression in the middle of a handler."""
    activation = run.activation
    match expression:
        case Constant(value=value):
            return value
        case FromPayload(key=key, default=default):
            return activation.payload.get(key, default)
        case FromShared(key=key, default=default):
            return _seen(run.shared, activation.changes, key).get(key, default)
        case FromMemory(key=key, default=default):
            return _seen(run.memory, activation.memories, key).get(key, default)
        case LastResult():
            return activation.last
        case PlusOne(of=of):
            return plus_one(_value(run, of))
        case _:
            assert_never(expression)


def _seen(opening: Data, own: list[Change], key: str) -> Data:
    """Give the data in which a handler reads a key: that of the opening, with its own writes."""
    data = dict(opening)
    for change in own:
        if change.key == key:
            apply(data, change)
    return data


# Data.

_EMPTY: dict[str, Json] = {"append": [], "extend": [], "unique": [], "merge": {}, "add": 0}


def apply(data: Data, change: Change) -> None:
    """Apply a change to data, or fail with ``MergeError``; no value is changed in place."""
    key, reducer = change.key, change.reducer
    if reducer == "delete":
        data.pop(key, None)
    elif reducer == "set" or (key not in data and reducer not in _EMPTY):
        data[key] = change.value
    else:
        found = data[key] if key in data else _EMPTY[reducer]
        data[key] = _reduced(reducer, found, change.value)


def _reduced(reducer: Reducer, found: Json, value: Json) -> Json:
    """Reduce what was found and what was written to one value."""
    match found, value:
        case list(), _ if reducer == "append":
            return [*found, value]
        case list(), list() if reducer == "extend":
            return [*found, *value]
        case list(), _ if reducer == "unique":
            return found if any(same(it, value) for it in found) else [*found, value]
        case dict(), dict() if reducer == "merge":
            return found | value
        case (bool(), _) | (_, bool()):
            raise HandlerFailed("MergeError")  # A boolean is no number here.
        case ((int() | float()), (int() | float())) if reducer == "add":
            return found + value
        case ((int() | float()), (int() | float())) if reducer in ("max", "min"):
            # Where both are equal, as 1 and 1.0 are, the first argument stays: what was found.
            return max(found, value) if reducer == "max" else min(found, value)
        case str(), str() if reducer in ("max", "min"):
            return max(found, value) if reducer == "max" else min(found, value)
        case _:
            raise HandlerFailed("MergeError")
