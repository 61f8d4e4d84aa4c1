"""What one handler does: it reads the data of the opening of its wave, and only asks for changes.

Nothing here touches the job. What a handler asked for is kept on its activation until the wave
closes. A handler that is set aside at an interrupt runs again from its start when that is answered;
it knows the answers it was given, and of what it asked for before only its effects are left.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never, final

import attrs

from tests.reference.changes import Change, Data, HandlerFailed, apply, is_unread
from tests.reference.outcome import EffectRecord, InterruptRecord, Result
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
    Json,
    LastResult,
    Log,
    Operation,
    Pause,
    Payload,
    PlusOne,
    Program,
    Refused,
    Remember,
    StartChild,
    Write,
    log_message,
    plus_one,
    same,
)

Item: TypeAlias = tuple[str, Payload]  # An output or a slot, and what goes there.


@final
@attrs.define(kw_only=True)
class Requests:
    """What one run of a handler asked for, in the order of its calls."""

    changes: list[Change] = attrs.field(factory=list[Change])
    memories: list[Change] = attrs.field(factory=list[Change])
    log: list[str] = attrs.field(factory=list[str])
    emissions: list[Item] = attrs.field(factory=list[Item])
    deferrals: list[Item] = attrs.field(factory=list[Item])
    timers: list[tuple[int, Item]] = attrs.field(factory=list[tuple[int, Item]])
    children: list[tuple[StartChild, Payload]] = attrs.field(
        factory=list[tuple[StartChild, Payload]]
    )
    questions: list[Ask] = attrs.field(factory=list[Ask])
    pauses: list[str] = attrs.field(factory=list[str])


@final
@attrs.define(kw_only=True)
class Activation:
    """One delivery of one payload to one slot, and how far its handler came."""

    wave: int
    index: int
    slot: str
    payload: Payload
    result: Result = "ready"
    failure: str = ""
    message: str = ""  # Of the failure.
    attempt: int = 1
    failures: list[str] = attrs.field(factory=list[str])  # Of all attempts.
    escaped: int | None = None  # The effect whose error ended the last attempt.
    due_at_ms: int = 0  # When a new attempt may begin.
    calls: list[int] = attrs.field(factory=list[int])  # Recorded, by effect.
    last: Json = None
    requests: Requests = attrs.field(factory=Requests)
    effects: list[EffectRecord] = attrs.field(factory=list[EffectRecord])
    foreseen: int = 0  # Calls of this run that know an answer beforehand.
    settled_at_ms: int = 0  # By the clock of the job.
    answers: list[Json] = attrs.field(factory=list[Json])  # To its interrupts, in their order.
    interrupt: InterruptRecord | None = None  # The one at which it was set aside.

    @property
    def id(self) -> str:
        """Write the ordinals."""
        return f"{self.wave}.{self.index}"

    @property
    def routine(self) -> str:
        """Name the routine that the slot belongs to."""
        return self.slot.partition(".")[0]

    def answer(self, value: Json) -> None:
        """Take the answer to the open interrupt, and be ready to run again."""
        self.answers.append(value)
        self.interrupt, self.result = None, "ready"


@final
class _SetAside(Exception):
    """A handler stopped at an interrupt that nobody has answered yet."""


@final
@attrs.define
class _Run:
    """What a handler has before it: its program, the data of the opening, and its activation."""

    program: Program
    shared: Data
    memory: Data  # Of its own routine.
    activation: Activation
    interrupts: int = 0  # Those it has called.
    effects: int = 0  # Those it has called.

    @property
    def requests(self) -> Requests:
        """Give what it has asked for."""
        return self.activation.requests


def settle(program: Program, shared: Data, memory: Data, activation: Activation) -> None:
    """Run the handler of an activation to its end, its failure, or an open interrupt."""
    operations = program.slot(activation.slot).operations
    activation.requests = Requests()
    activation.last, activation.foreseen = None, 0
    try:
        _perform(_Run(program, shared, memory, activation), operations)
    except HandlerFailed as error:
        activation.result, activation.failure = "failed", error.type_name
        activation.message, activation.escaped = error.message, error.effect
        activation.failures.append(error.type_name)
    except _SetAside:
        activation.result, activation.requests = "set aside", Requests()
    else:
        activation.result = "completed"


def _perform(run: _Run, operations: tuple[Operation, ...]) -> None:
    """Do one operation after the other."""
    for operation in operations:
        match operation:
            case Write() | Delete() | Remember() | Forget() | Log():
                _change(run, operation)
            case Emit() | EmitAfter() | Defer() | Ask() | Pause() | StartChild():
                _request(run, operation)
            case Interrupt():
                _interrupt(run, operation)
            case (
                Effect()
                | FailingEffect()
                | FlakyEffect()
                | Foreseen()
                | Fail()
                | FailFirst()
                | Refused()
                | Branch()
            ):
                _control(run, operation)
            case _:
                assert_never(operation)


def _change(run: _Run, operation: DataOperation) -> None:
    """Note a change of the data or a line of the log."""
    requests = run.requests
    match operation:
        case Write(key=key, value=value):
            reducer = operation.reducer or run.program.reducers.get(key, "set")
            change = Change(key, reducer, _value(run, value))
            if is_unread(run.program, change):
                raise HandlerFailed("PayloadError")
            requests.changes.append(change)
        case Delete(key=key):
            if key in _seen(run.shared, requests.changes, key):
                requests.changes.append(Change(key, "delete"))
        case Remember(key=key, value=value):
            requests.memories.append(Change(key, "set", _value(run, value)))
        case Forget(key=key):
            if key in _seen(run.memory, requests.memories, key):
                requests.memories.append(Change(key, "delete"))
        case Log(text=text, value=value):
            requests.log.append(log_message(text, _value(run, value)))
        case _:
            assert_never(operation)


def _request(run: _Run, operation: JobOperation) -> None:
    """Note what shall happen when the wave closes."""
    requests = run.requests
    match operation:
        case Emit(output=output, payload=payload):
            requests.emissions.append(_item(run, output, payload))
        case EmitAfter(delay_ms=delay_ms, output=output, payload=payload):
            requests.timers.append((delay_ms, _item(run, output, payload)))
        case Defer(output=output, payload=payload):
            requests.deferrals.append(_item(run, output, payload))
        case Ask():
            requests.questions.append(operation)
        case Pause(reason=reason):
            requests.pauses.append(reason)
        case StartChild(payload=payload):
            requests.children.append((operation, _computed(run, payload)))
        case _:
            assert_never(operation)


def _item(run: _Run, output: str, payload: dict[str, Expression]) -> Item:
    """Compute a payload for an output of the own routine."""
    return f"{run.activation.routine}.{output}", _computed(run, payload)


def _computed(run: _Run, payload: dict[str, Expression]) -> Payload:
    """Compute a payload."""
    return {key: _value(run, expression) for key, expression in payload.items()}


def _interrupt(run: _Run, operation: Interrupt) -> None:
    """Go on with the answer, or be set aside until there is one."""
    activation = run.activation
    if run.interrupts == len(activation.answers):
        activation.interrupt = (_value(run, operation.payload), operation.choices)
        raise _SetAside
    activation.last = activation.answers[run.interrupts]
    run.interrupts += 1
    if operation.tidied:
        run.requests.log.append(log_message("finally", None))


def _control(run: _Run, operation: ControlOperation) -> None:
    """Call outside, fail, or choose what to do next."""
    activation = run.activation
    match operation:
        case Effect() | FailingEffect() | FlakyEffect():
            _call(run, operation)
        case Foreseen(name=name, answers=answers):
            activation.last = answers[f"{activation.id}/i{activation.foreseen}"]
            activation.foreseen += 1
            _call(run, Effect(name, activation.last))
        case Fail(message=message):
            raise HandlerFailed("RuntimeError", message)
        case FailFirst(attempts=attempts, message=message):
            if activation.attempt <= attempts:
                raise HandlerFailed("RuntimeError", message)
        case Refused(call=call, caught=caught):
            if not caught:
                raise HandlerFailed("PayloadError")
            run.requests.log.append(log_message("refused", call))
        case Branch(value=value, equals=equals, then=then, otherwise=otherwise):
            _perform(run, then if same(_value(run, value), equals) else otherwise)
        case _:
            assert_never(operation)


def _call(run: _Run, operation: Effect | FailingEffect | FlakyEffect) -> None:
    """Call an effect, unless its record is there already, and use what is recorded."""
    activation, number = run.activation, run.effects
    run.effects += 1
    if number == len(activation.calls):
        activation.calls.append(0)
    if number == len(activation.effects):
        activation.effects.append(_record(activation, number, operation))
    _, kind, activation.last = activation.effects[number]
    if kind == "error" and not (isinstance(operation, Effect) or operation.caught):
        raise HandlerFailed("EffectError", effect=number)


def _record(
    activation: Activation, number: int, operation: Effect | FailingEffect | FlakyEffect
) -> EffectRecord:
    """Call a function as often as it has to be, and give what is recorded at last."""
    activation.calls[number] += 1
    match operation:
        case Effect(name=name, result=result):
            return name, "result", result
        case FailingEffect(name=name, message=message):
            return name, "error", message
        case FlakyEffect(name=name):
            for _ in range(operation.attempts - 1):
                if activation.calls[number] > operation.failures:
                    break
                activation.calls[number] += 1
            failed = activation.calls[number] <= operation.failures
            return (
                (name, "error", operation.message) if failed else (name, "result", operation.result)
            )
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
            return _seen(run.shared, run.requests.changes, key).get(key, default)
        case FromMemory(key=key, default=default):
            return _seen(run.memory, run.requests.memories, key).get(key, default)
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
