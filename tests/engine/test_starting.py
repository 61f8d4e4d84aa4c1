"""A job begins once, or not at all."""

import os
import string
from typing import Any

import pytest

from esflow import Context, Engine, Flow, errors, inputs
from esflow.store import Store
from tests.engine.flows import gated, support
from tests.engine.world import Gate, Hosts, Threads, check_refusal, count, held, stored

DIGITS = string.digits + string.ascii_letters
STARTED = ("support", "agent.trigger", {"task": "choose"})


def test_a_new_id_holds_64_random_bits_in_15_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [0, 2**64 - 1, *(1 << bit for bit in range(64))]
    drawn = iter(numbers)

    def draw(count: int) -> bytes:
        return next(drawn).to_bytes(count, "big")

    monkeypatch.setattr(os, "urandom", draw)
    names = [inputs.new_job_id() for _ in numbers]
    assert [number_of(name) for name in names] == numbers
    assert all(inputs.checked_id(name) == name and len(name) == 15 for name in names)


def number_of(name: str) -> int:
    """Read an id as the number that it was made of."""
    digits = [DIGITS.index(character) for character in name.removeprefix("job-")]
    return sum(digit * 62**place for place, digit in enumerate(digits))


@pytest.mark.parametrize("flow", ["", "Support", "support ", "\ud800", 5])
def test_an_unknown_flow_is_refused_with_the_known_ones(
    engine: Engine, store: Store, flow: Any
) -> None:
    for begin in (engine.start, engine.submit):
        with check_refusal(store, errors.FlowNotFound, repr(flow), "registered: support"):
            begin(flow, "agent.trigger", {"task": "x"})


@pytest.mark.parametrize("slot", ["agent", "agent.none", "trigger", "", "agent.trigger.x"])
def test_an_unknown_slot_is_refused_with_the_known_ones(
    engine: Engine, store: Store, slot: str
) -> None:
    for begin in (engine.start, engine.submit):
        with check_refusal(store, errors.SlotNotFound, repr(slot), "agent.trigger"):
            begin("support", slot, {"task": "x"})


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({}, ("agent.trigger.task", "is missing")),
        ({"task": 1}, ("agent.trigger.task", "expected str")),
        ({"task": "x", "ask": 1}, ("agent.trigger.ask", "it takes task")),
        ({"task": [{"a": (1, {"b": float("nan")})}]}, ("payload.task[0].a[1].b", "nan")),
        ({"task": {"n": 2**63}}, ("payload.task.n", "64 bits")),
        ({"task": object()}, ("payload.task", "object")),
        ([("task", "x")], ("is not a payload", "give a mapping")),
    ],
)
def test_a_bad_payload_is_refused_by_its_path(
    engine: Engine, store: Store, payload: Any, shown: tuple[str, ...]
) -> None:
    for begin in (engine.start, engine.submit):
        with check_refusal(store, errors.PayloadError, *shown):
            begin("support", "agent.trigger", payload)


@pytest.mark.parametrize(
    "job_id", ["", " ", "a ", "a\x00b", "a\nb", "a@1", "\ud800", "x" * 201, 5, b"job", ["j"]]
)
def test_a_job_id_that_can_not_be_shown_is_refused(
    engine: Engine, store: Store, job_id: Any
) -> None:
    for begin in (engine.start, engine.submit):
        with check_refusal(store, errors.PayloadError, "job_id"):
            begin(*STARTED, job_id=job_id)


@pytest.mark.parametrize(
    "job_id",
    ["../../etc/passwd", "'; DROP TABLE stored_events; --", "a|b", "%", "_", "Ж", "x" * 200],
)
def test_a_hostile_job_id_is_only_a_name(engine: Engine, job_id: str) -> None:
    assert engine.start(*STARTED, job_id="other").job_id == "other"
    state = engine.start(*STARTED, job_id=job_id)
    assert (state.job_id, engine.state(job_id)) == (job_id, state)
    assert {each.job_id for each in engine.jobs()} == {"other", job_id}
    assert engine.verify().ok


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ({"team": 5}, "labels['team']"),
        ({"team": None}, "labels['team']"),
        ({5: "team"}, "labels[5]"),
        ({"team": "\ud800"}, "labels['team']"),
        ({"\ud800": "team"}, "labels['\\ud800']"),
        (["team"], "labels"),
    ],
)
def test_labels_are_text(engine: Engine, store: Store, labels: Any, shown: str) -> None:
    for begin in (engine.start, engine.submit):
        with check_refusal(store, errors.PayloadError, shown):
            begin(*STARTED, labels=labels)


def test_hostile_labels_are_only_data(engine: Engine) -> None:
    labels = {"'; DROP TABLE esflow_jobs; --": '"', "": "\x01", "a.b": "%"}
    state = engine.start(*STARTED, labels=labels)
    assert state.labels == labels
    assert [each.job_id for each in engine.jobs(labels=labels)] == [state.job_id]
    assert not engine.jobs(labels={"a.b": "x"})


@pytest.mark.parametrize("labels", [{"a": "b\x00c"}, {"a\x00b": "c"}])
def test_labels_that_a_database_would_cut_are_refused(
    engine: Engine, store: Store, labels: dict[str, str]
) -> None:
    with check_refusal(store, errors.PayloadError, "NUL", "leave it out"):
        engine.start(*STARTED, labels=labels)


@pytest.mark.parametrize("actor", [5, "\ud800", object()])
def test_an_actor_is_text(engine: Engine, store: Store, actor: Any) -> None:
    for begin in (engine.start, engine.submit):
        with check_refusal(store, errors.PayloadError, "actor"):
            begin(*STARTED, actor=actor)


def test_a_hostile_actor_is_only_data(engine: Engine) -> None:
    actor = "'; DROP TABLE stored_events; --\x00\n" + "x" * 1000
    job_id = engine.start(*STARTED, actor=actor).job_id
    assert engine.history(job_id)[0].actor == actor


def test_the_same_request_again_is_the_existing_job(
    hosts: Hosts, engine: Engine, store: Store
) -> None:
    state = engine.start(*STARTED, job_id="one")
    before = stored(store)
    assert engine.start(*STARTED, job_id="one", labels={"another": "label"}) == state
    assert hosts(support()).start(*STARTED, job_id="one") == state
    assert engine.submit(*STARTED, job_id="one") == "one"
    assert stored(store) == before


@pytest.mark.parametrize(
    ("request_made", "field"),
    [
        (("support", "agent.trigger", {"task": "other"}), "payload"),
        (("support", "agent.note", {"line": "choose"}), "slot"),
        (("gated", "worker.second", {"number": 1}), "flow"),
    ],
)
def test_another_request_under_a_known_id_is_refused(
    hosts: Hosts, store: Store, request_made: tuple[str, str, dict[str, Any]], field: str
) -> None:
    engine = hosts(support(), gated(Gate()))
    engine.start(*STARTED, job_id="one")
    with check_refusal(store, errors.JobExists, "'one'", f"with {field} ", "another job_id"):
        engine.start(*request_made, job_id="one")
    with check_refusal(store, errors.JobExists, f"with {field} "):
        engine.submit(*request_made, job_id="one")


@pytest.mark.parametrize("other", ["1", 1.0, True, [1]])
def test_a_request_is_another_if_its_json_is(hosts: Hosts, store: Store, other: object) -> None:
    flow = Flow("loose")

    @flow.slot
    def take(ctx: Context, value: Any) -> None:
        ctx.log("taken")

    engine = hosts(flow)
    engine.start("loose", "take", {"value": 1}, job_id="one")
    with check_refusal(store, errors.JobExists, repr(other)):
        engine.start("loose", "take", {"value": other}, job_id="one")


def test_a_start_of_a_submitted_job_runs_it(engine: Engine) -> None:
    job_id = engine.submit(*STARTED)
    assert engine.state(job_id).status == "pending"
    assert engine.start(*STARTED, job_id=job_id).status == "paused"


def test_two_hosts_that_start_one_job_start_it_once(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    first, second = hosts(gated(gate)), hosts(gated(gate))

    def start() -> Any:
        return first.start("gated", "worker.first", job_id="one")

    with held(threads, gate, start) as released:
        state = second.start("gated", "worker.first", job_id="one")
        assert (state.status, [each.id for each in state.ready]) == ("running", ["1.1"])
        assert released().status == "completed"
    assert count(first, "one", "ExecutionClaimed") == 1


def test_a_job_id_is_chosen_for_those_who_give_none(engine: Engine) -> None:
    ids = {engine.submit(*STARTED) for _ in range(20)}
    assert len(ids) == 20
    assert all(each.startswith("job-") for each in ids)


def test_the_request_is_copied(hosts: Hosts) -> None:
    flow = Flow("copying")
    payload: dict[str, list[Any]] = {"items": [1, {"deep": [2]}]}

    @flow.slot
    def take(ctx: Context, items: list[Any]) -> None:
        payload["items"].append("changed by the caller")
        items.append("changed by the handler")
        items[1]["deep"].clear()
        ctx.pause("look")

    engine = hosts(flow)
    engine.start("copying", "take", payload, job_id="one")
    (started, *_) = engine.history("one")
    assert getattr(started.event, "payload", None) == {"items": [1, {"deep": [2]}]}
