"""Calling user code for so long at most.

A plain function gets a thread of its own, which is left behind when the time is over: it can't be
stopped, so nobody waits for it, and what it comes to is nobody's.
An async one is cancelled then.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from math import ceil
from threading import Event, Thread
from typing import Any, TypeVar, final

import attrs

from esflow import usercode
from esflow.clock import Clock, wait_until, wait_until_async
from esflow.errors import ActivationTimeout
from esflow.values import by_value

Result = TypeVar("Result")


@final
@attrs.frozen(slots=False)
@by_value
class Limit:
    """How long something may take, by a clock, and what it is called."""

    what: str
    seconds: float
    clock: Clock

    @property
    def end_ms(self) -> int:
        """When the time is over for what begins now."""
        return self.clock.now_ms() + ceil(self.seconds * 1000)

    @property
    def passed(self) -> usercode.Raised:
        """What becomes of what takes longer."""
        return usercode.Raised(ActivationTimeout(self.what, self.seconds))


def within(limit: Limit, function: Callable[[], Result]) -> Result | usercode.Raised:
    """Call a function that raises nothing but what ends a process, for so long at most.

    It sees a copy of the caller's context variables.
    """
    done = Event()
    ended = list[usercode.Outcome | usercode.Ended]()

    def work() -> None:
        ended.append(usercode.ending(function, (), {}))
        done.set()

    end_ms = limit.end_ms
    Thread(target=copy_context().run, args=(work,), name="esflow-limited", daemon=True).start()
    wait_until(limit.clock, end_ms, done)
    if not ended:  # The clock, too, ends the waiting by what says that it is done.
        return limit.passed
    result: Result = usercode.result_of(ended[0])
    return result


async def within_async(
    limit: Limit,
    coroutine: Coroutine[Any, Any, Any],
    leave: Callable[[], object] = lambda: None,
) -> usercode.Outcome | usercode.Stopped:
    """Await user code, for so long at most; it is cancelled then, and its end awaited.

    Whoever is cancelled while waiting here leaves it before it is cancelled.
    """
    from asyncio import create_task, current_task

    passed = create_task(wait_until_async(limit.clock, limit.end_ms))
    late = list[bool]()

    async def limited() -> Any:
        task = current_task()
        assert task is not None, "only a task awaits"
        passed.add_done_callback(lambda _: late.append(not passed.cancelled() and task.cancel()))
        return await coroutine

    try:
        outcome = await usercode.awaited(limited(), leave)
    finally:
        passed.cancel()
    return limit.passed if any(late) else outcome
