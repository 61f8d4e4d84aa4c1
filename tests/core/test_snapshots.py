"""A fold as the bytes of a snapshot: everything comes back, and nothing else is taken for it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final, get_args, get_type_hints

import attrs
import pytest

from esflow import events as ev
from esflow.codec import genesis
from esflow.fold import evolve, fold_events
from esflow.fold_wires import pack
from esflow.json_values import Misfit
from esflow.snapshots import (
    FOLD_VERSION,
    Replayed,
    decode_snapshot,
    encode_snapshot,
)
from esflow.state import JobFold, Member
from esflow.store import SnapshotRow
from tests.core.courses import steered

JOB: Final = "job"
STARTED: Final = ev.JobStarted(
    flow="flow",
    flow_version="1",
    fingerprint="f" * 64,
    slot="a.in",
    payload={"n": 1, "x": 1.0, "deep": [{"naïve": None}, -0.0, True]},
    limit=9,
    labels={"customer": "17"},
)
CLAIMED: Final = ev.ExecutionClaimed(
    host="host-a", process="1", flow_version="2", fingerprint="e" * 64
)
FAILURE: Final = ev.Failure(type="ValueError", message="no", traceback="trace", path="$.x")
ROUND: Final[tuple[ev.Event, ...]] = (
    STARTED,
    CLAIMED,
    ev.EffectRecorded(id="1.1/e0", function="f", digest="d", key="k", duration_us=5, result=[1.0]),
    ev.Emitted(
        id="1.1/o0",
        output="out",
        payload={"n": 1},
        targets=(ev.Target(slot="a.one"), ev.Target(slot="a.two", rename={"n": "m"})),
    ),
    ev.Emitted(id="1.1/o1", output="free", payload={"n": 2}),
    ev.EmissionDeferred(id="1.1/d0", output="out", payload={}, targets=(ev.Target(slot="a.one"),)),
    ev.SharedWritten(activation="1.1", key="list", reducer="append", value=1.0),
    ev.MemoryWritten(activation="1.1", routine="a", key="seen", reducer="set", value={"n": 1}),
    ev.Logged(activation="1.1", message="line", fields={"n": 1}),
    ev.QuestionAsked(id="1.1/q0", text="which?", to="a.told", choices=("A", 1, None)),
    ev.QuestionAsked(id="1.1/q1", text="why?", to="a.told"),
    ev.PauseRequested(kind="program", reason="tea", activation="1.1"),
    ev.ActivationCompleted(activation="1.1", started_at_ms=1, duration_us=2, events=9),
    ev.JobPaused(
        reasons=(
            ev.PauseReason(kind="question", text="which?", activation="1.1"),
            ev.PauseReason(kind="program", text="tea", activation="1.1"),
        )
    ),
    ev.SharedWritten(activation=None, key="sum", reducer="add", value=2),
    ev.MessageReceived(id="m1", slot="a.one", payload={"n": 3}, key="key"),
    ev.AnswerRecorded(id="1.1/q0", value={"free": "text"}),
    ev.DeferralsReleased(ids=("1.1/d0",)),
    ev.JobResumed(command="Continue", lifted="program"),
    CLAIMED,
    ev.EffectRecorded(id="2.1/e0", function="f", digest="d", key="k", duration_us=5, error=FAILURE),
    ev.SharedWritten(activation="2.2", key="list", reducer="set", value="text"),
    ev.ActivationCompleted(activation="2.2", started_at_ms=1, duration_us=2, events=1),
    ev.SharedWritten(activation=None, key="sum", reducer="add", value=0.5),
    ev.MessageReceived(id="m2", slot="a.one", payload={}),
    ev.ActivationFailed(
        activation="2.3", started_at_ms=1, duration_us=2, error=FAILURE, outcome="stop"
    ),
    ev.PauseRequested(kind="operator", reason="inspection"),
    ev.JobPaused(reasons=(ev.PauseReason(kind="operator", text="inspection"),)),
    ev.JobFailed(error=FAILURE, activation="2.3"),
)
CONFLICT: Final[tuple[ev.Event, ...]] = (
    STARTED,
    CLAIMED,
    ev.SharedWritten(activation="1.1", key="sum", reducer="set", value="text"),
    ev.SharedWritten(activation="1.1", key="sum", reducer="add", value=1),
    ev.ActivationCompleted(activation="1.1", started_at_ms=1, duration_us=2, events=2),
)
OVER_LIMIT: Final[tuple[ev.Event, ...]] = (
    attrs.evolve(STARTED, limit=1),
    CLAIMED,
    ev.Emitted(id="1.1/o0", output="out", payload={}, targets=(ev.Target(slot="a.one"),)),
    ev.ActivationCompleted(activation="1.1", started_at_ms=1, duration_us=2, events=1),
)
BEFORE: Final = ev.PauseReason(kind="breakpoint", text="before a.in", activation="1.1")
AFTER: Final = ev.PauseReason(kind="breakpoint", text="after a.in", activation="1.1")
SURE: Final = ev.PauseReason(kind="interrupt", text="sure?", activation="1.1")
STANDING: Final[tuple[ev.Event, ...]] = (
    attrs.evolve(STARTED, before=("a.in",), after=("a.one",)),
    ev.JobPaused(reasons=(BEFORE,)),
    ev.JobResumed(command="Continue", lifted="wave", before=("a.two",), after=("a.in",)),
    CLAIMED,
    ev.EffectRecorded(id="1.1/e0", function="f", digest="d", key="k", duration_us=5, result=[1.0]),
    ev.Interrupted(
        id="1.1/i0",
        payload={"plan": [1.0, None]},
        choices=(1, "a"),
        types=("integer", "string"),
        started_at_ms=1,
        duration_us=2,
    ),
    ev.JobPaused(reasons=(attrs.evolve(SURE, text=""),)),
    ev.AnswerRecorded(id="1.1/i0", value=1),
    ev.JobResumed(command="Answer", lifted="wave"),
    CLAIMED,
    ev.Interrupted(id="1.1/i1", payload="sure?", started_at_ms=3, duration_us=4),
    ev.JobPaused(reasons=(SURE,)),
    ev.AnswerRecorded(id="1.1/i1", value={"free": ["text", 1.0]}),
    ev.JobResumed(command="Answer", lifted="wave"),
    CLAIMED,
    ev.ActivationCompleted(activation="1.1", started_at_ms=5, duration_us=6),
    ev.JobPaused(reasons=(AFTER,)),
    ev.JobResumed(command="Continue", lifted="program", before=(), after=()),
    ev.JobCompleted(),
    ev.JobForked(origin="another", version=9, live=True),
)
JOINED: Final = (
    ev.Target(slot="a.all", gather=ev.Gather(count=2, among=("a.x", "a.y"), connection="a.x")),
    ev.Target(slot="a.two", gather=ev.Gather(count=2)),
)
EXPECTING: Final[tuple[ev.Event, ...]] = (
    attrs.evolve(STARTED, defaults={"sum": 1, "list": [1.0]}),
    CLAIMED,
    ev.EffectAttemptFailed(
        id="1.1/e0",
        function="f",
        digest="d",
        key="k",
        attempt=1,
        duration_us=5,
        error=FAILURE,
        again_at_ms=9,
    ),
    ev.ActivationFailed(
        activation="1.1",
        started_at_ms=1,
        duration_us=2,
        error=FAILURE,
        outcome="retry",
        again_at_ms=9,
        effects="reuse",
    ),
    ev.TimerFired(ids=("1.1",)),
    ev.TimerSet(id="1.1/t0", output="x", payload={"n": 1}, due_at_ms=9, targets=JOINED),
    ev.ChildStarted(
        id="1.1/c0", job_id="job/1.1/c0", flow="flow", slot="a.in", payload={}, then="a.told"
    ),
    ev.Emitted(id="1.1/o0", output="y", payload={"n": 1.0}, targets=JOINED),
    ev.SharedWritten(activation="1.1", key="list", reducer="custom:longest", value=["text", 1]),
    ev.ActivationCompleted(activation="1.1", started_at_ms=1, duration_us=2, events=4, attempt=2),
    ev.WaveMerged(values={"list": ["text", 1]}),
    ev.TimerFired(ids=("1.1/t0",)),
    CLAIMED,
    ev.ChildFinished(
        id="1.1/c0", status="failed", outputs=({"output": "x", "payload": {}},), failure=FAILURE
    ),
)
UNMERGED: Final[tuple[ev.Event, ...]] = (
    *CONFLICT,
    ev.JobFailed(error=FAILURE, activation="1.1", key="sum"),
    ev.SharedWritten(activation=None, key="sum", reducer="set", value=1),
    ev.JobRetried(effects="fresh"),
)
LED_AWAY: Final[tuple[ev.Event, ...]] = (
    *STANDING[:7],
    ev.JobResumed(command="Goto", lifted="wave"),
    ev.WaveMerged(values={"list": [1.0]}),
    ev.WorkDropped(slot="a.one", payload={"n": 1}, ids=("1.1",)),
)
NAMED: Final = {
    "round": ROUND,
    "conflict": CONFLICT,
    "over the limit": OVER_LIMIT,
    "standing still": STANDING,
    "expecting": EXPECTING,
    "merged after all": UNMERGED,
    "led away": LED_AWAY,
}

# What `FOLD_VERSION` stands for. If one of these no longer agrees, the fold has changed, and
# snapshots that were taken by the old one must not be read by the new one: add 1 to FOLD_VERSION
# in esflow/snapshots.py, and write down here what the test says.
DIGESTS: Final = {
    "version": 4,
    "fields": "13a59017c3a7316021ea5af1e2b4e13ea80eecf3c2e480f34ef8ab19edc59637",
    "folds": "7de485fbcdec2c1f27da7742d34a2580cef692e324029f2de3b9e6b8a6c8b483",
}


def folds() -> list[JobFold]:
    """Return the fold of every history at every version."""
    return [
        fold_events(JOB, history[:version])
        for history in NAMED.values()
        for version in range(1, len(history) + 1)
    ]


def replayed(fold: JobFold) -> Replayed:
    return Replayed(fold=fold, head=f"{fold.version:064d}", created_at_ms=1763690000000)


def kept(fold: JobFold) -> SnapshotRow:
    return encode_snapshot(replayed(fold), 1763690009000)


def outline(kind: Any, seen: dict[str, str]) -> dict[str, str]:
    """Return every class that is in a fold, with its fields as they are written in the code."""
    if attrs.has(kind) and kind.__name__ not in seen:
        fields = attrs.fields(kind)
        seen[kind.__name__] = ", ".join(f"{field.name}: {field.type}" for field in fields)
        hints = get_type_hints(kind)
        for field in fields:
            outline(hints[field.name], seen)
    for part in get_args(kind):
        outline(part, seen)
    return seen


def digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def test_the_fold_version_grows_when_the_fold_changes() -> None:
    found = {
        "version": FOLD_VERSION,
        "fields": digest(outline(JobFold, {})),
        "folds": digest([json.loads(pack(fold)) for fold in folds()]),
    }
    assert found == DIGESTS, (
        "what a fold holds or means has changed: add 1 to FOLD_VERSION in esflow/snapshots.py, "
        f"then write into DIGESTS: {found}"
    )


def test_the_histories_fill_every_field_that_a_fold_has() -> None:
    untouched, filled = JobFold(job_id=JOB), {"job_id"}
    members = list[Member]()
    for fold in folds():
        members += fold.members.values()
        filled |= {
            field.name
            for field in attrs.fields(JobFold)
            if getattr(fold, field.name) != getattr(untouched, field.name)
        }
    assert filled == {field.name for field in attrs.fields(JobFold)}
    for field in attrs.fields(Member):
        assert any(getattr(member, field.name) for member in members), field.name


@pytest.mark.parametrize("name", [*NAMED, *steered()])
def test_a_fold_comes_back_at_every_version_and_goes_on_from_there(name: str) -> None:
    history = tuple({**NAMED, **steered()}[name])
    whole = pack(fold_events(JOB, history))
    for version in range(len(history) + 1):
        fold = fold_events(JOB, history[:version])
        back = decode_snapshot(JOB, kept(fold))
        assert (back.head, back.created_at_ms) == (f"{version:064d}", 1763690000000)
        for field in attrs.fields(JobFold):
            if field.name != "members":  # Whose records may be a tuple or a list.
                found = getattr(back.fold, field.name)
                assert found == getattr(fold, field.name), field.name
        assert pack(back.fold) == pack(fold)
        assert json.dumps(back.fold.face().as_dict()) == json.dumps(fold.face().as_dict())
        for event in history[version:]:
            evolve(back.fold, event)
        assert pack(back.fold) == whole


def test_what_comes_back_shares_nothing_with_what_was_kept() -> None:
    fold = fold_events(JOB, ROUND[:13])
    row = kept(fold)
    fold.shared["list"].append(2)
    fold.members.clear()
    assert decode_snapshot(JOB, row).fold.shared == {"list": [1.0]}


def test_a_snapshot_is_readable_json() -> None:
    row = kept(fold_events(JOB, ROUND[:13]))
    found = json.loads(row.state)
    assert list(found) == ["hash", "created_at_ms", "fold"]
    assert found["fold"]["shared"] == {"list": [1.0]}
    assert list(found["fold"]) == [field.name for field in attrs.fields(JobFold)]


def test_the_hash_is_that_of_the_place_and_the_bytes() -> None:
    row = kept(fold_events(JOB, ROUND[:13]))
    place = f"snapshot\n{genesis(JOB)}\n{FOLD_VERSION}\n13\n{13:064d}\n".encode()
    assert json.loads(row.state)["hash"] == sha256(place + row.state[75:]).hexdigest()


def test_every_flipped_byte_is_seen() -> None:
    row = kept(fold_events(JOB, ROUND[:23]))
    for place in range(len(row.state)):
        state = bytearray(row.state)
        state[place] ^= 1
        with pytest.raises(Misfit):
            decode_snapshot(JOB, attrs.evolve(row, state=bytes(state)))


@pytest.mark.parametrize(
    "moved",
    [
        {"version": 12},
        {"version": 14},
        {"head": "0" * 64},
        {"fold_version": FOLD_VERSION + 1},
        {"state": b""},
        {"state": b"{}"},
    ],
)
def test_a_snapshot_that_was_moved_is_seen(moved: dict[str, Any]) -> None:
    row = kept(fold_events(JOB, ROUND[:13]))
    with pytest.raises(Misfit, match="not the one that was kept here"):
        decode_snapshot(JOB, attrs.evolve(row, **moved))


def test_a_snapshot_of_another_job_is_seen() -> None:
    with pytest.raises(Misfit, match="not the one that was kept here"):
        decode_snapshot("other", kept(fold_events(JOB, ROUND[:13])))


def sealed(body: bytes, *, version: int = 13) -> SnapshotRow:
    """Return a row whose hash is right, whatever is in it."""
    place = f"snapshot\n{genesis(JOB)}\n{FOLD_VERSION}\n{version}\n{'0' * 64}\n".encode()
    head = b'{"hash":"' + sha256(place + body).hexdigest().encode() + b'",'
    return SnapshotRow(
        version=version,
        fold_version=FOLD_VERSION,
        head="0" * 64,
        created_at_ms=0,
        state=head + body,
    )


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ('"fold":{', '"fold":{"more":1,'),
        ('"version":11,', ""),
        ('"version":11,', '"version":"11",'),
        ('["Logged",', '["Lagged",'),
        ('["Logged",', '["Emitted",'),
        ('"naïve"', '"na\udcffve"'),
        ("}", "]"),
    ],
)
def test_what_is_no_fold_is_refused_though_its_hash_is_right(text: str, other: str) -> None:
    body = kept(fold_events(JOB, ROUND[:11])).state[75:].decode()
    assert text in body
    broken = body.replace(text, other).encode("utf-8", "surrogateescape")
    with pytest.raises(Misfit):
        decode_snapshot(JOB, sealed(broken, version=11))


def test_what_another_fold_made_is_refused_though_its_hash_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("esflow.snapshots.FOLD_VERSION", FOLD_VERSION + 1)
    row = kept(fold_events(JOB, ROUND[:13]))
    assert decode_snapshot(JOB, row).fold.version == 13
    monkeypatch.undo()
    with pytest.raises(Misfit, match="not the one"):
        decode_snapshot(JOB, row)


def test_a_fold_of_another_version_is_refused_though_its_hash_is_right() -> None:
    body = kept(fold_events(JOB, ROUND[:13])).state[75:]
    assert decode_snapshot(JOB, sealed(body)).fold.version == 13
    with pytest.raises(Misfit, match="another fold than it says"):
        decode_snapshot(JOB, sealed(body, version=12))
