"""Jobs that wait for their time, and for jobs that wait for theirs, to be driven by processes."""

from __future__ import annotations

from esflow import Context, Flow
from esflow.events import Json

flow = Flow("alarms")
_clock = flow.routine("clock", outputs=("ring", "out"))


@_clock.slot
def begin(ctx: Context, times: int) -> None:
    """Ring some times, one after the other, and have a child do so too."""
    ctx.emit_after(0.3, "ring", left=times - 1)
    if times > 1:
        ctx.start(flow, "clock.begin", {"times": 1}, then="clock.hear")


@_clock.slot
def ring(ctx: Context, left: int) -> None:
    """Ring, and again later."""
    ctx.emit("out", left=left)
    if left:
        ctx.emit_after(0.3, "ring", left=left - 1)


@_clock.slot
def hear(ctx: Context, job_id: str, status: str, outputs: list[Json], failure: Json) -> None:
    """Tell how the child ended."""
    ctx.emit("out", status=status, rung=len(outputs))


flow.connect("clock.ring", "clock.ring")
