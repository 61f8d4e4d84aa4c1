"""Records become JSON that says everything, and text that can't say anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow.state import Status
from esflow_projections.history import grouped
from esflow_projections.plain import cut, moment, plain, printable, shown
from tests.projections.histories import sold


def test_an_event_stands_with_its_envelope(tmp_path: Path) -> None:
    first = sold(tmp_path)[0]
    assert plain(first) == {
        "job_id": "job-sold",
        "version": 1,
        "position": 1,
        "recorded_at": "2025-01-01T00:00:00.000Z",
        "actor": "web",
        "host": "host-a",
        "token": 0,
        "hash": first.hash,
        "event": "JobStarted",
        "data": {
            "flow": "shop",
            "flow_version": "3",
            "fingerprint": first.event.fingerprint,  # type: ignore[union-attr]  # the first is JobStarted
            "slot": "clerk.order",
            "payload": {"article": "tea"},
            "limit": 100_000,
            "labels": {},
            "before": [],
            "after": [],
            "defaults": None,
            "parent": None,
        },
    }


def test_entries_say_of_which_kind_they_are_and_their_records_which_event(tmp_path: Path) -> None:
    told = plain(grouped(sold(tmp_path)))
    assert [each["kind"] for each in told[:4]] == ["start", "claim", "activation", "question"]
    assert [each["event"] for each in told[2]["records"][:2]] == ["Logged", "SharedWritten"]
    assert json.loads(json.dumps(told)) == told


def test_moments_are_in_utc_to_the_millisecond() -> None:
    east = datetime(2025, 1, 1, 2, 3, 4, 567_891, tzinfo=timezone(timedelta(hours=2)))
    assert moment(east) == "2025-01-01T00:03:04.567Z"
    assert plain([east, Status.PAUSED, {"a": (1,)}]) == [moment(east), "paused", {"a": [1]}]
    assert moment(datetime(2025, 1, 1, tzinfo=UTC)).endswith("00.000Z")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("left\u202eright", "left\\u202eright"),
        ("漢 é 🜁", "漢 é 🜁"),
    ],
)
def test_what_would_steer_a_terminal_is_shown_as_a_code(text: str, said: str) -> None:
    assert printable(text) == said


@given(st.text())
def test_text_is_always_one_printable_line(text: str) -> None:
    assert printable(text).isprintable()
    assert shown({"a": text}).isprintable()
    assert json.loads(shown({"a": text})) == {"a": text}


def test_only_what_is_too_long_is_cut() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"
    assert cut("abcd", None) == "abcd"
