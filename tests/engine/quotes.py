"""A flow that asks the outside world, a person and the clock, for forks and checks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from esflow import Context, Engine, Flow
from tests.engine.outside import Outside

Handler = Callable[..., None]
JOB: Final = "quote"


def quotes(outside: Outside, **handlers: Handler) -> Flow:
    """Return a flow of two prices, an interrupt, a question and an answer.

    Shape: a handler that is given takes the place of the one of its name.
    """

    def price(article: str) -> int:
        outside.calls[article] += 1
        return len(article)

    def begin(ctx: Context, article: str) -> None:
        ctx.shared["price"] = ctx.effect(price, article)
        ctx.memory["seen"] = [article]
        ctx.log("priced", article=article)
        ctx.defer("late", article=article)
        ctx.emit("next", article=article)

    def offer(ctx: Context, article: str) -> None:
        again = ctx.effect(price, article * 2)
        discount = ctx.interrupt({"discount on": article}, choices=[0, 1, 2])
        ctx.shared["offer"] = again - discount
        ctx.ask("Take it?", choices=["yes", "no"], to="clerk.decided")

    def decided(ctx: Context, answer: str) -> None:
        ctx.emit("sold", answer=answer, price=ctx.effect(price, answer))

    flow = Flow("quotes")
    clerk = flow.routine("clerk", outputs=("next", "late", "sold"))
    for handler in (begin, offer, decided):
        clerk.slot(handlers.get(handler.__name__, handler))
    flow.connect("clerk.next", "clerk.offer")
    return flow


def quoted(engine: Engine, **kwargs: Any) -> None:
    """Start the job of the examples, which comes to its interrupt."""
    state = engine.start("quotes", "clerk.begin", {"article": "tea"}, job_id=JOB, **kwargs)
    assert [each.id for each in state.interrupts] == ["2.1/i0"]
