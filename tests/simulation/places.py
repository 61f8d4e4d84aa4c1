"""Where a simulated job lives, and what must hold of it in the end, seen from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, cast, final

import attrs

from esflow import Engine, JobState, Recorded
from esflow import events as ev
from tests.laws.stripping import stripped
from tests.simulation.voyage import JOB, Ledger

ROOT: Final = Path(__file__).resolve().parents[2]
CIRCUMSTANCES: Final = frozenset({"job_id", "version", "pause"})


@final
@attrs.frozen
class Server:
    """A running fork server."""

    process: subprocess.Popen[str]

    @classmethod
    def started(cls) -> Server:
        """Start one."""
        command = [sys.executable, "-m", "tests.simulation.fork_server"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        return cls(process)

    def do(self, command: str, **kwargs: object) -> dict[str, Any]:
        """Have something done, and return what came of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": command, **kwargs}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the fork server has gone; it says why on standard error"
        return cast("dict[str, Any]", json.loads(line))

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait() == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


@final
@attrs.frozen
class Place:
    """A folder with a store and a ledger."""

    folder: Path

    @property
    def url(self) -> str:
        """The store."""
        return f"sqlite:///{self.folder}/jobs.db?synchronous=normal"

    @property
    def ledger(self) -> Ledger:
        """What was really done outside."""
        return Ledger(self.folder / "ledger")

    def history(self, job_id: str = JOB) -> Sequence[Recorded]:
        """Return what is recorded; nothing of a job that wasn't begun."""
        with Engine(self.url) as engine:
            known = any(each.job_id == job_id for each in engine.jobs(limit=1000))
            return engine.history(job_id) if known else ()

    def seen(self, job_id: str = JOB) -> tuple[JobState, Sequence[Recorded]]:
        """Return a job and its verified history."""
        with Engine(self.url) as engine:
            assert engine.verify(job_id).ok
            return engine.state(job_id), engine.history(job_id)


def places_in(folder: Path) -> Callable[[], Place]:
    """Return a factory of places, each with a store and a ledger of its own."""
    numbers = count()

    def make() -> Place:
        place = Place(folder / f"{next(numbers)}")
        place.folder.mkdir()
        return place

    return make


def undisturbed_in(server: Server, place: Place) -> Place:
    """Have the job done there, which nothing disturbs."""
    assert server.do("drive", folder=str(place.folder), parallel=1)["ended"] == "done"
    return place


def shown(state: JobState) -> dict[str, Any]:
    """Return what doesn't depend on who drove the job how often."""
    told = state.as_dict()
    return {name: value for name, value in told.items() if name not in CIRCUMSTANCES}


def keys(history: Sequence[Recorded]) -> list[str]:
    """Return the keys of the recorded effects, in order."""
    return [each.event.key for each in history if isinstance(each.event, ev.EffectRecorded)]


def check_equal(place: Place, undisturbed: Place, *, lost_calls: int) -> None:
    """Hold a disturbed run against the undisturbed one.

    Shape: ``lost_calls`` is how many calls may have been made without being recorded.
    """
    state, history = place.seen()
    expected, plain = undisturbed.seen()
    assert shown(state) == shown(expected)
    assert stripped(history) == stripped(plain)
    recorded = keys(history)
    assert len(recorded) == len(set(recorded)), "an effect is recorded once"
    calls = place.ledger.calls()
    assert set(calls) == set(recorded), "what was called is recorded in the end"
    assert calls.total() <= len(recorded) + lost_calls
