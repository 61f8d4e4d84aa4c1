"""What is and will be recorded, event by event, until the store is closed.

It appends nothing, and needs no flow.
"""

from __future__ import annotations

from collections.abc import Iterator

from esflow.errors import StoreError
from esflow.events import Recorded
from esflow.replay import decode_row, read_history
from esflow.store import Store


def followed(store: Store, job_id: str | None, after: int) -> Iterator[Recorded]:
    """Yield what is recorded of one job after a version, or of all after a position, and wait.

    Raises: CorruptHistory, UnknownEvent; StoreError, but for a store that was closed.
    """
    try:
        if job_id is None:
            yield from _all_jobs(store, after)
        else:
            yield from _one_job(store, job_id, after)
    except StoreError:
        if not store.closed:
            raise


def _one_job(store: Store, job_id: str, after: int) -> Iterator[Recorded]:
    while True:
        position = store.position()
        for recorded in read_history(store, job_id, after=after):
            after = recorded.version
            yield recorded
        if store.wait(position, None) == position:
            return


def _all_jobs(store: Store, after: int) -> Iterator[Recorded]:
    while True:
        for row in store.read_all(after=after):
            after = row.id
            yield decode_row(row)
        if store.wait(after, None) == after:
            return
