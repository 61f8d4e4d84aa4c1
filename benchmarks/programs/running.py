"""How a program is run once, and what it prints: the same for every tool."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from shutil import copyfile
from time import perf_counter
from typing import Final, TypeAlias, final

import attrs

ROOT: Final = Path(__file__).parents[2]


@final
@attrs.frozen
class Task:
    """What a program is asked for.

    Shape: ``size`` is how many units are done; ``synchronous`` is the pragma of SQLite, ``full`` or
    ``normal``; everything is kept in ``folder``, and in ``kept`` what every round reads.
    """

    size: int
    synchronous: str
    folder: Path
    kept: Path


@final
@attrs.frozen(kw_only=True)
class Taken:
    """What was done, where it isn't the task's size or not all of the time counts."""

    units: int
    seconds: float | None = None  # None: from the beginning of the work to its end.


Prepared: TypeAlias = Callable[[], Taken | None]
"""What is measured; all that it needs is there."""
Program: TypeAlias = Mapping[str, Callable[[Task], Prepared]]


def run(program: Program) -> None:
    """Do what the command line asks for, and print what it took as one line of JSON.

    Units: seconds, bytes; ``stored`` is what all files take after a checkpoint.
    """
    _, case, size, synchronous, folder, kept = sys.argv
    task = Task(int(size), synchronous, Path(folder), Path(kept))
    os.chdir(folder)
    work = program[case](task)
    began = perf_counter()
    done = work() or Taken(units=task.size)
    seconds = perf_counter() - began
    report = {
        "seconds": seconds if done.seconds is None else done.seconds,
        "units": done.units,
        "peak": peak(),
        "stored": stored(task.folder),
    }
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()
    os._exit(0)  # Threads that a tool leaves behind are none of this program's business.


def peak() -> int:
    """Return the most memory that this process has had.

    Linux hands ``ru_maxrss`` down to whatever a process becomes, so what a program took would never
    be less than what its starter had; the high-water mark of its own memory is asked for first.
    """
    status = Path("/proc/self/status")
    lines = status.read_text("utf-8").splitlines() if status.exists() else []
    marks = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return next(marks, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024


def stored(folder: Path) -> int:
    """Return what the files of a folder take, once what stands in logs is in their databases."""
    for file in folder.glob("*.db"):
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def made(task: Task, kind: str) -> Path:
    """Return a store that all rounds share, made by another process, whose memory isn't ours."""
    file = task.kept / f"{kind}-{task.size}.db"
    if not file.exists():
        words = [sys.executable, "-m", "benchmarks.programs.making", kind, str(task.size)]
        subprocess.run([*words, str(file)], cwd=ROOT, check=True)
    return file


def copied(task: Task, kind: str) -> Path:
    """Return a copy of such a store that may be written to, and that has reached the disk."""
    file = Path(copyfile(made(task, kind), task.folder / "jobs.db"))
    with file.open("rb+") as copy:
        os.fsync(copy.fileno())  # Or the first commit would wait for all of it.
    return file
