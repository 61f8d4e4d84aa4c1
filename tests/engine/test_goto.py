"""A job that is led elsewhere runs one slot alone; what is finished holds, and leads nowhere."""

from typing import Any

import pytest

from esflow import Answer, Engine, Goto, JobState, errors
from esflow import events as ev
from esflow.store import Store
from tests.engine.desk import board, desk
from tests.engine.flows import gated
from tests.engine.world import Gate, Hosts, Threads, check_refusal, count, held

LOOK = Goto("clerk.look")


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host with the flow of most examples."""
    return hosts(desk())


@pytest.fixture
def paused(engine: Engine) -> str:
    """Return a job that its program has paused, with work that is kept."""
    return engine.start("desk", "clerk.begin", job_id="one").job_id


def _log(state: JobState) -> list[str]:
    return [each.message for each in state.log]


def _dropped(engine: Engine, job_id: str) -> list[tuple[str, ...]]:
    recorded = [each.event for each in engine.history(job_id)]
    return [each.ids for each in recorded if isinstance(each, ev.WorkDropped)]


def test_a_goto_drops_what_the_program_kept_and_runs_one_slot(engine: Engine, paused: str) -> None:
    state = engine.resume(paused, Goto("clerk.wait", {"reason": "led"}), actor="boss")
    assert (state.status, [each.text for each in state.pause]) == ("paused", ["led"])
    assert (state.ready, state.deferrals, _log(state)) == ((), (), [])
    assert (state.shared, [each.payload for each in state.outputs]) == (
        {"x": 1, "total": 1},
        [{"by": "begin"}],
    )
    assert _dropped(engine, paused) == [("1.1/d0", "2.1")]
    led = next(each for each in engine.history(paused) if isinstance(each.event, ev.WorkDropped))
    assert led.actor == "boss"
    state = engine.resume(paused)
    assert (state.status, len(state.outputs)) == ("completed", 1)


def test_a_goto_drops_the_question_and_a_later_answer_is_refused(
    engine: Engine, store: Store
) -> None:
    engine.start("desk", "clerk.ask", job_id="one")
    state = engine.resume("one", Goto("clerk.wait", {"reason": "led"}))
    assert (state.questions, engine.jobs()[0].question) == ((), None)
    assert _dropped(engine, "one") == [("1.1/q0",)]
    with check_refusal(store, errors.InterruptNotFound, "'1.1/q0'", "open: none"):
        engine.resume("one", Answer(value=True, to="1.1/q0"))
    with check_refusal(store, errors.InterruptNotFound, "asks nothing"):
        engine.resume("one", Answer(value=True))


def test_a_goto_under_the_hold_of_an_operator_starts_nothing(engine: Engine, paused: str) -> None:
    engine.pause(paused, "audit")
    state = engine.resume(paused, LOOK)
    assert (state.status, [each.kind for each in state.pause]) == ("paused", ["operator"])
    assert [each.slot for each in state.ready] == ["clerk.look"]
    state = engine.resume(paused)
    assert (state.status, _log(state)) == ("completed", ["looked"])


def test_what_finished_neighbours_did_holds_and_leads_nowhere(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    driver = hosts(board(gate), max_parallel=1)
    start = lambda: driver.start("board", "member.begin", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        driver.pause("one")
        assert [each.id for each in released().ready] == ["2.2"]
    driver.update("one", {"total": 40})
    state = driver.resume("one", Goto("member.look"))
    assert (state.shared, _log(state)) == ({"x": 0, "total": 41}, ["spoke"])
    assert [(each.output, each.payload) for each in state.outputs] == [("out", {"by": 0})]
    assert (state.deferrals, state.questions) == ((), ())
    assert [(each.id, each.slot) for each in state.ready] == [("3.1", "member.look")]
    assert _dropped(driver, "one") == [("2.1/d0", "2.1/o0", "2.1/q0", "2.2")]
    state = driver.resume("one")
    assert (state.status, _log(state)) == ("completed", ["spoke", "looked"])
    assert state.log[-1].fields == {"x": 0, "total": 41}
    assert driver.verify("one").ok


def test_messages_stay_and_join_the_wave_after(engine: Engine, paused: str) -> None:
    engine.send(paused, "clerk.go", {"answer": True})
    state = engine.resume(paused, LOOK)
    assert (state.status, _log(state)) == ("completed", ["looked", "went"])
    assert [each.activation for each in state.log] == ["2.1", "3.1"]


def test_a_goto_beyond_the_limit_fails_the_job(hosts: Hosts) -> None:
    engine = hosts(desk(max_activations=2))
    engine.start("desk", "clerk.ask", job_id="one")
    state = engine.resume("one", Goto("clerk.wait", {"reason": "led"}))
    assert state.status == "paused"
    state = engine.resume("one", LOOK)
    assert state.failure is not None
    assert (state.status, state.failure.type, _log(state)) == ("failed", "ActivationLimit", [])


@pytest.mark.parametrize(
    ("goto", "shown"),
    [
        (Goto("clerk.wait"), "clerk.wait.reason"),
        (Goto("clerk.wait", {"reason": 5}), "clerk.wait.reason"),
        (Goto("clerk.look", {"more": 1}), "clerk.look.more"),
        (Goto("clerk.wait", {"reason": float("nan")}), "payload.reason"),
    ],
)
def test_a_payload_that_the_slot_does_not_take_is_refused(
    engine: Engine, store: Store, paused: str, goto: Goto, shown: str
) -> None:
    with check_refusal(store, errors.PayloadError, shown):
        engine.resume(paused, goto)


@pytest.mark.parametrize("slot", ["clerk.nothing", "nobody", ""])
def test_a_slot_that_the_flow_does_not_have_is_refused(
    engine: Engine, store: Store, paused: str, slot: str
) -> None:
    with check_refusal(store, errors.SlotNotFound, repr(slot), "clerk.look"):
        engine.resume(paused, Goto(slot))


@pytest.mark.parametrize("payload", [None, "x", 5])
def test_a_payload_that_is_none_is_refused(
    engine: Engine, store: Store, paused: str, payload: Any
) -> None:
    with check_refusal(store, errors.PayloadError, "not a payload"):
        engine.resume(paused, Goto("clerk.look", payload))


def test_a_goto_for_another_version_is_refused(engine: Engine, store: Store, paused: str) -> None:
    version = engine.state(paused).version
    with check_refusal(store, errors.VersionConflict, f"found {version}"):
        engine.resume(paused, LOOK, expected_version=version - 1)
    assert engine.resume(paused, LOOK, expected_version=version).status == "completed"


def test_only_a_paused_job_is_led_elsewhere(hosts: Hosts, store: Store, threads: Threads) -> None:
    gate = Gate()
    driver, other = hosts(gated(gate)), hosts(gated(gate))
    goto = Goto("worker.note", {"line": "led"})
    pending = driver.submit("gated", "worker.note", {"line": "x"})
    with held(
        threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")
    ) as released:
        for job_id, status in (("one", "running"), (pending, "pending")):
            with check_refusal(store, errors.NotPaused, job_id, status):
                other.resume(job_id, goto)
        released()
    with check_refusal(store, errors.JobClosed, "completed", "Goto('worker.note')"):
        other.resume("one", goto)


def test_a_pending_job_that_is_held_can_be_led_elsewhere(engine: Engine) -> None:
    engine.submit("desk", "clerk.begin", job_id="one")
    engine.pause("one")
    engine.resume("one", LOOK)
    assert _dropped(engine, "one") == [("1.1",)]
    state = engine.resume("one")
    assert (state.status, _log(state), state.outputs) == ("completed", ["looked"], ())


def test_a_job_that_is_led_twice_runs_the_last_slot(engine: Engine, paused: str) -> None:
    engine.pause(paused)
    engine.resume(paused, Goto("clerk.go", {"answer": True}))
    engine.resume(paused, LOOK)
    state = engine.resume(paused)
    assert (state.status, _log(state)) == ("completed", ["looked"])
    assert count(engine, paused, "WorkDropped") == 2
