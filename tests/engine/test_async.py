"""Async handlers: mixed waves, gathered effects, and interrupts."""

from __future__ import annotations

import asyncio

from esflow import Answer, Context, Flow, errors
from esflow.store import Store
from tests.engine.awaiting import awaited, begun, double, effect_ids, fail
from tests.engine.outside import Outside, driver, interrupted
from tests.engine.world import Hosts, effects

# Waves and effects.


def test_plain_and_async_handlers_stand_in_one_wave(hosts: Hosts) -> None:
    flow = Flow("mixed")
    source = flow.routine("source", outputs=("items",))

    @source.slot
    async def spread(ctx: Context) -> None:
        for number in range(3):
            ctx.emit("items", number=await ctx.effect(double, number))

    @flow.routine("plain").slot(name="take")
    def plain(ctx: Context, number: int) -> None:
        ctx.write("seen", [f"plain {number}"], "extend")

    @flow.routine("awaited").slot(name="take")
    async def awaited(ctx: Context, number: int) -> None:
        await asyncio.sleep(0)
        ctx.write("seen", [f"awaited {number}"], "extend")

    flow.connect("source.items", "plain.take")
    flow.connect("source.items", "awaited.take")
    state = hosts(flow).start("mixed", "source.spread")
    assert state.status == "completed"
    assert state.shared["seen"] == [
        f"{kind} {number}" for number in (0, 2, 4) for kind in ("plain", "awaited")
    ]


def test_gathered_effects_are_numbered_in_the_order_of_their_calls(hosts: Hosts) -> None:
    world = Outside()

    async def call(name: str, turns: int) -> str:
        world.calls[name] += 1
        for _ in range(turns):
            await asyncio.sleep(0)
        return name

    async def handler(ctx: Context) -> None:
        names = await asyncio.gather(ctx.effect(call, "slow", 9), ctx.effect(call, "fast", 0))
        ctx.log(" ".join(names))
        world.interrupt()

    engine = driver(hosts, handler)  # type: ignore[arg-type]  # a handler is awaited or not
    interrupted(engine)
    recorded = {each.id: each.result for each in effects(engine, "one")}
    assert recorded == {"1.1/e0": "slow", "1.1/e1": "fast"}
    state = engine.run("one")
    assert [each.message for each in state.log] == ["slow fast"]
    assert world.calls == {"slow": 1, "fast": 1}


def test_an_effect_is_recorded_before_it_is_used(hosts: Hosts, store: Store) -> None:
    seen: list[int] = []

    async def handler(ctx: Context) -> None:
        before = store.position()
        await ctx.effect(double, 1)
        seen.append(store.position() - before)

    begun(hosts, handler)
    assert seen == [1]


def test_a_failed_effect_fails_alike_when_it_is_awaited_again(hosts: Hosts) -> None:
    world = Outside()

    async def handler(ctx: Context) -> None:
        try:
            await ctx.effect(fail, "nothing there")
        except errors.EffectError as error:
            world.seen.append((error.type, error.message))
        world.interrupt()

    engine = driver(hosts, handler)  # type: ignore[arg-type]  # a handler is awaited or not
    interrupted(engine)
    assert engine.run("one").status == "completed"
    assert world.seen == [("LookupError", "nothing there")] * 2


def test_an_effect_that_is_not_awaited_fails_its_handler(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        assert ctx.effect(double, 1) is not None

    state = begun(hosts, handler).state("one")
    assert state.failure is not None
    assert state.failure.type == "PayloadError"
    assert "effect 1.1/e0" in state.failure.message
    assert "await it" in state.failure.message


def test_an_async_effect_needs_an_async_handler(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        assert ctx.effect(double, 1) is not None

    state = driver(hosts, handler).start("outside", "agent.act", job_id="one")
    assert state.failure is not None
    assert "await it in an async slot" in state.failure.message
    assert state.failure.type == "PayloadError"


def test_an_effect_that_the_handler_gives_up_is_not_recorded(hosts: Hosts) -> None:
    async def endless() -> None:
        await asyncio.Event().wait()

    async def handler(ctx: Context) -> None:
        task = asyncio.create_task(awaited(ctx.effect(endless)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        ctx.log(str(await ctx.effect(double, 1)))

    engine = begun(hosts, handler)
    assert engine.state("one").status == "completed"
    assert effect_ids(engine) == ["1.1/e1"]


# Interrupts.


def test_an_interrupt_sets_an_async_handler_aside(hosts: Hosts) -> None:
    world = Outside()

    async def call() -> str:
        world.calls["call"] += 1
        return "made"

    async def handler(ctx: Context) -> None:
        before = await ctx.effect(call)
        ctx.log(f"{before}, {ctx.interrupt('sure?')}")

    engine = begun(hosts, handler)
    assert [each.id for each in engine.state("one").interrupts] == ["1.1/i0"]
    state = engine.resume("one", Answer("yes"))
    assert [each.message for each in state.log] == ["made, yes"]
    assert world.calls == {"call": 1}


def test_what_goes_on_beside_an_interrupt_is_cancelled_and_not_recorded(hosts: Hosts) -> None:
    ended, began = list[str](), asyncio.Event()

    async def endless() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            return "late"  # Not even then.
        return "never"

    async def handler(ctx: Context) -> None:
        beside = asyncio.ensure_future(ctx.effect(endless))
        await began.wait()
        ctx.interrupt("sure?")
        await beside

    engine = begun(hosts, handler)
    assert (engine.state("one").status, ended) == ("paused", ["cancelled"])
    assert effect_ids(engine) == []


def test_nothing_is_recorded_while_a_handler_that_is_set_aside_tidies_up(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        go_on = asyncio.Event()
        beside = asyncio.ensure_future(ctx.effect(go_on.wait))
        await asyncio.sleep(0)
        try:
            ctx.interrupt("sure?")
        finally:
            go_on.set()
            await asyncio.wait([beside])
            assert beside.exception() is not None

    engine = begun(hosts, handler)
    assert (engine.state("one").status, effect_ids(engine)) == ("paused", [])


def test_an_interrupt_in_a_group_of_tasks_sets_the_handler_aside(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(awaited(ctx.effect(double, 2)))
            ctx.log(ctx.interrupt("sure?"))
        ctx.log(str(task.result()))

    engine = begun(hosts, handler)
    assert engine.state("one").status == "paused"
    state = engine.resume("one", Answer("yes"))
    assert [each.message for each in state.log] == ["yes", "4"]


def test_a_handler_that_cancels_itself_fails(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        raise asyncio.CancelledError

    failure = begun(hosts, handler).state("one").failure
    assert failure is not None
    assert failure.type == "CancelledError"


def test_a_fork_asks_for_the_result_of_an_awaited_effect(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        ctx.log(str(await ctx.effect(double, 2)))

    engine = begun(hosts, handler)
    state = engine.fork("one", 1, new_job_id="two")
    assert [each.id for each in state.interrupts] == ["1.1/e0"]
    state = engine.resume("two", Answer(7))
    assert [each.message for each in state.log] == ["7"]


def test_async_handlers_are_checked_without_calling_anything(hosts: Hosts) -> None:
    world = Outside()

    async def call() -> int:
        world.calls["call"] += 1
        return 1

    async def handler(ctx: Context) -> None:
        ctx.log(str(await ctx.effect(call)))
        ctx.interrupt("sure?")

    engine = begun(hosts, handler)
    report = engine.check("one")
    assert (report.ok, report.activations, world.calls["call"]) == (True, 1, 1)
