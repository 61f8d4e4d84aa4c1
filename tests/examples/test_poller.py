"""The poller as whole jobs: nobody waits for a report but a timer in the log."""

from pathlib import Path

import pytest

from esflow import Engine, JobState
from esflow.testing import ManualClock
from examples.poller import app, build
from examples.poller.flow import MAX_LOOKS
from examples.poller.printer import FolderPrinter


def watch(place: Path, ready_at: int) -> tuple[JobState, list[float]]:
    """Look for a report that is there before the look with this number; return the waits too."""
    clock, url = ManualClock(), f"sqlite:///{place / 'jobs.db'}"
    flow, waits = build(FolderPrinter(place)), list[float]()
    if ready_at == 1:
        (place / "report").write_text("ready", "utf-8")
    with Engine(url, [flow], clock=clock, host="host-a") as engine:
        job = engine.start("poller", "look", {"report": "report"}, job_id="one")
    while job.status == "waiting":
        assert job.wakes_at is not None
        waits.append(job.wakes_at.timestamp() - clock.now_ms() / 1000)
        if len(waits) + 1 == ready_at:
            (place / "report").write_text("ready", "utf-8")
        clock.set(job.wakes_at)
        with Engine(url, [build(FolderPrinter(place))], clock=clock, host="host-b") as engine:
            job = engine.run("one")
    return job, waits


@pytest.mark.parametrize("ready_at", [1, 2, MAX_LOOKS])
def test_a_report_is_found_when_it_is_there(tmp_path: Path, ready_at: int) -> None:
    job, waits = watch(tmp_path, ready_at)
    assert job.outputs[0].payload == {"report": "report", "text": "ready", "looks": ready_at}
    assert waits == [10 * 2**look for look in range(ready_at - 1)]


def test_a_report_that_never_comes_is_given_up(tmp_path: Path) -> None:
    job, waits = watch(tmp_path, MAX_LOOKS + 1)
    assert job.status == "completed"
    assert job.outputs[0].output == "missing"
    assert len(waits) == MAX_LOOKS - 1


def test_the_app_looks_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLLER_FOLDER", str(tmp_path))
    (tmp_path / "it").write_text("here", "utf-8")
    with Engine("memory://", [app()]) as engine:
        job = engine.start("poller", "look", {"report": "it"})
    assert job.outputs[0].payload["text"] == "here"
