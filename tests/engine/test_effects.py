"""An effect is recorded before it is used, and gives the same at every re-execution."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Never, cast
from uuid import UUID

import attrs
import pytest

from esflow import Context, Engine, errors
from esflow.testing import ManualClock
from tests.engine.outside import Outside, driver, interrupted
from tests.engine.world import Hosts, effects, names


class Colour(Enum):
    """A colour."""

    RED = "red"


@attrs.frozen
class Plan:
    """A plan."""

    title: str
    steps: tuple[int, ...] = ()


def test_an_effect_is_recorded_before_its_result_is_used(hosts: Hosts) -> None:
    engines: list[Engine] = []
    recorded: list[list[str]] = []

    def call() -> str:
        recorded.append(names(engines[0], "one"))
        return "result"

    def handler(ctx: Context) -> None:
        ctx.effect(call)
        recorded.append(names(engines[0], "one"))

    engines.append(driver(hosts, handler))
    assert engines[0].start("outside", "agent.act", job_id="one").status == "completed"
    claimed = ["JobStarted", "ExecutionClaimed"]
    assert recorded == [claimed, [*claimed, "EffectRecorded"]]


def test_a_recorded_effect_is_not_called_again(hosts: Hosts) -> None:
    world = Outside(interruptions=3)

    def call(name: str) -> str:
        world.calls[name] += 1
        return f"{name} {world.calls[name]}"

    def handler(ctx: Context) -> None:
        ctx.shared["first"] = ctx.effect(call, "a")
        world.interrupt()
        ctx.shared["second"] = ctx.effect(call, "b")
        world.interrupt()

    engine = driver(hosts, handler)
    interrupted(engine)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            engine.run("one")
    state = engine.run("one")
    assert (state.shared, world.calls) == ({"first": "a 1", "second": "b 1"}, {"a": 1, "b": 1})
    assert [each.id for each in effects(engine, "one")] == ["1.1/e0", "1.1/e1"]


RESULTS: list[tuple[Any, Any]] = [
    (Plan, Plan("t", (1, 2))),
    (tuple[Plan, ...], (Plan("t"),)),
    (Plan | None, None),
    (Colour, Colour.RED),
    (datetime, datetime(2026, 1, 2, tzinfo=UTC)),
    (timedelta, timedelta(seconds=5)),
    (Decimal, Decimal("1.10")),
    (UUID, UUID(int=7)),
    (bytes, b"\x00\xff"),
    (set[int], {1, 2}),
    (dict[str, Plan], {"a": Plan("t")}),
    (Any, [1, {"a": None}]),
    (None, None),
    (list[Any], [1, "a"]),
]


@pytest.mark.parametrize(("annotation", "value"), RESULTS)
def test_a_result_is_what_its_annotation_says_on_the_first_host_and_on_every_other(
    hosts: Hosts, annotation: Any, value: Any
) -> None:
    world = Outside()

    def call() -> Any:
        return value

    call.__annotations__["return"] = annotation

    def handler(ctx: Context) -> None:
        world.seen.append(ctx.effect(call))
        world.interrupt()

    interrupted(driver(hosts, handler))
    assert driver(hosts, handler).run("one").status == "completed"
    assert world.seen == [value, value]
    assert type(world.seen[0]) is type(world.seen[1]) is type(value)


def test_a_result_without_annotation_is_json_on_every_host(hosts: Hosts) -> None:
    world = Outside()

    def handler(ctx: Context) -> None:
        world.seen.append(ctx.effect(lambda: (Plan("t", (1,)), {3})))
        world.interrupt()

    interrupted(driver(hosts, handler))
    driver(hosts, handler).run("one")
    assert world.seen == [[{"title": "t", "steps": [1]}, [3]]] * 2


def test_a_result_that_its_annotation_does_not_take_is_refused_alike(hosts: Hosts) -> None:
    world = Outside()

    def lying() -> int:
        result: Any = "text"
        return result  # type: ignore[no-any-return]  # the lie that is told here

    def handler(ctx: Context) -> None:
        with pytest.raises(errors.PayloadError) as caught:
            ctx.effect(lying)
        world.seen.append(str(caught.value))
        world.interrupt()

    interrupted(driver(hosts, handler))
    driver(hosts, handler).run("one")
    assert world.seen[0] == world.seen[1]
    assert "result of" in str(world.seen[0])


def test_a_result_belongs_to_the_handler(hosts: Hosts) -> None:
    world = Outside()

    def call() -> list[Any]:
        return [{"a": 1}]

    def handler(ctx: Context) -> None:
        result = ctx.effect(call)
        world.seen.append(list(result))
        result.append("changed")
        world.interrupt()

    engine = driver(hosts, handler)
    interrupted(engine)
    engine.run("one")
    assert world.seen == [[{"a": 1}]] * 2


@pytest.mark.parametrize("caught", [False, True])
def test_a_recorded_error_is_final_and_raised_alike(hosts: Hosts, caught: bool) -> None:
    world = Outside()

    def fail() -> Never:
        world.calls["fail"] += 1
        raise LookupError(f"call {world.calls['fail']}")

    def handler(ctx: Context) -> None:
        try:
            ctx.effect(fail)
        except errors.EffectError as error:
            world.seen.append((error.type, error.message, type(error.__cause__).__name__))
            world.interrupt()
            if not caught:
                raise

    engine = driver(hosts, handler)
    interrupted(engine)
    state = engine.run("one")
    assert world.calls == {"fail": 1}
    assert world.seen == [
        ("LookupError", "call 1", "LookupError"),
        ("LookupError", "call 1", "NoneType"),
    ]
    assert state.status == ("completed" if caught else "failed")
    if state.failure is not None:
        assert (state.failure.type, state.failure.message) == ("EffectError", "LookupError: call 1")


async def _coroutine() -> None:
    raise AssertionError("never awaited")


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (lambda: float("nan"), "nan"),
        (lambda: {"deep": [object()]}, ".deep[0]"),
        (lambda: "\ud800", "surrogate"),
        (lambda: 2**64, "64 bits"),
        (lambda: open, "result of"),
        (lambda: _coroutine(), "coroutine"),  # noqa: PLW0108 - as it is, it would be awaited
    ],
)
def test_a_result_that_can_not_be_recorded_is_an_error_that_is(
    hosts: Hosts, call: Callable[[], object], shown: str
) -> None:
    world = Outside()

    def handler(ctx: Context) -> None:
        world.calls["runs"] += 1
        with pytest.raises(errors.PayloadError) as caught:
            ctx.effect(call)
        world.seen.append(str(caught.value))
        world.interrupt()

    engine = driver(hosts, handler)
    interrupted(engine)
    assert engine.run("one").status == "completed"
    assert world.seen[0] == world.seen[1]
    assert shown in str(world.seen[0])
    assert len(effects(engine, "one")) == 1


def test_the_same_arguments_in_another_order_are_the_same_call(hosts: Hosts) -> None:
    world = Outside()

    def call(**kwargs: object) -> int:
        world.calls["call"] += 1
        return len(kwargs)

    def handler(ctx: Context) -> None:
        keys = sorted("abc", reverse=bool(world.interruptions))
        ctx.effect(call, **dict.fromkeys(keys, 1))
        world.interrupt()

    engine = driver(hosts, handler)
    interrupted(engine)
    assert engine.run("one").status == "completed"
    assert world.calls == {"call": 1}


def test_the_idempotency_key_is_that_of_the_call_at_every_execution(hosts: Hosts) -> None:
    world = Outside(interruptions=2)

    def call(key: str) -> str:
        world.seen.append(key)
        world.interrupt()
        return key

    def handler(ctx: Context) -> None:
        before = ctx.idempotency_key
        assert ctx.effect(call, before) == before
        assert ctx.effect(lambda: ctx.idempotency_key) == ctx.idempotency_key[:-1] + "1"

    engine = driver(hosts, handler)
    interrupted(engine)
    with pytest.raises(KeyboardInterrupt):
        engine.run("one")
    assert engine.run("one").status == "completed"
    assert world.seen == ["one/1.1/e0"] * 3
    assert [each.key for each in effects(engine, "one")] == ["one/1.1/e0", "one/1.1/e1"]


def test_time_ids_and_chance_are_recorded_and_returned_again(hosts: Hosts) -> None:
    world = Outside()
    clock = ManualClock()

    def handler(ctx: Context) -> None:
        world.seen.append((ctx.now(), ctx.uuid(), ctx.random(), ctx.now()))
        world.interrupt()

    interrupted(driver(hosts, handler, clock=clock))
    clock.advance(3600)
    engine = driver(hosts, handler, clock=clock)
    assert engine.run("one").status == "completed"
    assert world.seen[0] == world.seen[1]
    moment, name, number, again = cast("tuple[Any, Any, float, Any]", world.seen[0])
    assert moment == again == datetime(2025, 1, 1, tzinfo=UTC)
    assert isinstance(name, UUID)
    assert 0 <= number < 1
    functions = [each.function for each in effects(engine, "one")]
    assert functions == ["esflow.now", "esflow.uuid", "esflow.random", "esflow.now"]
