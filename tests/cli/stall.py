"""Flows for commands that begin, fork and check jobs: one as it was, one as it is today."""

from esflow import Context, Flow


def weigh(article: str) -> int:
    """Stand for the outside world."""
    return len(article)


def build(*, rebate: int = 0) -> Flow:
    """Draw a flow that calls outside, asks, and sells at a price."""
    flow = Flow("stall")
    clerk = flow.routine("clerk", outputs=("sold",))

    @clerk.slot
    def order(ctx: Context, article: str, number: int = 1) -> None:
        ctx.shared["price"] = ctx.effect(weigh, article) * number - rebate
        ctx.ask("Take it?", choices=["yes", "no"], to="clerk.decided")

    @clerk.slot
    def decided(ctx: Context, answer: str) -> None:
        if answer == "no":
            raise ValueError("nobody buys")
        ctx.emit("sold", price=ctx.shared["price"], weight=ctx.effect(weigh, answer))

    return flow


flow = build()
changed = build(rebate=1)
both = [build(), Flow("empty")]
