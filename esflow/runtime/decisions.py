"""What a session is asked to decide and record, and what is left of that for somebody who may wait.

It knows nothing of how an append is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, final

import attrs

from esflow.consequences import due
from esflow.events import Event
from esflow.fold import evolve, evolve_all
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

    def planned(self, fold: JobFold, merge: Callable[[JobFold], Event]) -> list[Event]:
        """Return what its steps decide in turn, and all that is due, which the fold takes in.

        Shape: ``merge`` returns what becomes of a wave whose writes need code.
        Raises: whatever a step refuses by.
        """
        quiet = self.quiet()
        planned: list[Event] = []
        is_settled = False  # Nothing more follows from what is planned by now.
        for step in self.steps:
            token, events = fold.token, step(fold)
            if events:
                evolve_all(fold, events)
                planned += events
                is_settled = False
            # Whoever claims a job runs nothing of it yet, and fences whoever did.
            quiet = quiet or fold.token != token
            while fold.version and not is_settled:
                is_code_due = fold.merging and fold.waits_for_code
                following = merge(fold) if is_code_due else due(fold, quiet=quiet)
                if following is None:
                    is_settled = True
                else:
                    evolve(fold, following)
                    planned.append(following)
        return planned


def nobody_runs() -> bool:
    """Say that no handler of a job is running."""
    return True


def somebody_runs() -> bool:
    """Say that one may be."""
    return False
