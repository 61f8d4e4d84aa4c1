"""Several activations that ask at once are answered one by one, in any order, to one result."""

from collections.abc import Callable
from itertools import islice, permutations
from typing import Any

import pytest

from esflow import Answer, Context, Flow, JobState, errors
from esflow.store import Store
from tests.engine.world import Gate, Hosts, Threads, check_refusal, count, held


def _open(state: JobState) -> list[str]:
    assert state.status == "paused"
    assert [each.kind for each in state.pause] == ["interrupt"] * len(state.interrupts)
    return [each.id for each in state.interrupts]


def _jury(ask: Callable[[Context, str], Any], gate: Gate | None = None) -> Flow:
    """Return a flow with a wave of three, each of which asks; the second twice."""
    flow = Flow("jury")
    chair = flow.routine("chair", outputs=("seats",))
    juror = flow.routine("juror", outputs=("vote", "done"))

    @chair.slot
    def call(ctx: Context) -> None:
        for number in range(3):
            ctx.emit("seats", number=number)

    @juror.slot
    def sit(ctx: Context, number: int) -> None:
        if gate is not None and number == 0:
            gate.hold()
        votes = [ask(ctx, f"{number}.{each}") for each in range(1 + number % 2)]
        ctx.shared[f"vote {number}"] = votes
        ctx.write("votes", votes, "extend")
        ctx.memory["last"] = number
        ctx.log("voted", votes=votes)
        ctx.emit("vote", votes=votes)

    @juror.slot
    def tally(ctx: Context, votes: list[str]) -> None:
        ctx.emit("done", votes=votes, all=ctx.shared["votes"])

    flow.connect("chair.seats", "juror.sit")
    flow.connect("juror.vote", "juror.tally")
    return flow


def _seen(state: JobState) -> list[object]:
    assert state.status == "completed"
    return [state.shared, state.memory, state.log, state.outputs, state.wave]


def _upper(payload: str) -> str:
    return f"answer {payload}"


@pytest.mark.parametrize("order", list(permutations(["2.1", "2.2", "2.3"])))
def test_answers_in_any_order_give_what_effects_would_have_given(
    hosts: Hosts, order: tuple[str, ...]
) -> None:
    by_effects = hosts(_jury(lambda ctx, what: ctx.effect(_upper, what)))
    expected = _seen(by_effects.start("jury", "chair.call", job_id="effects"))
    flow = _jury(lambda ctx, what: ctx.interrupt(what))
    state = hosts(flow).start("jury", "chair.call", job_id="one")
    assert _open(state) == ["2.1/i0", "2.2/i0", "2.3/i0"]
    for activation in (*order, "2.2"):
        asked = next(each for each in state.interrupts if each.activation == activation)
        state = hosts(flow).resume("one", Answer(_upper(asked.payload), asked.id))
    assert _seen(state) == expected
    assert count(by_effects, "one", "ActivationCompleted") == 7


def test_several_open_interrupts_need_to_be_named(hosts: Hosts, store: Store) -> None:
    engine = hosts(_jury(lambda ctx, what: ctx.interrupt(what)))
    engine.start("jury", "chair.call", job_id="one")
    with check_refusal(store, errors.AnswerRefused, "2.1/i0 or 2.2/i0 or 2.3/i0", "to=id"):
        engine.resume("one", Answer("x"))
    with check_refusal(store, errors.AnswerRequired, "2.1/i0, 2.2/i0, 2.3/i0"):
        engine.resume("one")
    engine.resume("one", Answer("x", "2.1/i0"))
    engine.resume("one", Answer("x", "2.3/i0"))
    assert _open(engine.resume("one", Answer("x"))) == ["2.2/i1"]


def test_an_answer_while_a_neighbour_runs_is_left_to_the_driver(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate = Gate()
    flow = _jury(lambda ctx, what: ctx.interrupt(what), gate)
    engine, other = hosts(flow), hosts(flow)
    start = lambda: engine.start("jury", "chair.call", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        asking = (each for each in other.follow("one") if each.event.name == "Interrupted")
        assert len(list(islice(asking, 2))) == 2
        with check_refusal(store, errors.NotPaused, "running"):
            other.resume("one")
        state = other.resume("one", Answer("x", "2.3/i0"))
        assert (state.status, [each.id for each in state.interrupts]) == ("running", ["2.2/i0"])
        assert _open(released()) == ["2.1/i0", "2.2/i0"]
    assert count(engine, "one", "ExecutionClaimed") == 1
    assert count(engine, "one", "Interrupted") == 3


def test_the_failure_of_a_neighbour_ends_a_job_that_asks(hosts: Hosts, store: Store) -> None:
    def ask(ctx: Context, what: str) -> str:
        if what.startswith("1"):
            raise LookupError(what)
        return str(ctx.interrupt(what))

    engine = hosts(_jury(ask))
    state = engine.start("jury", "chair.call", job_id="one")
    assert state.failure is not None
    assert (state.status, state.failure.activation, state.pause) == ("failed", "2.2", ())
    assert count(engine, "one", "JobPaused") == 0
    with check_refusal(store, errors.JobClosed, "failed", "an answer"):
        engine.resume("one", Answer("x", "2.1/i0"))
