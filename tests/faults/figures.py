"""Prints what the faults come to: ``python -m tests.faults.figures [PART …]``.

A part is ``calls``, or power cuts with ``full`` or ``normal`` syncing; ``FAULTS=full`` tries all.
"""

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.faults.cuts import Cuts, Run, cut, recorded
from tests.faults.points import Findings, faults, sampled, tried, undisturbed
from tests.faults.server import Server, running
from tests.faults.sizes import Sizes, fast_folder, sizes

PARTS: Final = ("calls", "full", "normal")


def _of_faults(server: Server, folder: Path, size: Sizes) -> Iterator[str]:
    """Spoil the calls of a run, and tell what came of it."""
    plain, calls = undisturbed(server, folder)
    findings = Findings()
    for fault in sampled(list(faults(calls)), size.stride):
        tried(server, folder, plain, fault, findings)
    yield f"faults at the {calls} calls of one job"
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(findings.tried.items()))
    yield f"  tried {findings.tried.total()}: {kinds}"
    yield f"  refused {findings.refused}, of which with an open outcome {findings.left_open}"
    words = ("lost", "partial", "phantom", "wrong")
    yield "  " + ", ".join(f"{word} {findings.count(word)}" for word in words)


def _of_cuts(run: Run, cuts: Cuts, synchronous: str) -> Iterator[str]:
    yield f"power cuts of {len(run.log)} events, synchronous={synchronous}"
    yield f"  calls {len(run.recorded)}, images {cuts.images}, carried on {cuts.carried_on}"
    yield f"  images that lack acknowledged events {cuts.lost_images}, events {cuts.lost_events}"
    words = ("partial", "doubled", "wrong")
    counts = {word: sum(each.startswith(word) for each in cuts.problems) for word in words}
    yield "  " + ", ".join(f"{word} {count}" for word, count in counts.items())


def figures(parts: Sequence[str]) -> Iterator[str]:
    """Try what is asked for, in the size that is asked for, and tell what came of it."""
    size = sizes(os.environ)
    yield f"seed {size.seed}, SQLite {sqlite3.sqlite_version}"
    with TemporaryDirectory(dir=fast_folder()) as name, running(Path(name)) as server:
        folder = Path(name) / "work"
        folder.mkdir()
        if "calls" in parts:
            yield from _of_faults(server, folder, size)
        for synchronous in ("full", "normal"):
            if synchronous in parts:
                run = recorded(server, folder, synchronous)
                every = size.carry_on_every
                cuts = cut(run, size.images, size.seed, carry_on_every=every, folder=folder)
                yield from _of_cuts(run, cuts, synchronous)


if __name__ == "__main__":
    for line in figures(sys.argv[1:] or PARTS):
        print(line, flush=True)  # noqa: T201 - what it is for
