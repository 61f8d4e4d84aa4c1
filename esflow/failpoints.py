"""The places where a test may kill the process: names, around one hook that does nothing.

This module knows nothing of what happens at the points, and imports nothing.
A test replaces `hook`; a program never does.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS: tuple[str, ...] = (
    "append.begun",  # Before the transaction.
    "append.inserted",  # Inside it, after the event rows.
    "append.indexed",  # Inside it, before the commit.
    "append.committed",  # After the commit, before the caller learns of it.
    "effect.returned",
    "effect.recorded",
    "handler.returned",
    "execution.claimed",
)


def _pass_by(point: str) -> None:
    """Do nothing."""


hook: Callable[[str], None] = _pass_by


def reach(point: str) -> None:
    """Say that execution has come to a point."""
    if hook is not _pass_by:  # Every step comes to five of them.
        hook(point)
