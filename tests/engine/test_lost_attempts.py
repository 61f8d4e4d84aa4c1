"""An attempt that met other code, or lost its job, records nothing, whatever its handler hides."""

from collections.abc import Callable
from functools import partial

import pytest

from esflow import Context, Flow, errors
from esflow.store import Store
from tests.engine.outside import Outside, driver, interrupted
from tests.engine.world import Hosts, Threads, effects, names, stored

CHANGED: list[tuple[Callable[[Context], object], Callable[[Context], object], str]] = [
    (lambda ctx: ctx.effect(len, "ab"), lambda ctx: ctx.effect(len, "abc"), "len('abc')"),
    (lambda ctx: ctx.effect(len, "ab"), lambda ctx: ctx.effect(repr, "ab"), "repr('ab')"),
    (lambda ctx: ctx.effect(len, "ab"), lambda ctx: ctx.now(), "esflow.now()"),
    (
        lambda ctx: ctx.effect(sorted, [2, 1]),
        lambda ctx: ctx.effect(sorted, [2, 1], reverse=True),
        "reverse=True",
    ),
    (lambda ctx: ctx.effect(abs, 1), lambda ctx: ctx.effect(abs, 1.0), "abs(1.0)"),
    (
        lambda ctx: ctx.effect(partial(pow, 2), 3),
        lambda ctx: ctx.effect(partial(pow, 3), 3),
        "pow(3, 3)",
    ),
    (
        lambda ctx: ctx.effect(partial(sorted, reverse=True), [1]),
        lambda ctx: ctx.effect(partial(sorted, reverse=False), [1]),
        "reverse=False",
    ),
]


@pytest.mark.parametrize("swallowed", [False, True])
@pytest.mark.parametrize(("before", "after", "shown"), CHANGED)
def test_a_changed_call_is_refused_with_both_and_nothing_is_recorded(
    hosts: Hosts,
    before: Callable[[Context], object],
    after: Callable[[Context], object],
    shown: str,
    *,
    swallowed: bool,
) -> None:
    world = Outside()

    def old(ctx: Context) -> None:
        before(ctx)
        world.interrupt()

    def new(ctx: Context) -> None:
        try:
            after(ctx)
        except errors.EsflowError:
            if not swallowed:
                raise
        if swallowed:
            ctx.log("swallowed")

    interrupted(driver(hosts, old))
    engine = driver(hosts, new)
    (recorded,) = effects(engine, "one")
    with pytest.raises(errors.NondeterminismError) as caught:
        engine.run("one")
    assert recorded.function in str(caught.value)
    assert shown in str(caught.value)
    assert "deploy the code" in str(caught.value)
    assert names(engine, "one")[-2:] == ["EffectRecorded", "ExecutionClaimed"]
    assert driver(hosts, old).run("one").status == "completed"


@pytest.mark.parametrize("swallows", ["error", "everything"])
def test_a_handler_that_swallows_the_loss_of_its_job_has_lost_it_all_the_same(
    hosts: Hosts, store: Store, threads: Threads, swallows: str
) -> None:
    world = Outside()
    taken: list[tuple[object, ...]] = []

    def handler(ctx: Context) -> None:
        if not taken:
            other = driver(hosts, lambda ctx: ctx.log("elsewhere"))
            threads.submit(other.recover, older_than=0).result()
            taken.append(stored(store))
        for _ in range(2):
            try:
                ctx.effect(len, "abc")
            except Exception as error:  # noqa: BLE001 - what this handler is for
                world.seen.append(type(error))
        if swallows == "error":
            raise RuntimeError("something else")

    engine = driver(hosts, handler)
    with pytest.raises(errors.Fenced, match="follow it with wait"):
        engine.start("outside", "agent.act", job_id="one")
    assert world.seen == [errors.Fenced, errors.Fenced]
    assert stored(store) == taken[0]
    assert [each.message for each in engine.state("one").log] == ["elsewhere"]


def test_a_handler_that_swallows_a_store_that_failed_is_abandoned(
    hosts: Hosts, store: Store
) -> None:
    world = Outside()

    def handler(ctx: Context) -> None:
        engines[0].store.close()
        try:
            ctx.effect(len, "abc")
        except Exception as error:  # noqa: BLE001 - what this handler is for
            world.seen.append(type(error))

    flow = Flow("outside")
    flow.routine("agent").slot(name="act")(handler)
    engines = [hosts(flow)]
    if engines[0].store is store:  # In memory all handles are one: nothing is left to look at.
        with pytest.raises(errors.StoreError, match="closed"):
            engines[0].start("outside", "agent.act", job_id="one")
        assert world.seen == [errors.StoreError]
        return
    with pytest.raises(errors.StoreError, match="closed"):
        engines[0].start("outside", "agent.act", job_id="one")
    assert world.seen == [errors.StoreError]
    assert names(hosts(), "one") == ["JobStarted", "ExecutionClaimed"]
