"""What differs between two moments, as a JSON Patch that turns the one into the other."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow import Answer, Engine, errors
from esflow.json_values import same_json
from esflow.patches import PatchOp, difference
from esflow.store import Store
from tests.engine.world import Hosts, check_refusal, stored

_SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text()
_KEYS = st.sampled_from(["", "a", "b", "/", "~", "~1", "a/b", "0"]) | st.text(max_size=3)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


def patched(value: Any, steps: Sequence[PatchOp]) -> Any:
    """Apply a patch, step by step, as RFC 6902 says."""
    whole: dict[str, Any] = {"": deepcopy(value)}  # So that the whole is a member like another.
    for step in steps:
        *path, last = [key.replace("~1", "/").replace("~0", "~") for key in step.path.split("/")]
        target: Any = whole
        for key in path:
            target = target[int(key) if type(target) is list else key]
        if hasattr(target, "append"):
            _patch_array(target, int(last), step)
        else:
            _patch_object(target, last, step)
    return whole[""]


def _patch_array(target: list[Any], place: int, step: PatchOp) -> None:
    assert place < len(target) + (step.op == "add"), f"{step} is about what isn't there"
    if step.op == "add":
        target.insert(place, deepcopy(step.value))
    elif step.op == "replace":
        target[place] = deepcopy(step.value)
    else:
        del target[place]


def _patch_object(target: dict[str, Any], key: str, step: PatchOp) -> None:
    assert (key in target) == (step.op != "add"), f"{step} is about what isn't there"
    if step.op == "remove":
        del target[key]
    else:
        target[key] = deepcopy(step.value)


@given(_VALUES, _VALUES)
def test_a_patch_turns_the_first_value_into_the_second(before: Any, after: Any) -> None:
    steps = difference(before, after)
    assert same_json(patched(before, steps), after)
    assert bool(steps) == (not same_json(before, after))


@given(st.lists(st.integers(0, 3), max_size=8), st.data())
def test_what_came_to_a_list_is_as_many_steps(before: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(before)))
    came = data.draw(st.lists(st.integers(0, 3), max_size=4))
    after = [*before[:place], *came, *before[place:]]
    forth, back = difference(before, after), difference(after, before)
    assert [each.op for each in forth] == ["add"] * len(came)
    assert [each.op for each in back] == ["remove"] * len(came)


@pytest.mark.parametrize(
    ("key", "path"),
    [("", "/"), ("/", "/~1"), ("~", "/~0"), ("~1", "/~01"), ("a/b~c", "/a~1b~0c"), ("é", "/é")],
)
def test_paths_are_json_pointers(key: str, path: str) -> None:
    assert difference({}, {key: 1}) == [PatchOp(op="add", path=path, value=1)]
    assert difference({key: 1}, {key: 2}) == [PatchOp(op="replace", path=path, value=2)]
    assert difference({key: 1}, {}) == [PatchOp(op="remove", path=path)]


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0.0, -0.0), (None, False)])
def test_values_of_other_types_differ(one: Any, other: Any) -> None:
    assert difference([one], [other]) == [PatchOp(op="replace", path="/0", value=other)]


def test_a_step_is_written_as_the_standard_writes_it() -> None:
    steps = difference({"gone": 1, "null": 1}, {"null": None, "new": []})
    assert [each.as_dict() for each in steps] == [
        {"op": "remove", "path": "/gone"},
        {"op": "replace", "path": "/null", "value": None},
        {"op": "add", "path": "/new", "value": []},
    ]


def test_the_patch_between_any_two_moments_makes_one_of_the_other(
    engine: Engine, store: Store
) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    fork = engine.fork("one", engine.state("one").version, command=Answer("B"))
    engine.resume("one", Answer("A"))
    before = stored(store)
    moments = [("one", each) for each in range(1, engine.state("one").version + 1)]
    moments += [(fork.job_id, each) for each in range(1, fork.version + 1)]
    for a in moments:
        for b in moments:
            first, second = engine.state(*a).as_dict(), engine.state(*b).as_dict()
            steps = engine.diff(a, b)
            assert patched(first, steps) == second
            assert bool(steps) == (first != second)
    assert engine.diff("one", fork.job_id) == engine.diff(moments[-fork.version - 1], moments[-1])
    assert stored(store) == before


def test_a_difference_needs_no_flow(hosts: Hosts, engine: Engine) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    assert hosts().diff(("one", 1), "one") == engine.diff(("one", 1), "one")


def test_moments_that_are_not_recorded_are_refused(engine: Engine, store: Store) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    with check_refusal(store, errors.JobNotFound, "'nobody'"):
        engine.diff("one", "nobody")
    for version in (0, 99):
        with check_refusal(store, errors.VersionConflict):
            engine.diff(("one", version), "one")
