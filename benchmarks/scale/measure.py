"""The constants of this machine, measured through esflow on a file of its own, in some seconds.

What takes longer to measure well is measured by ``make bench``; this is for a first look, and a
machine that does something else at the time shows in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final, final

import attrs

from benchmarks.flows import asking, chain
from benchmarks.programs.esflow_program import FLOWS
from benchmarks.programs.floor_program import Append, appends, opened, write
from benchmarks.programs.running import Task
from benchmarks.scale.constants import Constants
from esflow import Engine
from esflow.store import Store

_SYNC_BYTES: Final = b"x" * 4096
_FILES: Final = 8


@final
@attrs.frozen(kw_only=True)
class Sizes:
    """How much is measured: so much that opening and closing a file don't show."""

    full_steps: int = 300
    normal_steps: int = 3_000
    grouped_steps: int = 3_000
    events: int = 20_000
    paused_jobs: int = 300
    wakes: int = 50
    syncs: int = 50
    rounds: int = 5
    looks: int = 200


def measured() -> Constants:
    """Measure what can be; what is assumed stays as it is.

    Raises: ConstantRefused, when a machine that is busy has measured what contradicts itself.
    """
    return Constants(**{name: float(f"{value:.3g}") for name, value in measurements().items()})


def measurements(sizes: Sizes = Sizes()) -> dict[str, float]:
    """Return what was measured, by the names of the constants."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        return {
            **_commits(folder, sizes),
            **_long_job(folder, sizes),
            **_paused_jobs(folder, sizes),
            "syncs_at_once": _syncs_at_once(folder, sizes),
        }


def _commits(folder: Path, sizes: Sizes) -> dict[str, float]:
    """Time activations in each setting, and the same rows in plain sqlite3, in turn."""
    taken = dict[str, list[float]]()
    steps_of = {"full": sizes.full_steps, "normal": sizes.normal_steps}
    groups = {kind: _appends(folder, size) for kind, size in steps_of.items()}
    for number in range(sizes.rounds):
        for kind, size in steps_of.items():
            file, floor = folder / f"{kind}-{number}.db", folder / f"{kind}-{number}-floor.db"
            step = _chained(file, kind, "step", size)
            taken.setdefault(f"{kind}_step_us", []).append(step / size)
            taken.setdefault(f"{kind}_commit_us", []).append(
                _floor(floor, kind, groups[kind]) / size
            )
        size = sizes.grouped_steps
        grouped = _chained(folder / f"grouped-{number}.db", "full", "output", size)
        taken.setdefault("grouped_step_us", []).append(grouped / size)
    # The least is what was least disturbed by whatever else the machine does.
    found = {name: min(times) * 1e6 for name, times in taken.items()}
    # Python's part is the same in both settings, and a disk that others use can hide it in FULL.
    python = found["normal_step_us"] - found["normal_commit_us"]
    found["full_step_us"] = max(found["full_step_us"], found["full_commit_us"] + python)
    return found


def _appends(folder: Path, size: int) -> list[Append]:
    """Return what a chain of activations appends."""
    return appends(FLOWS["chain"], "step", Task(size, "", folder, folder))


def _floor(file: Path, synchronous: str, groups: list[Append]) -> float:
    """Return the seconds of writing the rows of such a chain in plain sqlite3."""
    with closing(opened(file, synchronous)) as database:
        return _seconds(partial(write, database, "floor", groups))


def _chained(file: Path, synchronous: str, durability: str, size: int) -> float:
    """Return the seconds of a chain of activations."""
    url = f"sqlite:///{file}?synchronous={synchronous}"
    with Engine(url, flows=[chain()], durability=durability, snapshot_every=0) as engine:
        return _seconds(lambda: engine.start("chain", "counter.step", {"n": size}))


def _long_job(folder: Path, sizes: Sizes) -> dict[str, float]:
    """Measure one job of many events: its bytes, its replay, its snapshot, its copy."""
    file = folder / "long.db"
    url = f"sqlite:///{file}?synchronous=normal"
    with Engine(url, flows=[chain()], durability="output", snapshot_every=0) as engine:
        size = sizes.events // 2
        name = engine.start("chain", "counter.step", {"n": size}).job_id
        events = len(engine.history(name))
    stored = file.stat().st_size
    with Engine(url) as engine:
        replay = median(_seconds(partial(engine.state, name)) for _ in range(sizes.rounds))
        verify = median(_seconds(engine.verify) for _ in range(sizes.rounds))
    copied = median(
        _seconds(partial(_copied, file, folder / "copy.db")) for _ in range(sizes.rounds)
    )
    return {
        "events_per_activation": round(events / size),
        "event_bytes": stored / events,
        "replay_us": replay / events * 1e6,
        "verify_us": verify / events * 1e6,
        "copy_megabytes_per_second": stored / copied / 1e6,
    }


def _copied(file: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _paused_jobs(folder: Path, sizes: Sizes) -> dict[str, float]:
    """Measure jobs that have asked: their bytes, a page of them, a snapshot, and waking up."""
    file = folder / "paused.db"
    url = f"sqlite:///{file}?synchronous=normal"
    with Engine(url, flows=[asking()], snapshot_every=1) as engine:
        jobs = [engine.start("asking", "desk.ask") for _ in range(sizes.paused_jobs)]
        name = jobs[0].job_id
        last = engine.history(name)[-1].version
        snapshot = median(_seconds(partial(engine.state, name)) for _ in range(sizes.looks))
        engine.store.drop_snapshots()
        page = median(_seconds(partial(engine.jobs, status="paused")) for _ in range(sizes.looks))
        with Engine(url) as other, ThreadPoolExecutor(1) as pool:
            wakes = [_woken(pool, engine, other.store, each.job_id) for each in jobs[: sizes.wakes]]
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("VACUUM")
            look = partial(connection.execute, "PRAGMA data_version")
            looks = median(_seconds(lambda: look().fetchone()) for _ in range(sizes.looks))
    return {
        "snapshot_us": snapshot * 1e6,
        "paused_job_events": last,
        "paused_job_bytes": file.stat().st_size / sizes.paused_jobs,
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


def _syncs_at_once(folder: Path, sizes: Sizes) -> float:
    """Return how much faster many files are synced at once than one after the other."""
    places = [folder / f"sync-{number}" for number in range(_FILES)]

    def in_turn() -> None:
        for place in places:
            _synced(place, sizes.syncs)

    with ThreadPoolExecutor(_FILES) as pool:

        def together() -> None:
            for done in [pool.submit(_synced, place, sizes.syncs) for place in places]:
                done.result()

        ratios = [_seconds(in_turn) / _seconds(together) for _ in range(sizes.rounds)]
    return min(_FILES, max(1.0, median(ratios)))


def _synced(place: Path, times: int) -> None:
    with place.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(_SYNC_BYTES)
            os.fsync(file.fileno())


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began
