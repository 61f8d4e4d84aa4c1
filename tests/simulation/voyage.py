"""The flow that every process drives, and the ledger of what it really did outside."""

import os
from collections import Counter
from pathlib import Path
from typing import Final, final

import attrs

from esflow import Answer, Context, Engine, Flow, JobState

JOB: Final = "job"
CREW: Final = 3


@final
@attrs.frozen
class Ledger:
    """A file outside of the store, to which each call adds its key before it returns."""

    path: Path

    def call(self, name: str, key: str) -> str:
        """Act outside."""
        # One write to a file that is only appended to: lines of several processes stay whole.
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{key}\n".encode())
        os.close(file)
        return f"did {name}"

    def calls(self) -> Counter[str]:
        """Return how often each key was called with."""
        return Counter(self.path.read_text("utf-8").split()) if self.path.exists() else Counter()


def build(ledger: Ledger) -> Flow:
    """Return a flow with effects, a wide wave, a deferral, a question and an answer."""
    flow = Flow("voyage")
    captain = flow.routine("captain", outputs=("orders", "late", "done"))
    sailor = flow.routine("sailor", outputs=("report",))

    def act(ctx: Context, name: str) -> str:
        return ctx.effect(ledger.call, name, ctx.idempotency_key)

    @captain.slot
    def begin(ctx: Context, port: str) -> None:
        ctx.shared["plan"] = act(ctx, f"plan for {port}")
        ctx.defer("late", text="deferred")
        for number in range(CREW):
            ctx.emit("orders", number=number)
        ctx.log("orders are given", crew=CREW)

    @sailor.slot
    def work(ctx: Context, number: int) -> None:
        ctx.write("work", {f"{number}": act(ctx, f"work {number}")}, "merge")
        ctx.write("hands", 1, "add")
        ctx.memory["last"] = number
        ctx.emit("report", number=number)
        if number == 1:
            ctx.ask("Sail?", choices=["yes", "no", "maybe", "never"], to="captain.sail")

    @captain.slot
    def heard(ctx: Context, number: int) -> None:
        ctx.log(f"heard from {number}")

    @captain.slot
    def sail(ctx: Context, answer: str) -> None:
        first = act(ctx, f"answer {answer}")
        ctx.emit("done", first=first, second=act(ctx, "anchor"))

    @captain.slot
    def remember(ctx: Context, text: str) -> None:
        ctx.memory["text"] = text

    flow.connect("captain.orders", "sailor.work")
    flow.connect("sailor.report", "captain.heard")
    flow.connect("captain.late", "captain.remember")
    return flow


def carry_on(engine: Engine, job_id: str = JOB, answer: str = "yes") -> JobState:
    """Do what is left of the job, wherever it stands."""
    state = engine.start("voyage", "captain.begin", {"port": "Brest"}, job_id=job_id)
    return engine.resume(job_id, Answer(answer)) if state.questions else state
