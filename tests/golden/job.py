"""A whole job as it goes in earnest, for the golden files: it asks and pauses, on two hosts.

It has no part that depends on chance or time, save what the engine itself adds to a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from eventsourcing.persistence import StoredEvent

from esflow import Answer, Context, Continue, Engine, Flow
from esflow.events import Json
from esflow.store import Store
from esflow.stores import open_store
from esflow.testing import ManualClock

job_id: Final = "golden-agent-17"
SHOWN: Final = ("JobPaused/", "JobResumed/", "JobCompleted/", "MessageReceived/")


def complete(prompt: str) -> dict[str, object]:
    """Stand for a model."""
    return {"text": f"what to say to {prompt!r}", "tokens": len(prompt), "cost": 0.25}


def agent() -> Flow:
    """Return a flow that plans, asks, does what was chosen, and tells whoever is connected."""
    flow = Flow("agent", version="2026-01", reducers={"notes": "append"}, max_activations=50)
    planner = flow.routine("planner", outputs=("chosen", "reminded"))
    desk = flow.routine("desk", outputs=("done",))

    @planner.slot
    def trigger(ctx: Context, task: str) -> None:
        plan = ctx.effect(complete, f"Plan: {task}")
        ctx.shared["plan"] = plan["text"]
        ctx.write("tokens", plan["tokens"], reducer="add")
        ctx.memory["asked"] = 1
        ctx.log("planned", task=task)
        ctx.defer("reminded", text="an answer is there")
        ctx.ask("Which option?", choices=["A", "B"], to="planner.user_input")

    @planner.slot
    def user_input(ctx: Context, answer: str) -> None:
        ctx.memory["asked"] = ctx.memory["asked"] + 1
        ctx.emit("chosen", option=answer)
        ctx.emit("chosen", option=f"{answer}, but later")

    @desk.slot
    def work(ctx: Context, option: str) -> None:
        key = ctx.idempotency_key
        done = ctx.effect(complete, f"Do: {option}")
        if option.endswith("later"):
            ctx.log("put off", days=ctx.interrupt({"how long": option}, type=int))
        ctx.write("tokens", done["tokens"], reducer="add")
        ctx.emit("done", text=done["text"], key=key)

    @desk.slot
    def note(ctx: Context, line: str) -> None:
        ctx.shared["notes"] = line

    flow.connect("planner.chosen", "desk.work")
    flow.connect("planner.reminded", "desk.note", rename={"text": "line"})
    return flow


def play(store: Store) -> None:
    """Let two hosts and three people take the job to its end."""
    clock = ManualClock()
    first, second = (
        Engine(store, [agent()], host=name, clock=clock, max_parallel=1)
        for name in ("host-a", "host-b")
    )
    start = {"task": "Analyze data ✓"}
    first.start(
        "agent",
        "planner.trigger",
        start,
        job_id=job_id,
        actor="ada",
        labels={"é": "1"},
        before=["desk.work"],
    )
    clock.advance(60)
    second.send(job_id, "desk.note", {"line": "it is urgent"}, key="mail-3", actor="mail")
    clock.advance(1)
    second.pause(job_id, "the budget is checked", actor="ops")
    clock.advance(3600)
    second.resume(job_id, Answer("B"), actor="ada")
    clock.advance(0.125)
    second.resume(job_id, Continue(), actor="ops")
    clock.advance(1)
    first.resume(job_id, Continue(), actor="ada", before=[], after=["desk.work"])
    clock.advance(86_400)
    second.resume(job_id, Answer(3), actor="ada")
    first.resume(job_id, Continue(), actor="ops")


def played(
    play: Callable[[Store], None] = play, job_id: str = job_id
) -> tuple[Sequence[StoredEvent], dict[str, Json]]:
    """Return the rows of a job, and what is expected of whoever reads them.

    Shape: ``head`` is the hash of the last row; ``states`` has the state at the last version, at
    each at which the job came to a halt or went on, and at each message.
    """
    store = open_store("memory://")
    play(store)
    rows = list(store.read(job_id))
    shown = [row.originator_version for row in rows if row.topic.startswith(SHOWN)]
    with Engine(store) as reader:
        states = {str(version): reader.state(job_id, version).as_dict() for version in shown}
        (last,) = reader.history(job_id)[-1:]
    return rows, {"job_id": job_id, "head": last.hash, "states": dict(states)}
