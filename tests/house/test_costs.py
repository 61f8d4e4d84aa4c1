"""What a step costs, counted in calls, statements and bytes: a ratchet that no noise can move.

Times are the business of `make bench`, on a quiet machine.
Here a chain is counted at two lengths, so what is left between them is what its steps cost; a third
length shows that one more costs the same however many went before.
Calls are those of functions that stand in esflow; comprehensions don't count, because they are
calls to some versions of Python and none to others.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeAlias

import pytest

import esflow
from benchmarks.flows import chain
from esflow import AsyncEngine, Engine, waves
from esflow.ids import activation_of
from esflow.replay import replay_all
from esflow.testing import ManualClock

Counts: TypeAlias = Counter[str]
Case: TypeAlias = Callable[[Path, int], Counts]

FEW: Final = 100
STEPS: Final = 40
MANY: Final = 1_000_000
PACKAGE: Final = str(Path(esflow.__file__).parent)
LOOSE: Final = 0.95  # Whoever makes something cheaper than this share of its ratchet lowers it.


def driven(url: str, *, effect: bool = False, durability: str = "step") -> Case:
    """Return what counts the cost of driving a chain of so many steps on an engine in a folder."""

    def count(folder: Path, steps: int) -> Counts:
        with Engine(
            url.format(folder / f"{steps}.db"),
            [chain(effect=effect)],
            durability=durability,
            snapshot_every=0,
            host="here",
            clock=ManualClock(),  # By which no group ever waits too long.
        ) as engine:
            found = counted(engine.start, "chain", "counter.step", {"n": steps}, job_id="one")
            rows = engine.store.read_all(limit=MANY)
            found["bytes"] = sum(len(row.topic) + len(lasting(row.state)) for row in rows)
            return found

    return count


def on_a_loop(_: Path, steps: int) -> Counts:
    """Count the cost of driving a chain of so many steps on an async engine, in its loop's thread.

    Of what is handed to another thread nothing is seen here, so that becomes less.
    """

    async def main() -> None:
        async with AsyncEngine("memory://", [chain(is_async=True)], snapshot_every=0) as engine:
            await engine.start("chain", "counter.step", {"n": steps}, job_id="one")

    return counted(asyncio.run, main())


def lasting(state: bytes) -> bytes:
    """Return what a row holds whatever the machine does: not how long a handler took."""
    return re.sub(rb'"duration_us":[0-9]+,?', b"", state)


def replayed(_: Path, steps: int) -> Counts:
    """Count the cost of replaying a chain of so many steps."""
    with Engine("memory://", [chain()], snapshot_every=0) as engine:
        engine.start("chain", "counter.step", {"n": steps}, job_id="one")
        return counted(replay_all, engine.store, "one")


def counted(act: Callable[..., object], *args: Any, **kwargs: Any) -> Counts:
    """Return how many functions of esflow, and how many statements, an act calls in this thread."""
    found = Counts()

    def note(frame: FrameType, event: str, called: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE) and code.co_name[0] != "<":
            found["calls"] += 1
        elif event == "c_call" and isinstance(getattr(called, "__self__", None), sqlite3.Cursor):
            found["statements"] += called.__name__ in {"execute", "executemany"}

    gc.collect()
    gc.disable()  # What other tests have left is put away at another time.
    sys.setprofile(note)
    try:
        act(*args, **kwargs)
    finally:
        sys.setprofile(None)
        gc.enable()
    return found


CASES: Final[dict[str, Case]] = {
    "in memory": driven("memory://"),
    "in a file": driven("sqlite:///{}"),
    "with an effect": driven("sqlite:///{}", effect=True),
    "grouped": driven("sqlite:///{}", durability="output"),
    "on a loop": on_a_loop,
    "replayed": replayed,
}
# Of each step of a chain, which is two events, or three with an effect.
RATCHET: Final[dict[str, dict[str, float]]] = {
    "in memory": {"calls": 77, "bytes": 434},
    "in a file": {"calls": 82, "statements": 5, "bytes": 434},
    "with an effect": {"calls": 182, "statements": 9, "bytes": 690},
    "grouped": {"calls": 64, "statements": 2, "bytes": 434},
    "on a loop": {"calls": 105},
    "replayed": {"calls": 21.1},  # And a page of rows now and then.
}


@pytest.mark.parametrize("case", CASES)
def test_a_step_costs_what_it_did_however_many_went_before(case: str, tmp_path: Path) -> None:
    CASES[case](tmp_path, 2)  # What is made at first need is there then.
    few, more, most = (CASES[case](tmp_path, FEW + STEPS * times) for times in range(3))
    for name, ratchet in RATCHET[case].items():
        costs = (more[name] - few[name]) / STEPS, (most[name] - more[name]) / STEPS
        assert max(costs) <= ratchet, f"{name} became more: {costs}"
        assert min(costs) >= LOOSE * ratchet, f"{name} became less, so lower its ratchet: {costs}"


def test_what_costs_a_call_more_at_each_step_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = waves.finish

    def wasteful(*args: Any) -> None:
        for _ in range(10):
            activation_of("1.1")
        finish(*args)

    monkeypatch.setattr(waves, "finish", wasteful)
    with pytest.raises(AssertionError, match="calls became more"):
        test_a_step_costs_what_it_did_however_many_went_before("replayed", tmp_path)
