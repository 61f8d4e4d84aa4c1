"""A whole job that fails and is tried again, joins, starts a child and waits, for the golden files.

It has no part that depends on chance or time, save what the engine itself adds to a row.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import attrs

from esflow import Context, Engine, Flow, Retry
from esflow.events import Json
from esflow.store import Store
from esflow.testing import ManualClock

job_id: Final = "golden-family-5"


@attrs.frozen
class Ledger:
    """What the jobs share; a custom reducer keeps the longest name."""

    name: str = ""
    total: int = 0


def longest(current: Json, value: Json) -> Json:
    """Return the longer of two texts."""
    return max(current, value, key=len)


def family() -> tuple[Flow, Flow]:
    """Return a flow that asks several, waits for two and sends a courier; and the courier's."""
    flow = Flow(
        "family", version="2026-11", shared=Ledger, reducers={"name": longest, "total": "add"}
    )
    desk = flow.routine("desk", outputs=("asked", "told", "closed"))

    @desk.slot
    def ask(ctx: Context, names: list[str]) -> None:
        for name in names:
            ctx.emit("asked", name=name)
        ctx.ask("Is it urgent?", to="desk.urgent", timeout=86_400, default=False)

    @desk.slot(retry=Retry(attempts=3, delay=30, factor=2.0, jitter=0), on_error="skip")
    def tell(ctx: Context, name: str) -> None:
        ctx.write("name", name)
        ctx.shared["total"] = len(name)
        if ctx.attempt < len(name):
            raise TimeoutError(f"{name} is not there")
        ctx.emit("told", name=name)

    @desk.slot(gather=2)
    def all_told(ctx: Context, items: list[dict[str, str]]) -> None:
        ctx.start("courier", "bring", {"names": [each["name"] for each in items]}, then="desk.done")

    @desk.slot
    def done(ctx: Context, status: str, outputs: list[dict[str, Json]], **_: object) -> None:
        ctx.log("brought", status=status, outputs=len(outputs))
        ctx.emit_after(3600, "closed", by="the clock")

    @desk.slot
    def urgent(ctx: Context, answer: bool) -> None:
        ctx.log("urgent" if answer else "not urgent")

    flow.connect("desk.asked", "desk.tell")
    flow.connect("desk.told", "desk.all_told")
    courier = Flow("courier", version="2026-11")

    @courier.slot(outputs=("brought",))
    def bring(ctx: Context, names: list[str]) -> None:
        ctx.emit("brought", count=len(names))

    return flow, courier


def play(store: Store) -> None:
    """Let two hosts drive the job whenever something is due, until it has ended."""
    clock = ManualClock()
    first, second = (
        Engine(store, family(), host=name, clock=clock, max_parallel=1)
        for name in ("host-a", "host-b")
    )
    names = ["a", "bo", "cleo"]
    with _no_paths():
        _drive(first, second, clock, names)


@contextmanager
def _no_paths() -> Generator[None]:
    """Let tracebacks name no file: where this one lies is chance."""
    sys.tracebacklimit = 0
    try:
        yield
    finally:
        del sys.tracebacklimit


def _drive(first: Engine, second: Engine, clock: ManualClock, names: list[str]) -> None:
    job = first.start("family", "desk.ask", {"names": names}, job_id=job_id, actor="ada")
    clock.advance(86_400)  # Nobody answers.
    while job.status == "waiting" or job.questions:
        job = second.run(job_id)
        clock.advance(3600)
