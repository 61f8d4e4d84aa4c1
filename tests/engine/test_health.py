"""A service asks whether its store can be worked with; trouble is an answer, not an error."""

import sqlite3
from contextlib import closing
from pathlib import Path

from esflow import Answer, Engine, Status
from esflow.stores.sqlite import SQLiteStore
from esflow.testing import ManualClock
from tests.engine.flows import gated, support
from tests.engine.world import Gate, Hosts, Threads, held, stored


def test_an_empty_store_is_well(hosts: Hosts) -> None:
    report = hosts(support()).health()
    assert (report.ok, report.reachable, report.writable, report.problem) == (
        True,
        True,
        True,
        None,
    )
    assert report.jobs == dict.fromkeys(Status, 0)
    assert (report.left, report.oldest_left) == (0, None)


def test_jobs_are_counted_by_status(hosts: Hosts) -> None:
    engine = hosts(support())
    paused = engine.start("support", "agent.trigger", {"task": "x"})
    engine.start("support", "agent.trigger", {"task": "y"})
    engine.resume(paused.job_id, Answer("A"))
    engine.submit("support", "agent.note", {"line": "z"})
    found = {status: count for status, count in engine.health().jobs.items() if count}
    assert found == {Status.PENDING: 1, Status.PAUSED: 1, Status.COMPLETED: 1}


def test_the_job_that_was_left_for_longest_is_named(hosts: Hosts, threads: Threads) -> None:
    clock, gates = ManualClock(), (Gate(), Gate())
    driver, late = (hosts(gated(gate), clock=clock) for gate in gates)
    with held(threads, gates[0], lambda: driver.start("gated", "worker.first", job_id="one")):
        clock.advance(20)
        with held(threads, gates[1], lambda: late.start("gated", "worker.first", job_id="two")):
            since = driver.state("one").version
            updated_at = driver.history("one")[since - 1].recorded_at
            assert driver.health().left == 0
            clock.advance(10)
            assert driver.health().left == 1
            clock.advance(60)
            report = late.health()
    assert report.ok
    assert report.left == 2
    assert report.oldest_left is not None
    assert report.oldest_left.job_id == "one"
    assert report.oldest_left.host == "host-0"
    assert report.oldest_left.updated_at == updated_at


def test_a_store_that_was_closed_is_not_reachable(hosts: Hosts) -> None:
    engine = hosts(support())
    engine.store.close()
    report = engine.health()
    assert (report.ok, report.reachable, report.writable) == (False, False, False)
    assert report.problem is not None
    assert "open another" in report.problem
    assert report.database is None


def test_a_store_that_somebody_else_keeps_locked_is_reachable_and_not_writable(
    tmp_path: Path,
) -> None:
    store = SQLiteStore(str(tmp_path / "jobs.db"), busy_seconds=0.1)
    with (
        closing(store),
        Engine(store) as engine,
        closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        report = engine.health()
        assert (report.ok, report.reachable, report.writable) == (False, True, False)
        assert report.problem is not None
        assert "busy" in report.problem
        other.execute("ROLLBACK")
        assert engine.health().ok


def test_looking_records_nothing(hosts: Hosts) -> None:
    engine = hosts(support())
    engine.submit("support", "agent.note", {"line": "z"})
    before = stored(engine.store)
    engine.health()
    assert stored(engine.store) == before


def test_a_left_job_whose_index_row_is_damaged_is_a_problem_with_its_remedy(
    tmp_path: Path,
) -> None:
    with Engine(f"sqlite:///{tmp_path}/jobs.db", [support()]) as engine:
        engine.submit("support", "agent.note", {"line": "z"}, job_id="one")
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as other, other:
            other.execute("UPDATE esflow_jobs SET lease = 'x||1||0', lease_until_ms = 1")
            other.execute("UPDATE esflow_jobs SET updated_at_ms = 9000000000000000000")
        report = engine.health()
    assert not report.ok
    assert report.problem is not None
    assert "'one'" in report.problem
    assert "esflow doctor --rebuild-index" in report.problem
