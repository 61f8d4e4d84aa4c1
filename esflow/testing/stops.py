"""Where a job is stopped, and how: schedules as data, so that a failing check can be repeated.

A job has a boundary at each append: between two events of one append nothing can come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, final

import attrs

How: TypeAlias = Literal["pause", "crash before", "crash after", "steal"]

HOWS: Final[tuple[How, ...]] = ("crash before", "crash after", "steal", "pause")


@final
@attrs.frozen
class Stop:
    """Something that befalls a host at one of its appends, counted from 1 within a run.

    Shape: ``pause`` is that of an operator, somewhere else, behind the append; a host is lost in a
    ``crash``, before the append is recorded or after; a ``steal`` is another host that takes the
    job over behind the append while this one still works on it.
    """

    how: How
    at: int

    def __str__(self) -> str:
        where = "" if self.how.startswith("crash") else " behind"
        return f"{self.how}{where} append {self.at}"


Schedule: TypeAlias = tuple[Stop, ...]
"""All that befalls the hosts of one run."""


def every_schedule(appends: int) -> list[Schedule]:
    """Return one schedule for each way of stopping at each append of a run."""
    return [(Stop(how, at),) for how in HOWS for at in range(1, appends + 1)]


def spread(schedules: Sequence[Schedule], limit: int) -> list[Schedule]:
    """Return at most so many of some schedules, evenly spread over them, in their order."""
    if len(schedules) <= limit:
        return list(schedules)
    return [schedules[place * len(schedules) // limit] for place in range(limit)]


def told(schedule: Schedule) -> str:
    """Return a schedule as a sentence has it."""
    return ", then ".join(map(str, schedule)) or "not stopped at all"
