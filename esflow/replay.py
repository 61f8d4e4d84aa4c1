"""From stored rows back to what they mean: verified reading, the state at a version, the report.

It reads a store and appends nothing, and needs no flow and no user code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, final

import attrs

from esflow.codec import decode, genesis, has_hash, take_apart
from esflow.errors import CorruptHistory, JobNotFound, UnknownEvent
from esflow.events import Interrupted, JobForked, QuestionAsked, Recorded
from esflow.fold import evolve
from esflow.snapshots import Replayed, find_snapshot, warn
from esflow.state import JobFold
from esflow.store import IndexRow, JobQuery, Store
from esflow.summary import REBUILD
from esflow.values import by_value

if TYPE_CHECKING:
    from eventsourcing.persistence import Notification


@final
@attrs.frozen(kw_only=True)
@by_value
class VerifyReport:
    """What verification found: nothing, when all is as it was recorded."""

    ok: bool
    jobs: int
    events: int
    problems: tuple[str, ...]


def read_verified(store: Store, job_id: str, *, upto: int | None = None) -> Iterator[Recorded]:
    """Yield a job's events from the first, each checked against the one before it.

    Raises: CorruptHistory, at the first row that is not what was recorded; UnknownEvent.
    """
    return _chained(job_id, store.read(job_id, upto=upto), 0, genesis(job_id))


def recorders(store: Store, job_id: str) -> list[str]:
    """Return the jobs that recorded a history, one after the other: a fork is the last of them."""
    forked = (it for it in store.read(job_id) if it.topic.partition("/")[0] == JobForked.name)
    found = [decode_row(each).event for each in forked]
    return [*(each.origin for each in found if isinstance(each, JobForked)), job_id]


def _chained(
    job_id: str, rows: Iterable[Notification], after: int, previous: str
) -> Iterator[Recorded]:
    """Yield what rows recorded, each checked against the one before it."""
    for expected, row in enumerate(rows, start=after + 1):
        recorded = _decoded(job_id, expected, row, previous)
        previous = recorded.hash
        yield recorded


def read_history(store: Store, job_id: str, *, after: int = 0) -> Iterator[Recorded]:
    """Yield a job's events after a version, checked from there on."""
    previous = genesis(job_id)
    if after:
        predecessor = next(iter(store.read(job_id, after=after - 1, upto=after)), None)
        if predecessor is None:
            return
        previous = _decoded(job_id, after, predecessor, None).hash
    yield from _chained(job_id, store.read(job_id, after=after), after, previous)


def _decoded(job_id: str, expected: int, row: Notification, previous: str | None) -> Recorded:
    if row.originator_version != expected:
        raise _missing(job_id, expected, row.originator_version)
    return decode(job_id, expected, row.id, row.topic, row.state, previous)


def _missing(job_id: str, expected: int, found: int) -> CorruptHistory:
    return CorruptHistory(job_id, expected, f"missing, version {found} follows")


def decode_row(row: Notification) -> Recorded:
    """Return what one row recorded, taken by itself, without its place in the chain."""
    job_id = str(row.originator_id)
    return decode(job_id, row.originator_version, row.id, row.topic, row.state, None)


def replay(store: Store, job_id: str, *, upto: int | None = None) -> Replayed:
    """Fold a job up to a version, the last by default, from its newest snapshot on.

    What is behind the snapshot is verified; what is before it was, when the snapshot was taken.
    Raises: JobNotFound, CorruptHistory, UnknownEvent.
    """
    snapshot = find_snapshot(store, job_id, upto=upto)
    if snapshot is not None:
        version = snapshot.fold.version
        rows = store.read(job_id, after=version - 1, upto=upto)
        if _stands_at(snapshot, next(rows, None)):
            return _carried_on(snapshot, rows)
        warn(job_id, version, "ignored: the log has another event there, or none")
    return replay_all(store, job_id, upto=upto)


def _stands_at(snapshot: Replayed, row: Notification | None) -> bool:
    """Tell whether a row is the one that a snapshot was taken at."""
    return (
        row is not None
        and row.originator_version == snapshot.fold.version
        and has_hash(row.state, snapshot.head)
    )


def replay_all(store: Store, job_id: str, *, upto: int | None = None) -> Replayed:
    """Fold a job's verified events from the first up to a version, whatever snapshots there are.

    Raises: JobNotFound, CorruptHistory, UnknownEvent.
    """
    nothing = Replayed(fold=JobFold(job_id=job_id), head=genesis(job_id), created_at_ms=0)
    replayed = _carried_on(nothing, store.read(job_id, upto=upto))
    if not replayed.fold.version:
        raise JobNotFound(job_id)
    return replayed


def _carried_on(begun: Replayed, rows: Iterable[Notification]) -> Replayed:
    """Take more of a job's history into its fold, in place, each row checked as `_chained` does.

    Nothing is made of what stands around the events, which takes a fifth of the time.
    """
    fold, head, created_at_ms = begun.fold, begun.head, begun.created_at_ms
    job_id = fold.job_id
    for expected, row in enumerate(rows, start=fold.version + 1):
        version = row.originator_version
        if version != expected:
            raise _missing(job_id, expected, version)
        stored, head = take_apart(job_id, version, row.topic, row.state, head)
        evolve(fold, stored.data)
        if version == 1:
            created_at_ms = stored.at
    return Replayed(
        fold=fold,
        head=head,
        created_at_ms=created_at_ms,
        snapshot_version=begun.snapshot_version,
    )


def index_row(
    fold: JobFold,
    *,
    head: str,
    created_at_ms: int,
    updated_at_ms: int,
    lease: str | None = None,
    lease_until_ms: int | None = None,
) -> IndexRow:
    """Return what the index says of a job: all of it follows from its events, but the lease."""
    waits = fold.ended is None  # An ended job keeps its questions, and waits for no answer.
    asked = fold.first_asked if waits else None
    is_timed = bool(fold.timers or fold.questions or fold.delayed)
    return IndexRow(
        fold.job_id,
        fold.flow,
        fold.flow_version,
        fold.status,
        fold.version,
        head,
        fold.labels,
        created_at_ms,
        updated_at_ms,
        fold.wakes_at_ms if is_timed else None,
        None if asked is None else asked_text(asked),
        None if fold.failure is None else f"{fold.failure.type}: {fold.failure.message}",
        fold.host,
        lease,
        lease_until_ms,
        fold.due_at_ms if is_timed else None,
    )


def asked_text(asked: QuestionAsked | Interrupted) -> str:
    """Return what is asked as text: that of a question, or the payload of an interrupt as JSON."""
    if isinstance(asked, QuestionAsked):
        return asked.text
    if isinstance(asked.payload, str):
        return asked.payload
    from json import dumps

    return dumps(asked.payload, ensure_ascii=False)


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


def pages(store: Store, query: JobQuery) -> Iterator[IndexRow]:
    """Yield all jobs that a query names, page by page."""
    rows: Sequence[IndexRow] = store.jobs(query)
    while rows:
        yield from rows
        query = attrs.evolve(query, after=rows[-1].job_id)
        rows = store.jobs(query)


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
