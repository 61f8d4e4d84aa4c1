"""What an esflow doesn't know of an event it refuses, however deep it stands; payloads are free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given

from esflow.codec import decode, encode, envelope, genesis
from esflow.errors import CorruptHistory
from esflow.events import Emitted, Event, Gather, Json, Target
from esflow.json_values import type_of
from tests.core.values import events

HERE = envelope(1, "here")


def read(topic: str, data: Json) -> Event:
    """Return the event in a row with this data."""
    row = {"hash": "", "at": 1, "host": "here", "data": data}
    return decode("job", 1, 1, topic, json.dumps(row).encode(), None).event


def objects(value: Any, data: Any) -> Iterator[dict[str, Json]]:
    """Yield what stands in an event's data for the event and for all of ours in it."""
    kind: Any = value.__class__
    if not attrs.has(kind):
        return
    yield data
    for field in attrs.fields(kind):
        inside: Any = getattr(value, field.name)
        its_data: Json = data.get(field.name)
        if type_of(its_data) is not list:
            inside, its_data = [inside], [its_data]
        for part, part_data in zip(inside, its_data, strict=True):
            yield from objects(part, part_data)


@given(events)
def test_a_field_that_its_schema_lacks_is_refused_at_any_depth(event: Event) -> None:
    topic, state, _ = encode(event, HERE, genesis("job"))
    data = json.loads(state)["data"]
    assert read(topic, data) == event
    for each in objects(event, data):
        each["unheard"] = None
        with pytest.raises(CorruptHistory, match="unknown field `unheard`"):
            read(topic, data)
        del each["unheard"]


def test_all_of_ours_in_an_event_is_looked_at() -> None:
    targets = (Target(slot="a"), Target(slot="b", gather=Gather(count=2)))
    event = Emitted(id="1.1/o0", output="o", payload={}, targets=targets)
    data = json.loads(encode(event, HERE, genesis("job"))[1])["data"]
    assert list(objects(event, data)) == [
        data,
        {"slot": "a"},
        {"slot": "b", "gather": {"count": 2}},
        {"count": 2},
    ]


def test_what_looks_like_a_field_in_a_payload_is_the_users() -> None:
    payload: Json = {"data": {"targets": [{"slot": "a", "more": 1}]}, 'x":': ',"more":1'}
    event = Emitted(id="1.1/o0", output="o", payload=payload)
    topic, state, _ = encode(event, HERE, genesis("job"))
    assert decode("job", 1, 1, topic, state, genesis("job")).event == event
