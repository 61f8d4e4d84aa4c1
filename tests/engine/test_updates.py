"""An update from outside changes shared data by the declared reducers, where the job stands still.

Between waves it holds at once; in an open wave it is that wave's last write.
"""

from collections.abc import Callable
from typing import Any

import pytest

from esflow import Answer, Context, Engine, Flow, JobState, Update, errors
from esflow import events as ev
from esflow.store import Store
from tests.engine.desk import board, desk
from tests.engine.flows import gated
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    check_refusal,
    held,
    names,
)


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host with the flow of most examples."""
    return hosts(desk())


@pytest.fixture
def paused(engine: Engine) -> str:
    """Return a job that its program has paused, with work that is kept."""
    return engine.start("desk", "clerk.begin", job_id="one").job_id


@pytest.fixture
def asked(engine: Engine) -> str:
    """Return a job that waits for an answer."""
    return engine.start("desk", "clerk.ask", job_id="two").job_id


def _said(state: JobState, message: str) -> list[dict[str, Any]]:
    return [dict(each.fields) for each in state.log if each.message == message]


def test_an_update_between_waves_holds_at_once_and_kept_work_sees_it(
    engine: Engine, paused: str
) -> None:
    state = engine.update(paused, {"x": 5, "new": [1]}, actor="boss")
    assert (state.status, state.shared) == ("paused", {"x": 5, "total": 1, "new": [1]})
    assert _said(engine.resume(paused), "looked") == [{"x": 5, "total": 1, "new": [1]}]
    written = [each for each in engine.history(paused) if each.actor == "boss"]
    assert [each.event for each in written] == [
        ev.SharedWritten(activation=None, key="x", reducer="set", value=5),
        ev.SharedWritten(activation=None, key="new", reducer="set", value=[1]),
    ]


@pytest.mark.parametrize("flows", [(), (desk(),)])
def test_an_update_goes_by_the_declared_reducers_with_or_without_the_flow(
    hosts: Hosts, paused: str, flows: tuple[Any, ...]
) -> None:
    outside = hosts(*flows)
    outside.update(paused, {"total": 10, "seen": "a"})
    state = outside.update(paused, {"total": 5, "seen": "b"})
    assert state.shared == {"x": 1, "total": 16, "seen": ["a", "b"]}


def test_an_update_of_an_open_wave_is_its_last_write_and_seen_from_the_next(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    driver, operator = hosts(board(gate), max_parallel=1), hosts()
    start = lambda: driver.start("board", "member.begin", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        operator.pause("one")
        assert [each.id for each in released().ready] == ["2.2"]
    state = operator.update("one", {"x": "outside", "total": 40})
    assert state.shared == {}
    state = driver.resume("one")
    assert [each["x"] for each in _said(state, "spoke")] == [None, None]
    assert state.shared == {"x": "outside", "total": 42}
    state = driver.resume("one", Answer(value=True))
    assert _said(state, "looked") == [{"x": "outside", "total": 42}]


@pytest.mark.parametrize("values", [{"total": "much"}, {"x": 2, "total": "much"}])
def test_an_update_that_does_not_apply_is_refused_as_a_whole(
    engine: Engine, store: Store, paused: str, values: dict[str, object]
) -> None:
    with check_refusal(store, errors.MergeError, "'total'", "'add'", "value that fits"):
        engine.update(paused, values)
    with check_refusal(store, errors.MergeError, "'total'", "'add'"):
        engine.resume(paused, Update(values))
    assert engine.resume(paused).status == "completed"


def test_an_update_that_does_not_apply_to_the_open_wave_is_refused(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate = Gate()
    driver = hosts(board(gate), max_parallel=1)
    start = lambda: driver.start("board", "member.begin", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        driver.pause("one")
        released()
    with check_refusal(store, errors.MergeError, "'total'"):
        driver.update("one", {"total": "much"})
    assert driver.resume("one").shared == {"x": 1, "total": 2}


def test_an_update_that_only_the_writes_of_the_open_wave_refuse_is_refused(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    operator = hosts()
    flow = Flow("pair", reducers={"notes": "append"})
    source = flow.routine("source", outputs=("items",))

    @source.slot
    def spread(ctx: Context) -> None:
        ctx.emit("items")
        ctx.emit("items")

    @flow.slot
    def item(ctx: Context) -> None:
        ctx.write("notes", "none", "set")
        threads.submit(operator.pause, ctx.job_id).result(PATIENCE_SECONDS)

    flow.connect("source.items", "item")
    driver = hosts(flow, max_parallel=1)
    state = driver.start("pair", "source.spread", job_id="one")
    assert (state.status, state.shared, len(state.ready)) == ("paused", {}, 1)
    with check_refusal(store, errors.MergeError, "'notes'", "'append'"):
        driver.update("one", {"notes": "more"})
    assert driver.update("one", {"other": 1}).status == "paused"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ("x", "'x' is not a payload"),
        (None, "None is not a payload"),
        ({"x": float("nan")}, "values.x"),
        ({5: "x"}, "values"),
    ],
)
def test_values_that_are_no_data_are_refused_by_their_path(
    engine: Engine, store: Store, paused: str, values: Any, shown: str
) -> None:
    with check_refusal(store, errors.PayloadError, shown):
        engine.update(paused, values)
    with check_refusal(store, errors.PayloadError, shown):
        engine.resume(paused, Update(values))


@pytest.mark.parametrize("expected", [0, 1, 99])
def test_an_update_for_another_version_is_refused(
    engine: Engine, store: Store, paused: str, expected: int
) -> None:
    version = engine.state(paused).version
    acts: list[Callable[[], JobState]] = [
        lambda: engine.update(paused, {"x": 2}, expected_version=expected),
        lambda: engine.resume(paused, Update({"x": 2}), expected_version=expected),
    ]
    for act in acts:
        with check_refusal(store, errors.VersionConflict, f"found {version}"):
            act()
    assert engine.update(paused, {"x": 2}, expected_version=version).shared["x"] == 2


def test_only_a_paused_job_is_updated(hosts: Hosts, store: Store, threads: Threads) -> None:
    gate = Gate()
    driver, other = hosts(gated(gate)), hosts(gated(gate))
    pending = driver.submit("gated", "worker.note", {"line": "x"})
    with held(
        threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")
    ) as released:
        for job_id, status in (("one", "running"), (pending, "pending")):
            with check_refusal(store, errors.NotPaused, job_id, status):
                other.update(job_id, {"x": 1})
            with check_refusal(store, errors.NotPaused, job_id, status):
                other.resume(job_id, Update({"x": 1}))
        released()
    with check_refusal(store, errors.JobClosed, "completed", "an update"):
        other.update("one", {"x": 1})
    with check_refusal(store, errors.JobNotFound, "'nobody'"):
        other.update("nobody", {"x": 1})


def test_resuming_with_an_update_updates_and_continues(engine: Engine, paused: str) -> None:
    state = engine.resume(paused, Update({"x": 5}), actor="boss")
    assert (state.status, _said(state, "looked")) == ("completed", [{"x": 5, "total": 1}])
    assert [each.payload for each in state.outputs] == [{"by": "begin"}, {"by": "begin"}]
    recorded = names(engine, paused)
    at = recorded.index("JobPaused")
    assert recorded[at : at + 4] == [
        "JobPaused",
        "SharedWritten",
        "DeferralsReleased",
        "JobResumed",
    ]


def test_resuming_with_an_update_does_not_answer(engine: Engine, store: Store, asked: str) -> None:
    with check_refusal(store, errors.AnswerRequired, "1.1/q0"):
        engine.resume(asked, Update({"x": 5}))
    assert engine.update(asked, {"x": 5}).status == "paused"
    assert engine.resume(asked, Answer(value=True)).shared == {"x": 5}


def test_resuming_with_an_update_lifts_the_hold_of_an_operator_alone(
    engine: Engine, paused: str
) -> None:
    engine.pause(paused, "audit")
    state = engine.resume(paused, Update({"x": 5}))
    assert (state.status, [each.kind for each in state.pause]) == ("paused", ["program"])
    assert state.shared["x"] == 5
