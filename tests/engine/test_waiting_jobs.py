"""A job that waits can be held, ended, told things and looked at; a worker wakes for it in time."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from esflow import Engine, JobState, errors
from esflow.events import TimerFired
from esflow.store import JobQuery, Store
from esflow.testing import ManualClock
from tests.engine.reminders import family, reminders
from tests.engine.world import PATIENCE_SECONDS, Hosts, Threads, check_refusal, count


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of all hosts."""
    return ManualClock()


@pytest.fixture
def engine(hosts: Hosts, clock: ManualClock) -> Engine:
    """Return a host with a job that waits for a minute."""
    engine = hosts(reminders(), clock=clock)
    engine.start("reminders", "clerk.plan", {"delays": [60]}, job_id="one")
    return engine


@contextmanager
def working(threads: Threads, *engines: Engine) -> Generator[list[JobState]]:
    """Have workers at work beside the block; yield what they have driven."""
    driven = list[JobState]()
    workers = [engine.worker() for engine in engines]
    futures = [threads.submit(worker.run, tell=driven.append) for worker in workers]
    try:
        yield driven
    finally:
        for worker, future in zip(workers, futures, strict=True):
            worker.stop()
            future.result(PATIENCE_SECONDS)


def fired(engine: Engine, job_id: str) -> list[str]:
    """Return the timers of a job that have fired, in the order in which they did."""
    events = [each.event for each in engine.history(job_id)]
    return [timer for it in events if isinstance(it, TimerFired) for timer in it.ids]


def test_a_worker_wakes_when_something_is_due(
    engine: Engine, clock: ManualClock, threads: Threads
) -> None:
    with working(threads, engine) as driven:
        engine.start("reminders", "clerk.plan", {"delays": [30, 90]}, job_id="two")
        clock.advance(60)
        assert engine.wait("one", PATIENCE_SECONDS).status == "completed"
        assert engine.state("two").status in {"waiting", "running"}
        clock.advance(30)
        assert engine.wait("two", PATIENCE_SECONDS).status == "completed"
    assert {each.job_id for each in driven} == {"one", "two"}
    # A worker that is late finds both timers due.
    assert [fired(engine, job_id) for job_id in ("one", "two")] == [
        ["1.1/t0"],
        ["1.1/t0", "1.1/t1"],
    ]


def test_several_workers_fire_a_timer_once(
    hosts: Hosts, clock: ManualClock, threads: Threads
) -> None:
    engines = [hosts(reminders(), clock=clock) for _ in range(3)]
    for number in range(12):
        engines[0].start("reminders", "clerk.plan", {"delays": [5]}, job_id=f"job-{number}")
    with working(threads, *engines):
        clock.advance(5)
        for number in range(12):
            engines[0].wait(f"job-{number}", PATIENCE_SECONDS)
    for number in range(12):
        assert count(engines[0], f"job-{number}", "TimerFired") == 1
        assert count(engines[0], f"job-{number}", "ExecutionClaimed") == 2


def test_a_worker_records_the_default_of_a_paused_job(
    engine: Engine, clock: ManualClock, threads: Threads
) -> None:
    with working(threads, engine):
        engine.start("reminders", "clerk.ask", {"seconds": 5}, job_id="asked")
        clock.advance(5)
        engine.wait("asked", PATIENCE_SECONDS)
    engine.run("asked")
    assert engine.state("asked").outputs[0].payload == {"answer": "no"}
    assert count(engine, "asked", "AnswerRecorded") == 1


def test_a_worker_that_works_once_does_not_wait_for_what_is_due_later(
    engine: Engine, clock: ManualClock
) -> None:
    driven = list[JobState]()
    engine.worker().run(once=True, tell=driven.append)
    assert driven == []
    clock.advance(60)
    engine.worker().run(once=True, tell=driven.append)
    assert [each.status for each in driven] == ["completed"]


def test_a_worker_leaves_alone_what_is_due_and_can_not_be_driven_here(
    engine: Engine, hosts: Hosts, clock: ManualClock
) -> None:
    clock.advance(60)
    hosts(family(), clock=clock).worker().run(once=True)
    assert engine.state("one").status == "waiting"
    poor = hosts(family(name="reminders"), clock=clock)
    poor.worker().run(once=True)
    assert count(engine, "one", "TimerFired") == 0


def test_a_waiting_job_is_held_and_goes_on_waiting(engine: Engine, clock: ManualClock) -> None:
    state = engine.pause("one", "inspection")
    assert (state.status, state.wakes_at is not None) == ("paused", True)
    state = engine.resume("one")
    assert (state.status, state.pause) == ("waiting", ())
    clock.advance(60)
    assert engine.run("one").status == "completed"


def test_only_what_is_paused_is_resumed(engine: Engine, store: Store) -> None:
    with check_refusal(store, errors.NotPaused, "waiting"):
        engine.resume("one")


def test_a_waiting_job_is_cancelled(engine: Engine, clock: ManualClock) -> None:
    assert engine.cancel("one").status == "cancelled"
    clock.advance(60)
    assert engine.run("one").status == "cancelled"
    assert (engine.recover(), count(engine, "one", "TimerFired")) == ([], 0)


def test_a_message_ends_the_waiting(engine: Engine) -> None:
    engine.send("one", "clerk.remind", {"number": 7})
    assert engine.state("one").status == "running", "somebody has to drive it"
    state = engine.run("one")
    assert (state.status, len(state.timers)) == ("waiting", 1)
    assert [each.payload for each in state.outputs] == [{"number": 7}]


def test_a_message_to_a_waiting_job_wakes_a_worker(engine: Engine, threads: Threads) -> None:
    with working(threads, engine) as driven:
        engine.send("one", "clerk.remind", {"number": 7})
        follow = engine.follow("one")
        assert any(each.event.name == "Emitted" for each in follow)
    assert [each.status for each in driven] == ["waiting"]


def test_nobody_is_told_that_a_job_waits(engine: Engine) -> None:
    with pytest.raises(errors.WaitTimeout):
        engine.wait("one", 0.01)


def test_data_of_a_waiting_job_can_be_changed(engine: Engine) -> None:
    assert engine.update("one", {"x": 1}).status == "waiting"


def test_a_waiting_job_is_listed_with_its_moment_and_has_no_lease(
    engine: Engine, clock: ManualClock, store: Store
) -> None:
    (summary,) = engine.jobs(status="waiting")
    assert summary.wakes_at == engine.state("one").wakes_at
    assert list(store.jobs(JobQuery(leased=True))) == []
    assert engine.verify().ok
