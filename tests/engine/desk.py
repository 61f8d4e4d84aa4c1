"""A flow to be led about: a wave with everything in it, and slots that tell what they see."""

from esflow import Context, Flow
from tests.engine.world import Gate


def desk(*, max_activations: int = 100) -> Flow:
    """Return a flow that stops with work, a deferral and a result, and one that asks."""
    reducers = {"total": "add", "seen": "append"}
    flow = Flow("desk", reducers=reducers, max_activations=max_activations)
    clerk = flow.routine("clerk", outputs=("next", "out", "late"))

    @clerk.slot
    def begin(ctx: Context) -> None:
        ctx.shared["x"] = 1
        ctx.write("total", 1)
        ctx.emit("next")
        ctx.emit("out", by="begin")
        ctx.defer("late", by="begin")
        ctx.pause("for the boss")

    @clerk.slot
    def ask(ctx: Context) -> None:
        ctx.shared["x"] = 1
        ctx.ask("Go?", to="clerk.go")

    @clerk.slot
    def go(ctx: Context, answer: bool) -> None:
        ctx.log("went", answer=answer)

    @clerk.slot
    def look(ctx: Context) -> None:
        ctx.log("looked", **ctx.shared)

    @clerk.slot
    def wait(ctx: Context, reason: str) -> None:
        ctx.pause(reason)

    flow.connect("clerk.next", "clerk.look")
    return flow


def board(gate: Gate) -> Flow:
    """Return a flow with a wave of two, the first of which does everything and can be held."""
    flow = Flow("board", reducers={"total": "add"})
    member = flow.routine("member", outputs=("spread", "next", "out", "late"))

    @member.slot
    def begin(ctx: Context) -> None:
        ctx.emit("spread", number=0)
        ctx.emit("spread", number=1)

    @member.slot
    def speak(ctx: Context, number: int) -> None:
        ctx.log("spoke", number=number, x=ctx.shared.get("x"))
        ctx.shared["x"] = number
        ctx.write("total", 1)
        if number:
            return
        gate.hold()
        ctx.emit("next")
        ctx.emit("out", by=number)
        ctx.defer("late", by=number)
        ctx.ask("Agreed?", to="member.agree")

    @member.slot
    def agree(ctx: Context, answer: bool) -> None:
        ctx.log("agreed", answer=answer)

    @member.slot
    def look(ctx: Context) -> None:
        ctx.log("looked", **ctx.shared)

    flow.connect("member.spread", "member.speak")
    flow.connect("member.next", "member.look")
    return flow
