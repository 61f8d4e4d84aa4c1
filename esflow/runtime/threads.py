"""The threads of an async engine: what blocks is done in them, and the loop goes on.

One thread writes, for all jobs: the store takes one commit after the other anyway.
Others are for what may take its time: plain handlers, and reading.
None is started before it is needed, and each ends with the engine.

They are our own because a hop to a thread of `concurrent.futures` and back costs twice as much:
its futures are made for being waited for by threads as well.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, get_running_loop
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeAlias, TypeVar, final
from weakref import finalize

from esflow import usercode
from esflow.runtime.wakers import Waker
from esflow.waits import PromptWait

Result = TypeVar("Result")
Came: TypeAlias = usercode.Outcome | usercode.Ended
"""What became of some work."""

max_threads: Final = 32  # Plain handlers and readers at once; more of them wait for their turn.


@final
class Threads:
    """Does what blocks beside the loop, in copies of the caller's context variables.

    Whoever is cancelled while waiting is told so when the work is done: a thread can't be stopped,
    and what it did has to be known.
    """

    def __init__(self) -> None:
        self._pools: dict[str, _Pool] = {}
        self._wakers: dict[AbstractEventLoop, Waker] = {}
        finalize(self, _leave, self._wakers)  # Of whoever forgets it, too.

    def write(
        self, work: Callable[[], Result], meanwhile: Callable[[], object] = lambda: None
    ) -> Coroutine[Any, Any, Result]:
        """Do what is short and ends in a commit; one after the other.

        Shape: the loop does ``meanwhile`` as soon as the thread has been told, and may be faster.
        """
        return self._result_of("esflow-writer", 1, work, meanwhile)

    def block(self, work: Callable[[], Result]) -> Coroutine[Any, Any, Result]:
        """Do what may take its time."""
        return self._result_of("esflow-beside", max_threads, work, lambda: None)

    async def attempt(
        self, work: Callable[[], Result], leave: Callable[[], object]
    ) -> Result | BaseException:
        """Do what may take its time, and return what it raises: what ends a process, too.

        Whoever is cancelled while waiting leaves it at once, and is not told what it came to.
        """
        pool = self._pool("esflow-beside", max_threads)
        came = await pool.done(work, PromptWait(leave), self._waker(), lambda: None)
        return came.value if isinstance(came, usercode.Returned) else came.error

    def close(self) -> None:
        """Let the threads end when they have nothing to do; what is driven yet has new ones."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.end()
        _leave(self._wakers)

    async def _result_of(
        self, name: str, size: int, work: Callable[[], Result], meanwhile: Callable[[], object]
    ) -> Result:
        """Return the result of some work; what it raises outranks a cancellation."""
        done: PromptWait[Came] = PromptWait()
        try:
            await self._pool(name, size).done(work, done, self._waker(), meanwhile)
        except CancelledError:
            usercode.result_of(done.result())
            raise
        result: Result = usercode.result_of(done.result())
        return result

    def _pool(self, name: str, size: int) -> _Pool:
        if name not in self._pools:
            self._pools[name] = _Pool(name, size)
        return self._pools[name]

    def _waker(self) -> Waker:
        """Return what wakes the loop that is running here."""
        loop = get_running_loop()
        waker = self._wakers.get(loop)
        if waker is None:
            for each in tuple(self._wakers):
                if each.is_closed():
                    self._wakers.pop(each, None)
            waker = self._wakers[loop] = Waker(loop)
        return waker


def _leave(wakers: dict[AbstractEventLoop, Waker]) -> None:
    """Let loops watch for nothing more."""
    while wakers:
        wakers.popitem()[1].leave()


@final
class _Pool:
    """Threads that do one work after the other: so many as there was for at once."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._threads = 0
        self._asked = 0  # How much work is under way.
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.end = finalize(self, self._queue.put, None)  # Of whoever forgets it, too.

    async def done(
        self,
        work: Callable[[], object],
        done: PromptWait[Came],
        waker: Waker,
        meanwhile: Callable[[], object],
    ) -> Came:
        """Have some work done, and return what became of it."""
        self._asked += 1
        if self._threads < min(self._asked, self._size):
            self._threads += 1
            Thread(target=_serve, args=(self._queue,), name=self._name, daemon=True).start()
        waker.expect()
        self._queue.put(partial(_do, work, copy_context(), waker, done))
        try:
            meanwhile()
        finally:  # What was asked for is done, whatever happens here.
            try:
                came = await done
            finally:
                self._asked -= 1
        return came


def _serve(queue: SimpleQueue[Callable[[], None] | None]) -> None:
    """Do what is asked for, until it is said that nothing will be any more."""
    while _served(queue.get()):
        pass
    queue.put(None)  # The others are told the same.


def _served(asked: Callable[[], None] | None) -> bool:
    if asked is not None:
        asked()
    return asked is not None


def _do(work: Callable[[], object], here: Context, waker: Waker, done: PromptWait[Came]) -> None:
    """Do some work, and tell its loop what became of it."""
    waker.tell(done, here.run(usercode.ending, work, (), {}))
