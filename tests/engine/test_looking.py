"""Looking at a job shows any of its versions, and changes nothing."""

from concurrent.futures import Future
from typing import Any

import attrs
import pytest

from esflow import Answer, Engine, JobSummary, Recorded, Status, errors
from esflow.fold import fold_events
from esflow.moments import moment_of
from esflow.store import IndexRow, Store
from esflow.summary import summary_of
from tests.engine.flows import gated, support
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    check_refusal,
    held,
    stored,
)


@pytest.fixture
def asked(engine: Engine) -> str:
    """Return a job that waits for A or B."""
    return engine.start("support", "agent.trigger", {"task": "choose"}).job_id


def test_every_version_is_the_fold_of_the_events_up_to_it(
    engine: Engine, store: Store, asked: str
) -> None:
    engine.resume(asked, Answer("B"))
    before = stored(store)
    history = engine.history(asked)
    for version in range(1, len(history) + 1):
        events = [each.event for each in history[:version]]
        assert engine.state(asked, version) == fold_events(asked, events).face()
    assert engine.state(asked) == engine.state(asked, len(history))
    assert stored(store) == before


@pytest.mark.parametrize("version", [-7, -1, 0, 99])
def test_a_version_that_is_not_recorded_is_refused(
    engine: Engine, store: Store, asked: str, version: int
) -> None:
    last = engine.state(asked).version
    with check_refusal(store, errors.VersionConflict, f"expected version {version}", f"{last}"):
        engine.state(asked, version)


def test_no_version_of_an_unknown_job_is_found(engine: Engine, store: Store) -> None:
    for version in (None, 0, 1):
        with check_refusal(store, errors.JobNotFound, "'nobody'"):
            engine.state("nobody", version)


def test_what_is_shown_belongs_to_whoever_asked(engine: Engine, asked: str) -> None:
    shown: Any = engine.state(asked).shared
    shown["task"] = "changed"
    assert engine.state(asked).shared == {"task": "choose"}


def test_history_begins_after_a_version(engine: Engine, asked: str) -> None:
    whole = engine.history(asked)
    for after in range(len(whole) + 1):
        assert engine.history(asked, after) == whole[after:]


def test_a_history_needs_no_flow(hosts: Hosts, engine: Engine, asked: str) -> None:
    stranger = hosts()
    assert stranger.history(asked) == engine.history(asked)
    assert stranger.state(asked) == engine.state(asked)
    assert stranger.jobs() == engine.jobs()
    assert stranger.verify(asked).ok


@pytest.mark.parametrize("timeout", [0, 0.01, -1])
def test_waiting_ends_and_the_job_lives_on(engine: Engine, store: Store, timeout: float) -> None:
    job_id = engine.submit("support", "agent.note", {"line": "x"})
    shown = (job_id, "pending", str(timeout), "wait again")
    with check_refusal(store, errors.WaitTimeout, *shown) as caught:
        engine.wait(job_id, timeout)
    assert isinstance(caught.value, TimeoutError)
    assert engine.run(job_id).status == "completed"


def test_waiting_for_a_resting_job_returns_at_once(engine: Engine, asked: str) -> None:
    assert engine.wait(asked, 0) == engine.state(asked)
    engine.resume(asked, Answer("A"))
    assert engine.wait(asked, 0).status == "completed"


def test_waiting_ends_with_the_job_on_another_host(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver, watcher = hosts(gated(gate)), hosts()
    with held(
        threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")
    ) as released:
        waiting = threads.submit(watcher.wait, "one", PATIENCE_SECONDS)
        assert not waiting.done()
        assert released() == waiting.result(PATIENCE_SECONDS)


def test_waiting_ends_with_a_pause(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver, watcher = hosts(gated(gate)), hosts()
    with held(
        threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")
    ) as released:
        waiting = threads.submit(watcher.wait, "one", PATIENCE_SECONDS)
        watcher.pause("one", "lunch")
        released()
        state = waiting.result(PATIENCE_SECONDS)
    assert (state.status, state.pause[0].text) == ("paused", "lunch")


def _follow(engine: Engine, job_id: str | None, names: list[str], last: str) -> list[Recorded]:
    seen: list[Recorded] = []
    for recorded in engine.follow(job_id):
        seen.append(recorded)
        names.append(recorded.event.name)
        if recorded.event.name == last:
            return seen
    raise AssertionError("the store was closed before the end")


@pytest.mark.parametrize("job_id", [None, "one"])
def test_following_shows_what_comes_from_other_hosts(
    hosts: Hosts, threads: Threads, job_id: str | None
) -> None:
    gate = Gate()
    driver, follower = hosts(gated(gate)), hosts()
    driver.submit("gated", "worker.first", job_id="one")
    seen: list[str] = []
    following: Future[list[Recorded]] = threads.submit(
        _follow, follower, job_id, seen, "JobCompleted"
    )
    with held(threads, gate, lambda: driver.run("one")) as released:
        assert not following.done()
        released()
    assert following.result(PATIENCE_SECONDS) == list(driver.history("one"))


def test_following_all_shows_every_job_in_the_order_of_recording(
    hosts: Hosts, engine: Engine
) -> None:
    other = hosts(support())
    for host, job_id in ((engine, "a"), (other, "b"), (engine, "c")):
        host.start("support", "agent.trigger", {"task": "x"}, job_id=job_id)
    other.resume("a", Answer("A"))
    engine.resume("b", Answer("B"))
    other.resume("c", Answer("A"))
    seen: list[Recorded] = []
    for recorded in engine.follow():
        seen.append(recorded)
        if sum(each.event.name == "JobCompleted" for each in seen) == 3:
            break
    assert [each.position for each in seen] == list(range(1, len(seen) + 1))
    for job_id in "abc":
        assert [each for each in seen if each.job_id == job_id] == list(engine.history(job_id))


@pytest.mark.parametrize("job_id", [None, "one"])
def test_following_goes_on_where_it_was_left(engine: Engine, job_id: str | None) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    history = engine.history("one")
    for after in range(len(history)):
        assert next(engine.follow(job_id, after)) == history[after]


@pytest.mark.parametrize("job_id", [None, "one"])
def test_following_does_not_outlive_the_store(
    hosts: Hosts, engine: Engine, threads: Threads, job_id: str | None
) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    follower = hosts()
    iterator = follower.follow(job_id)
    for _ in engine.history("one"):
        next(iterator)

    following = threads.submit(list[Recorded], iterator)
    follower.store.close()
    assert following.result(PATIENCE_SECONDS) == []


@pytest.mark.parametrize("job_id", [None, "one"])
def test_following_ends_quietly_when_the_store_is_closed_in_between(
    hosts: Hosts, engine: Engine, job_id: str | None
) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    recorded = engine.history("one")
    unread, begun, ended = (hosts() for _ in range(3))
    iterators = [each.follow(job_id) for each in (unread, begun, ended)]
    next(iterators[1])
    for _ in recorded:
        next(iterators[2])
    for each in (unread, begun, ended):
        each.store.close()
    assert (list(iterators[0]), list(iterators[2])) == ([], [])
    assert all(each in recorded for each in iterators[1])


def test_a_status_that_is_none_is_refused(engine: Engine, store: Store) -> None:
    with check_refusal(store, errors.PayloadError, "'done'", "completed"):
        engine.jobs(status="done")


def test_a_summary_says_what_the_index_does() -> None:
    row = IndexRow(
        job_id="job",
        flow="support",
        flow_version="2",
        status="waiting",
        version=7,
        head="f" * 64,
        labels={"customer": "17"},
        created_at_ms=1,
        updated_at_ms=2,
        wakes_at_ms=3,
        question="Which option?",
        error="ValueError: no",
        host="host-a",
    )
    assert summary_of(row) == JobSummary(
        job_id="job",
        flow="support",
        flow_version="2",
        status=Status.WAITING,
        version=7,
        labels={"customer": "17"},
        created_at=moment_of(1),
        updated_at=moment_of(2),
        wakes_at=moment_of(3),
        question="Which option?",
        error="ValueError: no",
        host="host-a",
    )
    assert summary_of(attrs.evolve(row, wakes_at_ms=None)).wakes_at is None
