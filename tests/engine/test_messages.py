"""A message is accepted once, or refused with a reason and without a trace."""

import json
from typing import Any

import pytest

from esflow import Answer, Engine, Flow, errors
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.flows import gated, panel, support, wide
from tests.engine.world import Gate, Hosts, Threads, check_refusal, count, held, names, stored


@pytest.fixture
def asked(engine: Engine) -> str:
    """Return a job that waits for A or B."""
    return engine.start("support", "agent.trigger", {"task": "choose"}).job_id


def _note(engine: Engine, job_id: str, line: str, key: str | None = None) -> int:
    return engine.send(job_id, "agent.note", {"line": line}, key=key)


def test_an_ended_job_takes_no_message(engine: Engine, store: Store, asked: str) -> None:
    engine.resume(asked, Answer("A"))
    with check_refusal(store, errors.JobClosed, asked, "completed", "'agent.note'", "new job"):
        _note(engine, asked, "late")


@pytest.mark.parametrize("slot", ["agent.nothing", "nobody.note", "", "agent.", "agent.note.x"])
def test_an_unknown_slot_is_refused_with_the_known_ones(
    engine: Engine, store: Store, asked: str, slot: str
) -> None:
    with check_refusal(store, errors.SlotNotFound, repr(slot), "agent.note"):
        engine.send(asked, slot, {"line": "x"})


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({}, ("agent.note.line", "is missing")),
        ({"line": 5}, ("agent.note.line", "expected str, got 5")),
        ({"line": "x", "more": 1}, ("agent.note.more", "it takes line")),
        ({"line": {"deep": [0, float("inf")]}}, ("payload.line.deep[1]", "inf")),
        ({"line": "\ud800"}, ("payload.line", "surrogate")),
        ({5: "x"}, ("payload", "no text")),
        ("line", ("'line' is not a payload", "give a mapping")),
        (None, ("None is not a payload", "give a mapping")),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_by_its_path(
    engine: Engine, store: Store, asked: str, payload: Any, shown: tuple[str, ...]
) -> None:
    with check_refusal(store, errors.PayloadError, *shown):
        engine.send(asked, "agent.note", payload)


@pytest.mark.parametrize("key", [5, "\ud800", ("a", "b")])
def test_a_key_that_is_no_text_is_refused(
    engine: Engine, store: Store, asked: str, key: Any
) -> None:
    with check_refusal(store, errors.PayloadError, "key"):
        _note(engine, asked, "x", key)


def test_a_message_is_durable_at_its_version(engine: Engine, asked: str) -> None:
    version = _note(engine, asked, "hello")
    (recorded,) = engine.history(asked, after=version - 1)
    assert recorded.event.name == "MessageReceived"


@pytest.mark.parametrize("key", ["k", "", "line\nbreak"])
def test_the_same_key_again_is_the_same_message(
    hosts: Hosts, engine: Engine, store: Store, asked: str, key: str
) -> None:
    version = _note(engine, asked, "once", key)
    before = stored(store)
    assert _note(engine, asked, "once", key) == version
    assert _note(hosts(support()), asked, "once", key) == version
    assert stored(store) == before
    engine.resume(asked, Answer("A"))
    after_the_end = stored(store)
    assert _note(engine, asked, "once", key) == version
    assert stored(store) == after_the_end
    state = engine.state(asked)
    assert [each.message for each in state.log] == ["once"]


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(
    "other", [("agent.note", {"line": "other"}), ("agent.trigger", {"task": "once"})]
)
def test_a_key_stands_for_one_message(
    engine: Engine, store: Store, asked: str, ended: bool, other: tuple[str, dict[str, str]]
) -> None:
    version = _note(engine, asked, "once", "k")
    if ended:
        engine.resume(asked, Answer("A"))
    with check_refusal(store, errors.MessageKeyReused, "'k'", f"version {version}", "new key"):
        engine.send(asked, *other, key="k")


def test_messages_without_a_key_are_told_apart(engine: Engine, asked: str) -> None:
    assert _note(engine, asked, "twice") < _note(engine, asked, "twice")
    state = engine.resume(asked, Answer("A"))
    assert [each.message for each in state.log] == ["twice", "twice"]


def test_a_message_is_taken_by_a_host_without_the_flow(
    hosts: Hosts, engine: Engine, store: Store, asked: str
) -> None:
    other = hosts()
    _note(other, asked, "from afar")
    with check_refusal(store, errors.SlotNotFound, "'agent.nothing'", "agent.note"):
        other.send(asked, "agent.nothing", {})
    with check_refusal(store, errors.PayloadError, "payload.line"):
        other.send(asked, "agent.note", {"line": float("nan")})
    assert [each.message for each in engine.resume(asked, Answer("A")).log] == ["from afar"]


def test_a_message_to_a_pending_job_is_delivered_behind_its_start(engine: Engine) -> None:
    job_id = engine.submit("support", "agent.note", {"line": "start"})
    _note(engine, job_id, "message")
    assert [each.message for each in engine.run(job_id).log] == ["start", "message"]


def test_a_message_to_a_running_job_is_delivered_before_it_completes(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    engine, other = hosts(gated(gate)), hosts(panel())
    start = threads.submit(engine.start, "gated", "worker.second", {"number": 1}, job_id="quick")
    assert start.result().status == "completed"
    with held(
        threads, gate, lambda: engine.start("gated", "worker.first", job_id="busy")
    ) as released:
        other.send("busy", "worker.note", {"line": "in time"})
        state = released()
    assert state.status == "completed"
    assert [each.message for each in state.log] == ["in time"]
    assert state.outputs[0].payload == {"number": 2}


def test_a_message_while_the_last_handler_runs_is_delivered_before_the_job_completes(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    engine, other = hosts(wide(gate, width=1)), hosts(panel())
    start = lambda: engine.start("wide", "source.spread", job_id="busy")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        other.send("busy", "source.spread", {})
        state = released()
    assert (state.status, len(state.outputs), state.messages) == ("completed", 2, ())


def test_a_message_ends_no_pause_and_asks_for_no_host(engine: Engine, asked: str) -> None:
    _note(engine, asked, "waiting")
    state = engine.run(asked)
    assert (state.status, len(state.messages)) == ("paused", 1)
    assert "ExecutionClaimed" in names(engine, asked)


def test_the_same_wish_of_two_callers_is_recorded_in_different_bytes() -> None:
    histories: list[list[dict[str, Any]]] = []
    for _ in range(2):
        engine = Engine("memory://", [support()], host="one name", clock=ManualClock())
        engine.submit("support", "agent.note", {"line": "start"}, job_id="one")
        _note(engine, "one", "hello")
        engine.pause("one", "inspection")  # Two events in one append.
        histories.append([json.loads(row.state) for row in engine.store.read("one")])
    nonces = [[row.pop("nonce", None) for row in history] for history in histories]
    for found in nonces:
        assert [each is not None for each in found] == [True, True, True, False]
    assert len({each for found in nonces for each in found[:3]}) == 6
    for row in (*histories[0], *histories[1]):
        del row["hash"]
    assert histories[0] == histories[1]


def test_a_message_that_a_failed_job_never_saw_is_listed(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    flow = Flow("failing")

    @flow.slot
    def doomed(ctx: Any) -> None:
        gate.hold()
        raise RuntimeError("as planned")

    engine = hosts(flow)
    with held(threads, gate, lambda: engine.start("failing", "doomed", job_id="it")) as released:
        engine.send("it", "doomed", {})
        state = released()
    assert state.status == "failed"
    assert [each.slot for each in state.messages] == ["doomed"]
    assert count(engine, "it", "ActivationFailed") == 1
