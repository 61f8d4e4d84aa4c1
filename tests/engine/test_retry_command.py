"""A failed job that somebody lets run again: what runs, what doesn't, and what is refused."""

from collections import Counter
from typing import Any

import pytest

from esflow import Answer, Context, Flow, Retry, errors
from esflow import events as ev
from esflow.store import Store
from tests.engine.flows import support
from tests.engine.world import Hosts, check_refusal, count, effects, names


class Trouble:
    """What is broken outside, until somebody mends it."""

    def __init__(self) -> None:
        self.broken = True
        self.calls: Counter[str] = Counter()

    def call(self, name: str) -> int:
        """Count a call."""
        self.calls[name] += 1
        return self.calls[name]

    def fail(self, name: str) -> int:
        """Fail while something is broken."""
        self.calls[name] += 1
        if self.broken:
            raise LookupError(f"{name} {self.calls[name]}")
        return self.calls[name]


def wide(trouble: Trouble) -> Flow:
    """Return a flow with a wave of one that fails, one that asks, and one that is fine."""
    flow = Flow("wide")

    @flow.slot(outputs=("out",))
    def source(ctx: Context) -> None:
        ctx.emit("out")

    @flow.slot(outputs=("done",), retry=Retry(attempts=2, delay=0))
    def fails(ctx: Context) -> None:
        first = ctx.effect(trouble.call, "first")
        second = ctx.effect(trouble.fail, "second")
        ctx.emit("done", name="fails", attempt=ctx.attempt, seen=[first, second])

    @flow.slot(outputs=("done",))
    def asks(ctx: Context) -> None:
        ctx.emit("done", name="asks", answer=ctx.interrupt("go?"))

    @flow.slot(outputs=("done",))
    def fine(ctx: Context) -> None:
        ctx.emit("done", name="fine", seen=ctx.effect(trouble.call, "fine"))

    for name in ("fails", "asks", "fine"):
        flow.connect("source.out", name)
    return flow


def test_only_what_failed_runs_again_and_interrupts_beside_it_can_be_answered(
    hosts: Hosts, store: Store
) -> None:
    trouble = Trouble()
    engine = hosts(wide(trouble))
    state = engine.start("wide", "source", job_id="one")
    assert (state.status, len(state.interrupts), state.outputs) == ("failed", 1, ())
    assert trouble.calls == {"first": 1, "second": 2, "fine": 1}
    with check_refusal(store, errors.JobClosed, "refuses an answer"):
        engine.resume("one", Answer("yes"))
    trouble.broken = False
    state = hosts(wide(trouble)).retry("one", actor="user:17")
    assert (state.status, [each.id for each in state.interrupts]) == ("paused", ["2.2/i0"])
    assert trouble.calls == {"first": 1, "second": 3, "fine": 1}
    state = engine.resume("one", Answer("yes"))
    assert [each.payload for each in state.outputs] == [
        {"name": "fails", "attempt": 1, "seen": [1, 3]},
        {"name": "asks", "answer": "yes"},
        {"name": "fine", "seen": 1},
    ]
    (retried,) = [each for each in engine.history("one") if each.event.name == "JobRetried"]
    assert (retried.actor, retried.event) == ("user:17", ev.JobRetried(effects="reuse"))


def one(trouble: Trouble) -> Flow:
    """Return a flow with one slot, which fails behind an effect."""
    flow = Flow("one")

    @flow.slot(retry=Retry(attempts=3, delay=0))
    def act(ctx: Context) -> None:
        found = ctx.effect(trouble.call, "found")
        if trouble.broken:
            raise ValueError(found)
        ctx.shared["found"] = found

    return flow


@pytest.mark.parametrize(("given", "found"), [("reuse", 1), ("fresh", 2)])
def test_effects_are_given_again_or_called_afresh(hosts: Hosts, given: Any, found: int) -> None:
    trouble = Trouble()
    engine = hosts(one(trouble))
    engine.start("one", "act", job_id="one")
    trouble.broken = False
    state = engine.retry("one", effects=given)
    assert (state.status, state.shared) == ("completed", {"found": found})
    assert [each.id for each in effects(engine, "one")] == ["1.1/e0"] * found


def test_a_retry_has_a_full_budget_of_attempts(hosts: Hosts) -> None:
    trouble = Trouble()
    engine = hosts(one(trouble))
    assert engine.start("one", "act", job_id="one").status == "failed"
    assert engine.retry("one").status == "failed"
    assert count(engine, "one", "ActivationFailed") == 6
    assert engine.retry("one", effects="fresh").status == "failed"
    assert (count(engine, "one", "ActivationFailed"), trouble.calls) == (9, {"found": 2})
    trouble.broken = False
    assert engine.retry("one").status == "completed"


def test_what_has_not_failed_is_not_retried(hosts: Hosts, store: Store) -> None:
    engine = hosts(support(), one(Trouble()))
    paused = engine.start("support", "agent.trigger", {"task": "x"}).job_id
    submitted = engine.submit("support", "agent.note", {"line": "x"})
    completed = engine.start("support", "agent.note", {"line": "x"}).job_id
    failed = engine.start("one", "act").job_id
    cancelled = engine.start("support", "agent.trigger", {"task": "x"}).job_id
    engine.cancel(cancelled)
    for job_id, status in ((paused, "paused"), (submitted, "pending")):
        with check_refusal(store, errors.NotPaused, f"is {status}, not failed; only what failed"):
            engine.retry(job_id)
    for job_id, status in ((completed, "completed"), (cancelled, "cancelled")):
        with check_refusal(store, errors.JobClosed, f"is {status} and refuses a retry"):
            engine.retry(job_id)
    with check_refusal(store, errors.JobNotFound, "nobody"):
        engine.retry("nobody")
    with check_refusal(store, errors.PayloadError, "effects", "'reuse' or 'fresh'"):
        engine.retry(failed, effects="other")  # type: ignore[arg-type]  # users err
    with check_refusal(store, errors.PayloadError, "actor"):
        engine.retry(failed, actor="\ud800")
    with check_refusal(store, errors.FlowNotFound, "'one'"):
        hosts(support()).retry(failed)
    with check_refusal(store, errors.FlowChanged, "act"):
        hosts(Flow("one")).retry(failed)


def test_a_handler_can_not_retry_its_own_job(hosts: Hosts) -> None:
    flow = Flow("self")

    @flow.slot
    def act(ctx: Context) -> None:
        with pytest.raises(errors.ReentrantCall):
            engine.retry(ctx.job_id)

    engine = hosts(flow)
    assert engine.start("self", "act").status == "completed"


def merging() -> Flow:
    """Return a flow whose second wave writes what doesn't merge, to two keys."""
    flow = Flow("merging")

    @flow.slot(outputs=("out",))
    def source(ctx: Context) -> None:
        ctx.emit("out", value="text", reducer="set")
        ctx.emit("out", value=1, reducer="add")

    @flow.slot(outputs=("done",))
    def write(ctx: Context, value: Any, reducer: str) -> None:
        ctx.write("x", value, reducer)
        ctx.write("fine", value, "append")
        ctx.emit("done", value=value)

    flow.connect("source.out", "write")
    return flow


def test_a_wave_that_does_not_merge_is_mended_by_an_update_and_merged_again(hosts: Hosts) -> None:
    engine = hosts(merging())
    state = engine.start("merging", "source", job_id="one")
    assert state.failure is not None
    assert (state.failure.type, state.failure.key) == ("MergeError", "x")
    assert (state.failure.activation, state.shared, state.outputs) == ("2.2", {}, ())
    assert engine.retry("one").status == "failed"
    engine.update("one", {"x": 5})
    state = hosts(merging()).retry("one")
    assert (state.status, state.shared) == ("completed", {"x": 5, "fine": ["text", 1]})
    assert [each.payload["value"] for each in state.outputs] == ["text", 1]
    assert names(engine, "one").count("ActivationCompleted") == 3


def test_a_limit_that_was_passed_is_passed_again(hosts: Hosts) -> None:
    flow = Flow("endless", max_activations=3)
    agent = flow.routine("agent", outputs=("out",))

    @agent.slot
    def act(ctx: Context) -> None:
        ctx.emit("out")

    flow.connect("agent.out", "agent.act")
    engine = hosts(flow)
    assert engine.start("endless", "agent.act", job_id="one").status == "failed"
    state = engine.retry("one")
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "ActivationLimit")
    assert state.activations_count == 3
