"""A worker process wakes for what is due; when it is killed, another one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from esflow import Engine
from esflow import events as ev
from tests.simulation.alarms import flow
from tests.simulation.places import ROOT, Place

PATIENCE_SECONDS = 60.0
TIMES = 4


@contextmanager
def _worker(place: Place, host: str) -> Generator[subprocess.Popen[str]]:
    """Have ``esflow worker`` at work, in a process of its own."""
    command = [sys.executable, "-m", "esflow", "worker", "--host", host]
    told = os.environ | {
        "ESFLOW_STORE": place.url,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "projections")]),
    }
    app = ("--app", "tests.simulation.alarms:flow")
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *app], env=told, stdout=pipe, stderr=pipe, text=True) as one:
        try:
            yield one
        finally:
            if one.poll() is None:
                one.kill()


def test_a_killed_workers_timers_are_fired_by_another(new_place: Callable[[], Place]) -> None:
    place = new_place()
    with Engine(place.url, [flow]) as engine:
        job_id = engine.submit("alarms", "clock.begin", {"times": TIMES})
        with _worker(place, "one") as one:
            for each in engine.follow(job_id):
                if isinstance(each.event, ev.TimerFired):
                    break
            os.kill(one.pid, signal.SIGKILL)
        with _worker(place, "two"):
            state = engine.wait(job_id, PATIENCE_SECONDS)
        history = engine.history(job_id)
        assert engine.verify().ok
        child = engine.state(f"{job_id}/1.1/c0")
    assert (state.status, child.status) == ("completed", "completed")
    fired = [each for each in history if isinstance(each.event, ev.TimerFired)]
    assert len(fired) == TIMES
    assert (fired[0].host, fired[-1].host) == ("one", "two")
    told = [each.payload for each in state.outputs]
    assert [each["left"] for each in told if "left" in each] == [3, 2, 1, 0]
    assert [each for each in told if "status" in each] == [{"status": "completed", "rung": 1}]
