"""Real workers on one file share its jobs, and take over those of a worker that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

import pytest

from esflow import Engine
from esflow import events as ev
from esflow.store import JobQuery
from tests.simulation.jobs import flow
from tests.simulation.places import ROOT, Place, keys

JOBS = 200
PATIENCE_SECONDS = 60
Worker = subprocess.Popen[str]


@contextmanager
def _worker(place: Place, *words: str) -> Generator[Worker]:
    """Have ``esflow worker`` at work, in a process of its own."""
    command = [sys.executable, "-m", "esflow", "worker", "--app", "tests.simulation.jobs:flow"]
    told = os.environ | {
        "ESFLOW_STORE": place.url,
        "ESFLOW_TEST_FOLDER": str(place.folder),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "projections")]),
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *words], env=told, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _submit(
    place: Place, *, slot: str = "clerk.begin", numbers: Iterable[int] = range(JOBS)
) -> None:
    with Engine(place.url, [flow]) as engine:
        for number in numbers:
            engine.submit("shared", slot, {"number": number}, job_id=f"job-{number:03}")


def _check_done(place: Place, *, lost_calls: int) -> Counter[int]:
    """Hold what stands in the store in the end; return how often jobs were claimed."""
    calls, claims = place.ledger.calls(), Counter[int]()
    with Engine(place.url) as engine:
        report = engine.verify()
        assert (report.ok, report.jobs) == (True, JOBS)
        assert list(engine.store.jobs(JobQuery(leased=True))) == []
        for job in engine.jobs(limit=1000):
            assert job.status == "completed"
            history = engine.history(job.job_id)
            assert len(keys(history)) == len(set(keys(history))) == 2
            claims[sum(isinstance(each.event, ev.ExecutionClaimed) for each in history)] += 1
            assert set(keys(history)) <= set(calls)
    assert calls.total() <= 2 * JOBS + lost_calls
    return claims


def test_two_workers_share_what_was_submitted(new_place: Callable[[], Place]) -> None:
    place = new_place()
    _submit(place)
    with (
        _worker(place, "--once", "--jobs", "2", "--host", "one") as one,
        _worker(place, "--once", "--jobs", "2", "--host", "two") as two,
    ):
        told = [each.communicate(timeout=PATIENCE_SECONDS) for each in (one, two)]
        assert [each.returncode for each in (one, two)] == [0, 0]
    driven = [line.split("\t")[0] for out, _ in told for line in out.splitlines()]
    assert sorted(driven) == [f"job-{number:03}" for number in range(JOBS)], "each runs once"
    assert _check_done(place, lost_calls=0) == {1: JOBS}


def test_the_jobs_of_a_worker_that_is_killed_are_finished_by_another(
    new_place: Callable[[], Place],
) -> None:
    place = new_place()
    os.mkfifo(place.folder / "fifo")
    _submit(place, slot="clerk.stand", numbers=range(2))
    with _worker(place, "--jobs", "2", "--lease", "5") as one, Engine(place.url) as engine:
        _await_running(engine, 2)
        _submit(place, numbers=range(2, JOBS))
        with _worker(place, "--jobs", "2") as two:
            assert two.stdout is not None
            for _ in range(JOBS // 4):
                assert two.stdout.readline()
            one.kill()
            one.wait(PATIENCE_SECONDS)
            with (place.folder / "fifo").open("wb", buffering=0) as pipe:  # Who reads is the other.
                pipe.write(b"!!")
                for job in engine.jobs(limit=1000):
                    engine.wait(job.job_id, PATIENCE_SECONDS)
            two.send_signal(signal.SIGTERM)
            assert two.wait(PATIENCE_SECONDS) == 0
    assert _check_done(place, lost_calls=0) == {1: JOBS - 2, 2: 2}


def _await_running(engine: Engine, jobs: int) -> None:
    position = engine.store.position()
    while len(engine.jobs(status="running")) < jobs:
        position, before = engine.store.wait(position, PATIENCE_SECONDS), position
        assert position > before, "nothing happens"


@pytest.fixture
def standing(new_place: Callable[[], Place]) -> Place:
    """Return a place with a job that waits at a pipe, and one that was submitted after it."""
    place = new_place()
    os.mkfifo(place.folder / "fifo")
    _submit(place, slot="clerk.stand", numbers=range(1))
    _submit(place, numbers=range(1, 2))
    return place


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_end_lets_what_runs_come_to_rest(
    standing: Place, number: signal.Signals
) -> None:
    with _worker(standing, "--jobs", "1") as process:
        with (standing.folder / "fifo").open("wb", buffering=0) as pipe:  # The handler is there.
            process.send_signal(number)
            assert process.stderr is not None
            assert number.name in process.stderr.readline()
            pipe.write(b"!")
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (0, "job-000\tcompleted\t9\n")
    with Engine(standing.url) as engine:
        assert engine.state("job-001").status == "pending"


def test_a_worker_that_is_told_twice_gives_up_what_runs(standing: Place) -> None:
    with _worker(standing, "--jobs", "1") as process:
        with (standing.folder / "fifo").open("wb", buffering=0):
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            assert process.stderr.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 130
        assert process.stdout is not None
        assert process.stdout.read() == ""
    with Engine(standing.url) as engine:
        row = engine.store.head("job-000")
        assert row is not None
        assert (row.status, row.lease, row.lease_until_ms) == ("running", None, None)
