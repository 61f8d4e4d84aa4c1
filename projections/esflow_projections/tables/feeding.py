"""How recorded events get into the tables: page by page, from where the last feeding ended.

It knows nothing of SQLite.

What is remembered between pages
--------------------------------
A row of an activation needs what its job was when it became ready, so jobs that haven't ended are
kept as they are told, up to a limit; one that is not there is read again from its first event.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias, final

import attrs

from esflow.events import Recorded
from esflow.replay import decode_row
from esflow.state import JobFold
from esflow.store import Store
from esflow_projections.tables.refusals import TablesRefused
from esflow_projections.tables.rows import Book, Page, history_row, job_row, take
from esflow_projections.tables.tables_file import TablesFile

if TYPE_CHECKING:
    from eventsourcing.persistence import Notification

Progress: TypeAlias = Callable[[int, int], None]
"""Told after every page: the position that was reached, and the newest there is."""

page_events: Final = 500
max_open_jobs: Final = 1000


def catch_up(store: Store, file: str, *, progress: Progress | None = None) -> int:
    """Take what was recorded since the last time into the tables of a file; return how many events.

    Several processes may do so at once: each event is taken in by one of them.
    Raises: TablesOutdated, when another release made the tables; TablesRefused, when they belong to
    another store or the file is no place for them; CorruptHistory, UnknownEvent; StoreError.
    """
    with _opened(file) as tables:
        tables.prepare()
        return _Feed(store, tables).catch_up(progress)


def rebuild(store: Store, file: str, *, progress: Progress | None = None) -> int:
    """Make the tables anew from the first event, whichever release made them before.

    Whatever else is in the file stays.
    An interrupted rebuild is carried on by `catch_up`.
    Raises: what `catch_up` raises, save TablesOutdated.
    """
    with _opened(file) as tables:
        tables.empty()
        return _Feed(store, tables).catch_up(progress)


def follow(store: Store, file: str) -> Iterator[int]:
    """Feed the tables whenever something is recorded; yield each position they have reached.

    The iterator waits for more, and ends when the store is closed.
    Raises: what `catch_up` raises.
    """
    with _opened(file) as tables:
        tables.prepare()
        feed = _Feed(store, tables)
        while True:
            feed.catch_up(None)
            position = tables.position()
            yield position
            if store.wait(position, None) == position:
                return


@contextmanager
def _opened(file: str) -> Generator[TablesFile]:
    tables = TablesFile(file)
    try:
        yield tables
    finally:
        tables.close()


@final
@attrs.define
class _Feed:
    """One store, one file, and the jobs in between."""

    _store: Store
    _tables: TablesFile
    _books: dict[str, Book] = attrs.field(factory=dict[str, Book])

    def catch_up(self, progress: Progress | None) -> int:
        taken = 0
        position = self._position()
        while rows := self._store.read_all(after=position, limit=page_events):
            upto = rows[-1].id
            if self._tables.put(self._page(rows), after=position, upto=upto):
                taken += len(rows)
                position = upto
            else:  # Somebody else was faster.
                position = self._position()
            if progress is not None:
                progress(position, max(position, self._store.position()))
        return taken

    def _position(self) -> int:
        """Return where to begin, once it is certain that the tables were fed from this store."""
        position = self._tables.position()
        if position:
            row = next(iter(self._store.read_all(after=position - 1, limit=1)), None)
            found = self._tables.recorded_at_position(position)
            if row is None or found != _identity(decode_row(row)):
                problem = "the tables were made from another store; name it, or use rebuild()"
                raise TablesRefused(self._tables.path, problem)
        return position

    def _page(self, rows: Sequence[Notification]) -> Page:
        page = Page()
        touched: dict[str, Book] = {}
        for row in rows:
            recorded = decode_row(row)
            book = touched[recorded.job_id] = self._book(recorded)
            take(book, recorded, page)
            page.history.append(history_row(recorded))
        page.jobs = {job_id: job_row(book) for job_id, book in touched.items()}
        self._keep(touched)
        return page

    def _book(self, recorded: Recorded) -> Book:
        """Return the job as it was before an event."""
        job_id, before = recorded.job_id, recorded.version - 1
        book = self._books.get(job_id)
        if book is None or book.fold.version != before:
            book = self._books[job_id] = self._read(job_id, before)
        return book

    def _read(self, job_id: str, version: int) -> Book:
        book, page = Book(JobFold(job_id=job_id)), Page()
        if version:
            for row in self._store.read(job_id, upto=version):
                take(book, decode_row(row), page)
        return book

    def _keep(self, touched: dict[str, Book]) -> None:
        """Forget jobs that have ended, and of too many those that were touched longest ago."""
        for job_id, book in touched.items():
            del self._books[job_id]
            if book.fold.ended is None:
                self._books[job_id] = book
        for job_id in tuple(self._books)[: max(0, len(self._books) - max_open_jobs)]:
            del self._books[job_id]


def _identity(recorded: Recorded) -> tuple[str, int, str]:
    return recorded.job_id, recorded.version, recorded.hash
