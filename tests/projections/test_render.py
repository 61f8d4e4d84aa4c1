"""How a history looks, to the letter, and that nothing recorded can change how it looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esflow import Recorded
from esflow import events as ev
from esflow.state import Status
from esflow_projections.entries import (
    ActivationEntry,
    Circumstances,
    ClaimEntry,
    EndEntry,
    HoldEntry,
    MessageEntry,
    StartEntry,
)
from esflow_projections.history import grouped
from esflow_projections.render import as_text, lines, raw_fields, reason_text
from tests.projections.histories import disturbed, failed, led_and_cancelled, sold

AT = Circumstances(
    version=1, recorded_at=datetime(2025, 1, 1, tzinfo=UTC), host="host-a", actor=None
)

# What differs from run to run: durations and process ids.
VARYING = re.compile(r"\d+(?:\.\d)? (?:µs|ms|s)\b|pid \d+(?: #\w+)?")

SOLD = """\
v1    2025-01-01T00:00:00.000Z host-a        started     flow shop version 3 at clerk.order with \
{"article": "tea"} by web
v2    2025-01-01T00:00:00.000Z host-a        claimed     by host-a (*)
v3    2025-01-01T00:00:00.000Z host-a        1.1         clerk.order with {"article": "tea"} \
completed in * (v12)
                                             called      price → 3 in * on host-a (v3)
                                             called      price → 7 in * on host-a (v4)
                                             logged      ordered {"article": "tea"}
                                             wrote       shared["article"] = "tea"
                                             wrote       shared["turnover"] add 3
                                             wrote       memory of clerk["last"] = "tea"
                                             deferred    thanks {"to": "you"} → out of the job
                                             emitted     offered {"price": 7} → archive
                                             asked       1.1/q0 "Take it?"
v11   2025-01-01T00:00:00.000Z host-a        question    1.1/q0 "Take it?" one of ["yes", "no"] \
→ clerk.decided
                                             answered    "yes" by user:17 on host-b at \
2025-01-01T00:01:00.000Z (v18)
v13   2025-01-01T00:00:00.000Z host-a        paused      the program waits for an answer: \
Take it? (1.1)
v14   2025-01-01T00:01:00.000Z host-a        hold        the operator asked for a pause by boss: \
stocktaking
v15   2025-01-01T00:01:00.000Z host-a        paused      the operator asked for a pause: stocktaking
v16   2025-01-01T00:01:00.000Z host-a        message     m1 to archive with {"price": 7}, \
key "k1" by till
v17   2025-01-01T00:01:00.000Z host-b        resumed     from the operator's pause with Continue \
by boss
"""


def _text(recorded: Sequence[Recorded]) -> str:
    shown = "".join(f"{as_text(line)}\n" for line in lines(grouped(recorded)))
    return VARYING.sub("*", shown)


def test_a_reader_who_has_never_seen_the_flow_can_follow(tmp_path: Path) -> None:
    assert _text(sold(tmp_path)).startswith(SOLD)


def test_a_failure_is_told_in_words(tmp_path: Path) -> None:
    text = _text(failed(tmp_path))
    assert "called      refuse failed in * on host-a (v3): ValueError: closed\n" in text
    assert "error       EffectError: ValueError: closed\n" in text
    assert text.splitlines()[-1].endswith("failed      EffectError: ValueError: closed in 1.1")


def test_updates_a_lead_and_a_cancellation_are_told_in_words(tmp_path: Path) -> None:
    text = _text(led_and_cancelled(tmp_path))
    assert 'updated     shared["article"] = "gin" by boss\n' in text
    led = (
        'led         to clerk.order with {"article": "rum"} instead of 1.1/d0, 1.1/q0, 2.1 by boss'
    )
    assert f"{led}\n" in text
    assert text.endswith("cancelled   the job was cancelled by till: sold out\n")


def test_a_question_without_an_answer_says_so(tmp_path: Path) -> None:
    recorded = sold(tmp_path)
    assert "unanswered" in _text(recorded[:13])
    assert "unanswered" not in _text(recorded)


def test_an_activation_that_has_not_ended_says_so(tmp_path: Path) -> None:
    assert 'clerk.order with {"article": "tea"} (not finished here)' in _text(sold(tmp_path)[:3])


def test_an_activation_that_ended_on_another_host_says_where(tmp_path: Path) -> None:
    (*_, activation) = grouped(sold(tmp_path)[:12])[:3]
    assert isinstance(activation, ActivationEntry)
    assert activation.settled is not None
    elsewhere = attrs.evolve(activation.settled, at=attrs.evolve(AT, host="host-z"))
    (first, *_) = lines([attrs.evolve(activation, settled=elsewhere)])
    assert first.text.endswith("on host-z (v1)")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (ev.PauseRequested(kind="program", reason="tea", activation="1.1"), "pause       tea"),
        (
            ev.SharedWritten(activation="1.1", key="a", reducer="delete"),
            'wrote       shared["a"] deleted',
        ),
        (ev.Logged(activation="1.1", message="hello"), "logged      hello"),
        (ev.JobCompleted(), 'JobCompleted  {"event": "JobCompleted"}'),
    ],
)
def test_whatever_an_activation_recorded_is_told(event: ev.Event, said: str) -> None:
    entry = ActivationEntry(at=AT, id="1.1", slot="a", payload={}, cause="", records=(event,))
    assert as_text(list(lines([entry]))[-1]).strip() == said


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (HoldEntry(at=AT, reason=""), "the operator asked for a pause"),
        (EndEntry(at=AT, status=Status.FAILED, error=ev.Failure(type="A", message="b")), "A: b"),
        (MessageEntry(at=AT, id="m1", slot="a", payload={}, key=None), "m1 to a with {}"),
        (
            StartEntry(
                at=AT, flow="f", flow_version="1", slot="a", payload={}, labels={"team": "x"}
            ),
            'flow f version 1 at a with {} labels {"team": "x"}',
        ),
    ],
)
def test_what_is_absent_is_left_out(
    entry: HoldEntry | EndEntry | MessageEntry | StartEntry, said: str
) -> None:
    (line,) = lines([entry])
    assert line.text == said


def test_a_reason_of_a_kind_that_is_new_is_named() -> None:
    assert reason_text(ev.PauseReason(kind="weather", text="")) == "weather"


def test_long_values_are_cut_in_words_and_whole_as_fields(tmp_path: Path) -> None:
    start = sold(tmp_path)[0]
    assert isinstance(start.event, ev.JobStarted)
    long = attrs.evolve(start, event=attrs.evolve(start.event, payload={"a": "x" * 1000}))
    (line,) = lines(grouped([long]))
    assert len(line.text) < 200
    assert "…" in line.text
    assert "x" * 1000 in raw_fields(long)[-1]


@given(st.text(), st.text())
def test_no_recorded_text_breaks_a_line_or_steers_a_terminal(host: str, process: str) -> None:
    entry = ClaimEntry(at=attrs.evolve(AT, host=host), host=host, process=process, flow_version="1")
    (line,) = lines([entry])
    assert as_text(line).isprintable()


@settings(max_examples=20)
@given(disturbed())
def test_every_history_can_be_told_in_printable_lines(recorded: Sequence[Recorded]) -> None:
    assert all(as_text(line).isprintable() for line in lines(grouped(recorded)))
    assert all(field.isprintable() for each in recorded for field in raw_fields(each))
