"""The constants of this machine, measured through esflow on a file of its own, in some seconds.

What takes longer to measure well is measured by ``make bench``; this is for a first look, and a
machine that does something else at the time shows in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from benchmarks.flows import asking, chain
from benchmarks.programs.floor_program import steps, write
from benchmarks.scale.constants import Constants
from esflow import Engine
from esflow.store import Store
from esflow.stores import open_store

_STEPS: Final = {"full": 300, "normal": 3_000}  # So many that opening and closing don't show.
_GROUPED: Final = 3_000
_EVENTS: Final = 20_000
_PAUSED: Final = 300
_ROUNDS: Final = 5
_TIMES: Final = 200
_SYNCS: Final = 50
_SYNC_BYTES: Final = b"x" * 4096
_FILES: Final = 8


def measured() -> Constants:
    """Measure what can be; what is assumed stays as it is.

    Raises: ConstantRefused, when a machine that is busy has measured what contradicts itself.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            **_commits(folder),
            **_long_job(folder),
            **_paused_jobs(folder),
            "syncs_at_once": _syncs_at_once(folder),
        }
    return Constants(**{name: float(f"{value:.3g}") for name, value in found.items()})


def _commits(folder: Path) -> dict[str, float]:
    """Time activations in each setting, and the same rows in plain sqlite3, in turn."""
    groups = {kind: steps(size, effect=False) for kind, size in _STEPS.items()}
    taken = dict[str, list[float]]()
    for number in range(_ROUNDS):
        for kind, size in _STEPS.items():
            file, floor = folder / f"{kind}-{number}.db", folder / f"{kind}-{number}-floor.db"
            step = _chained(file, kind, "step", size)
            taken.setdefault(f"{kind}_step_us", []).append(step / size)
            open_store(f"sqlite:///{floor}").close()
            commit = _seconds(partial(write, floor, kind, groups[kind]))
            taken.setdefault(f"{kind}_commit_us", []).append(commit / size)
        grouped = _chained(folder / f"grouped-{number}.db", "full", "output", _GROUPED)
        taken.setdefault("grouped_step_us", []).append(grouped / _GROUPED)
    # The least is what was least disturbed by whatever else the machine does.
    found = {name: min(times) * 1e6 for name, times in taken.items()}
    # Python's part is the same in both settings, and a disk that others use can hide it in FULL.
    python = found["normal_step_us"] - found["normal_commit_us"]
    found["full_step_us"] = max(found["full_step_us"], found["full_commit_us"] + python)
    return found


def _chained(file: Path, synchronous: str, durability: str, size: int) -> float:
    """Return the seconds of a chain of activations."""
    url = f"sqlite:///{file}?synchronous={synchronous}"
    with Engine(url, flows=[chain()], durability=durability, snapshot_every=0) as engine:
        return _seconds(lambda: engine.start("chain", "counter.step", {"n": size}))


def _long_job(folder: Path) -> dict[str, float]:
    """Measure one job of many events: its bytes, its replay, its snapshot, its copy."""
    file = folder / "long.db"
    url = f"sqlite:///{file}?synchronous=normal"
    with Engine(url, flows=[chain()], durability="output", snapshot_every=0) as engine:
        size = _EVENTS // 2
        name = engine.start("chain", "counter.step", {"n": size}).job_id
        events = len(engine.history(name))
    stored = file.stat().st_size
    with Engine(url) as engine:
        replay = median(_seconds(partial(engine.state, name)) for _ in range(_ROUNDS))
        verify = median(_seconds(engine.verify) for _ in range(_ROUNDS))
    copied = median(_seconds(partial(_copied, file, folder / "copy.db")) for _ in range(_ROUNDS))
    return {
        "events_per_activation": round(events / size),
        "event_bytes": stored / events,
        "replay_us": replay / events * 1e6,
        "verify_us": verify / events * 1e6,
        "copy_megabytes_per_second": stored / copied / 1e6,
    }


def _copied(file: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    with _opened(file) as source, _opened(copy) as target:
        source.backup(target)


def _paused_jobs(folder: Path) -> dict[str, float]:
    """Measure jobs that have asked: their bytes, a page of them, a snapshot, and waking up."""
    file = folder / "paused.db"
    url = f"sqlite:///{file}?synchronous=normal"
    with Engine(url, flows=[asking()], snapshot_every=1) as engine:
        jobs = [engine.start("asking", "desk.ask") for _ in range(_PAUSED)]
        name = jobs[0].job_id
        last = engine.history(name)[-1].version
        snapshot = median(_seconds(partial(engine.state, name)) for _ in range(_TIMES))
        engine.store.drop_snapshots()
        page = median(_seconds(partial(engine.jobs, status="paused")) for _ in range(_TIMES))
        with Engine(url) as other, ThreadPoolExecutor(1) as pool:
            wakes = [_woken(pool, engine, other.store, each.job_id) for each in jobs[:_SYNCS]]
        with _opened(file) as connection:
            connection.execute("VACUUM")
            look = partial(connection.execute, "PRAGMA data_version")
            looks = median(_seconds(lambda: look().fetchone()) for _ in range(_TIMES))
    return {
        "snapshot_us": snapshot * 1e6,
        "paused_job_events": last,
        "paused_job_bytes": file.stat().st_size / _PAUSED,
        "page_us": page * 1e6,
        "wake_us": median(wakes) * 1e6,
        "look_us": looks * 1e6,
    }


def _woken(pool: ThreadPoolExecutor, engine: Engine, other: Store, job_id: str) -> float:
    """Return the seconds from a commit until a store of another connection has noticed it."""
    after = other.position()
    noticed = pool.submit(lambda: (other.wait(after, 60), perf_counter()))
    engine.update(job_id, {"seen": True})
    committed = perf_counter()
    return max(0.0, noticed.result()[1] - committed)


def _syncs_at_once(folder: Path) -> float:
    """Return how much faster many files are synced at once than one after the other."""
    places = [folder / f"sync-{number}" for number in range(_FILES)]

    def in_turn() -> None:
        for place in places:
            _synced(place)

    with ThreadPoolExecutor(_FILES) as pool:

        def together() -> None:
            for done in [pool.submit(_synced, place) for place in places]:
                done.result()

        ratios = [_seconds(in_turn) / _seconds(together) for _ in range(_ROUNDS)]
    return min(_FILES, max(1.0, median(ratios)))


def _synced(place: Path) -> None:
    with place.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(_SYNC_BYTES)
            os.fsync(file.fileno())


@contextmanager
def _opened(file: Path) -> Generator[sqlite3.Connection]:
    connection = sqlite3.connect(file)
    try:
        yield connection
    finally:
        connection.close()


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began
