"""The threads of an async engine: what blocks is done in them, and the loop goes on.

One thread writes, for all jobs: the store takes one commit after the other anyway.
Others are for what may take its time: plain handlers, and reading.
None is started before it is needed.
"""

from __future__ import annotations

from asyncio import CancelledError, get_running_loop, wait
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar, final

Result = TypeVar("Result")

max_threads: Final = 32  # Plain handlers and readers at once; more of them wait for their turn.


@final
class Threads:
    """Does what blocks beside the loop, in copies of the caller's context variables.

    Whoever is cancelled while waiting is told so when the work is done: a thread can't be stopped,
    and what it did has to be known.
    """

    def __init__(self) -> None:
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="esflow-writer")
        self._others = ThreadPoolExecutor(max_threads, thread_name_prefix="esflow-beside")

    async def write(self, work: Callable[[], Result]) -> Result:
        """Do what is short and ends in a commit; one after the other."""
        return await _done(self._writer, work)

    async def block(self, work: Callable[[], Result]) -> Result:
        """Do what may take its time."""
        return await _done(self._others, work)

    async def close(self) -> None:
        """End the threads when they have done what they are doing."""
        await self.block(self._writer.shutdown)
        self._others.shutdown(wait=False)


async def _done(pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    """Return what the work returns, or raise what it raises; it outranks a cancellation."""
    future = get_running_loop().run_in_executor(pool, copy_context().run, work)
    cancelled: CancelledError | None = None
    while not future.done():
        try:
            await wait([future])
        except CancelledError as told:
            cancelled = told
    result = future.result()
    if cancelled is not None:
        raise cancelled
    return result
