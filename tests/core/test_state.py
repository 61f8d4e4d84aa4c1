"""What is reported of a job: immutable, plain where it is asked to be, and nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import attrs
import pytest

from esflow import Context, Engine, Flow, JobState, Recorded
from esflow import events as ev
from esflow.state import Activation, Member
from tests.core.scenario import (
    ASKED,
    CLAIMED,
    ENDED,
    HELD,
    HOLD,
    INTERRUPTED,
    PAUSED,
    RUNNING,
    STOPPED_AFTER,
    STOPPED_BEFORE,
    asked,
    deferred,
    done,
    emitted,
    failed,
    for_interrupt,
    for_question,
    given,
    interrupted,
    message,
    paused,
    resumed,
    started,
    stopping,
    wrote,
)

BROKEN = ev.Failure(type="ValueError", message="no", traceback="t")
RECORDS = (
    wrote("plan", "set", {"steps": [1]}),
    ev.MemoryWritten(activation="1.1", routine="a", key="seen", reducer="set", value=[1]),
    ev.Logged(activation="1.1", message="line", fields={"n": 1}),
    asked(choices=("A", 1)),
    deferred("1.1/d0", "a.in", n=1),
    emitted("1.1/o0", n=[1]),
    emitted("1.1/o1", "b.in", n=2),
)
FULL = (
    attrs.evolve(started(), labels={"team": "blue"}, after=("b.in",)),
    CLAIMED,
    *done("1.1", *RECORDS),
    paused(for_question()),
    message(),
    ev.JobForked(origin="another", version=3, live=True),
)
FAILED = (*RUNNING, failed(), ev.JobFailed(error=BROKEN, activation="1.1"))


def face(*events: ev.Event) -> JobState:
    """Return what is reported after these events."""
    return given(*events).fold().face()


GOLDEN = {
    "job_id": "job",
    "flow": "flow",
    "flow_version": "1",
    "fingerprint": "f",
    "labels": {"team": "blue"},
    "status": "paused",
    "version": 13,
    "wave": 1,
    "shared": {"plan": {"steps": [1]}},
    "memory": {"a": {"seen": [1]}},
    "log": [{"activation": "1.1", "message": "line", "fields": {"n": 1}}],
    "ready": [{"id": "2.1", "slot": "b.in", "payload": {"n": 2}, "cause": "1.1/o1"}],
    "deferrals": [
        {
            "id": "1.1/d0",
            "output": "later",
            "payload": {"n": 1},
            "targets": [{"slot": "a.in", "rename": None, "gather": None}],
        }
    ],
    "questions": [
        {
            "id": "1.1/q0",
            "text": "1.1/q0?",
            "to": "a.in",
            "choices": ["A", 1],
            "due_at_ms": None,
            "default": None,
            "gather": None,
        }
    ],
    "interrupts": [],
    "timers": [],
    "gathers": [],
    "messages": [{"id": "m1", "slot": "a.in", "payload": {"n": 1}, "key": None, "gather": None}],
    "outputs": [{"id": "1.1/o0", "output": "out", "payload": {"n": [1]}, "activation": "1.1"}],
    "failure": None,
    "pause": [{"kind": "question", "text": "1.1/q0?", "activation": "1.1"}],
    "wakes_at": None,
    "breakpoints": {"before": [], "after": ["b.in"]},
    "parent": None,
    "children": [],
    "forked_from": {"job_id": "another", "version": 3},
    "activations_count": 1,
}


def test_a_state_as_plain_data_has_stable_names() -> None:
    plain = face(*FULL).as_dict()
    assert plain == GOLDEN
    assert list(plain) == list(GOLDEN)
    assert json.loads(json.dumps(plain, allow_nan=False)) == GOLDEN
    assert type(plain["status"]) is str


def test_a_failure_as_plain_data_has_stable_names() -> None:
    assert face(*FAILED).as_dict()["failure"] == {
        "type": "ValueError",
        "message": "no",
        "traceback": "traceback of 1.1",
        "activation": "1.1",
        "key": None,
    }


def test_interrupts_and_breakpoints_as_plain_data_have_stable_names() -> None:
    interrupt = interrupted(payload={"cost": [1]}, choices=("A", 1), types=("integer", "string"))
    start = stopping(before=("b.in", "c.in"), after=("a.in",))
    plain = face(start, CLAIMED, interrupt, paused(for_interrupt(text=""))).as_dict()
    assert plain["interrupts"] == [
        {
            "id": "1.1/i0",
            "payload": {"cost": [1]},
            "choices": ["A", 1],
            "types": ["integer", "string"],
            "activation": "1.1",
        }
    ]
    assert plain["breakpoints"] == {"before": ["b.in", "c.in"], "after": ["a.in"]}
    assert plain["pause"] == [{"kind": "interrupt", "text": "", "activation": "1.1"}]
    assert (plain["ready"], plain["status"]) == ([], "paused")
    assert face(start, CLAIMED, interrupt).interrupts[0].activation == "1.1"


def test_plain_data_shares_nothing_with_the_state() -> None:
    state = face(*FULL)
    plain = state.as_dict()
    plain["shared"]["plan"]["steps"].append(2)
    plain["labels"]["team"] = "red"
    plain["outputs"][0]["payload"]["n"].append(2)
    assert state.as_dict() == GOLDEN


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(JobState)])
def test_a_state_cannot_be_changed(name: str) -> None:
    state = face(*FULL)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(state, name, None)
    assert not hasattr(state, "__dict__")


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ((started(),), "<JobState job pending v1>"),
        (RUNNING, "<JobState job running v2>"),
        (ASKED, "<JobState job paused v5 waiting: '1.1/q0?'>"),
        (INTERRUPTED, "<JobState job paused v4 waiting: 'go?'>"),
        (STOPPED_BEFORE, "<JobState job paused v2 because: 'before a.in'>"),
        (STOPPED_AFTER, "<JobState job paused v5 because: 'after a.in'>"),
        (PAUSED, "<JobState job paused v5 because: 'tea'>"),
        ((*RUNNING, HOLD, HELD), "<JobState job paused v4 because: 'inspection'>"),
        (ENDED, "<JobState job completed v4>"),
        (FAILED, "<JobState job failed v4 ValueError: 'no'>"),
    ],
)
def test_a_state_says_what_matters(history: tuple[ev.Event, ...], text: str) -> None:
    assert repr(face(*history)) == text


def test_a_failed_state_says_why_and_not_what_it_had_asked() -> None:
    asking = (*RUNNING, *done("1.1", asked(), emitted("1.1/o0", "a.in")), paused(for_question()))
    end = (resumed(), failed("2.1"), ev.JobFailed(error=BROKEN, activation="2.1"))
    assert repr(face(*asking, *end)) == "<JobState job failed v9 ValueError: 'no'>"


def test_a_moment_is_shown_in_utc() -> None:
    recorded = Recorded(
        job_id="job",
        version=1,
        position=1,
        recorded_at_ms=1_763_690_000_123,
        actor=None,
        host="h",
        token=0,
        hash="",
        event=started(),
    )
    assert recorded.recorded_at == datetime(2025, 11, 21, 1, 53, 20, 123_000, tzinfo=UTC)


def test_a_member_begins_with_every_field_and_shares_none_of_them() -> None:
    """Its constructor is written by hand."""
    names = [each.name for each in attrs.fields(Member)]
    one, other = (Member(Activation("1.1", "a.in", {})) for _ in range(2))
    assert one == other
    mutable = [each for each in names if isinstance(getattr(one, each), dict)]
    assert mutable == ["effects", "attempts", "answered"]
    assert not [each for each in mutable if getattr(one, each) is getattr(other, each)]


def test_changing_what_a_report_holds_changes_no_job() -> None:
    flow = Flow("flow")
    routine = flow.routine("a", outputs=("out",))

    @routine.slot(name="in")
    def handler(ctx: Context, n: list[int]) -> None:
        ctx.shared["n"] = [n]
        ctx.memory["n"] = n
        ctx.log("line", n=n)
        ctx.emit("out", n=n)
        ctx.defer("out", n=n)
        ctx.ask("which?", to="a.told", choices=[[1], [2]])

    @routine.slot
    def told(ctx: Context, answer: list[int]) -> None:
        """Take the answer."""

    with Engine("memory://", flows=[flow]) as engine:
        state = engine.start("flow", "a.in", {"n": [1]}, job_id="job", labels={"k": "v"})
        before = engine.state("job").as_dict()
        assert state.as_dict() == before
        spoil(state)
        spoil(engine.state("job"))
        for recorded in engine.history("job"):
            if isinstance(recorded.event, ev.SharedWritten):
                recorded.event.value.append("spoiled")
        assert engine.state("job").as_dict() == before
        assert engine.pause("job").as_dict()["shared"] == before["shared"]


def spoil(state: JobState) -> None:
    """Change whatever can be changed in a report."""
    state.shared["n"][0].append("spoiled")
    state.memory["a"]["n"].append("spoiled")
    state.log[0].fields["n"].append("spoiled")
    state.outputs[0].payload["n"].append("spoiled")
    state.deferrals[0].payload["n"].append("spoiled")
    labels = state.labels
    assert isinstance(labels, dict)
    labels["k"] = "spoiled"
