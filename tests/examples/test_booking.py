"""The travel desk as whole jobs: what was booked is undone when a later booking can't be had."""

from pathlib import Path

import pytest

from esflow import Engine, JobState
from esflow.testing import ManualClock
from examples.booking import app, build
from examples.booking.offices import FileOffices


def travel(place: Path, *sold_out: str) -> JobState:
    """Book a journey, on another host whenever the job waits."""
    clock, url = ManualClock(), f"sqlite:///{place / 'jobs.db'}"
    offices = FileOffices(place / "book.jsonl", frozenset(sold_out))
    with Engine(url, [build(offices)], clock=clock, host="host-a") as engine:
        job = engine.start("booking", "flight", {"traveller": "Ada"}, job_id="one")
    while job.status == "waiting":
        clock.advance(5)
        with Engine(url, [build(offices)], clock=clock, host="host-b") as engine:
            job = engine.run("one")
    return job


def lines(place: Path) -> list[str]:
    return [text for _, text in FileOffices(place / "book.jsonl").lines()]


def test_a_journey_that_can_be_had_is_booked_once(tmp_path: Path) -> None:
    job = travel(tmp_path)
    assert job.status == "completed"
    assert lines(tmp_path) == [f"booked {what} for Ada" for what in ("flight", "hotel", "car")]
    (booked,) = job.outputs
    assert [each["what"] for each in booked.payload["bookings"]] == ["flight", "hotel", "car"]


@pytest.mark.parametrize(
    ("sold_out", "undone"),
    [("flight", []), ("hotel", ["flight"]), ("car", ["hotel", "flight"])],
)
def test_what_was_booked_is_cancelled_from_the_last_on(
    tmp_path: Path, sold_out: str, undone: list[str]
) -> None:
    job = travel(tmp_path, sold_out)
    assert job.status == "completed"
    assert job.outputs[-1].payload == {
        "reason": f"SoldOut: no {sold_out} for Ada",
        "cancelled": len(undone),
    }
    assert [each.fields["what"] for each in job.log] == undone
    assert sum(line.startswith("cancelled") for line in lines(tmp_path)) == len(undone)


def test_offices_do_nothing_twice_for_one_key(tmp_path: Path) -> None:
    offices = FileOffices(tmp_path / "book.jsonl")
    assert offices.book("a car", "Ada", key="a") == offices.book("a car", "Ada", key="a")
    assert offices.cancel("book.jsonl:1", key="b") == "book.jsonl:2"
    assert len(offices.lines()) == 2


def test_the_app_books_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKING_BOOK", str(tmp_path / "book.jsonl"))
    monkeypatch.setenv("BOOKING_SOLD_OUT", "boat,train")
    with Engine("memory://", [app()]) as engine:
        assert engine.start("booking", "flight", {"traveller": "Bo"}).status == "completed"
    assert len(lines(tmp_path)) == 3
