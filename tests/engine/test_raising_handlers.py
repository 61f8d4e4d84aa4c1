"""Whatever a handler raises is recorded as a failure, in text of bounded size."""

import gc
from collections.abc import Callable
from typing import Any, Never, cast

import pytest

from esflow import Context, Engine, Flow
from tests.engine.world import Hosts, names


class Shameless(Exception):
    """An error that raises when it is shown."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


class Numeric(Exception):
    """An error whose text is no text."""

    def __str__(self) -> str:
        text: Any = 5
        return cast("str", text)


def _recurse(depth: int = 0) -> int:
    return _recurse(depth + 1) + 1


def _exhausted(ctx: Context) -> None:
    raise MemoryError("no memory")


def _too_deep(ctx: Context) -> None:
    gc.collect()  # What is finalized at the bottom would be too deep itself.
    _recurse()


def _ordinary(ctx: Context) -> None:
    raise ValueError("as planned")


def _grouped(ctx: Context) -> None:
    raise ExceptionGroup("several", [ValueError("one"), KeyError("two")])


def _caused(ctx: Context) -> None:
    try:
        _ordinary(ctx)
    except ValueError as error:
        raise LookupError("after that") from error


def _exhausted_iterator(ctx: Context) -> None:
    next(iter(()))


def _timed_out(ctx: Context) -> None:
    raise TimeoutError


CASES: list[tuple[Callable[[Context], None], str, str]] = [
    (_ordinary, "ValueError", "as planned"),
    (_exhausted, "MemoryError", "no memory"),
    (_too_deep, "RecursionError", "recursion"),
    (_grouped, "ExceptionGroup", "several"),
    (_caused, "LookupError", "after that"),
    (_exhausted_iterator, "StopIteration", ""),
    (_timed_out, "TimeoutError", ""),
]


def _failing(handler: Callable[[Context], None]) -> Flow:
    flow = Flow("failing")
    flow.slot(handler)
    return flow


def _failed(engine: Engine, handler: Callable[[Context], None]) -> Any:
    state = engine.start("failing", handler.__name__, job_id="one")
    assert state.status == "failed"
    assert state.failure is not None
    assert names(engine, "one")[-2:] == ["ActivationFailed", "JobFailed"]
    assert engine.verify("one").ok
    assert engine.state("one") == state
    return state.failure


@pytest.mark.parametrize(("handler", "kind", "text"), CASES)
def test_an_error_is_recorded_with_its_type_text_and_traceback(
    hosts: Hosts, handler: Callable[[Context], None], kind: str, text: str
) -> None:
    failure = _failed(hosts(_failing(handler)), handler)
    assert (failure.type, failure.activation) == (kind, "1.1")
    assert text in failure.message
    assert handler.__name__ in failure.traceback
    assert len(failure.traceback) < 25_000


def test_the_causes_of_an_error_are_in_its_traceback(hosts: Hosts) -> None:
    failure = _failed(hosts(_failing(_caused)), _caused)
    assert "as planned" in failure.traceback


@pytest.mark.parametrize("error", [Shameless(), Numeric()])
def test_an_error_that_can_not_be_shown_is_recorded(hosts: Hosts, error: Exception) -> None:
    def handler(ctx: Context) -> None:
        raise error

    failure = _failed(hosts(_failing(handler)), handler)
    assert failure.type == type(error).__name__
    assert "__str__ raised" in failure.message


@pytest.mark.parametrize(
    "text", ["lone \ud800 surrogate", "nul \x00", "x" * 1_000_000, "Ж" * 9_999]
)
def test_an_error_with_awkward_text_is_recorded_within_limits(hosts: Hosts, text: str) -> None:
    def handler(ctx: Context) -> None:
        raise RuntimeError(text)

    failure = _failed(hosts(_failing(handler)), handler)
    assert failure.message[:4] == text[:4]
    assert len(failure.message) < 5_000
    assert len(failure.traceback) < 25_000


def test_an_error_class_with_a_name_of_a_megabyte_is_recorded_within_limits(hosts: Hosts) -> None:
    kind = type("E" * 1_000_000, (Exception,), {})

    def handler(ctx: Context) -> None:
        raise kind

    failure = _failed(hosts(_failing(handler)), handler)
    assert failure.type[:4] == "EEEE"
    assert len(failure.type) < 5_000


def test_an_effect_that_raises_awkwardly_is_recorded_and_raised_as_it_is_recorded(
    hosts: Hosts,
) -> None:
    def shameless() -> Never:
        raise Shameless

    def handler(ctx: Context) -> None:
        ctx.effect(shameless)

    failure = _failed(hosts(_failing(handler)), handler)
    assert failure.type == "EffectError"
    assert "Shameless: (its text can't be shown" in failure.message


def test_nothing_that_a_failed_handler_asked_for_happens(hosts: Hosts) -> None:
    flow = Flow("failing")
    routine = flow.routine("routine", outputs=("out", "late"))

    @routine.slot
    def doomed(ctx: Context) -> None:
        ctx.shared["key"] = 1
        ctx.memory["key"] = 1
        ctx.log("lost")
        ctx.emit("out")
        ctx.defer("late")
        ctx.ask("lost?", to="routine.answered")
        ctx.pause("lost")
        raise RuntimeError("as planned")

    @routine.slot
    def answered(ctx: Context, answer: str) -> None:
        raise AssertionError("nobody asked")

    state = hosts(flow).start("failing", "routine.doomed")
    assert (state.status, state.shared, state.memory) == ("failed", {}, {})
    assert (state.log, state.outputs, state.deferrals) == ((), (), ())
    assert (state.questions, state.pause) == ((), ())


def test_the_neighbours_of_a_failure_settle_and_nothing_of_the_wave_is_merged(
    hosts: Hosts,
) -> None:
    flow = Flow("failing")
    source = flow.routine("source", outputs=("out",))
    member = flow.routine("member", outputs=("done",))

    @source.slot
    def spread(ctx: Context) -> None:
        for number in range(4):
            ctx.emit("out", number=number)

    @member.slot
    def item(ctx: Context, number: int) -> None:
        ctx.emit("done", number=number)
        ctx.shared["last"] = number
        if number in (1, 3):
            raise RuntimeError(f"number {number}")

    flow.connect("source.out", "member.item")
    engine = hosts(flow)
    state = engine.start("failing", "source.spread", job_id="one")
    assert state.failure is not None
    assert (state.failure.message, state.failure.activation) == ("number 1", "2.2")
    assert (state.shared, state.outputs) == ({}, ())
    settled = [each for each in names(engine, "one") if each.startswith("Activation")]
    assert sorted(settled) == ["ActivationCompleted"] * 3 + ["ActivationFailed"] * 2
