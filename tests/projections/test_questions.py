"""The open questions of all jobs are those that their states hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings

from esflow import Answer, Engine, Recorded
from esflow import events as ev
from esflow.fold import fold_events
from esflow_projections.questions import OpenQuestions, open_questions
from tests.projections.histories import disturbed, led_and_cancelled, shop, sold


def _ends_an_append(recorded: Sequence[Recorded], version: int) -> bool:
    """Tell whether a host could have stopped at this version: nothing is due after it."""
    following = recorded[version].event if version < len(recorded) else None
    buffered = (ev.Logged, ev.SharedWritten, ev.MemoryWritten, ev.Emitted, ev.EmissionDeferred)
    waiting = (*buffered, ev.QuestionAsked, ev.JobPaused, ev.ActivationCompleted, ev.JobFailed)
    return not isinstance(following, waiting)


@settings(max_examples=40)
@given(disturbed())
def test_what_is_open_is_what_the_state_holds(recorded: Sequence[Recorded]) -> None:
    questions = OpenQuestions()
    for version, each in enumerate(recorded, start=1):
        questions.take(each)
        assert questions.listed() == open_questions(recorded[:version])
        if not _ends_an_append(recorded, version):
            continue
        fold = fold_events("job", (part.event for part in recorded[:version]))
        expected = [] if fold.ended else list(fold.asked)
        assert sorted(asked.id for asked in questions.listed()) == sorted(expected)


def test_an_open_question_tells_who_asks_what_since_when_and_where(tmp_path: Path) -> None:
    recorded = [each for each in sold(tmp_path) if each.version <= 13]
    (asked,) = open_questions(recorded)
    assert (asked.job_id, asked.id, asked.text) == ("job-sold", "1.1/q0", "Take it?")
    assert (asked.choices, asked.to, asked.host) == (("yes", "no"), "clerk.decided", "host-a")
    assert asked.asked_at.isoformat() == "2025-01-01T00:00:00+00:00"


def test_questions_of_all_jobs_are_listed_oldest_first_until_they_are_answered(
    tmp_path: Path,
) -> None:
    with Engine(f"sqlite:///{tmp_path / 'jobs.db'}", [shop()]) as engine:
        for name in ("job-b", "job-a", "job-c"):
            engine.start("shop", "clerk.order", {"article": "tea"}, job_id=name)
        engine.resume("job-a", Answer("no"))
        recorded = [each for job in engine.jobs() for each in engine.history(job.job_id)]
    assert [each.job_id for each in open_questions(recorded)] == ["job-b", "job-c"]


def test_an_ended_job_asks_nothing(tmp_path: Path) -> None:
    assert open_questions(sold(tmp_path)) == ()


def test_a_job_that_is_led_elsewhere_drops_its_questions(tmp_path: Path) -> None:
    recorded = led_and_cancelled(tmp_path)
    (led,) = (each.version for each in recorded if isinstance(each.event, ev.WorkDropped))
    assert [each.id for each in open_questions(recorded[: led - 1])] == ["1.1/q0"]
    assert open_questions(recorded[:led]) == ()


def test_a_cancelled_job_asks_nothing(tmp_path: Path) -> None:
    recorded = led_and_cancelled(tmp_path)
    assert isinstance(recorded[-1].event, ev.JobCancelled)
    assert [each.id for each in open_questions(recorded[:-1])] == ["2.1/q0"]
    assert open_questions(recorded) == ()
