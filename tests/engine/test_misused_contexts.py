"""A context used where it can't record says so, and so does data that was changed in place."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from esflow import Context, Flow, JobState, errors
from esflow.store import Store
from tests.engine.world import PATIENCE_SECONDS, Hosts, Threads, names, stored

Use = Callable[[Context], object]

USES: list[Use] = [
    lambda ctx: ctx.emit("out", x=1),
    lambda ctx: ctx.defer("out", x=1),
    lambda ctx: ctx.pause("now"),
    lambda ctx: ctx.ask("what?", to="routine.answered"),
    lambda ctx: ctx.interrupt("sure?"),
    lambda ctx: ctx.effect(len, "abc"),
    lambda ctx: ctx.now(),
    lambda ctx: ctx.uuid(),
    lambda ctx: ctx.random(),
    lambda ctx: ctx.log("line"),
    lambda ctx: ctx.write("key", 1, "add"),
    lambda ctx: ctx.shared.update(key=1),
    lambda ctx: ctx.shared.get("key"),
    lambda ctx: ctx.memory.update(key=1),
    lambda ctx: list(ctx.memory),
    lambda ctx: len(ctx.shared),
]


def _flow(handler: Callable[[Context], None]) -> Flow:
    flow = Flow("misusing")
    routine = flow.routine("routine", outputs=("out",))
    routine.slot(name="handler")(handler)

    @routine.slot
    def answered(ctx: Context, answer: Any) -> None:
        ctx.log(str(answer))

    return flow


def _started(hosts: Hosts, handler: Callable[[Context], None]) -> JobState:
    return hosts(_flow(handler)).start("misusing", "routine.handler", job_id="one")


@pytest.mark.parametrize("use", USES)
def test_a_context_ends_with_its_handler(hosts: Hosts, store: Store, use: Use) -> None:
    kept: list[Context] = []
    state = _started(hosts, kept.append)
    before = stored(store)
    with pytest.raises(errors.ContextClosed, match=r"1\.1: .* keep the context inside"):
        use(kept[0])
    assert state.status == "completed"
    assert stored(store) == before


@pytest.mark.parametrize("use", USES)
def test_a_context_belongs_to_the_thread_of_its_handler(
    hosts: Hosts, threads: Threads, use: Use
) -> None:
    refused: list[BaseException | None] = []

    def handler(ctx: Context) -> None:
        refused.append(threads.submit(use, ctx).exception(PATIENCE_SECONDS))

    state = _started(hosts, handler)
    assert [type(each) for each in refused] == [errors.ConcurrentEffects]
    assert "ctx.branch(name)" in str(refused[0])
    assert (state.status, state.shared, state.log, state.outputs) == ("completed", {}, (), ())


def test_a_thread_that_outlives_its_handler_is_refused(hosts: Hosts, threads: Threads) -> None:
    ended = Event()

    def late(ctx: Context) -> None:
        assert ended.wait(PATIENCE_SECONDS)
        ctx.emit("out", x=1)

    leaked: list[Any] = []
    state = _started(hosts, lambda ctx: leaked.append(threads.submit(late, ctx)))
    ended.set()
    assert isinstance(leaked[0].exception(PATIENCE_SECONDS), errors.ContextClosed)
    assert (state.status, state.outputs) == ("completed", ())


@pytest.mark.parametrize("use", USES)
def test_an_effect_has_no_context(hosts: Hosts, use: Use) -> None:
    def handler(ctx: Context) -> None:
        ctx.effect(lambda: str(use(ctx)))

    state = _started(hosts, handler)
    assert state.failure is not None
    assert state.failure.message.startswith("ReentrantCall: ")
    assert "return from the effect first" in state.failure.message
    assert (state.shared, state.log, state.outputs, state.questions) == ({}, (), (), ())


IN_PLACE: list[tuple[str, Callable[[Context], object]]] = [
    ("shared['list']", lambda ctx: ctx.shared["list"].append(1)),
    ("shared['list']", lambda ctx: ctx.shared["list"][0].update(new=1)),
    ("shared['map']", lambda ctx: ctx.shared["map"].pop("a")),
    ("shared['map']", lambda ctx: ctx.shared.get("map", {}).update(b=2)),
    ("shared['map']", lambda ctx: [value.clear() for _, value in ctx.shared.items()]),
    ("memory['list']", lambda ctx: ctx.memory["list"].clear()),
    ("shared['own']", lambda ctx: ctx.shared.setdefault("own", [1]).append(2)),
]


@pytest.mark.parametrize(("path", "change"), IN_PLACE)
def test_data_that_is_changed_in_place_is_refused_by_its_key(
    hosts: Hosts, path: str, change: Callable[[Context], object]
) -> None:
    def handler(ctx: Context) -> None:
        ctx.shared["map"] = {"a": 1}
        ctx.shared["list"] = [{}]
        ctx.memory["list"] = [1]
        ctx.pause("with data")
        ctx.emit("out")

    flow = _flow(handler)
    routine = flow.routine("second")

    @routine.slot
    def changing(ctx: Context) -> None:
        ctx.memory["list"] = [1]
        change(ctx)

    flow.connect("routine.out", "second.changing")
    engine = hosts(flow)
    engine.start("misusing", "routine.handler", job_id="one")
    state = engine.resume("one")
    assert state.failure is not None
    assert state.failure.type == "PayloadError"
    assert path in state.failure.message
    assert "write it back" in state.failure.message
    assert state.shared == {"map": {"a": 1}, "list": [{}]}


def test_data_that_is_changed_and_written_back_is_kept(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        ctx.shared["list"] = [1]
        items: Any = ctx.shared["list"]
        items.append(2)
        ctx.shared["list"] = items

    assert _started(hosts, handler).shared == {"list": [1, 2]}


def test_what_was_emitted_written_and_logged_is_copied(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        items: list[Any] = [{"a": 1}]
        ctx.emit("out", items=items)
        ctx.shared["items"] = items
        ctx.log("line", items=items)
        items[0]["a"] = 2
        items.append("changed")

    state = _started(hosts, handler)
    assert state.outputs[0].payload == {"items": [{"a": 1}]}
    assert state.shared == {"items": [{"a": 1}]}
    assert state.log[0].fields == {"items": [{"a": 1}]}


def test_neighbours_share_no_payload(hosts: Hosts) -> None:
    flow = Flow("sharing")
    source = flow.routine("source", outputs=("out",))

    @source.slot
    def begin(ctx: Context) -> None:
        ctx.shared["seen"] = {}
        ctx.emit("out", items=[{"a": [1]}])

    for name in ("first", "second"):

        @flow.routine(name).slot(name="take")
        def take(ctx: Context, items: list[Any]) -> None:
            ctx.write("seen", {ctx.activation_id: items}, "merge")
            items[0]["a"].append(ctx.activation_id)

        flow.connect("source.out", f"{name}.take")
    state = hosts(flow, max_parallel=1).start("sharing", "source.begin")
    assert state.shared == {"seen": {"2.1": [{"a": [1]}], "2.2": [{"a": [1]}]}}


UNRECORDABLE: list[tuple[Use, str]] = [
    (lambda ctx: ctx.emit("nothing"), "nothing"),
    (lambda ctx: ctx.defer("nothing"), "nothing"),
    (lambda ctx: ctx.emit("out", x=float("nan")), "out.x"),
    (lambda ctx: ctx.defer("out", x=[{1: 2}]), "out.x[0]"),
    (lambda ctx: ctx.log("x", y=object()), "log.y"),
    (lambda ctx: ctx.log("\ud800"), "log.message"),
    (lambda ctx: ctx.pause("\ud800"), "pause.reason"),
    (lambda ctx: ctx.ask("?", to="nobody"), "'nobody'"),
    (lambda ctx: ctx.ask("?", to="routine.handler"), "takes no parameter 'answer'"),
    (lambda ctx: ctx.ask("?", to="picky.both"), "needs more, which no answer brings"),
    (lambda ctx: ctx.ask("?", to="routine.answered", choices=[]), "ask.choices"),
    (
        lambda ctx: ctx.ask("?", to="routine.answered", choices=[{1}, object()]),
        "ask.choices[1]",
    ),
    (lambda ctx: ctx.ask("?", to="routine.answered", choices="AB"), "ask.choices"),
    (lambda ctx: ctx.ask("?", to="picky.number", choices=[1, "two"]), "'two'"),
    (lambda ctx: ctx.ask("\ud800", to="routine.answered"), "ask.text"),
    (lambda ctx: ctx.write("key", 1, "no such"), "no such"),
    (lambda ctx: ctx.write("key", float("inf")), "shared['key']"),
    (lambda ctx: ctx.memory.update({"key": object()}), "memory['key']"),
    (lambda ctx: ctx.shared.update({"\ud800": 1}), "surrogate"),
]


@pytest.mark.parametrize(("use", "shown"), UNRECORDABLE)
def test_what_can_not_be_recorded_is_refused_at_the_call_and_leaves_nothing(
    hosts: Hosts, use: Use, shown: str
) -> None:
    refused: list[errors.EsflowError] = []

    def handler(ctx: Context) -> None:
        with pytest.raises(errors.EsflowError) as caught:
            use(ctx)
        refused.append(caught.value)

    flow = _flow(handler)

    picky = flow.routine("picky")

    @picky.slot
    def number(ctx: Context, answer: int) -> None:
        """Take one kind of answer only."""

    @picky.slot
    def both(ctx: Context, answer: str, more: int) -> None:
        raise AssertionError("nobody asked")

    engine = hosts(flow)
    state = engine.start("misusing", "routine.handler", job_id="one")
    assert shown in str(refused[0])
    assert state.status == "completed"
    recorded = ["JobStarted", "ExecutionClaimed", "ActivationCompleted", "JobCompleted"]
    assert names(engine, "one") == recorded
