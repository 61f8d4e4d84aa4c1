"""Which loops a process watches descriptors for, and that nothing they are told is lost."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import closing
from typing import Any, Final

import pytest

from esflow.runtime.threads import Threads
from esflow.runtime.wakers import Waker
from esflow.waits import PromptWait
from tests.engine.descriptors import watched, without_descriptors
from tests.engine.world import PATIENCE_SECONDS, Gate

OF_A_LOOP: Final = 1 if sys.platform == "linux" else 0
"""The descriptors that a loop is woken by."""


def test_a_loop_is_watched_until_its_engine_is_closed() -> None:
    async def used() -> list[int]:
        threads, counts = Threads(), [watched()]
        for _ in range(3):
            await threads.write(threading.get_ident)
            await threads.block(threading.get_ident)
            counts.append(watched())
        threads.close()
        await asyncio.sleep(0)
        return [*counts, watched()]

    before, *during, after = asyncio.run(used())
    assert (during, after) == ([before + OF_A_LOOP] * 3, before)


def test_loops_that_were_closed_leave_nothing_behind() -> None:
    threads, before = Threads(), watched()
    for _ in range(10):
        asyncio.run(threads.write(threading.get_ident))
    assert watched() <= before + OF_A_LOOP


def test_an_engine_that_is_closed_is_told_what_it_waits_for() -> None:
    gate = Gate()

    async def used() -> set[asyncio.Task[None]]:
        threads = Threads()
        waiting = asyncio.create_task(threads.write(gate.hold))
        await asyncio.to_thread(gate.await_handler)
        threads.close()
        await asyncio.sleep(0)
        gate.opened.set()
        return (await asyncio.wait([waiting], timeout=PATIENCE_SECONDS))[1]

    with closing(asyncio.new_event_loop()) as loop:  # Which ends without those that wait.
        loop.set_exception_handler(lambda _, __: None)
        still_waiting = loop.run_until_complete(used())
        loop.run_until_complete(loop.shutdown_default_executor())
    assert still_waiting == set()


def test_a_loop_without_descriptors_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    without_descriptors(monkeypatch)

    async def used() -> int:
        threads = Threads()
        assert await threads.write(lambda: "told") == "told"
        threads.close()
        return watched()

    before = watched()
    assert asyncio.run(used()) == before


@pytest.mark.parametrize("has_descriptors", [True, False])
def test_who_ends_the_process_keeps_nobody_else_from_being_told(
    monkeypatch: pytest.MonkeyPatch, *, has_descriptors: bool
) -> None:
    if not has_descriptors:
        without_descriptors(monkeypatch)
    waits = list[PromptWait[Any]]()

    async def waiting(wait: PromptWait[Any], *, leaves: bool) -> Any:
        came = await wait
        if leaves:
            raise SystemExit(came)
        return came

    async def begun() -> tuple[Waker, list[asyncio.Task[Any]]]:
        waits.extend(PromptWait() for _ in range(3))
        tasks = [asyncio.create_task(waiting(each, leaves=each is waits[0])) for each in waits]
        await asyncio.sleep(0)
        return Waker(asyncio.get_running_loop()), tasks

    with closing(asyncio.new_event_loop()) as loop:
        waker, (first, *others) = loop.run_until_complete(begun())
        for number, wait in enumerate(waits):
            waker.expect()
            waker.tell(wait, number)
        with pytest.raises(SystemExit):
            loop.run_until_complete(asyncio.sleep(PATIENCE_SECONDS))
        told = asyncio.wait(others, timeout=PATIENCE_SECONDS)
        assert loop.run_until_complete(told) == ({*others}, set())
        assert [each.result() for each in others] == [1, 2]
        assert isinstance(first.exception(), SystemExit)
