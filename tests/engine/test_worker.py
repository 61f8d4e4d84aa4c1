"""A worker drives what nobody drives, woken by what happens, and leaves alone what it can't."""

import logging
import threading
from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from esflow import Context, Engine, Flow, JobState
from esflow.errors import Fenced, PayloadError, StoreError
from esflow.store import JobQuery
from esflow.stores.memory import MemoryStore
from esflow.stores.sqlite import SQLiteStore
from tests.engine.flows import gated, support
from tests.engine.world import PATIENCE_SECONDS, Gate, Hosts, Threads, count, held


@contextmanager
def _working(threads: Threads, engine: Engine, jobs: int = 2) -> Generator[list[JobState]]:
    """Have a worker at work beside the block; yield what it has driven."""
    worker, driven = engine.worker(jobs=jobs), list[JobState]()
    future = threads.submit(worker.run, tell=driven.append)
    try:
        yield driven
    finally:
        worker.stop()
        future.result(PATIENCE_SECONDS)


def _open_gate() -> Gate:
    gate = Gate()
    gate.opened.set()
    return gate


def test_what_is_submitted_wakes_a_worker(hosts: Hosts, threads: Threads) -> None:
    service = hosts(support())
    with _working(threads, hosts(support())) as driven:
        for number in range(5):
            job_id = service.submit("support", "agent.note", {"line": f"{number}"})
            assert service.wait(job_id, PATIENCE_SECONDS).status == "completed"
        asked = service.submit("support", "agent.trigger", {"task": "x"})
        assert service.wait(asked, PATIENCE_SECONDS).status == "paused"
    assert [each.status for each in driven] == ["completed"] * 5 + ["paused"]


def test_a_worker_takes_over_when_a_lease_lapses(
    hosts: Hosts, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(leases: Collection[str], until_ms: int) -> int:
        raise StoreError("renewing leases", "this host stands still", True)

    gate = Gate()
    driver, other = hosts(gated(gate), lease_seconds=0.05), hosts(gated(_open_gate()))
    monkeypatch.setattr(driver.store, "renew", unable)
    with held(threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")) as go_on:
        with _working(threads, other):
            assert other.wait("one", PATIENCE_SECONDS).status == "completed"
        with pytest.raises(Fenced):
            go_on()


def test_a_job_that_is_given_back_wakes_a_worker(hosts: Hosts, threads: Threads) -> None:
    endings: list[type[BaseException]] = [KeyboardInterrupt]
    gate = Gate()
    flow = Flow("fragile")

    @flow.slot
    def work(ctx: Context) -> None:
        gate.hold()
        if endings:
            raise endings.pop()

    driver, other = hosts(flow), hosts(flow)
    with (
        _working(threads, other),
        held(threads, gate, lambda: driver.start("fragile", "work", job_id="one")) as go_on,
    ):
        with pytest.raises(KeyboardInterrupt):
            go_on()
        assert other.wait("one", PATIENCE_SECONDS).status == "completed"
    assert count(other, "one", "ExecutionClaimed") == 2


def test_no_more_jobs_run_at_once_than_wanted(hosts: Hosts, threads: Threads) -> None:
    lock, now, most = threading.Lock(), [0], [0]
    flow = Flow("counted")

    @flow.slot
    def work(ctx: Context) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait(PATIENCE_SECONDS)
        with lock:
            now[0] -= 1

    engine = hosts(flow)
    for _ in range(9):
        engine.submit("counted", "work")
    together = threading.Barrier(3)
    engine.worker(jobs=3).run(once=True)
    assert most == [3]
    assert {each.status for each in engine.jobs()} == {"completed"}


def test_a_worker_that_works_once_returns_when_nothing_is_left(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    engine = hosts(support(), gated(gate))
    with held(threads, gate, lambda: engine.start("gated", "worker.first", job_id="driven")):
        for number in range(40):
            engine.submit("support", "agent.note", {"line": "x"}, job_id=f"job-{number}")
        hosts(support(), gated(gate)).worker(jobs=3).run(once=True)
        left = [each.job_id for each in engine.jobs(status=["pending", "running"])]
        assert left == ["driven"]
    hosts().worker().run(once=True)


def test_a_stopped_worker_ends_what_it_runs_and_takes_nothing_more(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    engine = hosts(gated(gate))
    for job_id in ("one", "two"):
        engine.submit("gated", "worker.first", job_id=job_id)
    worker = engine.worker(jobs=1)
    with held(threads, gate, worker.run) as go_on:
        worker.stop()
        assert worker.is_stopped
        go_on()
    assert [each.status for each in engine.jobs()] == ["completed", "pending"]
    assert list(engine.store.jobs(JobQuery(leased=True))) == []


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_one_bad_job_stops_no_worker_and_is_not_tried_again_and_again(
    hosts: Hosts, threads: Threads, ending: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    bad = Flow("bad")

    @bad.slot
    def work(ctx: Context) -> None:
        raise ending

    service = hosts(support(), bad)
    job_id = service.submit("bad", "work")
    with caplog.at_level(logging.WARNING, "esflow"), _working(threads, hosts(support(), bad)):
        for _ in range(5):
            good = service.submit("support", "agent.note", {"line": "x"})
            assert service.wait(good, PATIENCE_SECONDS).status == "completed"
    assert count(service, job_id, "ExecutionClaimed") == 1
    assert [ending.__name__ in each for each in caplog.messages] == [True]
    row = service.store.head(job_id)
    assert row is not None
    assert (row.status, row.lease) == ("running", None)


def test_a_bad_job_is_tried_again_when_something_is_recorded_of_it(hosts: Hosts) -> None:
    endings: list[type[BaseException]] = [SystemExit]
    flow = Flow("once")

    @flow.slot
    def work(ctx: Context) -> None:
        if endings:
            raise endings.pop()

    @flow.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    engine = hosts(flow)
    worker, driven = engine.worker(), list[JobState]()
    job_id = engine.submit("once", "work")
    for _ in range(2):
        worker.run(once=True, tell=driven.append)
        assert (count(engine, job_id, "ExecutionClaimed"), driven) == (1, [])
    engine.send(job_id, "note", {"line": "try again"})
    worker.run(once=True, tell=driven.append)
    assert [each.status for each in driven] == ["completed"]


def test_a_store_that_can_not_go_on_ends_a_worker(
    hosts: Hosts, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hosts(support())
    engine.submit("support", "agent.note", {"line": "x"})

    def full(*_: Any, **__: Any) -> int:
        raise StoreError("appending", "the disk is full; make room", False)

    monkeypatch.setattr(engine.store, "append", full)
    with pytest.raises(StoreError, match="disk is full"):
        engine.worker().run()


def test_closing_the_store_ends_a_worker(hosts: Hosts, threads: Threads) -> None:
    engine = hosts(support())
    store = engine.store
    assert isinstance(store, MemoryStore | SQLiteStore)
    running = threads.submit(engine.worker().run)
    job_id = engine.submit("support", "agent.note", {"line": "x"})
    engine.wait(job_id, PATIENCE_SECONDS)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        running.result(PATIENCE_SECONDS)


@pytest.mark.parametrize("jobs", [0, -1, 1001])
def test_a_worker_drives_at_least_one_job_at_once(engine: Engine, jobs: int) -> None:
    with pytest.raises(PayloadError, match="jobs"):
        engine.worker(jobs=jobs)
