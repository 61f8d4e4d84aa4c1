"""A process that tells of each message to a job, and ends after so many.

``python -m benchmarks.programs.following URL JOB COUNT``
"""

from __future__ import annotations

import sys

from benchmarks.programs.waking_program import follow
from esflow import Engine


def tell() -> None:
    """Say that a message has been seen."""
    sys.stdout.write(".")
    sys.stdout.flush()


if __name__ == "__main__":
    _, url, job_id, count = sys.argv
    with Engine(url) as engine:
        follow(engine, job_id, int(count), tell)
