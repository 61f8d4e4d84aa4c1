"""A worker on a loop: what it finds is driven there, each job in tasks of its own.

When it looks, and which jobs it takes, is told by `esflow.runtime.worker`; one thread looks.
"""

from __future__ import annotations

from asyncio import (
    CancelledError,
    Task,
    create_task,
    current_task,
    get_running_loop,
    run_coroutine_threadsafe,
    wait,
)
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, final

from esflow.runtime.async_drive import taken_over
from esflow.runtime.host import Host
from esflow.runtime.threads import Threads
from esflow.runtime.worker import Driven, Worker, tell_nobody
from esflow.state import JobState


@final
class AsyncWorker:
    """Drives jobs of a host's flows on the loop, several at once, until it is stopped."""

    def __init__(self, host: Host, threads: Threads, jobs: int) -> None:
        self._host = host
        self._threads = threads
        self._worker = Worker(host, jobs)

    @property
    def is_stopped(self) -> bool:
        """Whether no further job is taken."""
        return self._worker.is_stopped

    def stop(self) -> None:
        """Take no further job; `run` returns when those that are running have come to rest."""
        self._worker.stop()

    async def run(
        self, *, once: bool = False, tell: Callable[[JobState], None] = tell_nobody
    ) -> None:
        """Drive jobs until the worker is stopped, as `Worker.run` does; ``tell`` is called here.

        Whoever is cancelled while waiting here stops the worker, and leaves its jobs to others.
        Raises: StoreError, when the store can't go on; what is running ends first.
        """
        loop = get_running_loop()
        tasks = set[Task[Any] | None]()

        async def driven(job_id: str) -> JobState | BaseException | None:
            task = current_task()
            tasks.add(task)
            try:
                if self.is_stopped:
                    return None
                return await taken_over(self._host, self._threads, job_id)
            finally:
                tasks.discard(task)

        def begin(job_id: str) -> Driven:
            return run_coroutine_threadsafe(driven(job_id), loop)

        def tell_here(state: JobState) -> None:
            loop.call_soon_threadsafe(tell, state)

        look = partial(self._worker.run_by, begin, once=once, tell=tell_here)
        looking = create_task(self._threads.block(look))
        try:
            await wait([looking])
        finally:
            while not looking.done():
                self.stop()
                for task in filter(None, tasks):
                    task.cancel()
                with suppress(CancelledError):
                    await wait([looking])
        looking.result()
