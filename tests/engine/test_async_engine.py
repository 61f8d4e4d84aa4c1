"""What only an engine on a loop can be asked: whom it holds up, and what a cancellation leaves."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from esflow import AsyncEngine, Context, Engine, Flow, Recorded, errors, failpoints
from esflow import events as ev
from esflow.ids import order
from esflow.runtime.threads import max_threads
from esflow.store import IndexRow, Store
from esflow.stores import open_store
from tests.engine.flows import gated
from tests.engine.world import PATIENCE_SECONDS, Gate
from tests.laws.stripping import stripped
from tests.stores import KINDS

MANY: Final = 1000


async def double(number: int) -> int:
    """Return twice the number, when the others had their turn."""
    await asyncio.sleep(0)
    return number * 2


def voyage() -> Flow:
    """Return a flow with gathered effects, branches, plain handlers and a wave of four."""
    flow = Flow("voyage")
    source = flow.routine("source", outputs=("items",))

    @source.slot
    async def begin(ctx: Context) -> None:
        async def step(name: str) -> int:
            async with ctx.branch(name) as branch:
                return await branch.effect(double, len(name))

        first = await asyncio.gather(ctx.effect(double, 1), ctx.effect(double, 2))
        for number in (*first, *await asyncio.gather(step("left"), step("right"))):
            ctx.emit("items", number=number)

    for name in ("plain", "awaited"):

        def plain(ctx: Context, number: int) -> None:
            ctx.write("total", ctx.effect(abs, number), "add")

        async def awaited(ctx: Context, number: int) -> None:
            ctx.write("total", await ctx.effect(double, number), "add")

        flow.routine(name).slot(name="take")(plain if name == "plain" else awaited)
        flow.connect("source.items", f"{name}.take")
    return flow


def _comparable(history: Sequence[Recorded]) -> object:
    """Return a history without circumstances, and without the order in which effects ended."""
    effects = [each for each in history if isinstance(each.event, ev.EffectRecorded)]
    rest = [each for each in history if each not in effects]
    return stripped(rest), stripped(sorted(effects, key=_place))


def _place(recorded: Recorded) -> Any:
    assert isinstance(recorded.event, ev.EffectRecorded)
    return order(recorded.event.id)


@pytest.fixture
def passing() -> Iterator[None]:
    """Let fail points be passed again at the end."""
    hook = failpoints.hook
    yield
    failpoints.hook = hook


# Cancellation.


@pytest.mark.usefixtures("passing")
@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_who_is_cancelled_anywhere_leaves_a_job_that_runs_on(
    kind: str, tmp_path: Path
) -> None:
    histories: list[object] = []
    cancelled = 0
    for number in range(1, MANY):
        with _opened(kind, tmp_path, number) as store:
            was_cancelled, row = asyncio.run(_cancelled_at(store, number))
            assert row is None or row.lease is None, "the lease is given back"
            assert store.head("one") == row, "nothing is recorded later"
            with Engine(store, [voyage()]) as engine:
                state = engine.start("voyage", "source.begin", job_id="one")
                assert (state.status, state.shared) == ("completed", {"total": 72})
                histories.append(_comparable(engine.history("one")))
            if not was_cancelled:
                break
            cancelled += 1
    assert cancelled > 30
    assert all(each == histories[-1] for each in histories)


@contextmanager
def _opened(kind: str, folder: Path, number: int) -> Generator[Store]:
    memory = kind == "memory"
    store = open_store("memory://" if memory else f"sqlite:///{folder}/{number}.db")
    yield store
    store.close()


async def _cancelled_at(store: Store, number: int) -> tuple[bool, IndexRow | None]:
    """Start the job and cancel its caller at a fail point; tell if it was, and what is left."""
    loop, reached = asyncio.get_running_loop(), 0

    def reach(_: str) -> None:
        nonlocal reached
        reached += 1
        if reached == number:
            loop.call_soon_threadsafe(task.cancel)

    async with AsyncEngine(store, [voyage()], max_parallel=4) as engine:
        task = asyncio.create_task(engine.start("voyage", "source.begin", job_id="one"))
        failpoints.hook = reach
        await asyncio.wait([task])
        failpoints.hook = _pass_by
        row = store.head("one")
    return task.cancelled(), row


def _pass_by(_: str) -> None:
    """Do nothing."""


def test_a_plain_handler_is_waited_for_and_told_that_its_caller_was_cancelled(
    store: Store,
) -> None:
    gate, told = Gate(), list[object]()
    flow = Flow("plain")

    @flow.slot
    def work(ctx: Context) -> None:
        told.append(ctx.cancelled)
        gate.hold()
        told.append(ctx.cancelled)
        with pytest.raises(errors.ContextClosed):
            ctx.effect(len, "too late")

    async def cancelling() -> None:
        async with AsyncEngine(store, [flow]) as engine:
            task = asyncio.create_task(engine.start("plain", "work", job_id="one"))
            await asyncio.to_thread(gate.await_handler)
            task.cancel()
            await asyncio.wait([task], timeout=0)
            assert not task.done()
            gate.opened.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [each.event.name for each in await engine.history("one")] == [
                "JobStarted",
                "ExecutionClaimed",
            ]

    asyncio.run(cancelling())
    assert told == [False, True]
    gate.opened.set()


def test_what_a_handler_raises_when_it_is_cancelled_is_nobodys_complaint(store: Store) -> None:
    begun, complaints, flow = asyncio.Event(), list[object](), Flow("clumsy")

    @flow.slot
    async def work(ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("while tidying up")

    async def cancelling() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, it: complaints.append(it))
        async with AsyncEngine(store, [flow]) as engine:
            task = asyncio.create_task(engine.start("clumsy", "work", job_id="one"))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        gc.collect()  # The loop complains of a task when that is thrown away.

    asyncio.run(cancelling())
    assert complaints == []


def test_a_worker_that_is_cancelled_leaves_its_jobs_to_others(store: Store) -> None:
    begun, world = asyncio.Event(), list[str]()
    flow = Flow("endless")

    @flow.slot
    async def work(ctx: Context) -> None:
        begun.set()
        await ctx.effect(asyncio.Event().wait)

    async def working() -> None:
        async with AsyncEngine(store, [flow]) as engine:
            await engine.submit("endless", "work", job_id="one")
            task = asyncio.create_task(engine.worker().run())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(working())
    row = store.head("one")
    assert row is not None
    assert (row.status, row.lease, world) == ("running", None, [])


# Whom it holds up.


def test_a_thousand_jobs_wait_on_one_loop_and_no_thread_of_their_own(store: Store) -> None:
    everybody, threads = asyncio.Event(), list[int]()
    waiting = 0
    flow = Flow("patient")

    async def answer() -> str:
        nonlocal waiting
        waiting += 1
        if waiting == MANY:
            threads.append(threading.active_count())
            everybody.set()
        await everybody.wait()
        return "answered"

    @flow.slot
    async def ask(ctx: Context) -> None:
        ctx.log(await ctx.effect(answer))

    async def together() -> list[str]:
        async with AsyncEngine(store, [flow]) as engine:
            jobs = [engine.start("patient", "ask", job_id=f"job-{each}") for each in range(MANY)]
            return [state.status.value for state in await asyncio.gather(*jobs)]

    before = threading.active_count()
    assert asyncio.run(together()) == ["completed"] * MANY
    assert threads[0] - before <= max_threads + 2, "readers, the writer and the heartbeat"


def test_a_plain_handler_holds_up_nobody(store: Store) -> None:
    gate = Gate()

    async def together() -> str:
        async with AsyncEngine(store, [gated(gate)]) as engine:
            first = asyncio.create_task(engine.start("gated", "worker.first", job_id="one"))
            await asyncio.to_thread(gate.await_handler)
            note = await engine.start("gated", "worker.note", {"line": "meanwhile"})
            assert not first.done()
            gate.opened.set()
            return f"{note.status} {(await first).status}"

    assert asyncio.run(together()) == "completed completed"
    gate.opened.set()


def test_waiting_and_following_take_no_thread(store: Store) -> None:
    gate = Gate()

    async def watching() -> None:
        async with AsyncEngine(store, [gated(gate)]) as engine:
            job = asyncio.create_task(engine.start("gated", "worker.first", job_id="one"))
            await asyncio.to_thread(gate.await_handler)
            with pytest.raises(errors.WaitTimeout):
                await engine.wait("one", 0)
            waiting = [asyncio.create_task(engine.wait("one", PATIENCE_SECONDS)) for _ in "abc"]
            following = asyncio.create_task(_until(engine.follow("one"), "JobCompleted"))
            gate.opened.set()
            assert [each.status for each in await asyncio.gather(*waiting)] == ["completed"] * 3
            assert await following == [each.event.name for each in await engine.history("one")]
            await job

    asyncio.run(watching())
    gate.opened.set()


async def _until(recorded: AsyncIterator[Recorded], last: str) -> list[str]:
    seen: list[str] = []
    async for each in recorded:
        seen.append(each.event.name)
        if each.event.name == last:
            return seen
    return seen


def test_an_async_handler_runs_under_either_engine_in_a_thread_with_a_loop(store: Store) -> None:
    async def blocking() -> str:
        with Engine(store, [voyage()]) as engine:  # Its caller's loop stands still meanwhile.
            return engine.start("voyage", "source.begin").status.value

    assert asyncio.run(blocking()) == "completed"


LOOK: Final = """
import sys, threading
import esflow
assert "asyncio" not in sys.modules, "the import is what takes long"
esflow.AsyncEngine
assert threading.active_count() == 1
import asyncio
try:
    asyncio.get_running_loop()
except RuntimeError:
    print("no thread, no loop")
esflow.AsyncEngine("memory://")
assert threading.active_count() == 1
"""


def test_there_is_no_thread_and_no_loop_at_import() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("no thread, no loop\n", "")
