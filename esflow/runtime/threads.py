"""The threads of an async engine: what blocks is done in them, and the loop goes on.

One thread writes, for all jobs: the store takes one commit after the other anyway.
Others are for what may take its time: plain handlers, and reading.
None is started before it is needed.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, get_running_loop, wait
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
        self._pools: dict[str, ThreadPoolExecutor] = {}

    async def write(self, work: Callable[[], Result]) -> Result:
        """Do what is short and ends in a commit; one after the other."""
        return (await _done(self._pool("esflow-writer", 1), work)).result()

    async def block(self, work: Callable[[], Result]) -> Result:
        """Do what may take its time."""
        return (await _done(self._pool("esflow-beside", max_threads), work)).result()

    async def attempt(self, work: Callable[[], Result]) -> Result | BaseException:
        """Do what may take its time, and return what it raises: what ends a process, too."""
        done = await _done(self._pool("esflow-beside", max_threads), work)
        return done.exception() or done.result()

    def close(self) -> None:
        """Let the threads end when they have nothing to do; what is driven yet has new ones."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.shutdown(wait=False)

    def _pool(self, name: str, size: int) -> ThreadPoolExecutor:
        if name not in self._pools:
            self._pools[name] = ThreadPoolExecutor(size, thread_name_prefix=name)
        return self._pools[name]


async def _done(pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Future[Result]:
    """Return the work when it is done; what it raises outranks a cancellation."""
    future = get_running_loop().run_in_executor(pool, copy_context().run, work)
    cancelled: CancelledError | None = None
    while not future.done():
        try:
            await wait([future])
        except CancelledError as told:
            cancelled = told
    if cancelled is not None:
        future.result()
        raise cancelled
    return future
