"""What ends an execution that groups its commits loses nothing that was decided before it."""

from collections import Counter

import pytest

from esflow import Context, Flow, Retry
from esflow.errors import FlowChanged, NondeterminismError
from esflow.testing import ManualClock
from tests.engine.world import Hosts, Threads, names

LENGTH = 4


def changing(ran: Counter[str], *, is_sound: bool = False, width: int = 1) -> Flow:
    """Return a pure chain, and behind it what asks for something else at its second attempt."""
    flow = Flow("changing")
    routine = flow.routine("changing", outputs=("next", "last"))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ran[ctx.activation_id] += 1
        ctx.emit("next", n=n + 1) if n < LENGTH else None
        for number in range(width if n == LENGTH else 0):
            ctx.emit("last", n=number)

    @routine.slot(retry=Retry(attempts=2, delay=0.0))
    def end(ctx: Context, n: int) -> None:
        ran[ctx.activation_id] += 1
        ctx.now() if is_sound or n or ctx.attempt == 1 else ctx.random()
        if ctx.attempt == 1:
            raise LookupError("once more")

    flow.connect("changing.next", "changing.step")
    flow.connect("changing.last", "changing.end")
    return flow


@pytest.mark.parametrize("width", [1, 2])
def test_what_led_to_a_change_of_code_is_recorded(hosts: Hosts, width: int) -> None:
    ran = Counter[str]()
    engine = hosts(changing(ran, width=width), durability="output", clock=ManualClock())

    with pytest.raises(NondeterminismError, match=r"esflow\.now.*esflow\.random"):
        engine.start("changing", "changing.step", {"n": 1}, job_id="job")

    recorded = Counter(names(engine, "job"))
    assert recorded["ActivationCompleted"] >= LENGTH
    assert recorded["EffectRecorded"] == recorded["ActivationFailed"] == width
    repaired = hosts(changing(ran, is_sound=True, width=width), durability="output")
    assert repaired.run("job").status == "completed"
    assert [ran[f"{n}.1"] for n in range(1, LENGTH + 1)] == [1] * LENGTH


def test_what_led_to_a_slot_that_is_missed_is_recorded(hosts: Hosts, threads: Threads) -> None:
    ran = Counter[str]()

    def build(*, is_whole: bool) -> Flow:
        flow = Flow("edited")
        routine = flow.routine("edited", outputs=("out",))

        @routine.slot
        def begin(ctx: Context) -> None:
            ran["begin"] += 1
            ctx.effect(lambda: threads.submit(send).result())

        def note(ctx: Context) -> None:
            ran["note"] += 1

        if is_whole:
            routine.slot(name="new")(note)
        return flow

    def send() -> int:
        return other.send("job", "edited.new", {})

    other = hosts(build(is_whole=True))
    engine = hosts(build(is_whole=False), durability="output", clock=ManualClock())

    with pytest.raises(FlowChanged, match=r"edited\.new"):
        engine.start("edited", "edited.begin", job_id="job")

    assert names(engine, "job")[-2:] == ["EffectRecorded", "ActivationCompleted"]
    assert other.run("job").status == "completed"
    assert ran == {"begin": 1, "note": 1}
