"""What a host has to look after when a job of its has come to rest: its own time, its family.

A job that waits is not reported before its children have been driven as far as they go on this
host; and whoever ends a child drives its parent on, if nobody does.
One job is driven after the other, however deep a family is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from typing import Final, final

from esflow.replay import pages
from esflow.runtime.host import READY, Errand, Host, passing_over
from esflow.runtime.session import Session
from esflow.state import Status
from esflow.store import IndexRow, JobQuery

_DUE_ROWS: Final = 100


@final
class Agenda:
    """Jobs to look after, the last that was found first."""

    def __init__(self, host: Host, session: Session) -> None:
        self._host = host
        self._root = session.job_id
        self._jobs = list[str]()
        self.has_done = False
        self._tried = dict[str, int]()  # At which version something was done, or tried.
        self._noted = dict[str, int]()  # At which version its family was listed.
        self.note(session)

    @property
    def has_more(self) -> bool:
        """Whether there is anything to look at yet."""
        return bool(self._jobs)

    @contextmanager
    def guarding(self, errand: Errand) -> Generator[None]:
        """Let what is wrong with one of the family keep no other from going on."""
        with (
            nullcontext()
            if errand.session.job_id == self._root
            else passing_over(errand.session.job_id)
        ):
            yield

    def note(self, session: Session) -> None:
        """List what the family of a job may have to do, now that the job has come to rest."""
        fold = session.fold
        self._noted[fold.job_id] = fold.version
        if fold.ended is not None:
            parent = fold.parent
            if parent is not None and parent.job_id not in self._jobs:
                self._jobs.append(parent.job_id)
        elif fold.status is Status.WAITING:
            children = [each.job_id for each in fold.open_children] if fold.has_family else []
            self._jobs += [fold.job_id, *reversed(children)]
        elif fold.due_at_ms is not None:
            self._jobs.append(fold.job_id)

    def next(self) -> Errand | None:
        """Return what is to be done next, None if nothing is left that this host can do."""
        host = self._host
        while self._jobs:
            job_id = self._jobs.pop()
            row = host.store.head(job_id)
            if row is None or row.flow not in host.flows:
                continue
            if host.is_to_take(row) and self._tried.get(job_id) != row.version:
                self._tried[job_id], self.has_done = row.version, True
                return host.taking_over(job_id, None)
            if row.status == Status.WAITING and self._noted.get(job_id) != row.version:
                self.note(host.loaded(job_id, "run()"))
        return None


def left_rows(host: Host) -> Iterator[IndexRow]:
    """Yield the jobs without handlers to run that somebody holds: they owe other jobs something."""
    leased = pages(host.store, JobQuery(leased=True))
    return (row for row in leased if row.status not in READY)


def due_rows(host: Host) -> list[IndexRow]:
    """Return the jobs of this host's flows that something is due of by now."""
    limit, now_ms = _DUE_ROWS, host.clock.now_ms()
    while True:
        rows = host.store.due(host.flows, limit=limit)
        due = [row for row in rows if row.due_at_ms is not None and row.due_at_ms <= now_ms]
        if len(due) < limit:
            return due
        limit *= 4
