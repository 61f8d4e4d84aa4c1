"""What grows with the events of a store, with the events of one job, and with the jobs that wait.

It knows nothing of how fast anything is written.

A job begins like one that asks and waits, so its first events and its rows in every index are those
of a paused job; each event behind them takes what an event takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import attrs

from benchmarks.scale.constants import Constants
from benchmarks.scale.tables import duration, markdown, number, size

EVENTS: Final = tuple(10**power for power in range(3, 10))


@final
@attrs.frozen(kw_only=True)
class Store:
    """A store of so many events.

    Units: bytes, seconds.
    """

    events: int
    jobs: float
    stored_bytes: float
    verify_seconds: float
    copy_seconds: float


def grown(constants: Constants, events: int) -> Store:
    """Return what a store of so many events is like."""
    jobs = max(1, events / constants.events_per_job)
    first = min(events, jobs * constants.paused_job_events)
    stored = jobs * constants.paused_job_bytes + (events - first) * constants.event_bytes
    return Store(
        events=events,
        jobs=jobs,
        stored_bytes=stored,
        verify_seconds=events * constants.verify_us / 1e6,
        copy_seconds=stored / constants.copy_megabytes_per_second / 1e6,
    )


def replay_seconds(constants: Constants, events: int, *, snapshots: bool) -> float:
    """Return how long one job of so many events takes to replay; with snapshots at worst."""
    if not snapshots or events <= constants.snapshot_events:
        return events * constants.replay_us / 1e6
    behind = constants.snapshot_events * constants.replay_us
    return (constants.snapshot_us + behind) / 1e6


def store_table(constants: Constants, events: Sequence[int] = EVENTS) -> str:
    """Return what grows with the events of a whole store."""
    columns = ("events", "jobs, and rows of the index", "on disk", "verifying all", "a backup")
    stores = [grown(constants, count) for count in events]
    return markdown(
        columns,
        [
            (
                f"{each.events:,}",
                f"{round(each.jobs):,}",
                size(each.stored_bytes),
                duration(each.verify_seconds),
                duration(each.copy_seconds),
            )
            for each in stores
        ],
    )


def job_table(constants: Constants, events: Sequence[int] = EVENTS) -> str:
    """Return what grows with the events of one job."""
    columns = ("events of one job", "on disk", "replayed from the start", "with snapshots, at most")
    return markdown(
        columns,
        [
            (
                f"{count:,}",
                size(count * constants.event_bytes),
                duration(replay_seconds(constants, count, snapshots=False)),
                duration(replay_seconds(constants, count, snapshots=True)),
            )
            for count in events
        ],
    )


def paused_table(constants: Constants, jobs: Sequence[int] = EVENTS) -> str:
    """Return what grows with the jobs that wait for an answer."""
    columns = ("paused jobs", "events", "on disk", "threads", "a page of 100 of them")
    return markdown(
        columns,
        [
            (
                f"{count:,}",
                number(count * constants.paused_job_events),
                size(count * constants.paused_job_bytes),
                "0",
                duration(constants.page_us / 1e6),
            )
            for count in jobs
        ],
    )
