"""From stored rows back to what they mean: verified reading, the state at a version, the index row.

It reads a store and appends nothing, and needs no flow and no user code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from esflow.codec import decode, genesis, has_hash, take_apart
from esflow.errors import CorruptHistory, JobNotFound
from esflow.events import Interrupted, JobForked, QuestionAsked, Recorded
from esflow.fold import HANDLERS
from esflow.snapshots import Replayed, find_snapshot, warn
from esflow.state import JobFold
from esflow.store import IndexRow, JobQuery, Store

if TYPE_CHECKING:
    from eventsourcing.persistence import Notification


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

    Nothing is made of what stands around the events, which takes a fifth of the time, and what
    `evolve` does is written out, because it is called for each of them.
    """
    fold, head, created_at_ms = begun.fold, begun.head, begun.created_at_ms
    job_id, version, handlers = fold.job_id, fold.version, HANDLERS
    for row in rows:
        version += 1
        if row.originator_version != version:
            raise _missing(job_id, version, row.originator_version)
        stored = take_apart(job_id, version, row.topic, row.state, head)
        head, event = stored.hash, stored.data
        fold.version = version
        handlers[type(event)](fold, event)
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
    head: str,
    created_at_ms: int,
    updated_at_ms: int,
    *,
    lease: str | None = None,
    lease_until_ms: int | None = None,
) -> IndexRow:
    """Return what the index says of a job: all of it follows from its events, but the lease."""
    # An ended job keeps its questions, and waits for no answer.
    may_ask = fold.ended is None and (fold.questions or fold.going != len(fold.members))
    asked = fold.first_asked if may_ask else None
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


def pages(store: Store, query: JobQuery) -> Iterator[IndexRow]:
    """Yield all jobs that a query names, page by page."""
    rows: Sequence[IndexRow] = store.jobs(query)
    while rows:
        yield from rows
        query = attrs.evolve(query, after=rows[-1].job_id)
        rows = store.jobs(query)
