"""What comes from outside while a group waits undoes the waves behind the one in the store."""

from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from esflow import Answer, Context, Engine, Flow, failpoints
from esflow.testing import ManualClock
from tests.engine.world import Hosts, Threads, count, effects

LENGTH: Final = 8
CALLING: Final = (3, 6)  # The steps of the chain that call an effect.


def wide(item: Callable[[Context, int], None], width: int) -> Flow:
    """Return a flow whose second wave has so many members."""
    flow = Flow("wide")
    routine = flow.routine("wide", outputs=("out",))

    @routine.slot
    def spread(ctx: Context) -> None:
        for number in range(width):
            ctx.emit("out", n=number)

    @routine.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    routine.slot(name="item")(item)
    flow.connect("wide.out", "wide.item")
    return flow


def test_of_a_wave_that_is_undone_nothing_more_is_started(hosts: Hosts, threads: Threads) -> None:
    ran: list[str] = []

    def item(ctx: Context, n: int) -> None:
        ran.append(ctx.activation_id)
        if len(ran) == 1:
            threads.submit(other.send, "job", "wide.note", {"line": "hello"}).result()
            ctx.effect(len, "abc")

    flow = wide(item, 3)
    other = hosts(flow)
    host = hosts(flow, durability="output", clock=ManualClock(), max_parallel=1)

    assert host.start("wide", "wide.spread", job_id="job").status == "completed"
    assert ran == ["2.1", "2.1", "2.2", "2.3"]


def chain(calls: Counter[int]) -> Flow:
    """Return a flow that asks two things: one answer leads to a chain, the other is noted."""
    flow = Flow("chain")
    routine = flow.routine("chain", outputs=("next",))

    def call(n: int) -> int:
        calls[n] += 1
        return n

    @routine.slot
    def begin(ctx: Context) -> None:
        ctx.ask("Go?", to="chain.go")
        ctx.ask("What else?", to="chain.note")

    @routine.slot
    def go(ctx: Context, answer: str) -> None:
        ctx.emit("next", n=1)

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ctx.log(f"{n}", called=ctx.effect(call, n) if n in CALLING else ctx.random() < 1)
        ctx.write("sum", n, "add")
        if n < LENGTH:
            ctx.emit("next", n=n + 1)

    @routine.slot
    def note(ctx: Context, answer: str) -> None:
        ctx.log(answer)

    flow.connect("chain.next", "chain.step")
    return flow


ACTS: Final[dict[str, Callable[[Engine], object]]] = {
    "MessageReceived": lambda it: it.send("job", "chain.note", {"answer": "hello"}),
    "AnswerRecorded": lambda it: it.resume("job", Answer("hello", "1.1/q1")),
}


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize(
    ("append", "wave"),
    [(2, 3), (3, 6), (4, 6), (5, 9), (6, 9)],
    ids=["before a call", "behind it", "before the next", "behind that", "at the end"],
)
def test_what_comes_while_a_group_is_appended_is_delivered_once(
    hosts: Hosts,
    threads: Threads,
    monkeypatch: pytest.MonkeyPatch,
    *,
    append: int,
    wave: int,
    name: str,
) -> None:
    calls, begun, clock = Counter[int](), list[str](), ManualClock()
    engine = hosts(chain(calls), durability="output", clock=clock)
    other = hosts(chain(calls), clock=clock)

    def act(point: str) -> None:
        if point == "append.begun":
            begun.append(point)
            if len(begun) == append:
                threads.submit(ACTS[name], other).result()

    engine.start("chain", "chain.begin", job_id="job")
    monkeypatch.setattr(failpoints, "hook", act)
    state = engine.resume("job", Answer("yes", "1.1/q0"))

    lines = [(f"{n}", f"{n + 2}.1") for n in range(1, LENGTH + 1)]
    lines.insert(wave - 2, ("hello", f"{wave}.2"))
    assert [(each.message, each.activation) for each in state.log] == lines
    assert state.shared == {"sum": sum(range(1, LENGTH + 1))}
    assert calls == dict.fromkeys(CALLING, 1)
    assert len(effects(other, "job")) == len({each.id for each in effects(other, "job")}) == LENGTH
    assert count(other, "job", "ActivationCompleted") == 3 + LENGTH
    assert count(other, "job", name) == (2 if name == "AnswerRecorded" else 1)
    assert state.status == ("completed" if name == "AnswerRecorded" else "paused")
    assert other.state("job") == state
    assert other.verify().ok
