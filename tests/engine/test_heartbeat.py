"""A host that drives renews its leases, all of them at once, and has no thread for it otherwise."""

import logging
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import pytest

from esflow import Context, Engine, Flow
from esflow.errors import StoreError
from esflow.runtime.heartbeat import Heartbeat
from esflow.store import JobQuery, Store
from esflow.stores import open_store
from esflow.testing import ManualClock
from tests.engine.flows import gated, support
from tests.engine.world import PATIENCE_SECONDS, Gate, Hosts, Threads, held

SHORT_SECONDS: Final = 0.03


def _beating(engine: Engine) -> threading.Thread | None:
    return engine._host.heartbeat.thread  # pyright: ignore[reportPrivateUsage]  # judged here


def _heartbeats() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name == "esflow-heartbeat"}


def _watched(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Collection[str]]:
    """Return what waits for the next renewal, and returns the leases that it was for."""
    beats: list[Collection[str]] = []
    changed = threading.Condition()
    renew = store.renew

    def renewing(leases: Collection[str], until_ms: int) -> int:
        found = renew(leases, until_ms)
        with changed:
            beats.append(leases)
            changed.notify_all()
        return found

    def following() -> Collection[str]:
        with changed:
            seen = len(beats)
            assert changed.wait_for(lambda: len(beats) > seen, PATIENCE_SECONDS)
            return beats[-1]

    monkeypatch.setattr(store, "renew", renewing)
    return following


def test_a_host_renews_what_it_drives(
    hosts: Hosts, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, clock = Gate(), ManualClock()
    driver = hosts(gated(gate), clock=clock, lease_seconds=SHORT_SECONDS)
    other = hosts(gated(gate), clock=clock)
    next_beat = _watched(driver.store, monkeypatch)
    with held(threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")) as go_on:
        for _ in range(3):
            clock.advance(SHORT_SECONDS)
            next_beat()
            next_beat()  # The one before may have read the clock before it was moved.
            assert other.recover() == []
        row = other.store.head("one")
        assert row is not None
        assert row.lease_until_ms == clock.now_ms() + 30
        assert go_on().status == "completed"


def test_one_beat_is_for_all_jobs_of_the_host(
    hosts: Hosts, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, opened = threading.Barrier(5), threading.Event()
    flow = Flow("many")

    @flow.slot
    def wait(ctx: Context) -> None:
        together.wait(PATIENCE_SECONDS)
        assert opened.wait(PATIENCE_SECONDS)

    engine = hosts(flow, lease_seconds=SHORT_SECONDS)
    next_beat = _watched(engine.store, monkeypatch)
    before = _heartbeats()  # Those of other engines may take their time to end.
    started = [threads.submit(engine.start, "many", "wait") for _ in range(4)]
    together.wait(PATIENCE_SECONDS)
    leases = {row.lease for row in engine.store.jobs(JobQuery(leased=True))}
    assert len(leases) == 4
    next_beat()  # This one may have begun before all of them were held.
    assert set(next_beat()) == leases
    assert _heartbeats() - before == {_beating(engine)}
    opened.set()
    assert {each.result(PATIENCE_SECONDS).status for each in started} == {"completed"}


def test_a_host_that_drives_nothing_has_no_heartbeat(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    engine = hosts(gated(gate), support(), lease_seconds=SHORT_SECONDS)
    engine.submit("support", "agent.note", {"line": "x"})
    assert _beating(engine) is None
    with held(threads, gate, lambda: engine.start("gated", "worker.first")) as go_on:
        thread = _beating(engine)
        assert thread is not None
        go_on()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert _beating(engine) is None
    engine.start("support", "agent.note", {"line": "x"})
    assert _beating(engine) is not thread


def test_a_closed_host_has_no_heartbeat(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    engine = hosts(gated(gate), lease_seconds=3600)
    with held(threads, gate, lambda: engine.start("gated", "worker.first", job_id="one")) as go_on:
        thread = _beating(engine)
        assert thread is not None
        engine.close()
        assert not thread.is_alive()
        row = engine.store.head("one")
        assert row is not None
        assert row.lease is None
        go_on()
    assert _beating(engine) is None


def test_a_beat_that_fails_is_logged_and_made_up_for(
    hosts: Hosts,
    threads: Threads,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = Gate()
    engine = hosts(gated(gate), lease_seconds=SHORT_SECONDS)
    renew, failed = engine.store.renew, threading.Event()

    def failing(leases: Collection[str], until_ms: int) -> int:
        if not failed.is_set():
            failed.set()
            raise StoreError("renewing leases", "it is busy", True)
        return renew(leases, until_ms)

    monkeypatch.setattr(engine.store, "renew", failing)
    next_beat = _watched(engine.store, monkeypatch)
    with held(threads, gate, lambda: engine.start("gated", "worker.first")) as go_on:
        assert failed.wait(PATIENCE_SECONDS)
        assert len(next_beat()) == 1
        assert go_on().status == "completed"
    with caplog.at_level(logging.WARNING, "esflow"):
        assert any("not renewed" in each for each in caplog.messages)


def test_a_child_has_no_heartbeat_of_its_parent(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/jobs.db?synchronous=normal")
    heartbeat = Heartbeat(store, ManualClock(), 3_600_000)
    with heartbeat.holding("mine"):
        assert heartbeat.thread is not None
        child = os.fork()
        if child == 0:
            code = 1
            try:
                begun: list[threading.Thread | None] = [heartbeat.thread]
                with heartbeat.holding("a child's"):
                    begun.append(heartbeat.thread)
                    code = 0 if [each is None for each in begun] == [True, False] else 2
                heartbeat.close()
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert heartbeat.thread.is_alive()
    heartbeat.close()
    store.close()
