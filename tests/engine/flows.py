"""The flows of most examples."""

from esflow import Context, Flow
from tests.engine.world import Gate


def support() -> Flow:
    """Return a flow that asks one question out of two choices, and answers it."""
    flow = Flow("support")
    agent = flow.routine("agent", outputs=("answered",))

    @agent.slot
    def trigger(ctx: Context, task: str) -> None:
        ctx.shared["task"] = task
        ctx.ask("Which option?", choices=["A", "B"], to="agent.user_input")

    @agent.slot
    def user_input(ctx: Context, answer: str) -> None:
        ctx.emit("answered", text=answer)

    @agent.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    return flow


def panel() -> Flow:
    """Return a flow that asks two questions at once, for text and for a number."""
    flow = Flow("panel")
    chair = flow.routine("chair", outputs=("heard",))

    @chair.slot
    def opening(ctx: Context) -> None:
        ctx.ask("Why?", to="chair.why")
        ctx.ask("How many?", to="chair.how_many")

    @chair.slot
    def why(ctx: Context, answer: str) -> None:
        ctx.emit("heard", why=answer)

    @chair.slot
    def how_many(ctx: Context, answer: int) -> None:
        ctx.emit("heard", number=answer)

    return flow


def gated(gate: Gate) -> Flow:
    """Return a flow of two activations, the first of which can be held."""
    flow = Flow("gated")
    worker = flow.routine("worker", outputs=("next", "done"))

    @worker.slot
    def first(ctx: Context) -> None:
        gate.hold()
        ctx.emit("next", number=1)

    @worker.slot
    def second(ctx: Context, number: int) -> None:
        ctx.emit("done", number=number + 1)

    @worker.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    flow.connect("worker.next", "worker.second")
    return flow


def wide(gate: Gate, *, width: int = 3) -> Flow:
    """Return a flow with a wave as wide as wanted, the first member of which can be held."""
    flow = Flow("wide")
    source = flow.routine("source", outputs=("items",))
    member = flow.routine("member", outputs=("done",))

    @source.slot
    def spread(ctx: Context) -> None:
        for number in range(width):
            ctx.emit("items", number=number)

    @member.slot
    def item(ctx: Context, number: int) -> None:
        if number == 0:
            gate.hold()
        ctx.emit("done", number=number)

    flow.connect("source.items", "member.item")
    return flow
