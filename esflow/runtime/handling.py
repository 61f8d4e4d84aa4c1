"""One run of a handler, plain or async, from its payload to what became of it.

Async handlers run in the loop that is there, or, for a driver without one, in a loop of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from esflow import usercode
from esflow.context import Context
from esflow.errors import PayloadError
from esflow.events import Event, Json
from esflow.flow import Slot
from esflow.payloads import bind

if TYPE_CHECKING:  # Loaded by what has a limit.
    from esflow.limits import Limit

Handled: TypeAlias = usercode.Outcome | usercode.Stopped
"""What became of a handler; if it returned, what it asked for."""

Result = TypeVar("Result")


def handled(slot: Slot, context: Context, payload: Mapping[str, Json]) -> Handled:
    """Call a plain handler, and close its context."""
    try:
        return usercode.run(handle, slot, context, payload)
    finally:
        context.close()


def handle(slot: Slot, context: Context, payload: Mapping[str, Json]) -> tuple[Event, ...]:
    """Let a plain handler do its work, and return what it asked for; whatever it raises is raised.

    It is user code, which `usercode` calls.
    """
    slot.function(context, **bind(slot.signature, slot.address, payload))
    return context.records()


async def handled_async(
    slot: Slot,
    context: Context,
    payload: Mapping[str, Json],
    limit: Limit | None = None,
    leave: Callable[[], object] = lambda: None,
) -> Handled:
    """Await an async handler, and close its context; an effect that is left unawaited fails it.

    Whoever is cancelled while waiting here leaves the handler, and cancels it.
    """

    async def handle_async() -> tuple[Event, ...]:
        context.move_here()
        arguments = bind(slot.signature, slot.address, payload)
        handler: Any = slot.function
        await handler(context, **arguments)
        return context.records()

    try:
        if limit is None:
            outcome = await usercode.awaited(handle_async(), leave)
        else:
            from esflow.limits import within_async

            outcome = await within_async(limit, handle_async(), leave)
    finally:
        left = await context.close_async()
    if left is not None and isinstance(outcome, usercode.Returned):
        problem = "was called, but not awaited before the handler ended; await it"
        return usercode.Raised(PayloadError(f"effect {left}", problem))
    return outcome


def run_alone(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a loop of its own, in another thread where this one's loop is running."""
    import asyncio

    if not _has_loop():
        return asyncio.run(coroutine)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, thread_name_prefix="esflow-loop") as pool:
        return pool.submit(copy_context().run, asyncio.run, coroutine).result()


def _has_loop() -> bool:
    """Tell whether a loop is running in this thread."""
    from asyncio import get_running_loop

    try:
        get_running_loop()
    except RuntimeError:
        return False
    return True
