"""What callers of an async engine wait for: a job that comes to rest, and what is recorded next.

Nobody polls: the store tells the loop that something has been committed, and no thread waits.
"""

from __future__ import annotations

from asyncio import Event, get_running_loop, timeout
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic

from esflow.errors import StoreError, WaitTimeout
from esflow.events import Recorded
from esflow.following import news
from esflow.inputs import checked_place
from esflow.runtime.calls import is_resting
from esflow.runtime.host import Host
from esflow.runtime.looking import state
from esflow.runtime.threads import Threads
from esflow.state import JobState
from esflow.store import Store


async def waited(host: Host, threads: Threads, job_id: str, timeout_seconds: float) -> JobState:
    """Return a job when it is paused or has ended."""
    host.refuse_inside(job_id, "wait()")
    deadline = monotonic() + timeout_seconds
    with _listening(host.store) as woken:
        while True:
            woken.clear()  # First of all: what happens from here on wakes again.
            row = await threads.block(partial(host.head, job_id))
            if is_resting(row):
                return await threads.block(partial(state, host, job_id))
            if (remaining := deadline - monotonic()) <= 0:
                raise WaitTimeout(job_id, row.status, timeout_seconds)
            with suppress(TimeoutError):
                async with timeout(remaining):
                    await woken.wait()


async def followed(
    host: Host, threads: Threads, job_id: str | None, after: int
) -> AsyncIterator[Recorded]:
    """Yield what is and will be recorded: of one job after a version, of all after a position."""
    place = checked_place(after)
    try:
        if job_id is not None:
            await threads.block(partial(host.head, job_id))
        with _listening(host.store) as woken:
            while not host.store.closed:
                woken.clear()
                while page := await threads.block(partial(news, host.store, job_id, place)):
                    for _, recorded in page:
                        yield recorded
                    place = page[-1][0]
                await woken.wait()
    except StoreError:
        if not host.store.closed:
            raise


@contextmanager
def _listening(store: Store) -> Generator[Event]:
    """Yield what is set, on this loop, whenever somebody has committed something."""
    woken, wake = Event(), get_running_loop().call_soon_threadsafe

    def ring(wake: Callable[..., object] = wake) -> None:
        with suppress(RuntimeError):  # The loop has been closed: nobody listens.
            wake(woken.set)

    with store.listening(ring):
        yield woken
