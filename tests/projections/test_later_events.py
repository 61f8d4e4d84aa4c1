"""What is told of timers, deadlines, children, merges and further attempts."""

from __future__ import annotations

from itertools import count

import attrs

from esflow import Engine
from esflow import events as ev
from esflow.stores.memory import MemoryStore
from esflow.testing import ManualClock
from esflow_projections.history import grouped
from esflow_projections.render import as_text, lines
from tests.core.scenario import RUNNING
from tests.engine.reminders import family, reminders


def test_timers_children_and_deadlines_are_told() -> None:
    clock = ManualClock()
    with Engine(MemoryStore(), [reminders(), family()], clock=clock, host="host") as engine:
        engine.start("reminders", "clerk.plan", {"delays": [60]}, job_id="timed")
        engine.start("reminders", "clerk.ask", {"seconds": 60}, job_id="asked")
        engine.start("family", "home.begin", {"children": ["fail", "work"]}, job_id="parent")
        clock.advance(60)
        engine.recover()
        told = {
            job_id: "\n".join(map(as_text, lines(grouped(engine.history(job_id)))))
            for job_id in ("timed", "asked", "parent", "parent/1.1/c0")
        }
    assert "timer       1.1/t0 later" in told["timed"]
    assert "→ clerk.remind at 2025-01-01T00:01:00.000Z" in told["timed"]
    assert "due         1.1/t0" in told["timed"]
    assert '"no" at 2025-01-01T00:01:00.000Z' in told["asked"]
    assert "by timer" in told["asked"]
    assert "child       1.1/c0 family at home.fail" in told["parent"]
    assert "1.1/c0 failed: ValueError: child 4" in told["parent"]
    assert "1.1/c1 completed with" in told["parent"]
    assert "as 1.1/c0 of parent" in told["parent/1.1/c0"]


def test_a_failure_that_is_tried_again_is_a_run_of_its_activation() -> None:
    error = ev.Failure(type="ValueError", message="no")
    failed = ev.ActivationFailed(
        activation="1.1",
        started_at_ms=0,
        duration_us=1,
        error=error,
        outcome="retry",
        again_at_ms=60_000,
        effects="reuse",
    )
    tried = ev.EffectAttemptFailed(
        id="1.1/e0",
        function="call",
        digest="",
        key="key",
        attempt=1,
        duration_us=1,
        error=error,
        again_at_ms=30_000,
    )
    skipped = attrs.evolve(failed, outcome="skip", again_at_ms=None, effects=None, attempt=2)
    history: tuple[ev.Event, ...] = (*RUNNING, tried, failed, ev.TimerFired(ids=("1.1",)), skipped)
    shown = [(each.label, each.text) for each in lines(grouped(map(_recorded, history, count(1))))]
    assert shown[2][0] == "1.1"
    assert shown[2][1].endswith("(v6), run 2, passed over")
    assert [label for label, _ in shown[3:]] == ["called", "failed", "error", "due"]
    assert shown[3][1].endswith("ValueError: no; again at 1970-01-01T00:00:30.000Z")
    assert shown[4][1].endswith("ValueError: no; again at 1970-01-01T00:01:00.000Z")


def _recorded(event: ev.Event, version: int) -> ev.Recorded:
    return ev.Recorded(
        job_id="job",
        version=version,
        position=version,
        recorded_at_ms=0,
        actor=None,
        host="host",
        token=0,
        hash="",
        event=event,
    )


def test_a_merge_by_code_and_a_retry_are_told() -> None:
    history: tuple[ev.Event, ...] = (
        *RUNNING,
        ev.ActivationFailed(
            activation="1.1",
            started_at_ms=0,
            duration_us=1,
            error=ev.Failure(type="ValueError", message="no"),
            outcome="stop",
        ),
        ev.JobFailed(error=ev.Failure(type="ValueError", message="no"), activation="1.1"),
        ev.JobRetried(effects="fresh"),
        ev.ActivationCompleted(activation="1.1", started_at_ms=0, duration_us=1),
        ev.JobCompleted(),
    )
    shown = [(each.label, each.text) for each in lines(grouped(map(_recorded, history, count(1))))]
    assert [label for label, _ in shown][-3:] == ["retried", "1.1", "completed"]
    assert shown[-3][1] == "with fresh effects"
