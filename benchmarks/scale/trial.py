"""Several processes on one file and on several, for real, beside what the model allows.

The model is a bound, and this is how near to it a machine comes.
Set-ups are run in turn, and only ratios within a round count: whatever else the machine does, it
does to all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import IO, Final, final

import attrs

from benchmarks.scale.constants import Constants
from benchmarks.scale.tables import markdown, number

ROUNDS: Final = 5
STEPS: Final = {"full": 100, "normal": 1_000}  # Of each process.


@final
@attrs.frozen
class Tried:
    """So many processes on so many files, each with a job of its own that never rests."""

    processes: int
    files: int
    synchronous: str  # ``full`` or ``normal``.

    @property
    def name(self) -> str:
        """How it is called in a table."""
        processes = "1 process" if self.processes == 1 else f"{self.processes} processes"
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{processes}, {files}, {self.synchronous.upper()}"


TRIED: Final = tuple(
    Tried(processes, files, synchronous)
    for synchronous in ("full", "normal")
    for processes, files in ((1, 1), (2, 1), (4, 1), (2, 2), (4, 4))
)


def allowed(constants: Constants, tried: Tried) -> float:
    """Return how many times the rate of one process the model allows."""
    is_full = tried.synchronous == "full"
    step = constants.full_step_us if is_full else constants.normal_step_us
    commit = constants.full_commit_us if is_full else constants.normal_commit_us
    disk = max(1, constants.syncs_at_once) if is_full else tried.files
    cores = min(tried.processes, constants.cores_per_host)
    rates = (
        tried.processes / step,
        min(tried.files, disk) / commit,
        cores / constants.core_us,
    )
    return min(rates) * step


def trial_table(
    constants: Constants, rounds: int = ROUNDS, steps: dict[str, int] | None = None
) -> str:
    """Run every set-up and return what came of it, with the cores of this machine.

    Raises: CalledProcessError, when a process failed; its own words are on stderr.
    """
    here = attrs.evolve(constants, cores_per_host=os.cpu_count() or 1)
    found = {tried: list[float]() for tried in TRIED}
    for _ in range(rounds):
        for tried in TRIED:
            found[tried].append(_rate(tried, (steps or STEPS)[tried.synchronous]))
    columns = ("set-up", "activations/s", "times one process", "from", "to", "the model allows")
    rows = [
        (
            tried.name,
            number(median(rates)),
            *_compared(rates, found[_alone(tried)]),
            number(allowed(here, tried)),
        )
        for tried, rates in found.items()
    ]
    return markdown(columns, rows)


def _alone(tried: Tried) -> Tried:
    return attrs.evolve(tried, processes=1, files=1)


def _compared(rates: list[float], alone: list[float]) -> tuple[str, str, str]:
    ratios = [rate / one for rate, one in zip(rates, alone, strict=True)]
    return number(median(ratios)), number(min(ratios)), number(max(ratios))


def _rate(tried: Tried, steps: int) -> float:
    """Return the activations a second of all processes together."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        urls = [
            f"sqlite:///{folder}/{number % tried.files}.db?synchronous={tried.synchronous}"
            for number in range(tried.processes)
        ]
        running = [stack.enter_context(_begun(url, steps)) for url in urls]
        for process in running:
            _heard(process, "ready")
        began = perf_counter()
        for process in running:
            _piped(process.stdin).write("begin\n")
            _piped(process.stdin).flush()
        for process in running:
            _heard(process, "completed")
        return tried.processes * steps / (perf_counter() - began)


def _begun(url: str, steps: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scale.chained", url, str(steps)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _heard(process: subprocess.Popen[str], word: str) -> None:
    said = _piped(process.stdout).readline().strip()
    if said != word:
        raise subprocess.CalledProcessError(process.wait(), process.args, said)


def _piped(stream: IO[str] | None) -> IO[str]:
    assert stream is not None, "the process was begun with pipes"
    return stream
