"""Whether a store can be worked with: what a service asks before it takes requests.

It reads the index alone, and what it writes means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, final

import attrs

from esflow.errors import StoreError
from esflow.replay import pages
from esflow.runtime.lease import is_abandoned
from esflow.state import Status
from esflow.store import IndexRow, JobQuery, Store
from esflow.summary import summary_of
from esflow.values import by_value

_NO_JOBS: Final = dict.fromkeys(Status, 0)


@final
@attrs.frozen(kw_only=True)
@by_value
class LeftJob:
    """A job whose driver let the lease lapse, or has gone without giving it back."""

    job_id: str
    host: str | None
    updated_at: datetime  # When anything was last recorded of it.


@final
@attrs.frozen(kw_only=True)
@by_value
class HealthReport:
    """How a store is.

    Shape: ``ok`` is reachable and writable; ``problem`` says why not, and what to do;
    ``jobs`` has every status; ``left`` counts the jobs that their hosts have left, ``oldest_left``
    is the one that has stood still for longest; ``warnings`` are what may go wrong one day, each
    with the next step. Of a store that can't be reached nothing else is known.
    """

    ok: bool
    store: str
    reachable: bool = False
    writable: bool = False
    problem: str | None = None
    database: str | None = None
    schema: int | None = None
    jobs: Mapping[Status, int] = _NO_JOBS
    left: int = 0
    oldest_left: LeftJob | None = None
    warnings: tuple[str, ...] = ()


def examine(store: Store, now_ms: int) -> HealthReport:
    """Look at a store and write to it; what it can't do is reported, not raised."""
    report = HealthReport(ok=False, store=store.url)
    try:
        report = _seen(store, now_ms)
        store.touch()
    except StoreError as problem:
        return attrs.evolve(report, problem=str(problem))
    return attrs.evolve(report, ok=True, writable=True)


def _seen(store: Store, now_ms: int) -> HealthReport:
    condition = store.condition()
    driven = pages(store, JobQuery(leased=True))
    left = [row for row in driven if is_abandoned(row.lease, row.lease_until_ms, now_ms)]
    oldest = min(left, key=_updated, default=None)
    return HealthReport(
        ok=False,
        store=store.url,
        reachable=True,
        database=condition.database,
        schema=condition.schema,
        jobs={status: condition.jobs.get(status, 0) for status in Status},
        left=len(left),
        oldest_left=None if oldest is None else _left_job(oldest),
        warnings=condition.warnings,
    )


def _updated(row: IndexRow) -> int:
    return row.updated_at_ms


def _left_job(row: IndexRow) -> LeftJob:
    summary = summary_of(row)
    return LeftJob(job_id=row.job_id, host=row.host, updated_at=summary.updated_at)
