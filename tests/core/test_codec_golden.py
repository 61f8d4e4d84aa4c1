"""What any released format wrote is read for ever, and means what it meant."""

from __future__ import annotations

import json
from itertools import cycle

import pytest

from esflow.codec import decode, genesis
from tests.golden.catalogue import envelopes, events, job_id
from tests.golden.rows import GOLDEN, stored_rows
from tests.golden.write import rows

formats = sorted(path.name for path in GOLDEN.glob("format-*"))


def newest() -> str:
    return max(formats, key=lambda name: int(name.removeprefix("format-")))


def stored(folder: str) -> list[tuple[str, bytes]]:
    return stored_rows(GOLDEN / folder / "every-event.jsonl")


@pytest.mark.parametrize("folder", formats)
def test_every_format_decodes_to_todays_events(folder: str) -> None:
    previous = genesis(job_id)
    for version, ((topic, state), event, envelope) in enumerate(
        zip(stored(folder), events, cycle(envelopes), strict=False), 1
    ):
        recorded = decode(job_id, version, version + 100, topic, state, previous)
        assert recorded.event == event
        assert (recorded.recorded_at_ms, recorded.host) == (envelope.recorded_at_ms, envelope.host)
        assert (recorded.actor, recorded.token) == (envelope.actor, envelope.token)
        assert (recorded.job_id, recorded.version) == (job_id, version)
        assert recorded.position == version + 100
        previous = recorded.hash


@pytest.mark.parametrize("folder", formats)
def test_every_format_holds_the_catalogue_of_its_day(folder: str) -> None:
    held = len(stored(folder))
    assert held == len(events) if folder == newest() else 0 < held < len(events)


def test_the_newest_format_is_written_to_the_byte() -> None:
    assert [(row["topic"], row["state"].encode()) for row in rows()] == stored(newest())


def test_an_upcaster_lifts_milliseconds_without_touching_the_row() -> None:
    old = [row for row in stored("format-1") if b"duration_ms" in row[1]]
    assert {topic for topic, _ in old} == {
        "ActivationCompleted/1",
        "ActivationFailed/1",
        "EffectRecorded/1",
    }
    for topic, state in old:
        recorded = decode(job_id, 1, 1, topic, state, None)
        assert getattr(recorded.event, "duration_us") % 1000 == 0  # noqa: B009 - three classes have it
        assert recorded.hash == json.loads(state)["hash"]
