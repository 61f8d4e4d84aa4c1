"""The async engine with the face of the other: every call is awaited in a loop of its own.

So the examples are the same for both, and so is what they are judged by.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from inspect import iscoroutinefunction
from queue import SimpleQueue
from threading import Thread
from typing import Any, Self, cast, final

from esflow import AsyncEngine, Engine
from esflow.events import Recorded
from esflow.runtime.async_worker import AsyncWorker


def awaited_engine(*args: Any, **kwargs: Any) -> Engine:
    """Return an async engine whose calls block."""
    return cast("Engine", _Awaited(AsyncEngine(*args, **kwargs)))


@final
class _Awaited:
    """Blocks until what is called has been awaited."""

    def __init__(self, what: AsyncEngine | AsyncWorker) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Any:
        return _blocking(getattr(self._what, name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def follow(self, *args: Any, **kwargs: Any) -> Iterator[Recorded]:
        return _iterated(cast("AsyncEngine", self._what).follow(*args, **kwargs))

    def worker(self, *args: Any, **kwargs: Any) -> Any:
        return _Awaited(cast("AsyncEngine", self._what).worker(*args, **kwargs))


def _blocking(member: Any) -> Any:
    if not iscoroutinefunction(member):
        return member
    method: Callable[..., Any] = member

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return asyncio.run(method(*args, **kwargs))

    return call


def _iterated(recorded: AsyncIterator[Recorded]) -> Iterator[Recorded]:
    """Yield what an async iterator does, in a loop that lives until it ends."""
    seen = SimpleQueue[Recorded | BaseException | None]()

    async def follow() -> None:
        async for each in recorded:
            seen.put(each)

    def run() -> None:
        with ThreadPoolExecutor(1) as pool:
            seen.put(pool.submit(asyncio.run, follow()).exception())

    Thread(target=run, daemon=True).start()
    while isinstance(each := seen.get(), Recorded):
        yield each
    if each is not None:
        raise each
