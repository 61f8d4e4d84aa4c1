"""Flows that have to do with time and with other jobs."""

from esflow import Context, Flow
from esflow.events import Json


def reminders() -> Flow:
    """Return a flow that reminds of things after some time, and that asks with a deadline."""
    flow = Flow("reminders")
    clerk = flow.routine("clerk", outputs=("later", "soon", "out"))

    @clerk.slot
    def plan(ctx: Context, delays: list[float]) -> None:
        for number, delay in enumerate(delays):
            ctx.emit_after(delay, "later", number=number)

    @clerk.slot
    def announce(ctx: Context, delay: float) -> None:
        ctx.emit_after(delay, "out", announced=True)

    @clerk.slot
    def remind(ctx: Context, number: int) -> None:
        ctx.emit("out", number=number)

    @clerk.slot
    def stop(ctx: Context, delays: list[float]) -> None:
        plan(ctx, delays)
        ctx.emit("soon")
        ctx.pause("for tea")

    @clerk.slot
    def look(ctx: Context) -> None:
        ctx.emit("out", looked=True)

    @clerk.slot
    def ask(ctx: Context, seconds: float | None = None) -> None:
        if seconds is None:
            ctx.ask("Go?", to="clerk.go", choices=["yes", "no"])
        else:
            ctx.ask("Go?", to="clerk.go", choices=["yes", "no"], timeout=seconds, default="no")

    @clerk.slot
    def go(ctx: Context, answer: str) -> None:
        ctx.emit("out", answer=answer)

    flow.connect("clerk.later", "clerk.remind")
    flow.connect("clerk.soon", "clerk.look")
    return flow


def family(  # noqa: C901 - a slot for each way to end
    *, name: str = "family"
) -> Flow:
    """Return a flow whose jobs start jobs, which end in every way, and waits for them."""
    flow = Flow(name)
    home = flow.routine("home", outputs=("told", "out"))

    @home.slot
    def begin(ctx: Context, children: list[str]) -> None:
        for slot in children:
            ctx.start(flow, f"home.{slot}", {"number": len(slot)}, then="home.hear")

    @home.slot
    def work(ctx: Context, number: int) -> None:
        ctx.emit("out", worked=number)

    @home.slot
    def fail(ctx: Context, number: int) -> None:
        raise ValueError(f"child {number}")

    @home.slot
    def ask(ctx: Context, number: int) -> None:
        ctx.ask("Well?", to="home.answered")

    @home.slot
    def answered(ctx: Context, answer: str) -> None:
        ctx.emit("out", answer=answer)

    @home.slot
    def sleep(ctx: Context, number: int) -> None:
        ctx.emit_after(60, "told", line="slept")

    @home.slot
    def grow(ctx: Context, number: int) -> None:
        begin(ctx, ["work", "work"])

    @home.slot
    def hear(ctx: Context, job_id: str, status: str, outputs: list[Json], failure: Json) -> None:
        said = None if failure is None else failure["message"]
        payloads = [each["payload"] for each in outputs]
        ctx.emit("out", child=job_id, status=status, outputs=payloads, failure=said)

    @home.slot
    def note(ctx: Context, line: str) -> None:
        ctx.emit("out", line=line)

    flow.connect("home.told", "home.note")
    return flow


def chain(*, delay: float) -> Flow:
    """Return a flow whose jobs start one another, and the last of which waits."""
    flow = Flow("chain")
    link = flow.routine("link", outputs=("late", "out"))

    @link.slot
    def nest(ctx: Context, depth: int) -> None:
        if depth:
            ctx.start("chain", "link.nest", {"depth": depth - 1}, then="link.hear")
        else:
            ctx.emit_after(delay, "late")

    @link.slot
    def hear(ctx: Context, job_id: str, status: str, outputs: Json, failure: Json) -> None:
        ctx.emit("out", status=status)

    return flow
