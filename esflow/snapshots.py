"""Snapshots: a fold kept beside the log, so that a long history needn't be folded from its start.

The log is the truth, and a snapshot only saves time: it can be deleted at any moment, and nothing
is ever decided by one that doesn't agree with the log.
This module knows nothing of flows or time.

The bytes
---------
One line of readable JSON, ``{"hash":"<64 hex>","created_at_ms":…,"fold":{…}}``, where
``created_at_ms`` is that of the job.
The hash is the sha256 of the job's genesis, the fold version, the job's version and the head that
the snapshot stands at, each on a line of its own, and then the bytes behind the hash as they stand.
So a snapshot that was damaged, or moved to another job, version or place in the chain, is seen
before anything is read of it; that the log still has this head at this version, `replay` sees.

When the fold version changes
-----------------------------
A snapshot is what one fold made of the events, and another fold might have made something else.
So `FOLD_VERSION` grows with every change of what `JobFold` holds or of what it means; snapshots of
another version are passed over, and dropped when the next one is taken.
A test remembers the fields and some folds, and says when that has been forgotten.
"""

from __future__ import annotations

from typing import Final, final

import attrs

from esflow import trouble
from esflow.codec import genesis
from esflow.errors import PayloadError, StoreError
from esflow.json_values import Misfit
from esflow.state import JobFold, Status
from esflow.store import SnapshotRow, Store
from esflow.values import by_value, late

FOLD_VERSION: Final = 4
TAIL_SHARE: Final = 10
"""A job rests with less than this share of ``snapshot_every`` events behind its last snapshot."""
RESTING: Final = (Status.PAUSED, Status.WAITING)
"""Where another host may take a job up, any time later."""

_body_start: Final = len(b'{"hash":"') + 64 + len(b'",')


@final
@late(kw_only=True)
@by_value
class Replayed:
    """A job folded up to a recorded version.

    Shape: ``head`` is the hash of the event at that version.
    """

    fold: JobFold
    head: str
    created_at_ms: int
    snapshot_version: int = 0  # Of the snapshot that it began with; 0: it began with nothing.


@final
@attrs.frozen(kw_only=True, slots=False)
@by_value
class SnapshotPlan:
    """How often snapshots are taken, in events, and how many of a job are kept; 0 is never."""

    every: int = 0
    kept: int = 1

    def is_due(self, before: int, after: int, tail: int) -> bool:
        """Tell whether an append from one version to another calls for a snapshot.

        Shape: ``tail`` is how many events a job rests with behind its last one, 0 while it runs on.
        """
        crossed = self.every > 0 and before // self.every != after // self.every
        return crossed or 0 < self.every // TAIL_SHARE <= tail


def snapshot_plan(every: int, kept: int) -> SnapshotPlan:
    """Return a plan of what a caller gives.

    Raises: PayloadError.
    """
    if every < 0:
        raise PayloadError("snapshot_every", f"{every!r}; give a number of events, 0 for never")
    if kept < 1:
        problem = f"{kept!r}; give 1 or more, or snapshot_every=0 for none"
        raise PayloadError("snapshots_kept", problem)
    return SnapshotPlan(every=every, kept=kept)


def encode_snapshot(replayed: Replayed, taken_at_ms: int) -> SnapshotRow:
    """Return a job's fold as the row that is kept of it."""
    from esflow.fold_wires import pack

    fold = replayed.fold
    body = b'"created_at_ms":%d,"fold":%b}' % (replayed.created_at_ms, pack(fold))
    head = _sealed(fold.job_id, FOLD_VERSION, fold.version, replayed.head, body)
    return SnapshotRow(
        version=fold.version,
        fold_version=FOLD_VERSION,
        head=replayed.head,
        created_at_ms=taken_at_ms,
        state=head + body,
    )


def decode_snapshot(job_id: str, row: SnapshotRow) -> Replayed:
    """Return the fold that a row keeps.

    Raises: Misfit, when it isn't exactly what was kept here.
    """
    from esflow.fold_wires import unpack

    body = row.state[_body_start:]
    head = _sealed(job_id, row.fold_version, row.version, row.head, body)
    if row.fold_version != FOLD_VERSION or row.state[:_body_start] != head:
        raise Misfit("is not the one that was kept here")
    found = unpack(row.state)
    if (found.fold.job_id, found.fold.version) != (job_id, row.version):
        raise Misfit("holds another fold than it says")
    return Replayed(
        fold=found.fold,
        head=row.head,
        created_at_ms=found.created_at_ms,
        snapshot_version=row.version,
    )


def _sealed(job_id: str, fold_version: int, version: int, head: str, body: bytes) -> bytes:
    """Return the beginning of a snapshot's bytes, up to and with its hash."""
    from hashlib import sha256

    place = f"snapshot\n{genesis(job_id)}\n{fold_version}\n{version}\n{head}\n"
    seal = sha256(place.encode())
    seal.update(body)
    return b'{"hash":"%b",' % seal.hexdigest().encode()


def take_snapshot(store: Store, replayed: Replayed, *, taken_at_ms: int, keep: int) -> None:
    """Keep a snapshot of a job; a store that can't do it is no reason to stop."""
    fold = replayed.fold
    try:
        store.put_snapshot(fold.job_id, encode_snapshot(replayed, taken_at_ms), keep=keep)
    except StoreError as trouble:
        warn(fold.job_id, fold.version, f"not taken: {trouble}")


def find_snapshot(store: Store, job_id: str, *, upto: int | None) -> Replayed | None:
    """Return a job's newest snapshot at or before a version, None where none can be trusted.

    It says of itself where it stands; whether the log agrees is for whoever reads the log.
    """
    try:
        row = store.snapshot(job_id, fold_version=FOLD_VERSION, upto=upto)
    except StoreError as trouble:  # Where the log can't be read either, reading it will say so.
        warn(job_id, upto, f"not read: {trouble}")
        return None
    if row is None:
        return None
    try:
        return decode_snapshot(job_id, row)
    except Misfit as misfit:
        warn(job_id, row.version, f"ignored: it {misfit.problem}")
        return None


def warn(job_id: str, version: int | None, problem: str) -> None:
    """Log what is wrong with a snapshot; the job itself is well."""
    where = job_id if version is None else f"{job_id}@{version}"
    trouble.warn("snapshot of job %s %s", where, problem, job_id=job_id)
