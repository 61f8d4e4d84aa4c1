"""The engine of a service that lives in an event loop: the methods of `Engine`, awaited.

It repeats no rule: what is wished for, decided and recorded is the same, and so are the histories.
What blocks is done in threads of its own, which are started when they are needed; what it drives
takes a task of the loop for each running handler, and no thread unless the handler is a plain one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from functools import partial, wraps
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar, final

from esflow.clock import Clock
from esflow.commands import Continue, ResumeCommand
from esflow.engine import EMPTY, Engine, host_of
from esflow.events import Recorded
from esflow.flow import Flow
from esflow.policies import Effects
from esflow.runtime import async_drive, async_looking, calls
from esflow.runtime.async_worker import AsyncWorker
from esflow.runtime.host import Errand
from esflow.runtime.threads import Threads
from esflow.state import JobState
from esflow.store import Store

Args = ParamSpec("Args")
Result = TypeVar("Result")

_CONTINUE: Final = Continue()


def _beside(
    method: Callable[Concatenate[Engine, Args], Result],
) -> Callable[Concatenate[AsyncEngine, Args], Coroutine[Any, Any, Result]]:
    """Return a method that awaits one of `Engine`'s, which is done beside the loop."""

    @wraps(method)
    async def awaited(self: AsyncEngine, /, *args: Args.args, **kwargs: Args.kwargs) -> Result:
        threads, engine = _of(self)
        return await threads.block(partial(method, engine, *args, **kwargs))

    return awaited


@final
class AsyncEngine:
    """Drives jobs on this host, on the loop that its methods are awaited in.

    It takes what `Engine` takes, and an ``async with`` block closes it.
    Whoever is cancelled while a job is driven leaves it to be carried on by anybody: nothing more
    is recorded, and the lease is given back.
    Raises: FlowError, StoreError, PayloadError, as `Engine` does.
    """

    def __init__(
        self,
        store: str | Store,
        flows: Iterable[Flow] = (),
        *,
        host: str | None = None,
        max_parallel: int = 8,
        durability: str = "step",
        lease_seconds: float = 30.0,
        snapshot_every: int = 1000,
        snapshots_kept: int = 3,
        clock: Clock | None = None,
    ) -> None:
        self._engine = Engine(
            store,
            flows,
            host=host,
            max_parallel=max_parallel,
            durability=durability,
            lease_seconds=lease_seconds,
            snapshot_every=snapshot_every,
            snapshots_kept=snapshots_kept,
            clock=clock,
        )
        self._host = host_of(self._engine)
        self._threads = Threads()

    async def __aenter__(self) -> Self:
        """Return the engine itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the engine."""
        await self.close()

    async def close(self) -> None:
        """Give the leases back, and close the store if this engine opened it."""
        await self._threads.block(self._engine.close)
        self._threads.close()

    @property
    def store(self) -> Store:
        """The store that the engine works on."""
        return self._engine.store

    # Starting and carrying on.

    async def start(
        self,
        flow: str,
        slot: str,
        payload: Mapping[str, object] = EMPTY,
        *,
        job_id: str | None = None,
        actor: str | None = None,
        labels: Mapping[str, str] = EMPTY,
        before: Iterable[str] = (),
        after: Iterable[str] = (),
    ) -> JobState:
        """Record a job and run it on this host, as `Engine.start` does."""
        stops = (before, after)
        return await self._carried_on(
            partial(calls.start, self._host, flow, slot, payload, job_id, actor, labels, stops)
        )

    submit = _beside(Engine.submit)

    async def resume(
        self,
        job_id: str,
        command: ResumeCommand = _CONTINUE,
        *,
        actor: str | None = None,
        expected_version: int | None = None,
        before: Iterable[str] | None = None,
        after: Iterable[str] | None = None,
    ) -> JobState:
        """Carry a paused job on, on this host, as `Engine.resume` does."""
        return await self._carried_on(
            partial(
                calls.resume,
                self._host,
                job_id,
                command,
                actor=actor,
                expected_version=expected_version,
                stops=(before, after),
            )
        )

    async def run(self, job_id: str, *, actor: str | None = None) -> JobState:
        """Drive a job that nobody drives, as `Engine.run` does."""
        return await self._carried_on(partial(calls.run, self._host, job_id, actor))

    async def retry(
        self, job_id: str, *, effects: Effects = "reuse", actor: str | None = None
    ) -> JobState:
        """Let run again what failed in a failed job, as `Engine.retry` does."""
        return await self._carried_on(partial(calls.retry, self._host, job_id, effects, actor))

    async def recover(self, *, older_than: float | None = None) -> list[JobState]:
        """Drive every job that is ready and that nobody drives, as `Engine.recover` does."""
        rows = await self._threads.block(partial(calls.recoverable, self._host))
        return await async_drive.recovered(self._host, self._threads, rows, older_than)

    def worker(self, *, jobs: int = 4) -> AsyncWorker:
        """Return what drives submitted and left jobs, up to so many at once, until it is stopped.

        Raises: PayloadError, for less than one job at once.
        """
        return AsyncWorker(self._host, self._threads, jobs)

    async def fork(
        self,
        job_id: str,
        version: int,
        *,
        new_job_id: str | None = None,
        command: ResumeCommand | None = None,
        live: bool = False,
        actor: str | None = None,
    ) -> JobState:
        """Begin a job that shares another one's history, as `Engine.fork` does."""
        return await self._carried_on(
            partial(
                calls.fork,
                self._host,
                job_id,
                version,
                name=new_job_id,
                command=command,
                live=live,
                actor=actor,
            )
        )

    async def _carried_on(self, wish: Callable[[], Errand]) -> JobState:
        return await async_drive.carried_on(self._host, self._threads, wish)

    send = _beside(Engine.send)
    pause = _beside(Engine.pause)
    update = _beside(Engine.update)
    cancel = _beside(Engine.cancel)

    # Looking.

    async def wait(self, job_id: str, timeout: float) -> JobState:  # noqa: ASYNC109 - as in `Engine`
        """Return the job when it is paused or has ended, woken by the store.

        Units: seconds.
        Raises: JobNotFound; WaitTimeout, and the job lives on.
        """
        return await async_looking.waited(self._host, self._threads, job_id, timeout)

    def follow(self, job_id: str | None = None, after: int = 0) -> AsyncIterator[Recorded]:
        """Yield what is and will be recorded, as `Engine.follow` does."""
        return async_looking.followed(self._host, self._threads, job_id, after)

    state = _beside(Engine.state)
    history = _beside(Engine.history)
    jobs = _beside(Engine.jobs)
    verify = _beside(Engine.verify)
    diff = _beside(Engine.diff)
    check = _beside(Engine.check)
    health = _beside(Engine.health)
    export = _beside(Engine.export)
    import_job = _beside(Engine.import_job)


def _of(engine: AsyncEngine) -> tuple[Threads, Engine]:
    """Return what an engine's methods are done with."""
    return engine._threads, engine._engine  # noqa: SLF001 - of this module  # pyright: ignore[reportPrivateUsage] - of this module
