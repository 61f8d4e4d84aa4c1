"""A handler on a loop, alone in its wave or beside others: it can't tell, nor can its caller."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from esflow import AsyncEngine, Context, Flow, errors, failpoints
from esflow.store import Store
from tests.engine.awaiting import double
from tests.engine.world import PATIENCE_SECONDS, Gate

Lone: TypeAlias = Callable[..., Flow]
Handler: TypeAlias = Callable[[Context], Coroutine[Any, Any, None]]

WORD: Final[ContextVar[str]] = ContextVar("word", default="none")


@pytest.fixture(params=["alone", "alone and limited", "beside another"])
def lone(request: pytest.FixtureRequest) -> Lone:
    """Return what makes a flow of one handler, which runs in each of the ways that there are."""

    def made(handler: Handler) -> Flow:
        flow = Flow("lone")
        source = flow.routine("source", outputs=("items",))
        flow.slot(name="act", timeout=PATIENCE_SECONDS if "limited" in request.param else None)(
            handler
        )

        @flow.slot
        def other(ctx: Context) -> None:
            ctx.log("other")

        @source.slot
        async def begin(ctx: Context) -> None:
            ctx.emit("items")

        flow.connect("source.items", "act")
        if "beside" in request.param:
            flow.connect("source.items", "other")
        return flow

    return made


@pytest.fixture
def passing() -> Iterator[None]:
    """Let fail points be passed again at the end."""
    hook = failpoints.hook
    yield
    failpoints.hook = hook


async def _ended(engine: AsyncEngine) -> list[str]:
    """Return what is recorded of the handler of a job."""
    history = await engine.history("one")
    mine = [each.event for each in history if getattr(each.event, "activation", "") == "2.1"]
    assert not [each for each in history if each.event.name == "EffectRecorded"]
    return [each.name for each in mine]


def test_nothing_is_recorded_while_a_cancelled_handler_tidies_up(store: Store, lone: Lone) -> None:
    begun, told = asyncio.Event(), list[type[BaseException]]()

    async def act(ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            try:
                await ctx.effect(double, 1)
            except errors.ContextClosed as closed:
                told.append(type(closed))

    async def cancelling() -> list[str]:
        async with AsyncEngine(store, [lone(act)]) as engine:
            task = asyncio.create_task(engine.start("lone", "source.begin", job_id="one"))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await _ended(engine)

    assert asyncio.run(cancelling()) == []
    assert told == [errors.ContextClosed]


def test_a_handler_that_ignores_a_cancellation_is_waited_for_and_not_recorded(
    store: Store, lone: Lone
) -> None:
    begun, ignored, tries = asyncio.Event(), list[int](), 3

    async def act(ctx: Context) -> None:
        begun.set()
        while len(ignored) < tries:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ignored.append(1)
                begun.set()

    async def cancelling() -> list[str]:
        async with AsyncEngine(store, [lone(act)]) as engine:
            task = asyncio.create_task(engine.start("lone", "source.begin", job_id="one"))
            for _ in range(tries):
                await begun.wait()
                begun.clear()
                assert not task.done()
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await _ended(engine)

    assert asyncio.run(asyncio.wait_for(cancelling(), PATIENCE_SECONDS)) == []
    assert len(ignored) == tries


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_what_ends_a_process_comes_to_the_caller_and_ends_no_loop(
    store: Store, lone: Lone, ending: type[BaseException]
) -> None:
    async def act(ctx: Context) -> None:
        await asyncio.sleep(0)
        raise ending

    async def caught() -> list[str]:
        async with AsyncEngine(store, [lone(act)]) as engine:
            with pytest.raises(ending):
                await engine.start("lone", "source.begin", job_id="one")
            await asyncio.sleep(0)
            return await _ended(engine)

    assert asyncio.run(caught()) == []
    row = store.head("one")
    assert row is not None
    assert (row.status, row.lease) == ("running", None)


def test_a_handler_and_its_caller_share_no_context_variable(store: Store, lone: Lone) -> None:
    seen = list[str]()

    async def act(ctx: Context) -> None:
        seen.append(WORD.get())
        WORD.set("of the handler")

    async def calling() -> str:
        WORD.set("of the caller")
        async with AsyncEngine(store, [lone(act)]) as engine:
            await engine.start("lone", "source.begin", job_id="one")
            await engine.send("one", "act", {})
        return WORD.get()

    with pytest.raises(errors.JobClosed):  # The caller is not inside of the job, so it may ask.
        asyncio.run(calling())
    assert seen == ["of the caller"]


@pytest.mark.usefixtures("passing")
def test_a_commit_that_takes_long_holds_up_nobody(tmp_path: Path, lone: Lone) -> None:
    gate, names = Gate(), list[str]()

    def reach(name: str) -> None:
        if name.startswith("append.") and threading.current_thread() is not threading.main_thread():
            gate.hold()
        names.append(f"{name} {threading.current_thread().name}")

    async def act(ctx: Context) -> None:
        failpoints.hook = reach

    async def driving() -> None:
        async with AsyncEngine(f"sqlite:///{tmp_path}/jobs.db", [lone(act)]) as engine:
            task = asyncio.create_task(engine.start("lone", "source.begin", job_id="one"))
            await asyncio.to_thread(gate.await_handler)
            for _ in range(100):
                await asyncio.sleep(0)
            assert not task.done()
            gate.opened.set()
            assert (await task).status == "completed"

    asyncio.run(driving())
    assert "append.committed esflow-writer" in names
    assert not [each for each in names if each.startswith("append.") and "Main" in each]


def test_a_handler_that_cancels_its_task_fails_and_its_caller_goes_on(
    store: Store, lone: Lone
) -> None:
    async def act(ctx: Context) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    async def calling() -> str:
        async with AsyncEngine(store, [lone(act)]) as engine:
            state = await engine.start("lone", "source.begin", job_id="one")
            await asyncio.sleep(0)
            assert state.failure is not None
            return state.failure.type

    assert asyncio.run(calling()) == "CancelledError"
