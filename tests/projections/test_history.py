"""What a history tells is what happened, and it never changes what it has told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings

from esflow import Recorded
from esflow import events as ev
from esflow.state import Status
from esflow_projections.entries import (
    ActivationEntry,
    ClaimEntry,
    EndEntry,
    Entry,
    HoldEntry,
    LeadEntry,
    MessageEntry,
    PauseEntry,
    QuestionEntry,
    ReleaseEntry,
    ResumeEntry,
    StartEntry,
    UpdateEntry,
)
from esflow_projections.history import TELLERS, History, grouped
from tests.projections.histories import disturbed, failed, led_and_cancelled, sold


@pytest.fixture
def told(tmp_path: Path) -> Sequence[Entry]:
    return grouped(sold(tmp_path))


def _activation(told: Sequence[Entry], name: str) -> ActivationEntry:
    (found,) = (each for each in told if isinstance(each, ActivationEntry) and each.id == name)
    return found


def test_every_event_is_told() -> None:
    assert set(TELLERS) == set(get_args(ev.Event))


def test_entries_stand_in_the_order_of_what_they_tell(told: Sequence[Entry]) -> None:
    assert [type(each) for each in told] == [
        StartEntry,
        ClaimEntry,
        ActivationEntry,  # 1.1 asks.
        QuestionEntry,
        PauseEntry,
        HoldEntry,
        PauseEntry,
        MessageEntry,
        ResumeEntry,  # From the operator's pause.
        ReleaseEntry,
        ResumeEntry,  # From its own.
        ClaimEntry,
        ActivationEntry,
        ActivationEntry,
        ActivationEntry,
        PauseEntry,
        ResumeEntry,
        EndEntry,
    ]


def test_the_start_tells_flow_slot_payload_and_who_asked_for_it(told: Sequence[Entry]) -> None:
    start = told[0]
    assert isinstance(start, StartEntry)
    assert (start.flow, start.flow_version, start.slot) == ("shop", "3", "clerk.order")
    assert start.payload == {"article": "tea"}
    assert (start.at.actor, start.at.host, start.at.version) == ("web", "host-a", 1)


def test_an_activation_tells_its_calls_and_everything_it_asked_for(told: Sequence[Entry]) -> None:
    first = _activation(told, "1.1")
    assert (first.slot, first.payload, first.cause) == ("clerk.order", {"article": "tea"}, "")
    assert [(call.function, call.result, call.at.host) for call in first.calls] == [
        ("price", 3, "host-a"),
        ("price", 7, "host-a"),
    ]
    assert [type(record) for record in first.records] == [
        ev.Logged,
        ev.SharedWritten,
        ev.SharedWritten,
        ev.MemoryWritten,
        ev.EmissionDeferred,
        ev.Emitted,
        ev.QuestionAsked,
    ]
    assert first.settled is not None
    assert first.settled.error is None


def test_an_activation_tells_what_led_to_it(told: Sequence[Entry]) -> None:
    causes = {each.id: each.cause for each in told if isinstance(each, ActivationEntry)}
    assert causes == {"1.1": "", "2.1": "1.1/o0", "2.2": "m1", "2.3": "1.1/q0"}


def test_an_activation_stands_at_its_first_event(told: Sequence[Entry]) -> None:
    first = _activation(told, "1.1")
    assert first.at == first.calls[0].at
    for name in ("2.1", "2.2", "2.3"):  # Without calls, the records stand right before the end.
        later = _activation(told, name)
        assert later.settled is not None
        assert later.settled.at.version - later.at.version == len(later.records) > 0


def test_a_question_has_its_answer_and_who_gave_it_where(told: Sequence[Entry]) -> None:
    (asked,) = (each for each in told if isinstance(each, QuestionEntry))
    assert (asked.id, asked.text, asked.choices) == ("1.1/q0", "Take it?", ("yes", "no"))
    assert (asked.to, asked.at.host) == ("clerk.decided", "host-a")
    assert asked.answer is not None
    assert asked.answer.value == "yes"
    assert (asked.answer.at.actor, asked.answer.at.host) == ("user:17", "host-b")


def test_an_operator_is_told_apart_from_the_program(told: Sequence[Entry]) -> None:
    (hold,) = (each for each in told if isinstance(each, HoldEntry))
    assert (hold.reason, hold.at.actor) == ("stocktaking", "boss")
    pauses = [each.reasons for each in told if isinstance(each, PauseEntry)]
    assert [[reason.kind for reason in reasons] for reasons in pauses] == [
        ["question"],
        ["operator"],
        ["program"],
    ]
    lifted = [each.lifted for each in told if isinstance(each, ResumeEntry)]
    assert lifted == ["operator", "program", "program"]


def test_a_message_tells_who_sent_what_under_which_key(told: Sequence[Entry]) -> None:
    (message,) = (each for each in told if isinstance(each, MessageEntry))
    assert (message.id, message.slot, message.payload) == ("m1", "archive", {"price": 7})
    assert (message.key, message.at.actor) == ("k1", "till")


def test_the_end_is_the_last_entry(told: Sequence[Entry]) -> None:
    end = told[-1]
    assert isinstance(end, EndEntry)
    assert (end.status, end.error) == (Status.COMPLETED, None)


def test_a_failure_is_told_by_its_call_its_activation_and_the_end(tmp_path: Path) -> None:
    told = grouped(failed(tmp_path))
    activation, end = told[-2:]
    assert isinstance(activation, ActivationEntry)
    assert isinstance(end, EndEntry)
    (call,) = activation.calls
    assert call.error is not None
    assert call.error.message == "closed"
    assert activation.settled is not None
    assert activation.settled.error is not None
    assert activation.settled.error.type == "EffectError"
    assert (end.status, end.activation) == (Status.FAILED, "1.1")
    assert end.error is not None


def test_an_activation_that_has_not_ended_is_open(tmp_path: Path) -> None:
    (*_, activation) = grouped(sold(tmp_path)[:3])
    assert isinstance(activation, ActivationEntry)
    assert [call.result for call in activation.calls] == [3]
    assert (activation.records, activation.settled) == ((), None)


def test_writes_from_outside_tell_who_wrote_what(tmp_path: Path) -> None:
    told = grouped(led_and_cancelled(tmp_path))
    updates = [each for each in told if isinstance(each, UpdateEntry)]
    assert [(each.key, each.reducer, each.value, each.at.actor) for each in updates] == [
        ("article", "set", "gin", "boss"),
        ("price", "set", 3, "boss"),
    ]


def test_a_job_that_was_led_elsewhere_tells_where_and_what_was_dropped(tmp_path: Path) -> None:
    (led,) = (each for each in grouped(led_and_cancelled(tmp_path)) if isinstance(each, LeadEntry))
    assert (led.slot, led.payload, led.at.actor) == ("clerk.order", {"article": "rum"}, "boss")
    assert led.dropped == ("1.1/d0", "1.1/q0", "2.1")


def test_a_cancellation_is_an_end_with_a_reason_and_who_gave_it(tmp_path: Path) -> None:
    end = grouped(led_and_cancelled(tmp_path))[-1]
    assert isinstance(end, EndEntry)
    assert (end.status, end.reason, end.at.actor) == (Status.CANCELLED, "sold out", "till")


@settings(max_examples=40)
@given(disturbed())
def test_folding_further_equals_folding_anew_and_changes_nothing_told(
    recorded: Sequence[Recorded],
) -> None:
    history = History()
    told: list[tuple[Entry, ...]] = []
    for each in recorded:
        history.take(each)
        told.append(history.entries())
    assert told == [grouped(recorded[:count]) for count in range(1, len(recorded) + 1)]


@settings(max_examples=40)
@given(disturbed())
def test_everything_that_is_recorded_is_told_once(recorded: Sequence[Recorded]) -> None:
    told = grouped(recorded)
    activations = [each for each in told if isinstance(each, ActivationEntry)]
    versions = [each.at.version for each in told if not isinstance(each, ActivationEntry)]
    versions += [call.at.version for each in activations for call in each.calls]
    versions += [each.settled.at.version for each in activations if each.settled is not None]
    versions += [failure.at.version for each in activations for failure in each.failures]
    interrupts = [interrupt for each in activations for interrupt in each.interrupts]
    versions += [each.at.version for each in interrupts]
    answers = [each.answer for each in told if isinstance(each, QuestionEntry)]
    answers += [each.answer for each in interrupts]
    versions += [each.at.version for each in answers if each is not None]
    buffered = sum(len(each.records) for each in activations)
    questions = sum(isinstance(each, QuestionEntry) for each in told)  # They are records as well.
    assert len(set(versions)) == len(versions)
    assert len(versions) + buffered - questions == len(recorded)
