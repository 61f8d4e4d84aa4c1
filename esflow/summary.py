"""One job as a line in a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, final

import attrs

from esflow.errors import StoreError
from esflow.moments import moment_of
from esflow.state import Status
from esflow.store import IndexRow
from esflow.values import by_value

REBUILD: Final = "make the index anew from the log: esflow doctor --rebuild-index"
"""What to do where the index is not what the log makes of it."""
_STATUSES: Final = {status.value: status for status in Status}  # A tenth of a call of Status.


@final
@attrs.frozen(slots=False)  # By position and without slots: a page holds many.
@by_value
class JobSummary:
    """What the index says of a job.

    Shape: ``question`` is the first open one, ``error`` what ended a failed job, ``host`` the last
    that drove it.
    """

    job_id: str
    flow: str
    flow_version: str
    status: Status
    version: int
    labels: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    wakes_at: datetime | None
    question: str | None
    error: str | None
    host: str | None


def summaries_of(rows: Iterable[IndexRow]) -> tuple[JobSummary, ...]:
    """Return the summaries that index rows stand for.

    Raises: StoreError.
    """
    return tuple(map(summary_of, rows))


def summary_of(row: IndexRow) -> JobSummary:
    """Return the summary that an index row stands for.

    Raises: StoreError, when the row can't be one of ours.
    """
    try:
        return JobSummary(
            row.job_id,
            row.flow,
            row.flow_version,
            _STATUSES.get(row.status) or Status(row.status),
            row.version,
            row.labels,
            moment_of(row.created_at_ms),
            moment_of(row.updated_at_ms),
            None if row.wakes_at_ms is None else moment_of(row.wakes_at_ms),
            row.question,
            row.error,
            row.host,
        )
    except (ValueError, OverflowError, OSError) as fault:
        problem = f"the index row is damaged ({fault}); {REBUILD}"
        raise StoreError(f"listing job {row.job_id!r}", problem, False) from fault
