"""Every table by its name, in the order of the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Final

import attrs

from benchmarks.scale.capacity import capacity_table
from benchmarks.scale.constants import Constants
from benchmarks.scale.growth import job_table, paused_table, store_table
from benchmarks.scale.partitions import cost_table, moves_table, spread_table
from benchmarks.scale.tables import NONE, duration, markdown, number, size
from benchmarks.scale.waiting import closed_table, open_table

ROUND_RATE: Final = 1_000
COMMITS_US: Final = (100, 300, 1_000, 3_000, 10_000)
SAFE_LOAD: Final = 0.7  # Above it waits grow fast, as the table of open hosts shows.


def constants_table(constants: Constants) -> str:
    """Return the inputs, with what each is and where it is from."""
    columns = ("name", "value", "what", "from")
    return markdown(
        columns,
        [
            (
                f"`{field.name}`",
                f"{getattr(constants, field.name):,.6g} {field.metadata['unit']}",
                field.metadata["says"],
                field.metadata["source"],
            )
            for field in attrs.fields(Constants)
        ],
    )


def short_table(constants: Constants) -> str:
    """Return what most readers want to know first."""
    rows = [
        ("an event on disk", size(constants.event_bytes)),
        ("a job that waits, on disk", size(constants.paused_job_bytes)),
        ("a job that waits, in memory", NONE),
        ("commits of one file, FULL", f"{number(1e6 / constants.full_commit_us)}/s"),
        ("commits of one file, NORMAL", f"{number(1e6 / constants.normal_commit_us)}/s"),
        ("until another process has seen a commit", duration(constants.wake_us / 1e6)),
    ]
    return markdown(("what", "how much"), rows)


def sync_table(constants: Constants) -> str:
    """Return what becomes of one file, FULL, when a commit takes longer or shorter."""
    handlers = f"{constants.handler_seconds:,.6g} s"
    columns = (
        "a commit takes",
        "activations/s of one file",
        f"in flight, with handlers of {handlers}, to keep it busy",
        f"files for {ROUND_RATE:,} activations/s, each {SAFE_LOAD * 100:.0f} % busy",
    )
    rows = [
        (
            duration(commit / 1e6),
            number(1e6 / commit),
            f"{round(constants.handler_seconds * 1e6 / commit) + 1:,}",
            f"{ceil(ROUND_RATE * commit / 1e6 / SAFE_LOAD):,}",
        )
        for commit in sorted({*COMMITS_US, constants.full_commit_us})
    ]
    return markdown(columns, rows)


TABLES: Final[Mapping[str, Callable[[Constants], str]]] = {
    "short": short_table,
    "inputs": constants_table,
    "store": store_table,
    "job": job_table,
    "paused": paused_table,
    "capacity": capacity_table,
    "syncs": sync_table,
    "open": open_table,
    "closed": closed_table,
    "spread": spread_table,
    "moves": moves_table,
    "costs": cost_table,
}
