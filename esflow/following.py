"""What is and will be recorded, event by event, until the store is closed.

It appends nothing, and needs no flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from esflow.errors import StoreError
from esflow.events import Recorded
from esflow.replay import decode_row, read_history
from esflow.store import Store

_PAGE_EVENTS: Final = 1000


def followed(store: Store, job_id: str | None, after: int) -> Iterator[Recorded]:
    """Yield what is recorded of one job after a version, or of all after a position, and wait.

    Raises: CorruptHistory, UnknownEvent; StoreError, but for a store that was closed.
    """
    place = after
    try:
        while True:
            position = store.position()
            while page := news(store, job_id, place):
                yield from (recorded for _, recorded in page)
                place = page[-1][0]
            if store.wait(position, None) == position:
                return
    except StoreError:
        if not store.closed:
            raise


def news(store: Store, job_id: str | None, after: int) -> list[tuple[int, Recorded]]:
    """Return the next events of a job behind a version, or of all behind a position, and where.

    Raises: CorruptHistory, UnknownEvent, StoreError.
    """
    if job_id is None:
        return [(row.id, decode_row(row)) for row in store.read_all(after=after)]
    page = islice(read_history(store, job_id, after=after), _PAGE_EVENTS)
    return [(each.version, each) for each in page]
