"""The flows that are measured."""

from __future__ import annotations

from typing import Any

from esflow import Context, Flow

MANY = 10_000_000


def chain(*, effect: bool = False, is_async: bool = False) -> Flow:
    """Return a flow whose only slot counts down to 0 by emitting to itself."""
    flow = Flow("chain", max_activations=MANY)
    routine = flow.routine("counter", outputs=("next",))

    def step(ctx: Context, n: int) -> None:
        left = ctx.effect(_less, n) if effect else n - 1
        if left:
            ctx.emit("next", n=left)

    async def step_async(ctx: Context, n: int) -> None:
        step(ctx, n)

    routine.slot(name="step")(step_async if is_async else step)
    flow.connect("counter.next", "counter.step")
    return flow


def line(length: int) -> Flow:
    """Return a flow of as many routines, each connected to the next one."""
    flow = Flow("line", max_activations=MANY)

    def step(ctx: Context, n: int) -> None:
        ctx.emit("next", n=n)

    for number in range(length):
        flow.routine(f"r{number}", outputs=("next",)).slot(name="step")(step)
        if number:
            flow.connect(f"r{number - 1}.next", f"r{number}.step")
    return flow


def growing() -> Flow:
    """Return the chain, and each step appends 300 characters to a list."""
    flow = Flow("growing", max_activations=MANY, reducers={"messages": "append"})
    routine = flow.routine("counter", outputs=("next",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ctx.shared["messages"] = "x" * 300
        if n > 1:
            ctx.emit("next", n=n - 1)

    flow.connect("counter.next", "counter.step")
    return flow


def fan_out() -> Flow:
    """Return a flow that fans out, and adds up what comes back."""
    flow = Flow("fan_out", max_activations=MANY, reducers={"sum": "add"})
    desk = flow.routine("desk", outputs=("part",))

    @desk.slot
    def split(ctx: Context, n: int) -> None:
        for part in range(n):
            ctx.emit("part", part=part)

    @desk.slot
    def work(ctx: Context, part: int) -> None:
        ctx.shared["sum"] = part

    flow.connect("desk.part", "desk.work")
    return flow


def joining(parts: int) -> Flow:
    """Return a flow that fans out into as many parts, and joins them."""
    flow = Flow("joining", max_activations=MANY)
    desk = flow.routine("desk", outputs=("part", "done"))

    @desk.slot
    def split(ctx: Context, n: int) -> None:
        for part in range(n):
            ctx.emit("part", part=part)

    worker = flow.routine("worker", outputs=("result",))

    @worker.slot
    def work(ctx: Context, part: int) -> None:
        ctx.emit("result", part=part)

    @desk.slot(gather=parts)
    def join(ctx: Context, items: list[dict[str, Any]]) -> None:
        ctx.emit("done", sum=sum(item["part"] for item in items))

    flow.connect("desk.part", "worker.work")
    flow.connect("worker.result", "desk.join")
    return flow


def asking() -> Flow:
    """Return a flow that asks once."""
    flow = Flow("asking")
    desk = flow.routine("desk")

    @desk.slot
    def ask(ctx: Context) -> None:
        ctx.ask("Which?", to="desk.answered", choices=["A", "B"])

    @desk.slot
    def answered(ctx: Context, answer: str) -> None:
        ctx.log(answer)

    return flow


def patient() -> Flow:
    """Return a flow that counts down to 0, and then asks again and again."""
    flow = Flow("patient", max_activations=MANY)
    routine = flow.routine("counter", outputs=("next",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        if n > 1:
            ctx.emit("next", n=n - 1)
        else:
            ctx.ask("Which?", to="counter.answered")

    @routine.slot
    def answered(ctx: Context, answer: str) -> None:
        ctx.memory["answer"] = answer
        ctx.ask("Which?", to="counter.answered")

    flow.connect("counter.next", "counter.step")
    return flow


def _less(n: int) -> int:
    return n - 1
