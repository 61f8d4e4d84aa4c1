"""What waits for its time, or for other jobs, is shown with what it waits for."""

from __future__ import annotations

from esflow import Engine
from esflow.testing import ManualClock
from tests.cli.shell import Shell
from tests.engine.reminders import family, reminders


def _waiting(shell: Shell) -> None:
    with Engine(shell.store, [reminders(), family()], clock=ManualClock()) as engine:
        engine.start("reminders", "clerk.plan", {"delays": [60]}, job_id="timed")
        engine.start("family", "home.begin", {"children": ["ask", "work"]}, job_id="parent")


def test_a_waiting_job_is_listed_with_its_moment(shell: Shell) -> None:
    _waiting(shell)
    rows = [line.split("\t") for line in shell.shown("jobs", "--status", "waiting").splitlines()]
    assert [(row[0], row[-1]) for row in rows] == [
        ("timed", "until 2025-01-01T00:01:00.000Z"),
        ("parent", "-"),
    ]


def test_timers_children_and_parents_are_shown(shell: Shell) -> None:
    _waiting(shell)
    timed = shell.shown("show", "timed").splitlines()
    assert "wakes at    2025-01-01T00:01:00.000Z" in timed
    assert 'timer       1.1/t0 later {"number": 0} at 2025-01-01T00:01:00.000Z' in timed
    parent = shell.shown("show", "parent").splitlines()
    assert "child       1.1/c0 parent/1.1/c0 → home.hear" in parent
    assert "child       1.1/c1 parent/1.1/c1 → home.hear completed" in parent
    assert "parent      parent by 1.1/c0" in shell.shown("show", "parent/1.1/c0").splitlines()
