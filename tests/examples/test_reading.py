"""The reading room as whole jobs: a map over documents with a join, and failures that join too."""

from pathlib import Path

import pytest

from esflow import Engine, JobState, events
from esflow.testing import ManualClock
from examples.reading import app, build
from examples.reading.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "a.txt").write_text("Lamps are bright\nlamps", "utf-8")
    (shelf / "b.txt").write_text("", "utf-8")
    return shelf


def read(place: Path, shelf: Path) -> JobState:
    """Read the shelf, on another host whenever the job waits."""
    clock, url = ManualClock(), f"sqlite:///{place / 'jobs.db'}"
    with Engine(url, [build(Shelf(shelf))], clock=clock, host="host-a") as engine:
        job = engine.start("reading", "titles", job_id="one")
    while job.status == "waiting":
        clock.advance(5)
        with Engine(url, [build(Shelf(shelf))], clock=clock, host="host-b") as engine:
            job = engine.run("one")
    return job


def cards(job: JobState) -> list[dict[str, object]]:
    (digest,) = job.outputs
    assert digest.payload["documents"] == len(digest.payload["cards"])
    return list(digest.payload["cards"])


def test_every_document_has_a_card_of_all_its_readings(tmp_path: Path, shelf: Path) -> None:
    job = read(tmp_path, shelf)
    assert job.status == "completed"
    assert cards(job) == [
        {"title": "a.txt", "length": 4, "topic": "lamps", "opening": "Lamps are bright"}
        | {"failed": []},
        {"title": "b.txt", "length": 0, "topic": "", "opening": "", "failed": []},
    ]


def test_a_document_that_can_not_be_read_has_a_card_that_says_so(
    tmp_path: Path, shelf: Path
) -> None:
    (shelf / "b.txt").write_bytes(b"\xff")
    job = read(tmp_path, shelf)
    assert job.status == "completed"
    assert [card["failed"] for card in cards(job)] == [[], ["length", "opening", "topic"]]
    with Engine(f"sqlite:///{tmp_path / 'jobs.db'}") as engine:
        told = [each.event for each in engine.history("one")]
    failed = [each for each in told if isinstance(each, events.ActivationFailed)]
    assert [each.outcome for each in failed] == ["retry"] * 3 + ["route"] * 3


def test_an_empty_shelf_has_no_cards(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert cards(read(tmp_path, tmp_path / "empty")) == []


def test_the_app_reads_where_the_environment_says(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING_SHELF", str(shelf))
    with Engine("memory://", [app()]) as engine:
        assert len(cards(engine.start("reading", "titles"))) == 2
