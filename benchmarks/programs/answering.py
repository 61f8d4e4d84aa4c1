"""A process that answers one job and ends: ``python -m benchmarks.programs.answering URL JOB``."""

from __future__ import annotations

import sys

from benchmarks.flows import asking
from esflow import Answer, Engine

if __name__ == "__main__":
    _, url, job_id = sys.argv
    with Engine(url, flows=[asking()]) as engine:
        assert engine.resume(job_id, Answer("A")).status == "completed", "another end"
