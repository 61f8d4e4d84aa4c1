"""Async slots and effects fail, are tried again and run out of time as plain ones do."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from esflow import AsyncEngine, Context, Flow, Retry, effect, errors
from esflow import events as ev
from esflow.clock import wait_until_async
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.world import PATIENCE_SECONDS

AT_ONCE = Retry(attempts=3, delay=0)
LATER = Retry(attempts=3, delay=10, jitter=0)


def _run(coroutine: Any) -> Any:
    async def limited() -> Any:
        return await asyncio.wait_for(coroutine, PATIENCE_SECONDS)

    return asyncio.run(limited())


def test_an_async_slot_is_tried_again(store: Store) -> None:
    flow = Flow("one")

    @flow.slot(retry=AT_ONCE)
    async def act(ctx: Context) -> None:
        if ctx.attempt < 3:
            raise ValueError(ctx.attempt)
        ctx.shared["attempt"] = ctx.attempt

    async def go() -> None:
        async with AsyncEngine(store, [flow]) as engine:
            state = await engine.start("one", "act")
            assert (state.status, state.shared) == ("completed", {"attempt": 3})

    _run(go())


def test_an_effect_whose_error_escapes_from_a_group_of_tasks_is_called_again(
    store: Store,
) -> None:
    flow, calls = Flow("one"), Counter[str]()

    async def call(name: str) -> int:
        calls[name] += 1
        if name == "b" and calls[name] == 1:
            raise LookupError(name)
        return calls[name]

    @flow.slot(retry=AT_ONCE)
    async def act(ctx: Context) -> None:
        async def step(name: str) -> int:
            async with ctx.branch(name) as branch:
                return await branch.effect(call, name)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step(name)) for name in "ab"]
        ctx.shared["seen"] = [each.result() for each in tasks]

    async def go() -> None:
        async with AsyncEngine(store, [flow]) as engine:
            state = await engine.start("one", "act", job_id="one")
            assert state.status == "completed"
            recorded = [each.event for each in await engine.history("one")]
            failed = [each for each in recorded if isinstance(each, ev.ActivationFailed)]
            assert [each.escaped for each in failed] == ["1.1/b/e0"]

    _run(go())
    assert calls["b"] == 2


def test_an_async_effect_waits_without_holding_up_the_loop(store: Store) -> None:
    flow, calls, clock = Flow("one"), Counter[str](), ManualClock()

    @effect(name="call", retry=LATER)
    async def call() -> int:
        calls["call"] += 1
        if calls["call"] == 1:
            raise LookupError("no")
        return calls["call"]

    @flow.slot
    async def act(ctx: Context) -> None:
        ctx.shared["result"] = await ctx.effect(call)

    async def go() -> None:
        async with AsyncEngine(store, [flow], clock=clock) as engine:
            task = asyncio.create_task(engine.start("one", "act", job_id="one"))
            async for recorded in engine.follow("one"):
                if isinstance(recorded.event, ev.EffectAttemptFailed):
                    break
            assert not task.done()
            clock.advance(10)
            assert (await task).shared == {"result": 2}

    with_job = _with_job(store, flow, go)
    _run(with_job)


async def _with_job(store: Store, flow: Flow, go: Any) -> None:
    """Have the job there before somebody follows it."""
    async with AsyncEngine(store, [flow]) as engine:
        await engine.submit("one", "act", job_id="one")
    await go()


@pytest.mark.parametrize("limited", ["slot", "effect"])
def test_an_async_slot_or_effect_is_cancelled_when_its_time_is_over(
    store: Store, limited: str
) -> None:
    flow, clock, ends = Flow("one"), ManualClock(), list[str]()

    async def call() -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    if limited == "effect":
        effect(timeout=5)(call)

    async def act(ctx: Context) -> None:
        await ctx.effect(call)

    flow.routine("agent").slot(name="act", timeout=5 if limited == "slot" else None)(act)

    async def go() -> None:
        async with AsyncEngine(store, [flow], clock=clock) as engine:
            task = asyncio.create_task(engine.start("one", "agent.act", job_id="one"))
            await reached.wait()
            clock.advance(5)
            state = await task
            assert state.failure is not None
            assert "took more than 5.0 s" in state.failure.message
            names = [each.event.name for each in await engine.history("one")]
            assert names.count("EffectRecorded") == (limited == "effect")

    reached = asyncio.Event()
    _run(go())
    assert ends == ["cancelled"]


def test_a_plain_slot_of_an_async_engine_is_left_behind_when_its_time_is_over(
    store: Store,
) -> None:
    from threading import Event

    flow, clock = Flow("one"), ManualClock()
    began, ends = Event(), Event()

    @flow.slot(timeout=5)
    def act(ctx: Context) -> None:
        began.set()
        assert ends.wait(PATIENCE_SECONDS)
        ctx.log("late")

    async def go() -> None:
        async with AsyncEngine(store, [flow], clock=clock) as engine:
            task = asyncio.create_task(engine.start("one", "act"))
            await asyncio.to_thread(began.wait)
            clock.advance(5)
            state = await task
            assert state.failure is not None
            assert state.failure.type == "ActivationTimeout"

    _run(go())
    ends.set()


def test_an_async_engine_retries_what_failed(store: Store) -> None:
    flow, trouble = Flow("one"), [True]

    @flow.slot
    async def act(ctx: Context) -> None:
        if trouble:
            raise LookupError
        ctx.log("mended")

    async def go() -> None:
        async with AsyncEngine(store, [flow]) as engine:
            assert (await engine.start("one", "act", job_id="one")).status == "failed"
            trouble.clear()
            assert (await engine.retry("one", effects="fresh")).status == "completed"
            with pytest.raises(errors.JobClosed):
                await engine.retry("one")

    _run(go())


def test_tasks_wait_for_a_moment_of_a_clock_that_is_moved() -> None:
    clock = ManualClock()

    async def go() -> None:
        waiting = asyncio.create_task(wait_until_async(clock, clock.now_ms() + 1000))
        await asyncio.sleep(0)
        clock.advance(0.5)
        await asyncio.sleep(0)
        assert not waiting.done()
        await asyncio.to_thread(clock.advance, 0.5)
        await waiting
        await wait_until_async(clock, clock.now_ms())

    _run(go())


def test_what_led_to_an_async_effect_is_recorded_before_it_is_called(store: Store) -> None:
    flow, seen = Flow("one"), list[list[str]]()

    async def call() -> None:
        seen.append([str(row.topic) for row in store.read("one")])

    @flow.slot(outputs=("out",))
    async def first(ctx: Context) -> None:
        ctx.emit("out")

    @flow.slot
    async def second(ctx: Context) -> None:
        await ctx.effect(call)

    flow.connect("first.out", "second")

    async def go() -> None:
        async with AsyncEngine(store, [flow], durability="output") as engine:
            assert (await engine.start("one", "first", job_id="one")).status == "completed"

    _run(go())
    assert any("ActivationCompleted" in each for each in seen[0])
