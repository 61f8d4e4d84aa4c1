"""The log and the index, one against the other: both are verified, and the index is made anew.

It reads every event of a store, and is loaded by who asks for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final

import attrs

from esflow.errors import CorruptHistory, JobNotFound, UnknownEvent
from esflow.fold import evolve
from esflow.replay import decode_row, index_row, pages, read_verified, replay_all
from esflow.state import JobFold
from esflow.store import IndexRow, JobQuery, Store
from esflow.summary import REBUILD
from esflow.values import by_value


@final
@attrs.frozen(kw_only=True)
@by_value
class VerifyReport:
    """What verification found: nothing, when all is as it was recorded."""

    ok: bool
    jobs: int
    events: int
    problems: tuple[str, ...]


def verify(store: Store, job_id: str | None = None) -> VerifyReport:
    """Check every row of a job, or of all jobs, and that the index and the log know the same.

    Raises: JobNotFound, for an unknown job.
    """
    problems: list[str] = []
    jobs = events = 0
    for name in _names(store, job_id):
        jobs += 1
        count, problem = _verify_job(store, name)
        events += count
        if problem is not None:
            problems.append(problem)
    return VerifyReport(ok=not problems, jobs=jobs, events=events, problems=tuple(problems))


def _names(store: Store, job_id: str | None) -> Iterable[str]:
    """Yield the jobs to verify: those that the log began, and those that only the index knows."""
    if job_id is not None:
        if store.head(job_id) is None and not _begun(store, job_id):
            raise JobNotFound(job_id)
        yield job_id
        return
    yield from _first_rows(store)
    for row in pages(store, JobQuery(limit=500)):
        if not _begun(store, row.job_id):
            yield row.job_id


def _begun(store: Store, job_id: str) -> bool:
    first = next(iter(store.read(job_id, upto=1)), None)
    return first is not None and first.originator_version == 1


def _verify_job(store: Store, job_id: str) -> tuple[int, str | None]:
    """Return how many events are as they were recorded, and what is wrong with the rest."""
    indexed = store.head(job_id)  # First: a job that goes on meanwhile is behind in nothing.
    fold = JobFold(job_id=job_id)
    created_at_ms = 0
    at_index = None
    try:
        for recorded in read_verified(store, job_id):
            evolve(fold, recorded.event)
            created_at_ms = created_at_ms or recorded.recorded_at_ms
            if indexed is not None and recorded.version == indexed.version:
                at_index = index_row(
                    fold,
                    head=recorded.hash,
                    created_at_ms=created_at_ms,
                    updated_at_ms=recorded.recorded_at_ms,
                    lease=indexed.lease,
                    lease_until_ms=indexed.lease_until_ms,
                )
    except (CorruptHistory, UnknownEvent) as problem:
        return fold.version, str(problem)
    return fold.version, _index_problem(store, fold, indexed, at_index)


def _index_problem(
    store: Store, fold: JobFold, indexed: IndexRow | None, at_index: IndexRow | None
) -> str | None:
    """Return in what the index and a verified log differ.

    Shape: ``at_index`` is the index row that the log makes of its events up to the indexed one.
    """
    now = store.head(fold.job_id)
    if indexed is None or now is None:
        return f"job {fold.job_id!r}: the index lacks it; {REBUILD}"
    if fold.version < indexed.version:
        end = f"the index knows version {indexed.version}, the log ends at {fold.version}"
        return str(CorruptHistory(fold.job_id, fold.version + 1, end))
    if at_index is None or at_index.head != indexed.head:
        return str(CorruptHistory(fold.job_id, indexed.version, "another hash is indexed"))
    if now.version < fold.version:
        end = f"the index knows version {now.version}, the log goes on to {fold.version}"
        return f"job {fold.job_id!r}: {end}; {REBUILD}"
    if at_index != indexed:
        fields = [each.name for each in attrs.fields(IndexRow)]
        other = [each for each in fields if getattr(at_index, each) != getattr(indexed, each)]
        problem = f"at version {indexed.version}, the index has another {', '.join(other)}"
        return f"job {fold.job_id!r}: {problem}; {REBUILD}"
    return None


def rebuild_index(store: Store) -> None:
    """Make the index anew from the log alone, verifying every job on the way."""
    store.reindex(_rebuilt(store))


def _rebuilt(store: Store) -> Iterator[IndexRow]:
    for job_id in _first_rows(store):
        yield _rebuilt_row(store, job_id)


def _first_rows(store: Store) -> Iterator[str]:
    """Yield the ids of all jobs, in the order in which they began."""
    position = 0
    while rows := store.read_all(after=position):
        position = rows[-1].id
        yield from (str(row.originator_id) for row in rows if row.originator_version == 1)


def _rebuilt_row(store: Store, job_id: str) -> IndexRow:
    replayed = replay_all(store, job_id)
    last = next(iter(store.read(job_id, after=replayed.fold.version - 1)))
    return index_row(
        replayed.fold,
        head=replayed.head,
        created_at_ms=replayed.created_at_ms,
        updated_at_ms=decode_row(last).recorded_at_ms,
    )
