"""Async handlers: mixed waves, gathered effects, branches, cancellation, and a thousand at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import pytest

from esflow import Answer, Context, Engine, Flow, errors
from esflow.store import Store
from tests.engine.outside import Outside, driver, interrupted
from tests.engine.world import PATIENCE_SECONDS, Gate, Hosts, effects

Handler: TypeAlias = Callable[[Context], Coroutine[Any, Any, None]]


async def double(number: int) -> int:
    """Return twice the number, when the others had their turn."""
    await asyncio.sleep(0)
    return number * 2


async def fail(text: str) -> None:
    """Fail when the others had their turn."""
    await asyncio.sleep(0)
    raise LookupError(text)


def _started(hosts: Hosts, handler: Handler) -> Engine:
    engine = driver(hosts, handler)  # type: ignore[arg-type]  # a handler is awaited or not
    engine.start("outside", "agent.act", job_id="one")
    return engine


def _ids(engine: Engine) -> list[str]:
    return sorted(each.id for each in effects(engine, "one"))


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

    _started(hosts, handler)
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

    state = _started(hosts, handler).state("one")
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
        task = asyncio.create_task(_awaited(ctx.effect(endless)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        ctx.log(str(await ctx.effect(double, 1)))

    engine = _started(hosts, handler)
    assert engine.state("one").status == "completed"
    assert _ids(engine) == ["1.1/e1"]


async def _awaited(what: Awaitable[Any]) -> Any:
    return await what


# Branches.


def test_steps_at_once_have_a_branch_each(hosts: Hosts) -> None:
    world = Outside()

    async def handler(ctx: Context) -> None:
        async def step(name: str, turns: int) -> list[object]:
            async with ctx.branch(name) as branch:
                for _ in range(turns):
                    await asyncio.sleep(0)
                found: list[object] = [await branch.effect(double, turns), branch.idempotency_key]
                return [*found, branch.now(), branch.uuid(), branch.random()]

        world.seen.append(await asyncio.gather(step("left", 5), step("right", 0), step("b", 2)))
        world.interrupt()

    engine = driver(hosts, handler)  # type: ignore[arg-type]  # a handler is awaited or not
    interrupted(engine)
    assert engine.run("one").status == "completed"
    assert world.seen[0] == world.seen[1]
    assert _ids(engine) == [
        f"1.1/{name}/e{number}" for name in ("b", "left", "right") for number in range(4)
    ]
    keys = [found[1] for found in world.seen[0]]  # type: ignore[attr-defined]  # a list of lists
    assert keys == ["one/1.1/left/e1", "one/1.1/right/e1", "one/1.1/b/e1"]


def test_a_thread_that_outlives_its_handler_records_nothing(hosts: Hosts) -> None:
    gate, ended = Gate(), threading.Event()
    refused: list[BaseException] = []

    def step(ctx: Context) -> None:
        with ctx.branch("late") as branch, pytest.raises(errors.ContextClosed) as caught:
            branch.effect(gate.hold)
        refused.append(caught.value)
        ended.set()

    def handler(ctx: Context) -> None:
        threading.Thread(target=step, args=[ctx]).start()
        gate.await_handler()

    engine = driver(hosts, handler)
    assert engine.start("outside", "agent.act", job_id="one").status == "completed"
    gate.opened.set()
    assert ended.wait(PATIENCE_SECONDS)
    assert (len(refused), _ids(engine)) == (1, [])


def test_threads_have_a_branch_each(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        def step(name: str) -> None:
            with ctx.branch(name) as branch:
                branch.effect(len, name)

        threads = [threading.Thread(target=step, args=[name]) for name in ("left", "right")]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        ctx.effect(len, "main")

    engine = driver(hosts, handler)
    assert engine.start("outside", "agent.act", job_id="one").status == "completed"
    assert _ids(engine) == ["1.1/e0", "1.1/left/e0", "1.1/right/e0"]


@pytest.mark.parametrize(
    ("branches", "shown"),
    [(("a", "a"), "used twice"), (("a/b",), "no name for a branch"), (("",), "no name")],
)
def test_a_branch_has_a_name_of_its_own(
    hosts: Hosts, branches: tuple[str, ...], shown: str
) -> None:
    async def handler(ctx: Context) -> None:
        for name in branches:
            async with ctx.branch(name) as branch:
                await branch.effect(double, 1)

    engine = _started(hosts, handler)
    failure = engine.state("one").failure
    assert failure is not None
    assert (failure.type, shown in failure.message) == ("FlowError", True)
    assert len(_ids(engine)) == len(branches) - 1


def test_a_branch_ends_with_its_block(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async with ctx.branch("left") as branch:
            await branch.effect(double, 1)
        await branch.effect(double, 2)

    engine = _started(hosts, handler)
    failure = engine.state("one").failure
    assert failure is not None
    assert failure.type == "ContextClosed"
    assert _ids(engine) == ["1.1/left/e0"]


# Whose context it is.


def test_a_context_belongs_to_the_task_of_its_handler(hosts: Hosts) -> None:
    refused: list[str] = []

    async def handler(ctx: Context) -> None:
        async def elsewhere() -> None:
            for use in (lambda: ctx.effect(double, 1), ctx.now, lambda: ctx.log("line")):
                with pytest.raises(errors.ConcurrentEffects) as caught:
                    use()
                refused.append(str(caught.value))

        await asyncio.create_task(elsewhere())

    engine = _started(hosts, handler)
    assert engine.state("one").status == "completed"
    assert len(refused) == 3
    assert all("ctx.branch(name)" in each for each in refused)
    assert (_ids(engine), engine.state("one").log) == ([], ())


def test_a_branch_belongs_to_the_task_that_enters_it(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async with ctx.branch("left") as branch:
            task = asyncio.create_task(_called(lambda: branch.effect(double, 1)))
            with pytest.raises(errors.ConcurrentEffects):
                await task

    assert _started(hosts, handler).state("one").status == "completed"


async def _called(call: Callable[[], Any]) -> Any:
    return await call()


def test_an_awaited_effect_has_no_context(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async def meddling() -> None:
            await asyncio.sleep(0)
            ctx.log("from inside")

        await asyncio.gather(ctx.effect(meddling))

    failure = _started(hosts, handler).state("one").failure
    assert failure is not None
    assert failure.message.startswith("ReentrantCall: ")


def test_a_task_that_outlives_its_handler_is_refused(hosts: Hosts) -> None:
    kept: list[Context] = []

    async def handler(ctx: Context) -> None:
        await ctx.effect(double, 1)
        kept.append(ctx)

    async def late() -> None:
        with pytest.raises(errors.ContextClosed):
            ctx.emit("out")
        with pytest.raises(errors.ContextClosed):
            await ctx.effect(double, 1)
        with pytest.raises(errors.ContextClosed):
            ctx.branch("late")

    engine = _started(hosts, handler)
    [ctx] = kept
    asyncio.run(late())
    assert (engine.state("one").status, _ids(engine)) == ("completed", ["1.1/e0"])


# Interrupts.


def test_an_interrupt_sets_an_async_handler_aside(hosts: Hosts) -> None:
    world = Outside()

    async def call() -> str:
        world.calls["call"] += 1
        return "made"

    async def handler(ctx: Context) -> None:
        before = await ctx.effect(call)
        ctx.log(f"{before}, {ctx.interrupt('sure?')}")

    engine = _started(hosts, handler)
    assert [each.id for each in engine.state("one").interrupts] == ["1.1/i0"]
    state = engine.resume("one", Answer("yes"))
    assert [each.message for each in state.log] == ["made, yes"]
    assert world.calls == {"call": 1}


def test_what_goes_on_beside_an_interrupt_is_cancelled_and_not_recorded(hosts: Hosts) -> None:
    ended: list[str] = []

    async def endless() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            return "late"  # Not even then.
        return "never"

    async def handler(ctx: Context) -> None:
        beside = asyncio.ensure_future(ctx.effect(endless))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ctx.interrupt("sure?")
        await beside

    engine = _started(hosts, handler)
    assert (engine.state("one").status, ended) == ("paused", ["cancelled"])
    assert _ids(engine) == []


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

    engine = _started(hosts, handler)
    assert (engine.state("one").status, _ids(engine)) == ("paused", [])


def test_an_interrupt_in_a_group_of_tasks_sets_the_handler_aside(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_awaited(ctx.effect(double, 2)))
            ctx.log(ctx.interrupt("sure?"))
        ctx.log(str(task.result()))

    engine = _started(hosts, handler)
    assert engine.state("one").status == "paused"
    state = engine.resume("one", Answer("yes"))
    assert [each.message for each in state.log] == ["yes", "4"]


def test_a_handler_that_cancels_itself_fails(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        raise asyncio.CancelledError

    failure = _started(hosts, handler).state("one").failure
    assert failure is not None
    assert failure.type == "CancelledError"


def test_a_fork_asks_for_the_result_of_an_awaited_effect(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        ctx.log(str(await ctx.effect(double, 2)))

    engine = _started(hosts, handler)
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

    engine = _started(hosts, handler)
    report = engine.check("one")
    assert (report.ok, report.activations, world.calls["call"]) == (True, 1, 1)
