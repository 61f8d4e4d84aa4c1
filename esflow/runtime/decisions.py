"""What a session is asked to decide and record, and what is left of that for somebody who may wait.

It knows nothing of how an append is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, final

import attrs

from esflow.events import Event
from esflow.state import JobFold

Decide: TypeAlias = Callable[[JobFold], Sequence[Event]]
"""A step: what follows from the state of a job."""
Left: TypeAlias = "Callable[[], Left] | None"
"""Does what would have had to wait, and returns what it leaves; None: nothing is left to do."""


@final
@attrs.define(eq=False, repr=False)
class Decision:
    """Steps that are decided together, as often as it takes until they are recorded.

    Shape: ``quiet`` tells whether no handler of the job is running anywhere; what ``may_wait`` is
    appended with what comes after it, where a session groups its appends.
    """

    steps: Sequence[Decide]
    quiet: Callable[[], bool]
    may_wait: bool
    is_planned: bool = False  # Whether what it comes to is recorded, or waits for it.


def nobody_runs() -> bool:
    """Say that no handler of a job is running."""
    return True


def somebody_runs() -> bool:
    """Say that one may be."""
    return False
