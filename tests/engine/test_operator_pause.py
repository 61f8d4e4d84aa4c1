"""An operator's pause holds the job, changes nothing that its program sees, and is lifted alone."""

from collections.abc import Callable
from typing import Any

import pytest

from esflow import Answer, Context, Engine, Flow, JobState, errors
from esflow.store import Store
from tests.engine.flows import gated, panel, support, wide
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    check_refusal,
    count,
    held,
    names,
    stored,
)


def _kinds(state: JobState) -> list[str]:
    return [each.kind for each in state.pause]


def _start(engine: Engine, flow: str, slot: str) -> Callable[[], JobState]:
    return lambda: engine.start(flow, slot, job_id="one")


def test_what_runs_finishes_and_nothing_more_starts(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver, operator = hosts(gated(gate)), hosts()
    with held(threads, gate, _start(driver, "gated", "worker.first")) as released:
        state = operator.pause("one", "inspection", actor="user:7")
        assert (state.status, _kinds(state)) == ("running", [])
        state = released()
    assert (state.status, [each.id for each in state.ready]) == ("paused", ["2.1"])
    assert [(each.kind, each.text) for each in state.pause] == [("operator", "inspection")]
    requested = [each for each in driver.history("one") if each.event.name == "PauseRequested"]
    assert [(each.actor, each.host) for each in requested] == [("user:7", "host-1")]
    state = hosts(gated(gate)).resume("one")
    assert (state.status, state.outputs[0].payload) == ("completed", {"number": 2})


def test_a_handler_of_another_job_may_pause_one_that_runs(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    flow = Flow("operating")
    engines: list[Engine] = []

    @flow.slot
    def operate(ctx: Context) -> None:
        engines[0].pause("one", ctx.job_id)

    engines.append(hosts(gated(gate), flow))
    with held(threads, gate, _start(engines[0], "gated", "worker.first")) as released:
        engines[0].start("operating", "operate", job_id="operator")
        state = released()
    assert [each.text for each in state.pause] == ["operator"]


def test_a_pause_that_a_running_job_was_asked_for_holds_its_fork_at_once(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    driver, stranger = hosts(gated(gate)), hosts()
    with held(threads, gate, _start(driver, "gated", "worker.first")) as released:
        fork = stranger.fork("one", stranger.pause("one").version)
        assert (fork.status, _kinds(fork)) == ("paused", ["operator"])
        assert stranger.state("one").status == "running"
        released()


def test_a_wide_wave_starts_no_more_members(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver, operator = hosts(wide(gate, width=4), max_parallel=1), hosts()
    with held(threads, gate, _start(driver, "wide", "source.spread")) as released:
        operator.pause("one")
        state = released()
    assert (state.status, [each.id for each in state.ready]) == ("paused", ["2.2", "2.3", "2.4"])
    state = hosts(wide(gate, width=4)).resume("one")
    assert [each.payload["number"] for each in state.outputs] == [0, 1, 2, 3]


def test_a_pause_that_is_withdrawn_in_time_stops_nothing(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver, operator = hosts(gated(gate)), hosts(gated(Gate()))
    with held(threads, gate, _start(driver, "gated", "worker.first")) as released:
        operator.pause("one")
        assert operator.resume("one").status == "running"
        state = released()
    assert (state.status, count(driver, "one", "JobPaused")) == ("completed", 0)
    assert count(driver, "one", "ExecutionClaimed") == 1


def test_a_wide_wave_goes_on_when_a_pause_is_withdrawn(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver = hosts(wide(gate, width=5), max_parallel=2)
    operator = hosts(wide(Gate(), width=5))
    with held(threads, gate, _start(driver, "wide", "source.spread")) as released:
        operator.pause("one")
        operator.resume("one")
        state = released()
    assert state.status == "completed"
    assert [each.payload["number"] for each in state.outputs] == [0, 1, 2, 3, 4]


def test_a_pending_job_is_paused_at_once_and_begun_by_continue(engine: Engine) -> None:
    job_id = engine.submit("support", "agent.note", {"line": "x"})
    state = engine.pause(job_id, "not yet")
    assert (state.status, _kinds(state)) == ("paused", ["operator"])
    assert engine.run(job_id).status == "paused"
    assert engine.recover() == []
    assert engine.start("support", "agent.note", {"line": "x"}, job_id=job_id).status == "paused"
    state = engine.resume(job_id)
    assert (state.status, [each.message for each in state.log]) == ("completed", ["x"])


def test_a_second_pause_is_the_first(engine: Engine, store: Store) -> None:
    job_id = engine.submit("support", "agent.note", {"line": "x"})
    engine.pause(job_id, "first")
    before = stored(store)
    state = engine.pause(job_id, "second")
    assert [each.text for each in state.pause] == ["first"]
    assert stored(store) == before


@pytest.mark.parametrize("reason", [5, "\ud800", None])
def test_a_reason_is_text(engine: Engine, store: Store, reason: Any) -> None:
    job_id = engine.submit("support", "agent.note", {"line": "x"})
    with check_refusal(store, errors.PayloadError, "reason"):
        engine.pause(job_id, reason)


def test_an_ended_job_is_not_paused(engine: Engine, store: Store) -> None:
    job_id = engine.start("support", "agent.note", {"line": "x"}).job_id
    with check_refusal(store, errors.JobClosed, job_id, "completed", "a pause", "new job"):
        engine.pause(job_id)


def test_the_hold_stands_beside_that_of_the_program(engine: Engine, store: Store) -> None:
    job_id = engine.start("support", "agent.trigger", {"task": "x"}).job_id
    state = engine.pause(job_id, "audit")
    assert _kinds(state) == ["question", "operator"]
    state = engine.resume(job_id)
    assert (state.status, _kinds(state)) == ("paused", ["question"])
    with check_refusal(store, errors.AnswerRequired, "1.1/q0"):
        engine.resume(job_id)
    assert engine.resume(job_id, Answer("A")).status == "completed"


def _deferring() -> Flow:
    flow = Flow("deferring")
    routine = flow.routine("routine", outputs=("out", "late"))

    @routine.slot
    def begin(ctx: Context) -> None:
        ctx.emit("out")
        ctx.defer("late")

    @routine.slot
    def middle(ctx: Context) -> None:
        ctx.log("middle")
        ctx.pause("by the program")

    @routine.slot
    def end(ctx: Context) -> None:
        ctx.log("end")

    flow.connect("routine.out", "routine.middle")
    flow.connect("routine.late", "routine.end")
    return flow


def test_a_continue_lifts_one_hold_and_releases_what_that_hold_kept(
    hosts: Hosts, engine: Engine
) -> None:
    driver = hosts(_deferring())
    driver.submit("deferring", "routine.begin", job_id="one")
    driver.pause("one")
    state = driver.resume("one")
    assert (_kinds(state), [each.message for each in state.log]) == (["program"], ["middle"])
    state = driver.pause("one")
    assert _kinds(state) == ["program", "operator"]
    state = driver.resume("one")
    assert (_kinds(state), len(state.deferrals)) == (["program"], 1)
    assert "DeferralsReleased" not in names(driver, "one")
    state = driver.resume("one")
    assert (state.status, [each.message for each in state.log]) == ("completed", ["middle", "end"])


def test_an_answer_is_recorded_and_waits_while_the_hold_stands(
    engine: Engine, store: Store
) -> None:
    job_id = engine.start("support", "agent.trigger", {"task": "x"}).job_id
    engine.pause(job_id)
    version = engine.send(job_id, "agent.note", {"line": "waits too"})
    state = engine.resume(job_id, Answer("B"))
    assert (state.status, _kinds(state), state.questions) == ("paused", ["operator"], ())
    assert (state.outputs, state.log) == ((), ())
    assert [each.slot for each in state.ready] == ["agent.note", "agent.user_input"]
    with check_refusal(store, errors.AnswerRefused, "'B'"):
        engine.resume(job_id, Answer("A"))
    state = engine.resume(job_id)
    assert (state.status, state.outputs[0].payload) == ("completed", {"text": "B"})
    assert [each.message for each in state.log] == ["waits too"]
    assert version < engine.history(job_id)[-1].version


def test_a_pause_is_transparent(hosts: Hosts) -> None:
    plain, disturbed = hosts(_deferring()), hosts(_deferring())
    plain.start("deferring", "routine.begin", job_id="plain")
    expected = plain.resume("plain")
    disturbed.submit("deferring", "routine.begin", job_id="disturbed")
    state = disturbed.state("disturbed")
    for _ in range(10):
        disturbed.pause("disturbed")
        state = disturbed.resume("disturbed")
        if _kinds(state) == ["program"]:
            state = disturbed.resume("disturbed")
        if state.status == "completed":
            break
    compared = ("shared", "log", "outputs", "wave", "activations_count", "deferrals")
    assert [getattr(state, each) for each in compared] == [
        getattr(expected, each) for each in compared
    ]


def test_a_pause_of_a_job_whose_host_has_gone_takes_effect_at_once(hosts: Hosts) -> None:
    flow = Flow("going")

    @flow.slot
    def leave(ctx: Context) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hosts(flow).start("going", "leave", job_id="one")
    state = hosts(panel()).pause("one", "wait")
    assert (state.status, _kinds(state)) == ("paused", ["operator"])


def test_a_failure_is_recorded_although_the_job_is_held(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    flow = Flow("failing")

    @flow.slot
    def doomed(ctx: Context) -> None:
        gate.hold()
        raise RuntimeError("as planned")

    driver = hosts(flow)
    with held(threads, gate, _start(driver, "failing", "doomed")) as released:
        hosts().pause("one")
        assert released().status == "failed"


def test_a_pause_wakes_whoever_waits_or_follows(hosts: Hosts, threads: Threads) -> None:
    engine, operator = hosts(support()), hosts()
    engine.submit("support", "agent.note", {"line": "x"}, job_id="one")

    def paused(job_id: str | None) -> str:
        follower = hosts()
        return next(
            each.job_id for each in follower.follow(job_id) if each.event.name == "JobPaused"
        )

    waiting = threads.submit(hosts().wait, "one", PATIENCE_SECONDS)
    following = [threads.submit(paused, job_id) for job_id in ("one", None)]
    assert not waiting.done()
    operator.pause("one")
    assert waiting.result(PATIENCE_SECONDS).status == "paused"
    assert [each.result(PATIENCE_SECONDS) for each in following] == ["one", "one"]
