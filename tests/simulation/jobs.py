"""The flow that several workers share: each job calls once outside, and may be slow."""

import os
from pathlib import Path

from esflow import Context, Flow
from tests.simulation.voyage import Ledger

flow = Flow("shared")
clerk = flow.routine("clerk", outputs=("next", "done"))
ledger = Ledger(Path(os.environ.get("ESFLOW_TEST_FOLDER", ".")) / "ledger")


@clerk.slot
def begin(ctx: Context, number: int) -> None:
    ctx.emit("next", text=ctx.effect(ledger.call, "first", ctx.idempotency_key), number=number)


@clerk.slot
def end(ctx: Context, text: str, number: int) -> None:
    ctx.effect(ledger.call, "second", ctx.idempotency_key)
    ctx.emit("done", text=text, number=number)


@clerk.slot
def stand(ctx: Context, number: int) -> None:
    """Begin when the test has opened the other end of a pipe and put something through."""
    with ledger.path.with_name("fifo").open("rb", buffering=0) as pipe:
        pipe.read(1)
    begin(ctx, number)


flow.connect("clerk.next", "clerk.end")
