"""A store between an engine and its log.

It counts what is read, takes note of what is acknowledged and where each append ended, which the
log itself doesn't say, and lets tests come between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast, final

import attrs

from esflow.store import IndexRow, Store

if TYPE_CHECKING:
    from eventsourcing.persistence import Notification, StoredEvent


def _nothing() -> None:
    """Let everything be."""


@final
@attrs.define
class Watched:
    """Does what its store does; ``between`` is called before everything that is asked of it."""

    inner: Store
    between: Callable[[], None] = _nothing
    rows_read: int = 0  # Of jobs; not of the whole log.
    acknowledged: list[StoredEvent] = attrs.field(factory=list["StoredEvent"])
    ends: dict[str, list[int]] = attrs.field(factory=dict[str, list[int]])  # Of appends, by job.

    @property
    def as_store(self) -> Store:
        """Itself, as what it stands for."""
        return cast("Store", self)

    def read(
        self, job_id: str, *, after: int = 0, upto: int | None = None
    ) -> Iterator[Notification]:
        """Yield rows, and count them."""
        self.between()
        for row in self.inner.read(job_id, after=after, upto=upto):
            self.rows_read += 1
            yield row

    def append(
        self,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        expected: int,
        keep_lease: bool,
        at_once: bool = False,
    ) -> int:
        """Append, and take note of what is acknowledged, and where it ended."""
        self.between()
        position = self.inner.append(
            rows, index, expected=expected, keep_lease=keep_lease, at_once=at_once
        )
        self.acknowledged += rows
        self.ends.setdefault(index.job_id, []).append(expected + len(rows))
        return position

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the store has."""
        self.between()
        return getattr(self.inner, name)
