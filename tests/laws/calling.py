"""Calls of the world outside, as generated handlers make them, and what comes of them."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from typing import Any, TypeAlias, assert_never, final

import attrs

from esflow import Context, Retry, effect
from esflow.errors import EffectError
from tests.laws.world import World
from tests.reference import program as data

Locals: TypeAlias = dict[str, Any]
"""What a handler has at hand: its slot, its payload, its last result, how much it foresaw."""

Called: TypeAlias = data.Effect | data.FailingEffect | data.Foreseen | data.FlakyEffect


@final
@attrs.frozen
class _Call:
    """A function of the world outside, which counts how often it is run, and how it is called."""

    key: str
    run: Callable[[], data.Json]
    name: str
    retry: Retry | None
    caught: bool

    def dressed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return what an effect is given."""
        if self.retry is not None:
            return effect(name=self.name, retry=self.retry)(function)
        function.__qualname__ = self.name
        return function


def call(ctx: Context, operation: Called, here: Locals, world: World) -> None:
    """Call, and go on with the result, or with the message of an error that is caught."""
    made = _made(ctx, operation, here, world)
    try:
        here["last"] = ctx.effect(made.dressed(made.run))
    except EffectError as error:
        _failed(made, error, here, world)
    else:
        world.used(made.key, here["last"])


async def call_async(ctx: Context, operation: Called, here: Locals, world: World) -> None:
    """Do the same with a function that is awaited."""
    made = _made(ctx, operation, here, world)

    async def function() -> data.Json:
        await sleep(0)
        return made.run()

    try:
        here["last"] = await ctx.effect(made.dressed(function))
    except EffectError as error:
        _failed(made, error, here, world)
    else:
        world.used(made.key, here["last"])


def _failed(made: _Call, error: EffectError, here: Locals, world: World) -> None:
    world.used(made.key, error.message)
    if not made.caught:
        raise error
    here["last"] = error.message


def _made(ctx: Context, operation: Called, here: Locals, world: World) -> _Call:
    key = ctx.idempotency_key

    def returning(result: data.Json) -> Callable[[], data.Json]:
        return lambda: _executed(key, world, result, None)

    match operation:
        case data.Effect(name=name, result=result):
            return _Call(key, returning(result), name, None, caught=False)
        case data.FailingEffect(name=name, message=message, caught=caught):
            return _Call(key, lambda: _executed(key, world, None, message), name, None, caught)
        case data.Foreseen(name=name, answers=answers):
            result = answers[f"{ctx.activation_id}/i{here['foreseen']}"]
            here["foreseen"] += 1
            return _Call(key, returning(result), name, None, caught=False)
        case data.FlakyEffect(name=name, attempts=attempts, caught=caught):
            retry = Retry(attempts=attempts, delay=0, jitter=0)
            return _Call(key, lambda: _at_last(key, operation, world), name, retry, caught)
        case _:
            assert_never(operation)


def _at_last(key: str, operation: data.FlakyEffect, world: World) -> data.Json:
    """Fail as often as it has to, whoever has called it before."""
    fails = world.recorded(key) < operation.failures
    return _executed(key, world, operation.result, operation.message if fails else None)


def _executed(key: str, world: World, result: data.Json, message: str | None) -> data.Json:
    world.executed(key)
    if message is not None:
        raise RuntimeError(message)
    return result
