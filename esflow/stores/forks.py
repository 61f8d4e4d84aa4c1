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
"""

from __future__ import annotations

import os
from typing import Protocol
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
_suspended: list[Perishable] = []


def protect(perishable: Perishable) -> None:
    """Have something suspended around every fork from now on."""
    _perishables.add(perishable)


def _before() -> None:
    _suspended[:] = list(_perishables)
    for perishable in _suspended:
        perishable.suspend()


def _after_in_parent() -> None:
    while _suspended:
        _suspended.pop().resume()


def _after_in_child() -> None:
    while _suspended:
        _suspended.pop().renew()


if hasattr(os, "register_at_fork"):  # Where there is no fork there is nothing to do.
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
