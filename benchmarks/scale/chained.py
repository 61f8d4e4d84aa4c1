"""One process of a trial: ``python -m benchmarks.scale.chained URL STEPS``.

It opens the store, says that it is ready, begins when a line comes in, and says when it is done.
"""

from __future__ import annotations

import sys

from benchmarks.flows import chain
from esflow import Engine


def main(url: str, steps: str) -> None:
    """Run one chain of so many activations."""
    with Engine(url, flows=[chain()], snapshot_every=0) as engine:
        _say("ready")
        sys.stdin.readline()
        job = engine.start("chain", "counter.step", {"n": int(steps)})
        _say(job.status)


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
