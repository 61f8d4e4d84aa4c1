"""A generated program as a real flow, and the world outside of it.

The flow's handlers interpret the program's operations through the public `Context` alone.
The world holds what is outside of every host: how often each effect was really executed, which
messages were sent, and when.
"""

from __future__ import annotations

from asyncio import sleep
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any, Final, TypeAlias, assert_never, cast, final
from zlib import crc32

import attrs

from esflow import Context, Flow, Retry, effect
from esflow.errors import EffectError, PayloadError
from tests.reference import program as data
from tests.reference.plain import counted, fussy

Locals: TypeAlias = dict[str, Any]
"""What a handler has at hand: its slot, its payload, its last result, how much it foresaw."""

MISSING: Final = object()
REDUCERS: Final[dict[str, Any]] = {"counted": counted, "fussy": fussy}
"""Functions of the flow that stand for reducers of its own."""


@final
@attrs.define
class World:
    """What stays the same whatever happens to the hosts."""

    mixed: bool = False  # Whether half of the handlers, and their effects, are async.
    executions: Counter[str] = attrs.field(factory=Counter[str])
    on_begun: Callable[[str], None] | None = None  # Activation, every time that its handler runs.
    on_wave: Callable[[str, int], None] | None = None  # Job and wave, once for each wave.
    on_executed: Callable[[str], None] | None = None  # Key of an effect, while it runs.
    on_used: Callable[[str, data.Json], None] | None = None  # Key and outcome of an effect.
    recorded: Callable[[str], int] = lambda _: 0  # How many calls of an effect, by its key.
    _waves: set[tuple[str, int]] = attrs.field(factory=set[tuple[str, int]])
    _lock: Lock = attrs.field(factory=Lock)

    def entered(self, job_id: str, activation: str) -> None:
        """Take note that a handler began, and tell once that its wave is open."""
        if self.on_begun is not None:
            self.on_begun(activation)
        wave = int(activation.partition(".")[0])
        with self._lock:  # Held while messages are sent: no neighbour may finish before.
            if (job_id, wave) not in self._waves:
                self._waves.add((job_id, wave))
                if self.on_wave is not None:
                    self.on_wave(job_id, wave)

    def executed(self, key: str) -> None:
        """Take note that an effect's function really ran."""
        if self.on_executed is not None:
            self.on_executed(key)
        with self._lock:
            self.executions[key] += 1

    def used(self, key: str, outcome: data.Json) -> None:
        """Tell that a handler goes on with the result of an effect, or its error's message."""
        if self.on_used is not None:
            self.on_used(key, outcome)


def build(program: data.Program, world: World, *, name: str = "generated") -> Flow:
    """Return the flow that a program describes."""
    reducers = {key: REDUCERS.get(reducer, reducer) for key, reducer in program.reducers.items()}
    flow = Flow(name, reducers=reducers, max_activations=program.max_activations)
    for routine in program.routines:
        routes = any(slot.on_error == "route" for slot in routine.slots)
        outputs = [each for each in routine.outputs if not (routes and each == "error")]
        declared = flow.routine(routine.name, outputs=outputs)
        for slot in routine.slots:
            place = f"{routine.name}.{slot.name}"
            declared.slot(
                name=slot.name,
                retry=_retry(slot.retry),
                on_error=slot.on_error,
                gather=slot.gather,
            )(_handler(place, slot, world))
    for connection in program.connections:
        flow.connect(connection.output, connection.slot, rename=dict(connection.rename))
    return flow


def _retry(retry: data.Retry | None) -> Retry | None:
    if retry is None:
        return None
    return Retry(
        attempts=retry.attempts,
        delay=retry.delay_ms / 1000,
        factor=1.0,
        max_delay=retry.delay_ms / 1000 + 1,
        jitter=0.0,
        effects=retry.effects,
    )


def _handler(slot: str, described: data.Slot, world: World) -> Callable[..., object]:
    operations = described.operations

    def gathering(ctx: Context, items: list[Any]) -> None:
        handler(ctx, items=items)

    async def gathering_async(ctx: Context, items: list[Any]) -> None:
        await handler_async(ctx, items=items)

    def handler(ctx: Context, **payload: Any) -> None:
        world.entered(ctx.job_id, ctx.activation_id)
        here = _begun(slot, payload)
        _perform(ctx, operations, here, world)

    async def handler_async(ctx: Context, **payload: Any) -> None:
        world.entered(ctx.job_id, ctx.activation_id)
        here = _begun(slot, payload)
        await _perform_async(ctx, operations, here, world)

    is_async = world.mixed and bool(crc32(slot.encode()) % 2)
    if described.gather is not None:
        return gathering_async if is_async else gathering
    return handler_async if is_async else handler


def _begun(slot: str, payload: dict[str, Any]) -> Locals:
    seen = data.without_wording(payload)
    return {"slot": slot, "payload": seen, "last": None, "foreseen": 0}


async def _perform_async(
    ctx: Context, operations: tuple[data.Operation, ...], here: Locals, world: World
) -> None:
    """Do the same with effects that are awaited."""
    for operation in operations:
        match operation:
            case data.Effect(name=name, result=result):
                here["last"] = await _called_async(ctx, name, world, result=result)
            case data.FailingEffect(name=name, message=message, caught=caught):
                try:
                    await _called_async(ctx, name, world, message=message)
                except EffectError as error:
                    if not caught:
                        raise
                    here["last"] = error.message
            case data.FlakyEffect(caught=caught):
                try:
                    here["last"] = await _flaky_async(ctx, operation, world)
                except EffectError as error:
                    if not caught:
                        raise
                    here["last"] = error.message
            case data.Branch(value=value, equals=equals, then=then, otherwise=otherwise):
                same = data.same(_value(ctx, value, here), equals)
                await _perform_async(ctx, then if same else otherwise, here, world)
            case _:
                await sleep(0)  # Neighbours go on.
                _perform(ctx, (operation,), here, world)


async def _called_async(
    ctx: Context, name: str, world: World, *, result: data.Json = None, message: str | None = None
) -> data.Json:
    key = ctx.idempotency_key

    async def function() -> data.Json:
        await sleep(0)
        return _executed(key, world, result, message)

    function.__qualname__ = name
    try:
        returned = await ctx.effect(function)
    except EffectError as error:
        world.used(key, error.message)
        raise
    world.used(key, returned)
    return returned


def _flaky(ctx: Context, operation: data.FlakyEffect, world: World) -> data.Json:
    """Call a function that fails as often as it has to, whoever has called it before."""
    key = ctx.idempotency_key

    def function() -> data.Json:
        return _at_last(key, operation, world)

    try:
        returned = ctx.effect(_tried(operation)(function))
    except EffectError as error:
        world.used(key, error.message)
        raise
    world.used(key, returned)
    return returned


async def _flaky_async(ctx: Context, operation: data.FlakyEffect, world: World) -> data.Json:
    key = ctx.idempotency_key

    async def function() -> data.Json:
        await sleep(0)
        return _at_last(key, operation, world)

    try:
        returned = await ctx.effect(_tried(operation)(function))
    except EffectError as error:
        world.used(key, error.message)
        raise
    world.used(key, returned)
    return returned


def _tried(operation: data.FlakyEffect) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    retry = (
        Retry(attempts=operation.attempts, delay=0, jitter=0) if operation.attempts > 1 else None
    )
    return effect(name=operation.name, retry=retry)


def _at_last(key: str, operation: data.FlakyEffect, world: World) -> data.Json:
    fails = world.recorded(key) < operation.failures
    return _executed(key, world, operation.result, operation.message if fails else None)


def _executed(key: str, world: World, result: data.Json, message: str | None) -> data.Json:
    world.executed(key)
    if message is not None:
        raise RuntimeError(message)
    return result


def _perform(
    ctx: Context, operations: tuple[data.Operation, ...], here: Locals, world: World
) -> None:
    for operation in operations:
        match operation:
            case data.Write() | data.Delete() | data.Remember() | data.Forget() | data.Log():
                _change(ctx, operation, here)
            case data.Emit() | data.Defer() | data.EmitAfter() | data.Ask() | data.Pause():
                _request(ctx, operation, here)
            case data.Interrupt():
                _interrupt(ctx, operation, here)
            case (
                data.Effect()
                | data.FailingEffect()
                | data.Foreseen()
                | data.FlakyEffect()
                | data.Fail()
                | data.FailFirst()
                | data.Refused()
                | data.Branch()
            ):
                _control(ctx, operation, here, world)
            case _:
                assert_never(operation)


def _change(ctx: Context, operation: data.DataOperation, here: Locals) -> None:
    match operation:
        case data.Write(key=key, value=value, reducer=reducer):
            ctx.write(key, _value(ctx, value, here), reducer)
        case data.Delete(key=key):
            if ctx.shared.get(key, MISSING) is not MISSING:
                del ctx.shared[key]
        case data.Remember(key=key, value=value):
            ctx.memory[key] = _value(ctx, value, here)
        case data.Forget(key=key):
            if ctx.memory.get(key, MISSING) is not MISSING:
                del ctx.memory[key]
        case data.Log(text=text, value=value):
            ctx.log(data.log_message(text, _value(ctx, value, here)))
        case _:
            assert_never(operation)


def _request(ctx: Context, operation: data.JobOperation, here: Locals) -> None:
    match operation:
        case data.Emit(output=output, payload=payload):
            ctx.emit(output, **{key: _value(ctx, it, here) for key, it in payload.items()})
        case data.Defer(output=output, payload=payload):
            ctx.defer(output, **{key: _value(ctx, it, here) for key, it in payload.items()})
        case data.EmitAfter(delay_ms=delay_ms, output=output, payload=payload):
            given = {key: _value(ctx, it, here) for key, it in payload.items()}
            ctx.emit_after(delay_ms / 1000, output, **given)
        case data.Ask(text=text, to=to, choices=choices, timeout=None):
            ctx.ask(text, to=to, choices=choices)
        case data.Ask(text=text, to=to, choices=choices, timeout=timeout, default=default):
            ctx.ask(text, to=to, choices=choices, timeout=timeout, default=default)
        case data.Pause(reason=reason):
            ctx.pause(reason)
        case _:
            assert_never(operation)


def _interrupt(ctx: Context, operation: data.Interrupt, here: Locals) -> None:
    payload = _value(ctx, operation.payload, here)
    try:
        here["last"] = ctx.interrupt(payload, choices=operation.choices)
    finally:
        if operation.tidied:
            ctx.log(data.log_message("finally", None))


def _control(ctx: Context, operation: data.ControlOperation, here: Locals, world: World) -> None:
    match operation:
        case data.Effect(name=name, result=result):
            here["last"] = _called(ctx, name, world, result=result)
        case data.FailingEffect(name=name, message=message, caught=caught):
            try:
                _called(ctx, name, world, message=message)
            except EffectError as error:
                if not caught:
                    raise
                here["last"] = error.message
        case data.Foreseen(name=name, answers=answers):
            answer = answers[f"{ctx.activation_id}/i{here['foreseen']}"]
            here["foreseen"] += 1
            here["last"] = _called(ctx, name, world, result=answer)
        case data.FlakyEffect(caught=caught):
            try:
                here["last"] = _flaky(ctx, operation, world)
            except EffectError as error:
                if not caught:
                    raise
                here["last"] = error.message
        case data.FailFirst(attempts=attempts, message=message):
            if ctx.attempt <= attempts:
                raise RuntimeError(message)
        case data.Fail(message=message):
            raise RuntimeError(message)
        case data.Refused():
            _refused(ctx, operation, here)
        case data.Branch(value=value, equals=equals, then=then, otherwise=otherwise):
            same = data.same(_value(ctx, value, here), equals)
            _perform(ctx, then if same else otherwise, here, world)
        case _:
            assert_never(operation)


def _refused(ctx: Context, operation: data.Refused, here: Locals) -> None:
    """Make a call that is refused; an error that escapes is the handler's failure."""
    try:
        _attempted(ctx, operation, here["slot"])
    except PayloadError as refusal:
        if "items[2]" not in refusal.path:
            raise AssertionError(f"{refusal} names another place") from refusal
        if not operation.caught:
            raise
        ctx.log(data.log_message("refused", operation.call))
    else:
        raise AssertionError(f"{operation} is accepted")


def _attempted(ctx: Context, operation: data.Refused, slot: str) -> None:
    """Make a call with what can't be recorded, which stands in the middle of what can."""
    what: dict[str, object] = {"items": ["before", 1, unrecordable(operation.value), "behind"]}
    match operation.call:
        case "emit":
            ctx.emit("o0", what=what)
        case "defer":
            ctx.defer("o0", what=what)
        case "ask":
            ctx.ask("refused", to=slot, choices=["A", what])
        case "interrupt":
            ctx.interrupt(what)
        case "write":
            ctx.write("refused", what)
        case "remember":
            ctx.memory["refused"] = what
        case "log":
            ctx.log("refused", what=what)
        case _:
            assert_never(operation.call)


def unrecordable(name: str) -> object:
    """Return a value that no history can hold, by its name."""
    cycle: list[object] = []
    cycle.append({"again": cycle})
    deep: object = 0
    for _ in range(70):
        deep = [deep]
    values: dict[str, object] = {
        "nan": float("nan"),
        "infinity": -float("inf"),
        "huge integer": 2**63,
        "surrogate": "half of \ud83d",
        "surrogate key": {"\udfff": 1},
        "number key": {1: "one"},
        "deep": deep,
        "cycle": cycle,
        "object": World(),
        "text subclass": _Text("text"),
    }
    return values[name]


class _Text(str):
    """Text that would come back as another class."""

    __slots__ = ()


def _called(
    ctx: Context, name: str, world: World, *, result: data.Json = None, message: str | None = None
) -> data.Json:
    """Call a function of the world outside that counts how often it is run."""
    key = ctx.idempotency_key

    def function() -> data.Json:
        return _executed(key, world, result, message)

    function.__qualname__ = name
    try:
        returned = ctx.effect(function)
    except EffectError as error:
        world.used(key, error.message)
        raise
    world.used(key, returned)
    return returned


def _value(ctx: Context, expression: data.Expression, here: Locals) -> data.Json:
    match expression:
        case data.Constant(value=value):
            return value
        case data.FromPayload(key=key, default=default):
            return cast("data.Json", here["payload"].get(key, default))
        case data.FromShared(key=key, default=default):
            return cast("data.Json", ctx.shared.get(key, default))
        case data.FromMemory(key=key, default=default):
            return cast("data.Json", ctx.memory.get(key, default))
        case data.LastResult():
            return cast("data.Json", here["last"])
        case data.PlusOne(of=of):
            return data.plus_one(_value(ctx, of, here))
        case _:
            assert_never(expression)
