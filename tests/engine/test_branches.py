"""Steps that go on at once have a branch each, and a context belongs to one task or thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from esflow import Answer, Context, errors
from tests.engine.awaiting import begun, double, effect_ids
from tests.engine.outside import Outside, driver, interrupted
from tests.engine.world import PATIENCE_SECONDS, Gate, Hosts

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
    assert effect_ids(engine) == [
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
    assert (len(refused), effect_ids(engine)) == (1, [])


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
    assert effect_ids(engine) == ["1.1/e0", "1.1/left/e0", "1.1/right/e0"]


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

    engine = begun(hosts, handler)
    failure = engine.state("one").failure
    assert failure is not None
    assert (failure.type, shown in failure.message) == ("FlowError", True)
    assert len(effect_ids(engine)) == len(branches) - 1


def test_a_fork_asks_for_the_results_of_its_branches_one_by_one(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async def step(name: str) -> int:
            async with ctx.branch(name) as branch:
                return await branch.effect(double, len(name))

        ctx.log(str(await asyncio.gather(step("left"), step("right"))))

    engine = begun(hosts, handler)
    state = engine.fork("one", 1, new_job_id="two")
    told = {"1.1/left/e0": 10, "1.1/right/e0": 20}
    while state.interrupts:
        [asked] = state.interrupts
        state = engine.resume("two", Answer(told.pop(asked.id)))
    assert (told, [each.message for each in state.log]) == ({}, ["[10, 20]"])


def test_a_branch_ends_with_its_block(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async with ctx.branch("left") as branch:
            await branch.effect(double, 1)
        await branch.effect(double, 2)

    engine = begun(hosts, handler)
    failure = engine.state("one").failure
    assert failure is not None
    assert failure.type == "ContextClosed"
    assert effect_ids(engine) == ["1.1/left/e0"]


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

    engine = begun(hosts, handler)
    assert engine.state("one").status == "completed"
    assert len(refused) == 3
    assert all("ctx.branch(name)" in each for each in refused)
    assert (effect_ids(engine), engine.state("one").log) == ([], ())


def test_a_branch_belongs_to_the_task_that_enters_it(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async with ctx.branch("left") as branch:
            task = asyncio.create_task(_called(lambda: branch.effect(double, 1)))
            with pytest.raises(errors.ConcurrentEffects):
                await task

    assert begun(hosts, handler).state("one").status == "completed"


async def _called(call: Callable[[], Any]) -> Any:
    return await call()


def test_an_awaited_effect_has_no_context(hosts: Hosts) -> None:
    async def handler(ctx: Context) -> None:
        async def meddling() -> None:
            await asyncio.sleep(0)
            ctx.log("from inside")

        await asyncio.gather(ctx.effect(meddling))

    failure = begun(hosts, handler).state("one").failure
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

    engine = begun(hosts, handler)
    [ctx] = kept
    asyncio.run(late())
    assert (engine.state("one").status, effect_ids(engine)) == ("completed", ["1.1/e0"])
