"""What a fork must not carry over, put away before it and taken out again after it.

It knows nothing of databases.

Why closing *before* the fork
-----------------------------
SQLite must never see one process's connection in another one, not even to close it.
It also remembers, per process, which files it has locked, and a child inherits that memory without
the locks: a connection that the child opens itself believes to be protected and isn't.
When the parent then closes the file, it takes itself for the last user and removes the write-ahead
log that the child is still writing to; what the child was told is recorded is lost.
So there must be nothing open at the moment of the fork.
Source: https://www.sqlite.org/howtocorrupt.html, section 2.6.

Why nothing is collected meanwhile
----------------------------------
Around a fork every lock here is held by the thread that forks.
A collection in that thread may finalize a store that nobody closed, which wants one of these locks
and would wait for its own thread, for ever.
"""

from __future__ import annotations

import gc
import os
import threading
from typing import Protocol, final
from weakref import WeakSet


class Perishable(Protocol):
    """Something that can't be shared with a child."""

    def suspend(self) -> None:
        """Let go of everything, and keep everybody out."""
        ...

    def resume(self) -> None:
        """Let everybody in again, in the parent."""
        ...

    def renew(self) -> None:
        """Begin anew, in the child, where no other thread exists."""
        ...


_perishables: WeakSet[Perishable] = WeakSet()


@final
class _Fork:
    """What is put away while a thread forks; other threads that want to fork wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._suspended: list[Perishable] = []
        self._collected = True

    def before(self) -> None:
        self._lock.acquire()
        self._collected = gc.isenabled()
        gc.disable()
        self._suspended = list(_perishables)
        for perishable in self._suspended:
            perishable.suspend()

    def after_in_parent(self) -> None:
        while self._suspended:
            self._suspended.pop().resume()
        self._end()

    def after_in_child(self) -> None:
        while self._suspended:
            self._suspended.pop().renew()
        self._end()

    def _end(self) -> None:
        if self._collected:
            gc.enable()
        self._lock.release()


_fork = _Fork()


def protect(perishable: Perishable) -> None:
    """Have something suspended around every fork from now on."""
    _perishables.add(perishable)


if hasattr(os, "register_at_fork"):  # Where there is no fork there is nothing to do.
    os.register_at_fork(
        before=_fork.before,
        after_in_parent=_fork.after_in_parent,
        after_in_child=_fork.after_in_child,
    )
