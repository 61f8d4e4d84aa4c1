"""The table of lawful transitions holds, and has no row that nothing goes through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from hypothesis import given, settings

from esflow import events as ev
from esflow.fold import evolve
from esflow.state import JobFold, Status
from esflow.transitions import TRANSITIONS, to_mermaid
from tests.core.courses import plays, steered
from tests.laws.play import Play

Row = tuple[str, Status | None, Status]
ROWS: frozenset[Row] = frozenset(
    (event.name, before, after)
    for event, transitions in TRANSITIONS.items()
    for before, after in transitions
)


def rows_of(events: Iterable[ev.Event]) -> list[Row]:
    """Return the status before each event, its name, and the status after it."""
    rows, fold = list[Row](), JobFold(job_id="job")
    for event in events:
        before = fold.status if fold.version else None
        evolve(fold, event)
        rows.append((event.name, before, fold.status))
    return rows


def test_the_table_is_complete_and_repeats_nothing() -> None:
    assert set(TRANSITIONS) == set(get_args(ev.Event))
    assert len(ROWS) == sum(map(len, TRANSITIONS.values()))


@given(plays())
@settings(max_examples=60)
def test_every_event_of_every_history_is_in_the_table(play: Play) -> None:
    assert set(rows_of(each.event for each in play.history())) <= ROWS


def test_every_row_of_the_table_is_gone_through() -> None:
    gone = {name: set(rows_of(events)) for name, events in steered().items()}
    assert {name: rows - ROWS for name, rows in gone.items() if rows - ROWS} == {}
    assert ROWS - set[Row]().union(*gone.values()) == set()


def test_the_diagram_is_drawn_from_the_table() -> None:
    assert to_mermaid() == (
        "stateDiagram-v2\n"
        "    [*] --> pending : JobStarted\n"
        "    pending --> running : ExecutionClaimed\n"
        "    pending --> paused : JobPaused\n"
        "    pending --> cancelled : JobCancelled\n"
        "    running --> waiting : Interrupted, ActivationCompleted, ActivationFailed, WaveMerged\n"
        "    running --> paused : JobPaused\n"
        "    running --> completed : JobCompleted\n"
        "    running --> failed : JobFailed\n"
        "    running --> cancelled : JobCancelled\n"
        "    waiting --> running : AnswerRecorded, MessageReceived, TimerFired, ChildFinished\n"
        "    waiting --> paused : JobPaused\n"
        "    waiting --> cancelled : JobCancelled\n"
        "    paused --> pending : JobResumed\n"
        "    paused --> running : JobResumed, WorkDropped\n"
        "    paused --> waiting : JobResumed\n"
        "    paused --> completed : JobCompleted\n"
        "    paused --> failed : JobFailed\n"
        "    paused --> cancelled : JobCancelled\n"
        "    failed --> running : JobRetried\n"
        "    failed --> waiting : JobRetried\n"
        "    completed --> [*]\n"
        "    failed --> [*]\n"
        "    cancelled --> [*]\n"
    )
