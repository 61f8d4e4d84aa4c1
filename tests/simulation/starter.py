"""One step of the job in an interpreter of its own: ``python -m tests.simulation.starter FOLDER``.

It prints what it sees of the job, as JSON whose order says nothing.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from esflow import Answer, Context, Engine, Flow
from esflow.errors import PayloadError
from esflow.store import Store
from esflow.stores import open_store
from esflow.testing import ManualClock
from tests.laws.flows import unrecordable
from tests.reference.oddities import AWKWARD, ODD_KEYS, REFUSED
from tests.simulation.voyage import JOB

WORDS = ("Ärger", "ъ", "straße", "naïve", "z", "İ", "10", "9")  # Sorted unlike in many a locale.
NIGHT = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)  # On which clocks go back.
THINGS: dict[str, Any] = dict(zip((*ODD_KEYS, *map(str, range(99))), AWKWARD, strict=False))


def build() -> Flow:
    """Return a flow whose data shows the order of sets, the time zone and the locale, if it can.

    What is easily spoilt goes through everything that is recorded of it.
    """
    flow = Flow("words")
    reader = flow.routine("reader", outputs=("word", "late", "done"))

    @reader.slot
    def read(ctx: Context, words: set[str], things: dict[str, Any]) -> None:
        ctx.shared["words"] = words
        ctx.shared["sorted"] = sorted(words)
        for word in sorted(words):
            ctx.emit("word", word=word)
        ctx.effect(dict.fromkeys, words, 1)
        ctx.log("at", moment=ctx.now(), things=things)
        ctx.defer("late", **ctx.effect(dict[str, Any], things))
        ctx.write("refused", refusals(ctx))
        ctx.ask("Go on?", choices=[min(words), things], to="reader.answered")

    @reader.slot
    def take(ctx: Context, word: str) -> None:
        ctx.write("lengths", {word: len(word.encode())}, "merge")
        ctx.effect(str.upper, word)

    @reader.slot
    def keep(ctx: Context, **things: object) -> None:
        for name, thing in things.items():
            ctx.memory[name] = thing

    @reader.slot
    def answered(ctx: Context, answer: object) -> None:
        ctx.emit("done", answer=answer, number=f"{1234.5:,}", moment=ctx.now(), **THINGS)
        ctx.write("refused", refusals(ctx), "extend")

    flow.connect("reader.word", "reader.take")
    flow.connect("reader.late", "reader.keep")
    return flow


def refusals(ctx: Context) -> list[str]:
    """Return the paths to what can't be recorded, as the refusals name them."""
    paths: list[str] = []
    for name in REFUSED:
        try:
            ctx.emit("done", things=["before", unrecordable(name)])
        except PayloadError as refusal:
            paths.append(f"{name}: {refusal.path}")
    return paths


def step(folder: Path) -> None:
    """Start the job, or answer its question."""
    store = open_store(f"sqlite:///{folder}/jobs.db?synchronous=normal")
    with Engine(store, flows=[build()], clock=ManualClock(NIGHT)) as engine:
        request = {"words": set(WORDS), "things": THINGS}
        state = engine.start("words", "reader.read", request, job_id=JOB)
        _check_refusals(engine, store)
        if engine.history(JOB)[-1].actor != "starter" and sys.argv[2] == "answer":
            state = engine.resume(JOB, Answer("10"), actor="starter")
        print(json.dumps(state.as_dict(), sort_keys=True))  # noqa: T201 - the pipe to the test
    store.close()


def _check_refusals(engine: Engine, store: Store) -> None:
    """Have everything refused that can't be recorded, and nothing recorded."""
    before = [row.state for row in store.read(JOB)]
    for name in REFUSED:
        payload = {"things": [0, unrecordable(name)]}
        calls: dict[str, Callable[..., object]] = {
            "send": partial(engine.send, JOB, "reader.keep", payload),
            "update": partial(engine.update, JOB, payload),
            "answer": partial(engine.resume, JOB, Answer(payload)),
            "submit": partial(engine.submit, "words", "reader.keep", payload, job_id="new"),
        }
        for call, act in calls.items():
            with suppress(PayloadError):
                act()
                raise AssertionError(f"{call} takes {name}")
    assert [row.state for row in store.read(JOB)] == before
    assert store.head("new") is None


if __name__ == "__main__":
    step(Path(sys.argv[1]))
