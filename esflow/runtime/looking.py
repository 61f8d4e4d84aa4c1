"""What callers of an engine look at: a job at a moment, its history, and what comes next.

It records nothing, and needs no flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from esflow.errors import VersionConflict
from esflow.events import Recorded
from esflow.inputs import checked_place, findable_id
from esflow.replay import read_history, replay
from esflow.runtime.host import Host
from esflow.state import JobState

if TYPE_CHECKING:
    from esflow.patches import PatchOp

Moment: TypeAlias = str | tuple[str, int]
"""A job as it is, or as it was at a version."""


def state(host: Host, job_id: str, version: int | None = None) -> JobState:
    """Return a job as it was at a version, the last by default."""
    if version is not None and version < 1:
        raise VersionConflict(job_id, version, host.head(job_id).version)
    fold = replay(host.store, findable_id(job_id), upto=version).fold
    if version is not None and fold.version != version:
        raise VersionConflict(job_id, version, fold.version)
    return fold.face()


def history(host: Host, job_id: str, after: int) -> tuple[Recorded, ...]:
    """Return what was recorded of a job after a version, verified."""
    host.head(job_id)
    return tuple(read_history(host.store, job_id, after=checked_place(after)))


def follow(host: Host, job_id: str | None, after: int) -> Iterator[Recorded]:
    """Yield what is and will be recorded: of one job after a version, of all after a position."""
    from esflow.following import followed

    if job_id is not None:
        host.head(job_id)
    return followed(host.store, job_id, checked_place(after))


def diff(host: Host, a: Moment, b: Moment) -> list[PatchOp]:
    """Return what turns the state of one moment into that of another."""
    from esflow.patches import difference

    return difference(_at(host, a).as_dict(), _at(host, b).as_dict())


def _at(host: Host, moment: Moment) -> JobState:
    return state(host, moment) if isinstance(moment, str) else state(host, *moment)
