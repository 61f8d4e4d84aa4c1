"""Flows that the commands under test are given with ``--app tests.cli.shop:…``."""

from esflow import Context, Flow


def build() -> Flow:
    """Draw a flow that asks, answers to anything and may fail."""
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

    return flow


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
