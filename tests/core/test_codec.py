"""Laws of the stored row: it comes back equal, and no other row passes for it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow import wires
from esflow.codec import decode, encode, envelope, genesis
from esflow.errors import CorruptHistory, UnknownEvent
from esflow.events import (
    ActivationCompleted,
    Emitted,
    Event,
    JobPaused,
    Json,
    Recorded,
    SharedWritten,
    Target,
)
from esflow.json_values import Misfit
from esflow.upcasters import lift, schemas, upcasters
from tests.core.values import events, events_of, texts
from tests.golden import catalogue, write
from tests.golden.catalogue import Envelope

envelopes = st.builds(
    Envelope,
    recorded_at_ms=st.integers(-(10**13), 10**14),
    host=texts,
    actor=st.none() | texts,
    token=st.integers(0, 2**63 - 1),
)
here = envelope(1_763_690_000_123, "host-a", actor="user:17", token=2)
emitted = Emitted(id="1.1/o0", output="done", payload={"a": [1]}, targets=(Target(slot="archive"),))


def chained(topic: str, body: str | bytes) -> bytes:
    """Return a row with a good hash around anything, as a careful forger would write it."""
    wanted = body.encode() if isinstance(body, str) else body
    row_hash = encode_hash(topic, wanted)
    return b'{"hash":"' + row_hash.encode() + b'",' + wanted


def encode_hash(topic: str, body: bytes) -> str:
    from hashlib import sha256

    return sha256(f"{genesis('job')}\n{topic}\n".encode() + body).hexdigest()


def forged(topic: str, body: str | bytes) -> Recorded:
    return decode("job", 7, 7, topic, chained(topic, body), genesis("job"))


def row_with(data: object, **more: object) -> str:
    return json.dumps({"at": 1, "host": "h", "data": data} | more)[1:]


@given(events, envelopes, texts)
def test_an_event_comes_back_equal_with_its_circumstances(
    event: Event, around: Envelope, job_id: str
) -> None:
    topic, state, row_hash = encode(event, around.written, genesis(job_id))
    assert decode(job_id, 3, 9, topic, state, genesis(job_id)) == Recorded(
        job_id=job_id,
        version=3,
        position=9,
        recorded_at_ms=around.recorded_at_ms,
        actor=around.actor,
        host=around.host,
        token=around.token,
        hash=row_hash,
        event=event,
    )
    assert decode(job_id, 3, 9, topic, state, None).hash == row_hash


@given(events, envelopes)
def test_equal_events_give_equal_bytes(event: Event, around: Envelope) -> None:
    rebuilt = decode("job", 1, 1, *encode(event, around.written, genesis("job"))[:2], None).event
    assert encode(rebuilt, around.written, genesis("job")) == encode(
        event, around.written, genesis("job")
    )


@given(events, envelopes)
def test_a_row_is_one_line_of_json_that_omits_defaults(event: Event, around: Envelope) -> None:
    _, state, row_hash = encode(event, around.written, genesis("job"))
    row = json.loads(state)
    assert b"\n" not in state
    assert row["hash"] == row_hash
    assert row["at"] == around.recorded_at_ms
    assert ("actor" in row, "token" in row) == (around.actor is not None, around.token != 0)
    for field in attrs.fields(type(event)):
        default: Any = field.default
        default = default.factory() if hasattr(default, "factory") else default
        assert (field.name in row["data"]) is (getattr(event, field.name) != default)


def test_the_hash_is_what_the_documentation_says() -> None:
    topic, state, row_hash = encode(emitted, here, genesis("job"))
    assert state.decode() == (
        f'{{"hash":"{row_hash}","at":1763690000123,"actor":"user:17","host":"host-a","token":2,'
        '"data":{"id":"1.1/o0","output":"done","payload":{"a":[1]},"targets":[{"slot":"archive"}]}}'
    )
    assert row_hash == encode_hash(topic, state[75:])


@pytest.mark.parametrize(
    "data",
    [
        {"activation": "1.1", "started_at_ms": 1},
        {"activation": "1.1", "started_at_ms": 1, "duration_us": 1, "more": 1},
        {"activation": 1, "started_at_ms": 1, "duration_us": 1},
        {"activation": "1.1", "started_at_ms": True, "duration_us": 1},
        {"activation": "1.1", "started_at_ms": 1.5, "duration_us": 1},
        {"activation": "1.1", "started_at_ms": 1, "duration_us": None},
        {"activation": "1.1", "started_at_ms": 1, "duration_us": 1, "duration_ms": 1},
        [],
        None,
        "text",
    ],
)
def test_data_of_another_shape_is_corrupt(data: object) -> None:
    with pytest.raises(CorruptHistory, match=r"job 'job', version 7: ActivationCompleted/2"):
        forged("ActivationCompleted/2", row_with(data))


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        ("Emitted/1", {"id": "", "output": "", "payload": {}, "targets": [{"slot": "", "x": 1}]}),
        ("Emitted/1", {"id": "", "output": "", "payload": []}),
        ("JobFailed/1", {"error": {"type": "", "message": "", "more": None}}),
        ("JobFailed/1", {"error": None}),
        ("JobPaused/1", {"reasons": [{"kind": "", "text": "", "x": 0}]}),
        ("JobPaused/1", {"reasons": {}}),
        ("JobCompleted/1", {"anything": 1}),
    ],
)
def test_a_field_that_no_schema_has_is_corrupt_at_any_depth(topic: str, data: object) -> None:
    with pytest.raises(CorruptHistory):
        forged(topic, row_with(data))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"}",
        b"nonsense",
        b'"at":1,"host":"h","data":{}',
        b'"at":1,"host":"h","data":{}}}',
        b'"at":1,"host":"h"}',
        b'"at":1,"data":{}}',
        b'"host":"h","data":{}}',
        b'"at":"1","host":"h","data":{}}',
        b'"at":1,"host":null,"data":{}}',
        b'"at":1,"host":"h","more":1,"data":{}}',
        b'"at":1,"host":"h","token":"2","data":{}}',
        b'"at":1,"host":"h\xff","data":{}}',
        b'"at":1,"host":"\\ud800","data":{}}',
        b'"at":99999999999999999999,"host":"h","data":{}}',
        b'"at":999999999999999,"host":"h","data":{}}',
        b'"at":1,"host":"h","token":-1,"data":{}}',
        b'"at":1,"host":"h","data":{"a":NaN}}',
    ],
)
def test_a_row_of_another_shape_is_corrupt(body: bytes) -> None:
    for topic in ("JobCompleted/1", "ActivationCompleted/1"):
        with pytest.raises(CorruptHistory):
            forged(topic, body)


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
@pytest.mark.parametrize("topic", ["AnswerRecorded/1", "ActivationCompleted/1"])
def test_bottomless_json_is_corrupt(topic: str, deep: str) -> None:
    with pytest.raises(CorruptHistory):
        forged(topic, f'"at":1,"host":"h","data":{{"id":"1","value":{deep}')


@pytest.mark.parametrize(
    "topic",
    [
        "Emitted/3",
        "ActivationCompleted/4",
        "JobTeleported/1",
        "Emitted/0",
        "Emitted/01",
        "Emitted",
        "ActivationCompleted/0",
        "emitted/1",
        "",
        "/",
        "Emitted/1/1",
        "os.system/1",
        "\ud800/1",
    ],
)
def test_a_topic_that_is_not_ours_is_an_unknown_event(topic: str) -> None:
    body = row_with({})
    state = b'{"hash":"' + b"0" * 64 + b'",' + body.encode()
    with pytest.raises(UnknownEvent):
        decode("job", 1, 1, topic, state, None)


def test_a_newer_schema_with_a_good_hash_is_unknown_and_a_bad_hash_is_corrupt() -> None:
    with pytest.raises(UnknownEvent, match="upgrade before you touch this job"):
        forged("JobCompleted/2", row_with({}))
    with pytest.raises(CorruptHistory):
        decode(
            "job", 1, 1, "JobCompleted/2", chained("JobCompleted/1", row_with({})), genesis("job")
        )


@pytest.mark.parametrize(
    "data",
    [
        {"activation": "1.1", "started_at_ms": 1},
        {"activation": "1.1", "started_at_ms": 1, "duration_ms": "1"},
        {"activation": "1.1", "started_at_ms": 1, "duration_ms": True},
        {"activation": "1.1", "started_at_ms": 1, "duration_ms": 1.5},
        {"activation": "1.1", "started_at_ms": 1, "duration_ms": 1, "duration_us": 1},
        {"activation": "1.1", "started_at_ms": 1, "duration_ms": 1, "more": 1},
        [],
    ],
)
def test_data_of_an_old_schema_is_held_to_that_schema(data: object) -> None:
    with pytest.raises(CorruptHistory):
        forged("ActivationCompleted/1", row_with(data))


def test_an_old_row_keeps_its_hash_and_circumstances() -> None:
    data = {"activation": "1.1", "started_at_ms": 5, "duration_ms": 7, "events": 3}
    recorded = forged("ActivationCompleted/1", row_with(data, actor="a", token=4))
    assert recorded.event == ActivationCompleted(
        activation="1.1", started_at_ms=5, duration_us=7000, events=3
    )
    assert (recorded.actor, recorded.host, recorded.token) == ("a", "h", 4)
    state = chained("ActivationCompleted/1", row_with(data, actor="a", token=4))
    assert recorded.hash == json.loads(state)["hash"]


def test_a_second_hash_inside_a_row_is_not_taken_for_the_first() -> None:
    topic, body = "JobCompleted/1", '"at":1,"host":"h","hash":"other","data":{}}'
    assert forged(topic, body).hash == encode_hash(topic, body.encode())


@pytest.mark.parametrize("activation", [None, 1, ["1.1"]])
def test_an_old_write_that_names_no_activation_is_refused(activation: Any) -> None:
    data = {"activation": activation, "key": "k", "reducer": "set", "value": 1}
    with pytest.raises(CorruptHistory, match="schema 1 names the activation"):
        forged("SharedWritten/1", row_with(data))
    recorded = forged("SharedWritten/1", row_with({**data, "activation": "1.1"}))
    assert isinstance(recorded.event, SharedWritten)
    assert recorded.event.activation == "1.1"


def test_every_old_schema_has_its_upcaster() -> None:
    names = {kind.name for kind in get_args(Event)}
    for name, current in schemas.items():
        assert name in names
        assert [old for named, old in sorted(upcasters) if named == name] == [*range(1, current)]
    assert lift("JobCompleted", 1, {}) == {}


def test_the_catalogue_holds_every_event() -> None:
    assert {type(event) for event in catalogue.events} == set(get_args(Event))
    assert {kind.name for kind in get_args(Event)} == {kind.__name__ for kind in get_args(Event)}


@pytest.mark.parametrize("kind", get_args(Event))
def test_every_event_has_a_strategy(kind: type[Event]) -> None:
    assert repr(events_of(kind)).startswith("builds(")


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    program = "import json; from tests.golden.write import rows; print(json.dumps(rows()))"
    for seed in ("0", "1", "17"):
        printed = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        assert json.loads(printed) == write.rows()


hostile = """
import sys
from hashlib import sha256
from esflow import codec, wires
from esflow.errors import EsflowError
from esflow.payloads import structure
from esflow.events import *
from tests.golden.write import rows
from tests.golden.catalogue import job_id
from tests.tampering.replayer import locks

bodies = [
    '"at":1,"host":"h","data":{"py/object":"os.system","__reduce__":["os.system",["id"]]}}',
    '"at":1,"host":"h","data":{"id":"1","value":{"__class__":"os.system","__import__":"this"}}}',
    '"at":1,"host":"h","data":{"id":"${jndi}","value":"__import__(\\'this\\')"}}',
    '"at":1,"host":"h","data":' + '{"a":' * 5000,
    '"at":1,"host":"h","data":{"id":"1","value":"' + "A" * 100000 + '"}}',
]
topics = ["AnswerRecorded/1", "ActivationCompleted/1", "os.system/1", "this/1", "esflow.cli:main/1"]
for row in rows():
    codec.decode(job_id, 1, 1, row["topic"], row["state"].encode(), None)
for topic in topics:  # What is imported at first need is imported.
    for row in rows():
        try:
            codec.decode(job_id, 1, 1, topic, row["state"].encode(), None)
        except EsflowError:
            pass

seen = []
sys.addaudithook(lambda name, args: None if locks(name, args) else seen.append(name))
outcomes = []
start = codec.genesis("job")
for topic in topics:
    for body in bodies:
        row_hash = sha256(f"{start}\\n{topic}\\n{body}".encode()).hexdigest()
        state = ('{"hash":"' + row_hash + '",' + body).encode()
        try:
            outcomes.append(type(codec.decode("job", 1, 1, topic, state, start)).__name__)
        except EsflowError as error:
            outcomes.append(type(error).__name__)
print(sorted(set(outcomes)), sorted(set(seen) - {"object.__getattr__", "sys._getframe"}))
"""


def test_decoding_hostile_bytes_imports_and_executes_nothing() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", hostile],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert printed == "['CorruptHistory', 'Recorded', 'UnknownEvent'] []\n"


@attrs.frozen(kw_only=True)
class Untold:
    """No event: its default is not one that can be left out by identity."""

    ratio: Json = 0.5


@attrs.frozen(kw_only=True)
class Mapped:
    """No event: it holds ours in a way that no event does."""

    targets: dict[str, Target]


@pytest.mark.parametrize("kind", [Untold, Mapped])
def test_an_event_that_the_format_has_no_way_for_is_a_bug(kind: type[Any]) -> None:
    with pytest.raises(AssertionError):
        wires.row_of(kind)


def test_an_event_may_hold_one_of_ours() -> None:
    @attrs.frozen(kw_only=True)
    class Lone:
        target: Target

    row = wires.row_of(Lone)
    data = row.write(Lone(target=Target(slot="a")))
    assert data == b'{"target":{"slot":"a"}}'
    stored = row.read(b'{"hash":"","at":1,"host":"h","data":' + data + b"}")
    assert stored.data == Lone(target=Target(slot="a"))
    with pytest.raises(Misfit, match="unknown field"):
        row.read(b'{"hash":"","at":1,"host":"h","data":{"target":{"slot":"a","b":1}}}')


def test_an_empty_tuple_is_written_where_it_is_no_default() -> None:
    assert b'"reasons":[]' in encode(JobPaused(reasons=()), here, genesis("job"))[1]


def test_the_same_event_from_two_appends_differs_in_its_nonce_alone() -> None:
    event = Emitted(id="1.1/o0", output="done", payload={})
    ours = encode(event, envelope(1, "h", nonce="0a1b2c3d"), genesis("job"))
    theirs = encode(event, envelope(1, "h", nonce="4e5f6a7b"), genesis("job"))

    assert ours[1] != theirs[1]
    assert json.loads(ours[1])["nonce"] == "0a1b2c3d"
    (mine, other) = (
        decode("job", 1, 1, topic, state, genesis("job")) for topic, state, _ in (ours, theirs)
    )
    assert attrs.evolve(mine, hash=other.hash) == other
