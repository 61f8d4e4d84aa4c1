"""What the read side tells of jobs that were interrupted, and stopped at breakpoints."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from esflow import Answer, Context, Continue, Engine, Flow, Goto, JobState, Recorded
from esflow import events as ev
from esflow.fold import fold_events
from esflow.stores import open_store
from esflow.testing import ManualClock
from esflow_projections.entries import (
    ActivationEntry,
    Entry,
    PauseEntry,
    ResumeEntry,
    StartEntry,
)
from esflow_projections.history import History, grouped
from esflow_projections.plain import plain
from esflow_projections.questions import OpenQuestions, open_questions
from esflow_projections.render import as_text, lines
from esflow_projections.tables import catch_up, feeding
from tests.projections.feeding import dump
from tests.projections.histories import price
from tests.projections.test_render import VARYING


def travel() -> Flow:
    """Draw a flow whose handlers ask in their middle, one of them twice."""
    flow = Flow("travel")

    @flow.slot(outputs=("train", "boat"))
    def plan(ctx: Context, to: str) -> None:
        ctx.emit("train", to=to)
        ctx.emit("boat", to=to)

    @flow.slot(outputs=("booked",))
    def book(ctx: Context, to: str) -> None:
        cost = ctx.effect(price, to)
        seat = ctx.interrupt({"to": to, "cost": cost}, choices=["aisle", "window"])
        total = ctx.effect(price, f"{to}, {seat}")
        ctx.shared["code"] = ctx.interrupt(f"The code for {total}?", type=int)
        ctx.emit("booked", to=to)

    @flow.slot
    def swim(ctx: Context, to: str) -> None:
        ctx.log(f"swims to {to}")
        ctx.ask("With fins?", to="fins")

    @flow.slot
    def fins(ctx: Context, answer: bool) -> None:
        ctx.shared["fins"] = answer

    flow.connect("plan.train", "book")
    flow.connect("plan.boat", "swim")
    return flow


def played(
    folder: Path, upto: int = 99, *, before: Sequence[str] = (), after: Sequence[str] = ()
) -> Sequence[Recorded]:
    """Return the history of a job on two hosts, so many commands after its start."""
    url = f"sqlite:///{folder / 'jobs.db'}"
    clock = ManualClock()
    with Engine(url, [travel()], host="host-a", clock=clock) as engine:
        engine.start("travel", "plan", {"to": "Rome"}, job_id="job-1", before=before, after=after)
        clock.advance(60)
    answers = [Answer("aisle", "2.1/i0"), Answer(17, "2.1/i1"), Answer(True, "2.2/q0")]
    with Engine(url, [travel()], host="host-b", clock=clock) as engine:
        for answer in answers[:upto]:
            while answer.to not in _open(engine.state("job-1")):
                engine.resume("job-1", Continue(), actor="boss")
            engine.resume("job-1", answer, actor="user:17")
        return engine.history("job-1")


def _open(state: JobState) -> list[str]:
    return [each.id for each in state.questions] + [each.id for each in state.interrupts]


def activation(told: Sequence[Entry], name: str) -> ActivationEntry:
    (found,) = (each for each in told if isinstance(each, ActivationEntry) and each.id == name)
    return found


def text_of(recorded: Sequence[Recorded]) -> str:
    shown = "".join(f"{as_text(line)}\n" for line in lines(grouped(recorded)))
    return re.sub(r"\(v\d+\)", "(v*)", VARYING.sub("*", shown))  # Neighbours come in any order.


def test_an_activation_tells_each_of_its_interrupts_and_who_answered_when_and_where(
    tmp_path: Path,
) -> None:
    booked = activation(grouped(played(tmp_path)), "2.1")
    first, second = booked.interrupts
    assert (first.id, first.payload) == ("2.1/i0", {"to": "Rome", "cost": 4})
    assert (first.choices, first.types) == (("aisle", "window"), ())
    assert (second.payload, second.choices, second.types) == (
        "The code for 11?",
        None,
        ("integer",),
    )
    assert (first.at.host, second.at.host) == ("host-a", "host-b")
    assert first.answer is not None
    assert second.answer is not None
    assert (first.answer.value, second.answer.value) == ("aisle", 17)
    assert (first.answer.at.actor, first.answer.at.host) == ("user:17", "host-b")
    assert (first.answer.at.recorded_at - first.at.recorded_at).total_seconds() == 60


def test_an_interrupted_activation_is_told_once_at_its_first_event(tmp_path: Path) -> None:
    booked = activation(grouped(played(tmp_path)), "2.1")
    assert booked.at == booked.calls[0].at
    assert [call.function for call in booked.calls] == ["price", "price"]
    assert [type(each) for each in booked.records] == [ev.SharedWritten, ev.Emitted]
    assert booked.settled is not None
    assert booked.settled.error is None


def test_an_activation_that_waits_has_an_interrupt_without_an_answer(tmp_path: Path) -> None:
    waiting = activation(grouped(played(tmp_path, 1)), "2.1")
    assert [each.answer is None for each in waiting.interrupts] == [False, True]
    assert (waiting.settled, waiting.records) == (None, ())


def test_an_interrupted_job_is_told_in_words_run_by_run(tmp_path: Path) -> None:
    told = text_of(played(tmp_path))
    assert (
        """\
2.1         book with {"to": "Rome"} completed in * on host-b (v*), run 3
                                             called      price → 4 in * on host-a (v*)
                                             interrupt   2.1/i0 {"to": "Rome", "cost": 4} one of \
["aisle", "window"] after * on host-a (v*)
                                             answered    "aisle" by user:17 on host-b at \
2025-01-01T00:01:00.000Z (v*)
                                             called      price → 11 in * on host-b (v*)
                                             interrupt   2.1/i1 "The code for 11?" of type integer \
after * on host-b (v*)
                                             answered    17 by user:17 on host-b at \
2025-01-01T00:01:00.000Z (v*)
                                             wrote       shared["code"] = 17
                                             emitted     booked {"to": "Rome"} → out of the job
"""
        in told
    )
    assert "paused      a handler waits for an answer: The code for 11? (2.1)\n" in told
    assert told.count("resumed     from an interrupt with Answer by user:17\n") == 2


def test_a_handler_that_waits_is_said_to_be_set_aside_and_unanswered(tmp_path: Path) -> None:
    told = text_of(played(tmp_path, 0))
    assert 'book with {"to": "Rome"} (set aside)\n' in told
    assert "unanswered\n" in told


def test_a_handler_that_was_answered_and_has_not_ended_is_not_set_aside(tmp_path: Path) -> None:
    recorded = played(tmp_path, 1)
    (answered,) = (each for each in recorded if isinstance(each.event, ev.AnswerRecorded))
    assert 'book with {"to": "Rome"} (not finished here)\n' in text_of(recorded[: answered.version])


def test_breakpoints_are_told_at_the_start_at_each_pause_and_where_they_are_lifted(
    tmp_path: Path,
) -> None:
    told = grouped(played(tmp_path, before=["swim"], after=["book", "plan"]))
    start = told[0]
    assert isinstance(start, StartEntry)
    assert (start.before, start.after) == (("swim",), ("book", "plan"))
    pauses = [
        [(reason.kind, reason.text) for reason in each.reasons]
        for each in told
        if isinstance(each, PauseEntry)
    ]
    assert pauses[:3] == [
        [("breakpoint", "after plan")],
        [("breakpoint", "before swim")],
        [("interrupt", "")],
    ]
    lifted = [
        (each.lifted, [reason.kind for reason in each.reasons])
        for each in told
        if isinstance(each, ResumeEntry)
    ]
    assert lifted == [
        ("program", ["breakpoint"]),
        ("wave", ["breakpoint"]),
        ("wave", ["interrupt"]),
        ("wave", ["interrupt"]),
        ("program", ["breakpoint", "question"]),
    ]


def test_breakpoints_are_told_in_words(tmp_path: Path) -> None:
    told = text_of(played(tmp_path, before=["swim"], after=["book", "plan"]))
    assert 'with {"to": "Rome"} with breakpoints before swim, after book and plan\n' in told
    assert "paused      there is a breakpoint: after plan (1.1)\n" in told
    assert "paused      there is a breakpoint: before swim (2.2)\n" in told
    assert "resumed     from a breakpoint with Continue by boss\n" in told
    assert "resumed     from a breakpoint and its own pause with Answer by user:17\n" in told


def test_a_resumption_tells_which_breakpoints_it_put_in_the_place_of_the_old_ones() -> None:
    with Engine("memory://", [travel()]) as engine:
        engine.start("travel", "plan", {"to": "Rome"}, job_id="job-1", before=["plan"])
        engine.resume("job-1", before=[], after=["plan"])
        engine.resume("job-1", Continue())
        recorded = engine.history("job-1")
    first, second = (each for each in grouped(recorded) if isinstance(each, ResumeEntry))
    assert (first.before, first.after) == ((), ("plan",))
    assert (second.before, second.after) == (None, None)
    resumed = [line for line in text_of(recorded).splitlines() if "resumed" in line]
    assert resumed[0].endswith(
        "from a breakpoint with Continue; breakpoints from now on before no slot, after plan"
    )
    assert resumed[1].endswith("from a breakpoint with Continue")


@pytest.mark.parametrize(("before", "after"), [((), ()), (("swim",), ("book", "plan"))])
def test_what_is_open_is_what_the_state_waits_for(
    tmp_path: Path, before: Sequence[str], after: Sequence[str]
) -> None:
    recorded = played(tmp_path, before=before, after=after)
    questions = OpenQuestions()
    for version, each in enumerate(recorded, start=1):
        questions.take(each)
        assert questions.listed() == open_questions(recorded[:version])
        following = recorded[version].event if version < len(recorded) else None
        if isinstance(following, (ev.ActivationCompleted, ev.JobPaused, ev.JobCompleted)):
            continue  # No host can have stopped here: the append goes on.
        fold = fold_events("job-1", (part.event for part in recorded[:version]))
        expected = [] if fold.ended else list(fold.asked)
        assert sorted(asked.id for asked in questions.listed()) == sorted(expected)


def test_an_open_interrupt_tells_who_asks_what_and_which_answers_are_taken(tmp_path: Path) -> None:
    (asked,) = open_questions(played(tmp_path, 0))
    assert (asked.job_id, asked.id, asked.activation) == ("job-1", "2.1/i0", "2.1")
    assert asked.payload == {"to": "Rome", "cost": 4}
    assert asked.text == '{"to": "Rome", "cost": 4}'
    assert (asked.choices, asked.types, asked.to) == (("aisle", "window"), (), None)
    (later,) = open_questions(played(tmp_path, 1))
    assert (later.payload, later.text) == ("The code for 11?", "The code for 11?")
    assert (later.types, later.host) == (("integer",), "host-b")


def test_a_question_is_not_open_while_a_neighbour_is_set_aside(tmp_path: Path) -> None:
    recorded = played(tmp_path, 1)
    assert any(isinstance(each.event, ev.QuestionAsked) for each in recorded)
    assert [each.id for each in open_questions(recorded)] == ["2.1/i1"]


def test_a_lead_elsewhere_drops_interrupts() -> None:
    with Engine("memory://", [travel()]) as engine:
        engine.start("travel", "book", {"to": "Rome"}, job_id="job-1")
        engine.resume("job-1", Goto("swim", {"to": "Rome"}))
        recorded = engine.history("job-1")
    assert [each.id for each in open_questions(recorded)] == ["2.1/q0"]
    assert activation(grouped(recorded), "1.1").settled is None
    assert "instead of 1.1, 1.1/i0\n" in text_of(recorded)


@pytest.mark.parametrize(("before", "after"), [((), ()), (("swim",), ("book", "plan"))])
def test_folding_further_equals_folding_anew_and_changes_nothing_told(
    tmp_path: Path, before: Sequence[str], after: Sequence[str]
) -> None:
    recorded = played(tmp_path, before=before, after=after)
    history = History()
    told: list[tuple[Entry, ...]] = []
    for each in recorded:
        history.take(each)
        told.append(history.entries())
    assert told == [grouped(recorded[:count]) for count in range(1, len(recorded) + 1)]
    assert all(as_text(line).isprintable() for line in lines(told[-1]))


def test_everything_that_is_recorded_is_told_once(tmp_path: Path) -> None:
    recorded = played(tmp_path)
    found = re.findall(r"'version': (\d+)", str(plain(grouped(recorded))))
    buffered = [each.version for each in recorded if not _is_told_with_its_version(each.event)]
    versions = set(map(int, found)) | set(buffered)
    assert versions == set(range(1, len(recorded) + 1))


def _is_told_with_its_version(event: ev.Event) -> bool:
    return not isinstance(event, (ev.SharedWritten, ev.Emitted, ev.Logged))


def rows(file: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def test_interrupts_stand_among_the_questions_of_the_tables(tmp_path: Path) -> None:
    played(tmp_path)
    file = str(tmp_path / "tables.db")
    catch_up(open_store(f"sqlite:///{tmp_path / 'jobs.db'}"), file)
    asked = "SELECT id, activation, kind, text, payload, choices, types, slot"
    assert sorted(rows(file, f"{asked} FROM esflow_questions")) == [
        (
            *("2.1/i0", "2.1", "interrupt", '{"to": "Rome", "cost": 4}'),
            *('{"to":"Rome","cost":4}', '["aisle","window"]', "[]", None),
        ),
        (
            *("2.1/i1", "2.1", "interrupt", "The code for 11?"),
            *('"The code for 11?"', None, '["integer"]', None),
        ),
        ("2.2/q0", "2.2", "question", "With fins?", None, None, None, "fins"),
    ]
    answers = "SELECT id, outcome, value, closed_by, asked_on, closed_on FROM esflow_questions"
    assert sorted(rows(file, answers)) == [
        ("2.1/i0", "answered", '"aisle"', "user:17", "host-a", "host-b"),
        ("2.1/i1", "answered", "17", "user:17", "host-b", "host-b"),
        ("2.2/q0", "answered", "true", "user:17", "host-a", "host-b"),
    ]
    runs = "SELECT id, runs, outcome FROM esflow_activations"
    assert sorted(rows(file, runs)) == [
        ("1.1", 1, "completed"),
        ("2.1", 3, "completed"),
        ("2.2", 1, "completed"),
        ("3.1", 1, "completed"),
    ]


def test_an_activation_that_is_set_aside_has_run_and_has_no_outcome(tmp_path: Path) -> None:
    played(tmp_path, 1)
    file = str(tmp_path / "tables.db")
    catch_up(open_store(f"sqlite:///{tmp_path / 'jobs.db'}"), file)
    aside = "SELECT runs, outcome, started_at FROM esflow_activations WHERE id = '2.1'"
    assert rows(file, aside) == [(2, None, None)]
    assert rows(file, "SELECT status, question FROM esflow_jobs") == [
        ("paused", "The code for 11?")
    ]


@pytest.mark.parametrize("page", range(1, 8))
def test_tables_are_the_same_wherever_a_page_ends(
    tmp_path: Path, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(tmp_path, before=["swim"], after=["book", "plan"])
    store = open_store(f"sqlite:///{tmp_path / 'jobs.db'}")
    expected, found = str(tmp_path / "expected.db"), str(tmp_path / "found.db")
    catch_up(store, expected)
    monkeypatch.setattr(feeding, "page_events", page)
    monkeypatch.setattr(feeding, "max_open_jobs", page % 2)
    catch_up(store, found)
    assert dump(found) == dump(expected)
