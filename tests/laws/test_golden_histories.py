"""Law 10: what any format has recorded of a whole job is read for ever, and means what it meant."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest

from esflow.codec import decode, genesis
from esflow.events import Event
from esflow.fold import fold_events
from tests.golden import family
from tests.golden.job import played
from tests.golden.rows import GOLDEN, stored_rows

JOBS = sorted(GOLDEN.glob("format-*/whole-*.jsonl"))


def expected(path: Path) -> dict[str, Any]:
    """Return what was written down beside the rows when they were recorded."""
    said: dict[str, Any] = json.loads(path.with_suffix(".json").read_bytes())
    return said


ADDED: dict[int, dict[str, Any]] = {
    4: {"interrupts": [], "breakpoints": {"before": [], "after": []}, "forked_from": None},
    5: {"timers": [], "gathers": [], "wakes_at": None, "parent": None, "children": []},
}
"""What states have from a format on, and what it is of a history that was recorded before."""
WITHIN: dict[int, dict[str, dict[str, Any]]] = {
    5: {
        "questions": {"due_at_ms": None, "default": None, "gather": None},
        "messages": {"gather": None},
        "targets": {"gather": None},
        "failure": {"key": None},
    },
}
"""The same, of what stands in states under a name, at any depth."""


def format_of(path: Path) -> int:
    """Return the number of the format that a golden file is of."""
    return int(path.parent.name.removeprefix("format-"))


def newest(name: str = "whole-job") -> Path:
    """Return a whole job of the newest format that has it."""
    return max((path for path in JOBS if path.stem == name), key=format_of)


def states(job_id: str, events: list[Event], versions: dict[str, Any]) -> dict[str, Any]:
    """Return the state at each of some versions, as plain data."""
    return {
        version: fold_events(job_id, events[: int(version)]).face().as_dict()
        for version in versions
    }


def as_of_today(state: dict[str, Any], written: int) -> dict[str, Any]:
    """Return what a state that was written down by a format is today."""
    for number in range(written + 1, format_of(newest()) + 1):
        within = WITHIN.get(number, {})
        state = {key: _within(key, value, within) for key, value in state.items()}
        state |= ADDED.get(number, {})
    return state


def _within(name: str, value: Any, added: dict[str, dict[str, Any]]) -> Any:
    if isinstance(value, list):
        return [_within(name, each, added) for each in cast("list[object]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _within(key, each, added) for key, each in items} | added.get(name, {})
    return value


def without_chance(state: bytes) -> dict[str, Any]:
    """Return the circumstances of a row, in their order, and nothing that differs by run."""
    return {
        key: value if key in {"at", "actor", "host", "token"} else ...
        for key, value in json.loads(state).items()
    }


@pytest.mark.parametrize("path", JOBS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_law_10_a_history_stays_readable(path: Path) -> None:
    said, head, events = expected(path), genesis(expected(path)["job_id"]), list[Event]()

    for version, (topic, state) in enumerate(stored_rows(path), start=1):
        recorded = decode(said["job_id"], version, version, topic, state, head)
        events.append(recorded.event)
        head = sha256(f"{head}\n{topic}\n".encode() + state[75:]).hexdigest()
        assert recorded.hash == head

    assert head == said["head"]
    assert str(len(events)) in said["states"]
    expected_today = {
        version: as_of_today(state, format_of(path)) for version, state in said["states"].items()
    }
    assert states(said["job_id"], events, said["states"]) == expected_today


@pytest.mark.parametrize("name", ["whole-job", "whole-family"])
def test_the_newest_whole_job_is_what_is_recorded_today(name: str) -> None:
    is_family = name == "whole-family"
    rows, says = played(family.play, family.job_id) if is_family else played()
    path = newest(name)
    assert rows
    assert [row.topic for row in rows] == [topic for topic, _ in stored_rows(path)]
    assert says["states"] == expected(path)["states"]
    circumstances = [without_chance(row.state) for row in rows]
    assert circumstances == [without_chance(state) for _, state in stored_rows(path)]


def test_a_whole_job_shows_every_circumstance_of_a_row() -> None:
    keys = {key for _, state in stored_rows(newest()) for key in json.loads(state)}
    assert keys == {"hash", "at", "actor", "host", "token", "nonce", "data"}
