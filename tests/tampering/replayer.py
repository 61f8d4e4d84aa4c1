"""Reads two stores under an audit hook: ``python -m tests.tampering.replayer PLAIN HOSTILE``.

Everything is done with the plain store first, so that what is imported, opened or compiled at first
need has been.
It prints, as JSON, how many jobs and events it has read, and what the interpreter was asked for by
the hostile store alone: an audit hook can't be removed, which is why this is a process of its own.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from esflow import Answer, Engine, Flow
from esflow.errors import EsflowError
from tests.tampering.hostile import catcher

# What touches nothing outside of the interpreter.
_OWN: Final = {"builtins.id", "object.__getattr__", "sys._getframe", "sqlite3.connect/handle"}


def _read(url: str, flow: Flow) -> tuple[int, int]:
    """Load, replay, verify, list and answer every job, and return how many jobs and events."""
    with Engine(url, [flow], max_parallel=1) as engine:
        jobs = engine.jobs(limit=1000)
        events = 0
        for job in jobs:
            history = engine.history(job.job_id)
            events += len(history)
            for version in range(1, len(history) + 1):
                engine.state(job.job_id, version).as_dict()
            engine.jobs(labels=job.labels, flow=job.flow, limit=2)
            engine.store.find(job.job_id)
            try:
                engine.resume(job.job_id, Answer("no choice"), actor=job.job_id)
            except EsflowError:
                engine.resume(job.job_id, Answer("yes"), actor=job.job_id)
        assert engine.verify().ok
        return len(jobs), events


def locks(name: str, args: tuple[object, ...]) -> bool:
    """Tell whether what was filled unlocked is given its own class, as replaying does."""
    if name != "object.__setattr__":
        return False
    value, attribute, kind = args
    own = type(value).__base__
    return attribute == "__class__" and own is kind and own.__module__.startswith("esflow.")


def main() -> None:
    """Read the plain store, then the hostile one, and tell what differs."""
    plain, hostile = sys.argv[1:]
    told: list[str] = []
    listening = False

    def listen(name: str, args: tuple[object, ...]) -> None:
        if listening and name not in _OWN and not locks(name, args):
            told.append(f"{name} {args[0] if args else ''}")

    sys.addaudithook(listen)
    flow = catcher()
    _read(plain, flow)
    listening = True
    jobs, events = _read(hostile, flow)
    listening = False
    print(json.dumps({"jobs": jobs, "events": events, "told": told}))  # noqa: T201 - for the test


if __name__ == "__main__":
    main()
