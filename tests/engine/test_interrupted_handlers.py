"""Nothing keeps a handler that waits for an answer on its stack, and no other question gets it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import pytest

from esflow import Answer, Context, Engine, JobState, errors
from esflow.store import Store
from tests.engine.outside import Outside, driver
from tests.engine.world import Hosts, check_refusal, count, names

Handler = Callable[[Context], None]


def _start(engine: Engine) -> JobState:
    return engine.start("outside", "agent.act", job_id="one")


# Handlers that catch.


def test_a_handler_that_catches_exceptions_is_set_aside_all_the_same(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        try:
            ctx.log(ctx.interrupt("sure?"))
        except Exception as error:  # noqa: BLE001 - what this handler is for
            ctx.log(f"caught {error!r}")

    engine = driver(hosts, handler)
    assert (_start(engine).status, count(engine, "one", "Interrupted")) == ("paused", 1)
    state = engine.resume("one", Answer("yes"))
    assert [each.message for each in state.log] == ["yes"]


def _passing(ctx: Context) -> None:
    with suppress(BaseException):
        ctx.interrupt("sure?")


def _raising(ctx: Context) -> None:
    try:
        ctx.interrupt("sure?")
    except BaseException as error:
        raise ValueError("mine") from error


def _raising_at_last(ctx: Context) -> None:
    try:
        ctx.interrupt("sure?")
    finally:
        raise ValueError("mine")


def _returning_at_last(ctx: Context) -> None:
    try:
        ctx.interrupt("sure?")
    finally:
        return  # noqa: B012 - what this handler is for


def _asking_again(ctx: Context) -> None:
    for _ in range(3):
        with suppress(BaseException):
            ctx.interrupt("sure?")


@pytest.mark.parametrize(
    "handler", [_passing, _raising, _raising_at_last, _returning_at_last, _asking_again]
)
def test_a_handler_that_keeps_even_that_from_its_caller_fails(
    hosts: Hosts, store: Store, handler: Handler
) -> None:
    engine = driver(hosts, handler)
    state = _start(engine)
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "InterruptSwallowed")
    assert "interrupt 1.1/i0" in state.failure.message
    assert "let BaseException pass" in state.failure.message
    assert (state.interrupts, count(engine, "one", "Interrupted")) == ((), 0)
    with check_refusal(store, errors.JobClosed, "failed"):
        engine.resume("one", Answer("yes"))


def test_what_ends_the_process_ends_it_though_the_handler_was_set_aside(hosts: Hosts) -> None:
    world = Outside()

    def handler(ctx: Context) -> None:
        try:
            ctx.interrupt("sure?")
        finally:
            world.interrupt()

    engine = driver(hosts, handler)
    with pytest.raises(KeyboardInterrupt):
        _start(engine)
    assert names(engine, "one") == ["JobStarted", "ExecutionClaimed"]
    assert [each.id for each in engine.run("one").interrupts] == ["1.1/i0"]


FINALLY: list[Handler] = [
    lambda ctx: ctx.log("line"),
    lambda ctx: ctx.emit("out"),
    lambda ctx: ctx.pause("tea"),
    lambda ctx: ctx.shared.update(n=1),
    lambda ctx: ctx.memory.update(n=1),
    lambda ctx: ctx.write("n", 1, "add"),
    lambda ctx: ctx.interrupt("another?"),
    lambda ctx: ctx.effect(_unreachable),
    lambda ctx: ctx.log(str(ctx.now())),
]


def _unreachable() -> None:
    raise AssertionError("no effect is called once the handler is set aside")


@pytest.mark.parametrize("use", FINALLY)
@pytest.mark.parametrize("caught", [False, True])
def test_what_is_called_in_a_finally_records_nothing(
    hosts: Hosts, use: Handler, *, caught: bool
) -> None:
    answered: list[object] = []

    def handler(ctx: Context) -> None:
        try:
            answered.append(ctx.interrupt("sure?"))
        finally:
            if not answered:
                with suppress(*[Exception] * caught):
                    use(ctx)

    engine = driver(hosts, handler)
    state = _start(engine)
    assert names(engine, "one")[2:] == ["Interrupted", "JobPaused"]
    assert [each.payload for each in state.interrupts] == ["sure?"]
    state = engine.resume("one", Answer("yes"))
    assert (state.status, answered, state.log, state.shared) == ("completed", ["yes"], (), {})


def test_a_question_that_can_not_be_recorded_is_refused_at_the_call(hosts: Hosts) -> None:
    bad: list[tuple[Any, dict[str, Any]]] = [
        (float("nan"), {}),
        ("which?", {"choices": []}),
        ("which?", {"choices": "AB"}),
        ("which?", {"choices": [1, "A"], "type": int}),
        ("which?", {"type": Store}),
    ]

    def handler(ctx: Context) -> None:
        for payload, options in bad:
            with pytest.raises(errors.PayloadError):
                ctx.interrupt(payload, **options)
        ctx.log(ctx.interrupt("which?"))

    engine = driver(hosts, handler)
    assert [each.id for each in _start(engine).interrupts] == ["1.1/i0"]
    assert engine.resume("one", Answer("yes")).status == "completed"


# Edited code.


EDITED: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({}, {"payload": "delete all?"}, "'sure?'", "interrupt('delete all?')"),
    ({}, {"payload": ["sure?"]}, "'sure?'", "interrupt(['sure?'])"),
    ({"payload": 1}, {"payload": True}, "as 1 but", "interrupt(True)"),
    ({}, {"choices": ["yes", "no"]}, "'sure?'", "choices ['yes', 'no']"),
    ({"choices": ["yes", "no"]}, {}, "choices ['yes', 'no']", "interrupt('sure?')"),
    ({"choices": ["yes", "no"]}, {"choices": ["no", "yes"]}, "['yes', 'no']", "['no', 'yes']"),
    ({}, {"type": str}, "'sure?'", "type string"),
    ({"type": str | None}, {"type": str}, "type null or string", "'sure?' type string"),
    (
        {"type": Literal["yes", "no"]},
        {"type": Literal["yes", "no", "maybe"]},
        "choices ['yes', 'no'] type string",
        "choices ['yes', 'no', 'maybe'] type string",
    ),
]


@pytest.mark.parametrize("swallowed", [False, True])
@pytest.mark.parametrize(("before", "after", "was", "now"), EDITED)
def test_an_edited_question_never_gets_the_answer_to_the_old_one(
    hosts: Hosts,
    before: dict[str, Any],
    after: dict[str, Any],
    was: str,
    now: str,
    *,
    swallowed: bool,
) -> None:
    got: list[object] = []

    def asking(question: dict[str, Any]) -> Handler:
        def handler(ctx: Context) -> None:
            try:
                got.append(ctx.interrupt(**{"payload": "sure?", **question}))
            except errors.EsflowError:
                if not swallowed:
                    raise
                with suppress(errors.EsflowError):
                    ctx.log("swallowed")

        return handler

    _start(driver(hosts, asking(before)))
    edited = driver(hosts, asking(after))
    with pytest.raises(errors.NondeterminismError, match="deploy the code") as caught:
        edited.resume("one", Answer("yes"))
    assert was in str(caught.value)
    assert now in str(caught.value)
    assert got == []
    assert names(edited, "one")[-3:] == ["AnswerRecorded", "JobResumed", "ExecutionClaimed"]
    state = driver(hosts, asking(before)).run("one")
    assert (state.status, got) == ("completed", ["yes"])


def test_a_question_that_was_moved_behind_another_is_another(hosts: Hosts) -> None:
    def old(ctx: Context) -> None:
        ctx.interrupt("pay?")

    def new(ctx: Context) -> None:
        ctx.interrupt("sure?")
        ctx.interrupt("pay?")

    _start(driver(hosts, old))
    with pytest.raises(errors.NondeterminismError, match=r"'pay\?' .* interrupt\('sure\?'\)"):
        driver(hosts, new).resume("one", Answer("yes"))


def test_an_effect_that_was_edited_before_the_question_is_refused_too(hosts: Hosts) -> None:
    def asking(*called: Any) -> Handler:
        def handler(ctx: Context) -> None:
            ctx.effect(*called)
            ctx.interrupt("sure?")

        return handler

    _start(driver(hosts, asking(len, "ab")))
    with pytest.raises(errors.NondeterminismError, match="len"):
        driver(hosts, asking(len, "abc")).resume("one", Answer("yes"))
    assert driver(hosts, asking(len, "ab")).run("one").status == "completed"
