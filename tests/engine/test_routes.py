"""What becomes of a failure for good: the end of the job, nothing, or work for another slot."""

from collections import Counter
from typing import Any

import pytest

from esflow import Context, Engine, Flow, Retry
from esflow import events as ev
from esflow.policies import OnError
from tests.engine.world import Hosts, names


def routing(on_error: OnError, *, attempts: int) -> Flow:
    """Return a flow with a slot that fails, and one that hears of it if it is routed."""
    flow = Flow("routing")
    agent = flow.routine("agent", outputs=("done",))

    @agent.slot(on_error=on_error, retry=Retry(attempts=attempts, delay=0))
    def act(ctx: Context, number: int) -> None:
        ctx.emit("done", number=number)
        ctx.shared["seen"] = number
        raise LookupError(f"attempt {ctx.attempt}")

    @flow.slot
    def mend(ctx: Context, type: str, message: str, **rest: Any) -> None:  # noqa: A002 - its key
        ctx.log(f"{type}: {message}", **rest)

    if on_error == "route":
        flow.connect("agent.error", "mend")
    return flow


def last_failure(engine: Engine) -> ev.ActivationFailed:
    """Return the last failure that is recorded."""
    recorded = [each.event for each in engine.history("one")]
    return [each for each in recorded if isinstance(each, ev.ActivationFailed)][-1]


def test_a_failure_is_routed_with_all_that_is_known_of_it(hosts: Hosts) -> None:
    engine = hosts(routing("route", attempts=2))
    state = engine.start("routing", "agent.act", {"number": 7}, job_id="one")
    assert (state.status, state.shared, state.outputs) == ("completed", {}, ())
    (line,) = state.log
    assert line.message == "LookupError: attempt 2"
    assert line.fields == {"slot": "agent.act", "payload": {"number": 7}, "attempts": 2}
    failed = last_failure(engine)
    assert (failed.outcome, failed.attempt, failed.events) == ("route", 2, 1)
    emitted = [each.event for each in engine.history("one") if each.event.name == "Emitted"]
    assert [(each.id, each.output) for each in emitted if isinstance(each, ev.Emitted)] == [
        ("1.1/o0", "error")
    ]
    expected = ["Emitted", "ActivationFailed", "Logged", "ActivationCompleted", "JobCompleted"]
    assert names(engine, "one")[-5:] == expected


def test_a_failure_that_is_skipped_leaves_nothing_but_itself(hosts: Hosts) -> None:
    engine = hosts(routing("skip", attempts=2))
    state = engine.start("routing", "agent.act", {"number": 7}, job_id="one")
    assert (state.status, state.shared, state.outputs, state.failure) == ("completed", {}, (), None)
    assert last_failure(engine).outcome == "skip"


def test_a_failure_that_stops_ends_the_job(hosts: Hosts) -> None:
    engine = hosts(routing("stop", attempts=2))
    state = engine.start("routing", "agent.act", {"number": 7}, job_id="one")
    assert (state.status, state.shared, state.outputs) == ("failed", {}, ())
    assert last_failure(engine).outcome == "stop"


@pytest.mark.parametrize("on_error", ["skip", "route"])
def test_a_payload_that_its_slot_does_not_take_is_a_failure_like_another(
    hosts: Hosts, on_error: OnError
) -> None:
    flow = Flow("misfit")
    agent = flow.routine("agent", outputs=("out",))
    taker = flow.routine("taker")

    @agent.slot
    def act(ctx: Context) -> None:
        ctx.emit("out", number="text")

    @taker.slot(on_error=on_error)
    def take(ctx: Context, number: int) -> None:
        ctx.log(f"{number}")

    @flow.slot
    def mend(ctx: Context, type: str, **_: Any) -> None:  # noqa: A002 - its key
        ctx.log(type)

    flow.connect("agent.out", "taker.take")
    if on_error == "route":
        flow.connect("taker.error", "mend")
    state = hosts(flow).start("misfit", "agent.act", job_id="one")
    assert state.status == "completed"
    assert [each.message for each in state.log] == (["PayloadError"] if on_error == "route" else [])


def test_neighbours_of_what_is_routed_or_skipped_are_merged_in_their_order(hosts: Hosts) -> None:
    flow = Flow("neighbours")
    calls: Counter[str] = Counter()

    @flow.slot(outputs=("out",))
    def source(ctx: Context) -> None:
        for number in range(4):
            ctx.emit("out", number=number)

    member = flow.routine("member", outputs=("done",))

    @member.slot(on_error="route")
    def work(ctx: Context, number: int) -> None:
        calls[f"{number}"] += 1
        ctx.write("order", number, reducer="append")
        if number % 2:
            raise ValueError(number)
        ctx.emit("done", number=number)

    @flow.slot
    def heard(ctx: Context, payload: Any = None, number: int | None = None, **_: Any) -> None:
        ctx.log(f"{payload or number}")

    flow.connect("source.out", "member.work")
    flow.connect("member.done", "heard")
    flow.connect("member.error", "heard")
    state = hosts(flow).start("neighbours", "source", job_id="one")
    assert state.shared == {"order": [0, 2]}
    heard_of = [each.message for each in state.log]
    assert heard_of == ["0", "{'number': 1}", "2", "{'number': 3}"]
    assert set(calls.values()) == {1}


def test_a_routed_failure_whose_slot_fails_too_ends_the_job(hosts: Hosts) -> None:
    flow = Flow("routing")
    agent = flow.routine("agent")

    @agent.slot(on_error="route")
    def act(_: Context) -> None:
        raise LookupError("first")

    @flow.slot
    def mend(_: Context, message: str, **__: Any) -> None:
        raise ValueError(f"{message}, and second")

    flow.connect("agent.error", "mend")
    state = hosts(flow).start("routing", "agent.act", job_id="one")
    assert state.failure is not None
    assert (state.failure.message, state.failure.activation) == ("first, and second", "2.1")
