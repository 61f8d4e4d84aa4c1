"""Targets are made once for all emissions that say the same of them, and nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow import wires
from esflow.events import EmissionDeferred, Emitted, Gather, Target
from esflow.json_values import Misfit
from tests.core.values import texts

row = wires.row_of(Emitted)
gathers = st.builds(Gather, count=st.integers(0, 2), among=st.lists(texts, max_size=2).map(tuple))
targets = st.builds(
    Target,
    slot=st.sampled_from(("a", "b")),
    rename=st.none() | st.dictionaries(texts, texts, max_size=2),
    gather=st.none() | gathers,
)


def read(data: bytes) -> Any:
    return row.read(b'{"hash":"","at":1,"host":"h","data":' + data + b"}").data


def read_back(*found: Target) -> tuple[Target, ...]:
    emitted = Emitted("1.1/p0", "out", {}, found)
    return cast("tuple[Target, ...]", read(row.write(emitted)).targets)


@given(st.lists(st.lists(targets, max_size=2).map(tuple), max_size=8))
def test_targets_come_back_whatever_was_read_before_them(many: list[tuple[Target, ...]]) -> None:
    for found in many + many:
        assert read_back(*found) == found


def test_targets_that_say_the_same_are_the_same() -> None:
    gathered = Target(slot="b", gather=Gather(count=2, among=("x", "y"), connection="x"))
    assert read_back(Target(slot="a"), gathered) is read_back(Target(slot="a"), gathered)


def test_what_could_be_changed_is_not_shared() -> None:
    renaming = Target(slot="a", rename={"x": "y"})
    changed = cast("dict[str, str]", read_back(renaming)[0].rename)
    changed["x"] = "z"
    assert read_back(renaming) == (renaming,)


@pytest.mark.parametrize("count", [b"true", b"1.0", b'"1"', b"null"])
def test_what_only_looks_like_a_target_that_was_read_is_refused(count: bytes) -> None:
    data = (
        b'{"id":"1.1/p0","output":"o","payload":{},"targets":[{"slot":"a","gather":{"count":%b}}]}'
    )
    assert read(data % b"1").targets == (Target(slot="a", gather=Gather(count=1)),)
    with pytest.raises(Misfit, match="count"):
        read(data % count)


@pytest.mark.parametrize("kind", [Target, Gather])
def test_equal_targets_are_the_same_in_json(kind: type[Any]) -> None:
    """JSON in them would not be: 1 and true and 1.0 are equal, and are written otherwise."""
    hints = get_type_hints(kind)
    told = {hints[each.name] for each in attrs.fields(kind)}
    assert told <= {str, int, tuple[str, ...], Mapping[str, str] | None, Gather | None}


def test_each_event_with_targets_is_read_so() -> None:
    deferred = wires.row_of(EmissionDeferred)
    event = EmissionDeferred(id="1.1/d0", output="out", payload={}, targets=(Target(slot="a"),))
    state = b'{"hash":"","at":1,"host":"h","data":' + deferred.write(event) + b"}"
    assert deferred.read(state).data.targets is deferred.read(state).data.targets
