"""Real histories to fold: of written jobs that take every turn, and of generated ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from esflow import Answer, Context, Continue, Engine, Flow, Goto, Recorded
from esflow.stores import open_store
from esflow.testing import ManualClock
from tests.laws.disturbances import schedules
from tests.laws.play import Play
from tests.reference.generator import examples


def price(article: str) -> int:
    """Stand for a call to a shop."""
    return len(article)


def refuse(reason: str) -> str:
    """Stand for a call that fails."""
    raise ValueError(reason)


def shop() -> Flow:
    """Draw a flow that does everything which can be told."""
    flow = Flow("shop", version="3")
    clerk = flow.routine("clerk", outputs=("offered", "receipt", "thanks"))

    @clerk.slot
    def order(ctx: Context, article: str) -> None:
        ctx.log("ordered", article=article)
        ctx.shared["article"] = article
        ctx.write("turnover", ctx.effect(price, article), reducer="add")
        ctx.memory["last"] = article
        ctx.defer("thanks", to="you")
        ctx.emit("offered", price=ctx.effect(price, f"two {article}"))
        ctx.ask("Take it?", choices=["yes", "no"], to="clerk.decided")

    @clerk.slot
    def decided(ctx: Context, answer: str) -> None:
        ctx.emit("receipt", answer=answer)
        ctx.pause("let the till close")

    @flow.slot
    def archive(ctx: Context, price: int) -> None:
        ctx.log("archived", price=price)
        del ctx.shared["article"]

    @flow.slot
    def break_down(ctx: Context, reason: str) -> None:
        ctx.effect(refuse, reason)

    flow.connect("clerk.offered", "archive")
    return flow


def sold(folder: Path) -> Sequence[Recorded]:
    """Return the history of a job that was answered, held, sent to and completed on two hosts."""
    url = f"sqlite:///{folder / 'jobs.db'}"
    clock = ManualClock()
    with Engine(url, [shop()], host="host-a", clock=clock) as engine:
        engine.start("shop", "clerk.order", {"article": "tea"}, job_id="job-sold", actor="web")
        clock.advance(60)
        engine.pause("job-sold", "stocktaking", actor="boss")
        engine.send("job-sold", "archive", {"price": 7}, key="k1", actor="till")
    with Engine(url, [shop()], host="host-b", clock=clock) as engine:
        engine.resume("job-sold", actor="boss")
        engine.resume("job-sold", Answer("yes"), actor="user:17")
        engine.resume("job-sold", Continue(), actor="boss")
        return engine.history("job-sold")


def failed(folder: Path) -> Sequence[Recorded]:
    """Return the history of a job that failed in a call."""
    with Engine(f"sqlite:///{folder / 'jobs.db'}", [shop()], host="host-a") as engine:
        engine.start("shop", "break_down", {"reason": "closed"}, job_id="job-failed")
        return engine.history("job-failed")


def led_and_cancelled(folder: Path) -> Sequence[Recorded]:
    """Return the history of a job that was updated, led elsewhere and cancelled."""
    with Engine(f"sqlite:///{folder / 'jobs.db'}", [shop()], host="host-a") as engine:
        engine.start("shop", "clerk.order", {"article": "tea"}, job_id="job-led")
        engine.update("job-led", {"article": "gin", "price": 3}, actor="boss")
        goto = Goto("clerk.order", {"article": "rum"})
        engine.resume("job-led", goto, actor="boss")
        engine.cancel("job-led", "sold out", actor="till")
        return engine.history("job-led")


@st.composite
def disturbed(draw: st.DrawFn) -> Sequence[Recorded]:
    """Draw the history of a generated job to which crashes, pauses and other hosts happened."""
    program, script = draw(examples())
    faults = draw(st.one_of(st.just([]), schedules))
    play = Play(program, script, open_store("memory://"), faults=faults)
    play.run()
    return play.history()
