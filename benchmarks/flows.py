"""The flows that are measured."""

from __future__ import annotations

from esflow import Context, Flow


def chain(*, effect: bool = False) -> Flow:
    """Return a flow whose only slot counts down to 0 by emitting to itself."""
    flow = Flow("chain", max_activations=10_000_000)
    routine = flow.routine("counter", outputs=("next",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        left = ctx.effect(_less, n) if effect else n - 1
        if left:
            ctx.emit("next", n=left)
        else:
            ctx.ask("Again?", to="counter.again")

    @routine.slot
    def again(ctx: Context, answer: str) -> None:
        ctx.log(answer)

    flow.connect("counter.next", "counter.step")
    return flow


def _less(n: int) -> int:
    return n - 1
