"""What an async engine does beside its loop: in which threads, and who is told what of it."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import pytest

from esflow.runtime.threads import Threads, max_threads
from tests.engine.descriptors import without_descriptors
from tests.engine.world import PATIENCE_SECONDS, Gate

WORD: Final[ContextVar[str]] = ContextVar("word", default="none")


@pytest.fixture(autouse=True, params=["a descriptor", "a call"])
def woken_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have loops woken in each of the ways there are."""
    if request.param == "a call":
        without_descriptors(monkeypatch)


def refuse() -> None:
    """Raise what is no reason to end a thread."""
    raise LookupError("refused")


def leave() -> None:
    """Raise what would end a process."""
    raise SystemExit(3)


def ended(thread: threading.Thread) -> bool:
    """Tell whether a thread has come to its end, when it was waited for."""
    thread.join(PATIENCE_SECONDS)
    return not thread.is_alive()


def forget(_: Threads) -> None:
    """Do nothing."""


def hear(_: asyncio.AbstractEventLoop, __: dict[str, Any]) -> None:
    """Do nothing."""


@pytest.mark.parametrize("act", [Threads.close, forget])
def test_threads_end_with_the_engine(act: Callable[[Threads], None]) -> None:
    async def used() -> set[threading.Thread]:
        threads = Threads()
        writers = {await threads.write(threading.current_thread) for _ in range(3)}
        gates = [Gate() for _ in range(2)]
        held = [asyncio.create_task(threads.block(_held(each))) for each in gates]
        for gate in gates:
            await asyncio.to_thread(gate.await_handler)
        for gate in gates:
            gate.opened.set()
        readers = set(await asyncio.gather(*held))
        assert (len(writers), len(readers)) == (1, 2)
        act(threads)
        return writers | readers

    found = asyncio.run(used())
    gc.collect()
    assert all(map(ended, found))


def _held(gate: Gate) -> Callable[[], threading.Thread]:
    def work() -> threading.Thread:
        gate.hold()
        return threading.current_thread()

    return work


def test_work_that_is_done_one_after_the_other_takes_one_thread() -> None:
    async def used() -> int:
        threads = Threads()
        return len({await threads.block(threading.get_ident) for _ in range(max_threads)})

    assert asyncio.run(used()) == 1


def test_no_more_threads_are_started_than_may_be() -> None:
    gate = Gate()

    async def used() -> int:
        threads = Threads()
        many = [asyncio.create_task(threads.block(_held(gate))) for _ in range(max_threads + 1)]
        await asyncio.to_thread(gate.await_handler)
        gate.opened.set()
        return len(set(await asyncio.gather(*many)))

    assert asyncio.run(used()) <= max_threads


def test_a_thread_goes_on_whatever_its_work_raises() -> None:
    async def used() -> None:
        threads = Threads()
        first = await threads.write(threading.get_ident)
        with pytest.raises(LookupError):
            await threads.write(refuse)
        with pytest.raises(SystemExit):
            await threads.write(leave)
        assert isinstance(await threads.attempt(leave, leave), SystemExit)
        assert await threads.write(threading.get_ident) == first

    asyncio.run(used())


def test_what_is_set_beside_the_loop_stays_there() -> None:
    async def used() -> tuple[str, str]:
        WORD.set("here")
        threads = Threads()
        seen = await threads.write(WORD.get)
        await threads.write(lambda: WORD.set("there"))
        return seen, await threads.write(WORD.get)

    assert asyncio.run(used()) == ("here", "here")


@pytest.mark.parametrize("times", [1, 3])
def test_whoever_is_cancelled_is_told_so_when_the_work_is_done(times: int) -> None:
    gate, left = Gate(), list[str]()

    def work() -> None:
        gate.hold()
        left.append("done")

    async def used() -> None:
        threads = Threads()
        task = asyncio.create_task(threads.attempt(work, lambda: left.append("left")))
        await asyncio.to_thread(gate.await_handler)
        for _ in range(times):
            task.cancel()
            await asyncio.wait([task], timeout=0)
        assert left == ["left"] * times
        assert not task.done()
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(used())
    assert left[times:] == ["done"]


def test_what_a_commit_raises_outranks_a_cancellation() -> None:
    gate = Gate()

    def work() -> None:
        gate.hold()
        refuse()

    async def used() -> None:
        task = asyncio.create_task(Threads().write(work))
        await asyncio.to_thread(gate.await_handler)
        task.cancel()
        gate.opened.set()
        with pytest.raises(LookupError):
            await task

    asyncio.run(used())


def test_work_whose_loop_is_closed_is_done_and_its_thread_goes_on() -> None:
    gate, threads, done = Gate(), Threads(), threading.Event()

    def work() -> None:
        gate.hold()
        done.set()

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(hear)  # It complains of the task that is left.
    task = loop.create_task(threads.write(work))
    loop.run_until_complete(loop.run_in_executor(None, gate.await_handler))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    gate.opened.set()
    assert done.wait(PATIENCE_SECONDS)
    assert not task.done()
    assert asyncio.run(threads.write(lambda: "goes on")) == "goes on"
