"""A job that would never end comes to its limit, and a clock that jumps changes no outcome."""

import gc
import tracemalloc
from pathlib import Path

import pytest

from esflow import Context, Engine, Flow
from esflow import events as ev
from esflow.testing import ManualClock
from tests.engine.world import Hosts

HOUR, LONG = 3_600, 400 * 24 * 3_600
JUMPS = [HOUR, -HOUR, LONG, -LONG, -LONG, LONG, HOUR, -HOUR]


def _endless(limit: int, width: int) -> Flow:
    """Return a flow that emits to itself for ever, so many payloads in each wave."""
    flow = Flow("endless", max_activations=limit)
    wheel = flow.routine("wheel", outputs=("turn", "spread"))

    @wheel.slot
    def begin(ctx: Context) -> None:
        for _ in range(width):
            ctx.emit("turn", number=0)

    @wheel.slot
    def turn(ctx: Context, number: int) -> None:
        ctx.emit("turn", number=number + 1)

    flow.connect("wheel.turn", "wheel.turn")
    return flow


@pytest.mark.parametrize("width", [1, 5])
def test_an_endless_loop_ends_at_its_limit(hosts: Hosts, width: int) -> None:
    engine = hosts(_endless(101, width))
    state = engine.start("endless", "wheel.begin", job_id="one")
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "ActivationLimit")
    history = engine.history("one")
    done = [each for each in history if isinstance(each.event, ev.ActivationCompleted)]
    assert len(done) == 101
    assert engine.run("one") == state, "and stays there"
    assert engine.verify().ok


def test_a_long_loop_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    most: list[int] = []
    for limit in (100, 300, 3_000):
        url = f"sqlite:///{tmp_path}/{limit}.db?synchronous=normal"
        with Engine(url, [_endless(limit, 1)], snapshot_every=0) as engine:
            gc.collect()
            tracemalloc.start()
            state = engine.start("endless", "wheel.begin")
            most.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert state.failure is not None
    assert most[2] - most[1] < 200_000, "a loop ten times as long keeps nothing of its turns"


def test_a_clock_that_jumps_in_between_changes_no_outcome(hosts: Hosts) -> None:
    def run(job_id: str, jumps: list[int]) -> Engine:
        clock, left = ManualClock(), list(jumps)
        flow = Flow("clocked")
        wheel = flow.routine("wheel", outputs=("turn", "done"))

        @wheel.slot
        def turn(ctx: Context, number: int) -> None:
            ctx.effect(clock.advance, left.pop())
            ctx.write("turns", number, "append")
            ctx.emit("turn" if left else "done", number=number + 1)

        flow.connect("wheel.turn", "wheel.turn")
        engine = hosts(flow, clock=clock)
        engine.start("clocked", "wheel.turn", {"number": 0}, job_id=job_id)
        return engine

    plain, jumped = run("plain", [0] * len(JUMPS)), run("jumped", JUMPS)
    state, expected = jumped.state("jumped"), plain.state("plain")
    assert (state.status, state.shared, state.outputs) == (
        *("completed", expected.shared),
        expected.outputs,
    )
    history = jumped.history("jumped")
    assert [each.version for each in history] == list(range(1, len(history) + 1))
    assert [each.event.name for each in history] == [
        each.event.name for each in plain.history("plain")
    ]
    timed = (ev.EffectRecorded, ev.ActivationCompleted)
    assert all(each.event.duration_us >= 0 for each in history if isinstance(each.event, timed))
    moments = [each.recorded_at_ms for each in history]
    assert moments != sorted(moments), "the times are those of the clock, and order nothing"
    assert jumped.verify().ok
