"""What examples of async handlers share: functions that are awaited, and a job of one handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from esflow import Context, Engine
from tests.engine.outside import driver
from tests.engine.world import Hosts, effects

Handler: TypeAlias = Callable[[Context], Coroutine[Any, Any, None]]


async def double(number: int) -> int:
    """Return twice the number, when the others had their turn."""
    await asyncio.sleep(0)
    return number * 2


async def fail(text: str) -> None:
    """Fail when the others had their turn."""
    await asyncio.sleep(0)
    raise LookupError(text)


def begun(hosts: Hosts, handler: Handler) -> Engine:
    """Return a host that has started the job of this one handler."""
    engine = driver(hosts, handler)  # type: ignore[arg-type]  # a handler is awaited or not
    engine.start("outside", "agent.act", job_id="one")
    return engine


def effect_ids(engine: Engine) -> list[str]:
    """Return the ids of the effects that are recorded of the job, sorted as text."""
    return sorted(each.id for each in effects(engine, "one"))


async def awaited(what: Awaitable[Any]) -> Any:
    """Await something in whatever task this is."""
    return await what
