"""How a program is run once, and what it prints: the same for every tool."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import TypeAlias, final

import attrs


@final
@attrs.frozen
class Task:
    """What a program is asked for.

    Shape: ``size`` is how many units are done; ``synchronous`` is the pragma of SQLite, ``full`` or
    ``normal``; everything is kept in ``folder``.
    """

    size: int
    synchronous: str
    folder: Path


Prepared: TypeAlias = Callable[[], object]
"""What is measured; all that it needs is there."""
Program: TypeAlias = Mapping[str, Callable[[Task], Prepared]]


def run(program: Program) -> None:
    """Do what the command line asks for, and print what it took as one line of JSON.

    Units: seconds, bytes; ``stored`` is what all files take afterwards.
    """
    _, case, size, synchronous, folder = sys.argv
    task = Task(int(size), synchronous, Path(folder))
    os.chdir(folder)
    work = program[case](task)
    began = perf_counter()
    work()
    seconds = perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    stored = sum(path.stat().st_size for path in task.folder.rglob("*") if path.is_file())
    report = {"seconds": seconds, "units": task.size, "peak": peak, "stored": stored}
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()
    os._exit(0)  # Threads that a tool leaves behind are none of this program's business.
