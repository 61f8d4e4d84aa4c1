"""Flows that the commands under test are given with ``--app tests.cli.shop:…``."""

from pathlib import Path

from esflow import Context, Flow


def build() -> Flow:
    """Draw a flow that asks, in the middle of a handler too, answers to anything and may fail."""
    flow = Flow("shop", version="2")
    clerk = flow.routine("clerk", outputs=("sold",))

    @clerk.slot
    def order(ctx: Context, article: str) -> None:
        ctx.shared["article"] = article
        ctx.log("ordered", article=article)
        ctx.ask("Take it?", choices=["yes", "no", 17, "17", 18], to="clerk.decided")

    @clerk.slot
    def survey(ctx: Context, people: int) -> None:
        for each in range(people):
            ctx.ask(f"How was it, {each}?", to="clerk.decided")

    @clerk.slot
    def decided(ctx: Context, answer: bool | float | str | dict[str, str]) -> None:
        if answer == "no":
            raise ValueError("nobody\nbuys")
        ctx.emit("sold", answer=answer)

    @flow.slot
    def wait(ctx: Context, text: str = "") -> None:
        ctx.log(f"waits {text}".strip())
        ctx.pause("until somebody says so")

    @flow.slot(outputs=("counted",))
    def stock(ctx: Context, path: str) -> None:
        ctx.emit("counted", text=ctx.effect(_read, path), note=ctx.effect(str, ctx.attempt))

    _interrupt(flow)
    return flow


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _interrupt(flow: Flow) -> None:
    """Add handlers that ask in their middle."""

    @flow.slot(outputs=("paid",))
    def pay(ctx: Context, price: int) -> None:
        how = ctx.interrupt({"café": price}, choices=["cash", 17, "17"])
        code = ctx.interrupt("The code?", type=str | None)
        ctx.emit("paid", how=how, code=code, seen=ctx.interrupt("What else?"))

    @flow.slot(outputs=("asked",))
    def ballot(ctx: Context, people: int) -> None:
        for each in range(people):
            ctx.emit("asked", who=each)

    @flow.slot
    def vote(ctx: Context, who: int) -> None:
        ctx.shared[f"vote {who}"] = yes = ctx.interrupt(f"Yes, {who}?", type=bool)
        if who and not yes:
            raise ValueError("against")

    @flow.slot(outputs=("aside",))
    def ponder(ctx: Context) -> None:
        ctx.emit("aside", text="meanwhile")
        ctx.ask("So?", to="clerk.decided")

    flow.connect("ponder.aside", "wait")
    flow.connect("ballot.asked", "vote")


flow = build()
flows = [build()]
number = 17
nothing: list[Flow] = []
mixed = [flow, 17]


def app() -> list[Flow]:
    """Build the flows anew."""
    return [build()]


class Rooms:
    """Holds a flow at a longer path."""

    shop = flow
