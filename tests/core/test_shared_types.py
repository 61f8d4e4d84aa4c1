"""The type of the shared data of a flow: what can be one, and what it is as data."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from esflow import Flow, errors
from esflow.wiring import wiring_of
from tests.engine.papers import Note, Paper, joined, paper


def test_the_type_is_part_of_the_definition_as_types_of_json() -> None:
    flow = paper()
    definition = flow.definition()
    assert definition["shared"]["name"] == "Paper"
    assert definition["shared"]["fields"]["low"] == ["integer"]
    assert definition["shared"]["fields"]["seen_at"] == ["null", "string"]
    wiring = wiring_of(definition)
    assert wiring.fingerprint == flow.fingerprint
    with pytest.raises(errors.FlowError, match="the class Paper of the shared data is missing"):
        wiring.freeze()
    handlers = {address: slot.function for address, slot in flow.slots.items()}
    functions = {"notes": joined}
    again = Flow.from_definition(definition, handlers, reducers=functions, shared=Paper)
    again.freeze()
    assert again.fingerprint == flow.fingerprint != Flow("paper").fingerprint
    with pytest.raises(errors.FlowError, match="is of another type than"):
        Flow.from_definition(definition, handlers, reducers=functions, shared=Note2)


@attrs.define
class Note2:
    """A note, all of which may be left out."""

    text: str = ""
    notes: int = 0
    count: int = 0


@attrs.define
class Private:
    """A class with a field of its own."""

    _secret: int = 0


@attrs.define
class Taken:
    """A class with a field that a mapping has."""

    items: int = 0


@attrs.define
class Typeless:
    """A class with a type that JSON isn't read as."""

    number: complex = 0j


declared: list[tuple[object, str]] = [
    (dict, "<class 'dict'> is no attrs class"),
    (Note2(), r"Note2\(.*\) is no attrs class"),
    (Note, "shared data begins with defaults, and Note has none for text"),
    (Private, "fields of Private can't be reached as ctx.shared._secret"),
    (Taken, "fields of Taken can't be reached as ctx.shared.items; rename items"),
    (Typeless, "the types of Typeless can't be used: number: complex has no JSON form"),
]


@pytest.mark.parametrize(("kind", "problem"), declared)
def test_a_class_that_can_not_be_the_type_is_refused(kind: Any, problem: str) -> None:
    with pytest.raises(errors.FlowError, match=problem):
        Flow("f", shared=kind)


def test_a_reducer_for_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(errors.FlowError, match="there is no field of Paper 'low2'"):
        Flow("f", shared=Paper, reducers={"low2": "add"})
