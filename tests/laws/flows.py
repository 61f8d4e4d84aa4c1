"""A generated program as a real flow.

The flow's handlers interpret the program's operations through the public `Context` alone.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from typing import Any, Final, assert_never, cast
from zlib import crc32

from esflow import Context, Flow, Retry
from esflow.errors import PayloadError
from tests.laws.calling import Locals, call, call_async
from tests.laws.world import World
from tests.reference import program as data
from tests.reference.plain import Whole, counted, fussy

MISSING: Final = object()
REDUCERS: Final[dict[str, Any]] = {"counted": counted, "fussy": fussy}
"""Functions of the flow that stand for reducers of its own."""


def build(program: data.Program, world: World, *, name: str = "generated") -> Flow:
    """Return the flow that a program describes."""
    reducers = {key: REDUCERS.get(reducer, reducer) for key, reducer in program.reducers.items()}
    shared = Whole if program.is_typed else None
    flow = Flow(name, shared=shared, reducers=reducers, max_activations=program.max_activations)
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
            case data.Effect() | data.FailingEffect() | data.Foreseen() | data.FlakyEffect():
                await call_async(ctx, operation, here, world)
            case data.Branch():
                await _perform_async(ctx, _taken(ctx, operation, here), here, world)
            case _:
                await sleep(0)  # Neighbours go on.
                _perform(ctx, (operation,), here, world)


def _taken(ctx: Context, branch: data.Branch, here: Locals) -> tuple[data.Operation, ...]:
    same = data.same(_value(ctx, branch.value, here), branch.equals)
    return branch.then if same else branch.otherwise


def _perform(
    ctx: Context, operations: tuple[data.Operation, ...], here: Locals, world: World
) -> None:
    for operation in operations:
        match operation:
            case data.Write() | data.Delete() | data.Remember() | data.Forget() | data.Log():
                _change(ctx, operation, here)
            case data.Emit() | data.Defer() | data.EmitAfter() | data.StartChild():
                _request(ctx, operation, here)
            case data.Ask() | data.Pause():
                _request(ctx, operation, here)
            case data.Interrupt():
                _interrupt(ctx, operation, here)
            case data.Effect() | data.FailingEffect() | data.Foreseen() | data.FlakyEffect():
                call(ctx, operation, here, world)
            case data.Fail() | data.FailFirst():
                _fail(ctx, operation)
            case data.Refused():
                _refused(ctx, operation, here)
            case data.Branch():
                _perform(ctx, _taken(ctx, operation, here), here, world)
            case _:
                assert_never(operation)


def _fail(ctx: Context, operation: data.Fail | data.FailFirst) -> None:
    if isinstance(operation, data.Fail) or ctx.attempt <= operation.attempts:
        raise RuntimeError(operation.message)


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
        case data.StartChild(name=name, slot=slot, payload=payload, then=then):
            given = {key: _value(ctx, it, here) for key, it in payload.items()}
            ctx.start(name, slot, given, then=then)
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
