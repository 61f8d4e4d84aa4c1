"""What an interrupt may ask, and whose answer is whose."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given

from esflow.asking import Asked, answer_to, asking
from esflow.errors import NondeterminismError, PayloadError
from esflow.events import Json
from esflow.json_values import same_json, type_name
from esflow.payloads import to_json
from esflow.state import Answered
from tests.core.scenario import interrupted
from tests.core.values import Colour, Item, Mood, Pair, Rights, Size, annotated

ANY: Asked = Asked(id="1.1/i0", payload="go?", choices=None, types=())


def given_to(value: Json, **options: Any) -> Answered:
    """Return an answer that stands, with what it was given to."""
    return Answered(value=value, version=5, interrupt=interrupted(**options))


@pytest.mark.parametrize(
    ("kind", "types", "choices"),
    [
        (None, (), None),
        (Any, (), None),
        (object, (), None),
        (int, ("integer",), None),
        (float, ("integer", "number"), None),
        (bool, ("boolean",), None),
        (str, ("string",), None),
        (datetime, ("string",), None),
        (list[int], ("array",), None),
        (Pair, ("array",), None),
        (dict[str, int], ("object",), None),
        (Item, ("object",), None),
        (int | None, ("integer", "null"), None),
        (Item | str, ("object", "string"), None),
        (Mood, ("string",), ("calm", "loud")),
        (Size, ("integer",), (1, 2)),
        (Rights, ("integer",), None),
        (Colour, ("integer", "null", "number", "string"), ("red", 1, 0.5, None)),
        (Literal["a", 1], ("integer", "string"), ("a", 1)),
    ],
)
def test_a_type_is_recorded_as_the_types_of_json_that_it_is_read_from(
    kind: Any, types: tuple[str, ...], choices: tuple[Json, ...] | None
) -> None:
    expected = Asked(id="1.1/i0", payload="go?", choices=choices, types=types)
    assert asking("1.1/i0", "go?", None, kind) == expected


@given(annotated())
def test_what_a_type_writes_is_an_answer_of_it(drawn: tuple[Any, Any]) -> None:
    kind, value = drawn
    asked, data = asking("1.1/i0", None, None, kind), to_json(value, "value")
    assert not asked.types or type_name(data) in asked.types
    assert asked.choices is None or any(same_json(data, each) for each in asked.choices)


@pytest.mark.parametrize(
    ("kind", "choices", "recorded"),
    [
        (None, ["a", 1, None], ("a", 1, None)),
        (None, (Mood.CALM, {"b": (2,)}), ("calm", {"b": [2]})),
        (int, [1, 2], (1, 2)),
        (Mood, [Mood.LOUD], ("loud",)),
    ],
)
def test_choices_are_recorded_as_json(kind: Any, choices: Any, recorded: tuple[Json, ...]) -> None:
    assert asking("1.1/i0", "go?", choices, kind).choices == recorded


@pytest.mark.parametrize(
    ("payload", "choices", "kind", "shown"),
    [
        ({"deep": [float("nan")]}, None, None, "interrupt.deep[0]"),
        ("go?", [], None, "interrupt.choices: [] offers no choice"),
        ("go?", "yes", None, "interrupt.choices: 'yes' offers no choice"),
        ("go?", [1, {2: 3}], None, "interrupt.choices[1]"),
        ("go?", [1, "a"], int, "interrupt.choices: expected int"),
        ("go?", ["x"], Mood, "interrupt.choices"),
        ("go?", None, socket.socket, "interrupt.type"),
        ("go?", None, list[socket.socket], "interrupt.type"),
        ("go?", None, "text", "interrupt.type"),
    ],
)
def test_what_nobody_could_answer_is_refused_by_its_place(
    payload: Any, choices: Any, kind: Any, shown: str
) -> None:
    with pytest.raises(PayloadError) as caught:
        asking("1.1/i0", payload, choices, kind)
    assert shown in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (None, {"a": [1]}, {"a": [1]}),
        (int, 5, 5),
        (float, 5, 5.0),
        (Mood, "loud", Mood.LOUD),
        (Colour, None, Colour.NOTHING),
        (Pair, [1, "2026-01-02T00:00:00+00:00"], Pair(1, datetime(2026, 1, 2, tzinfo=UTC))),
    ],
)
def test_an_answer_is_read_as_the_type(kind: Any, value: Json, expected: object) -> None:
    asked = asking("1.1/i0", "go?", None, kind)
    answer = answer_to(asked, given_to(value, choices=asked.choices, types=asked.types), kind)
    assert answer == expected
    assert type(answer) is type(expected)


def test_an_answer_belongs_to_the_handler() -> None:
    answered = given_to([1])
    answer: Any = answer_to(ANY, answered, None)
    answer.append(2)
    assert answered.value == [1]


def test_an_answer_that_the_type_does_not_take_is_refused_by_its_place() -> None:
    asked = asking("1.1/i0", "go?", None, Item)
    with pytest.raises(PayloadError, match=r"answer to 1\.1/i0"):
        answer_to(asked, given_to({}, types=asked.types), Item)


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (Asked(id="1.1/i0", payload="stay?", choices=None, types=()), "interrupt('stay?')"),
        (Asked(id="1.1/i0", payload=["go?"], choices=None, types=()), "interrupt(['go?'])"),
        (
            Asked(id="1.1/i0", payload="go?", choices=("a", "b"), types=()),
            "interrupt('go?' choices ['a', 'b'])",
        ),
        (
            Asked(id="1.1/i0", payload="go?", choices=None, types=("integer", "null")),
            "interrupt('go?' type integer or null)",
        ),
    ],
)
def test_an_answer_to_another_question_is_never_given(now: Asked, shown: str) -> None:
    with pytest.raises(NondeterminismError) as caught:
        answer_to(now, given_to("yes"), None)
    difference = caught.value
    assert (difference.activation, difference.recorded, difference.now) == ("1.1", "'go?'", shown)
    assert "interrupt 1.1/i0 is recorded as 'go?'" in str(difference)


@pytest.mark.parametrize("choices", [("a",), ("b", "a"), (1, True), (1, 1.0), None])
def test_choices_are_compared_with_their_types_and_in_order(choices: Any) -> None:
    asked = Asked(id="1.1/i0", payload="go?", choices=(1, "a"), types=())
    with pytest.raises(NondeterminismError, match="choices"):
        answer_to(asked, given_to("a", choices=choices), None)
    assert answer_to(asked, given_to("a", choices=(1, "a")), None) == "a"


def test_what_is_recorded_is_what_was_asked() -> None:
    asked = Asked(id="2.1/i3", payload=[1], choices=("a",), types=("string",))
    event = asked.recorded(started_at_ms=7, duration_us=8)
    assert (event.id, event.activation, event.started_at_ms, event.duration_us) == (
        *("2.1/i3", "2.1"),
        *(7, 8),
    )
    assert same_json(
        [event.payload, list(event.choices or ()), list(event.types)], [[1], ["a"], ["string"]]
    )
