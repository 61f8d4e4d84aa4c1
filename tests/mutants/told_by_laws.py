"""Wrongs that an example kills, killed by the laws on generated flows as well.

So the laws see what they are made to see: timers and deadlines, joins and reducers of a flow's own,
retries and routes, data with a type, and children.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from tests.mutants import failures, joins, timers
from tests.mutants.mutant import PAUSED, REFERENCE, Trial

_TOLD: Final[Mapping[str, Trial]] = {
    name: Trial(law, flavour, examples=20)
    for law, flavour, names in (
        (
            REFERENCE,
            "timed",
            (
                "a timer fires twice",
                "what was due stays behind at a resumption",
                "a default is recorded twice",
            ),
        ),
        (PAUSED, "timed", ("of what is late together one is answered",)),
        (
            REFERENCE,
            "family",
            ("a child is started twice", "a cancelled job leaves its children alone"),
        ),
        (PAUSED, "family", ("a deadline has the children of a paused job driven",)),
        (
            REFERENCE,
            "joined",
            (
                "a join doesn't wait for every connection",
                "a join fires again with what it has had",
                "a join stands where its first payload stood",
                "a reducer is called for the first write",
                "a goto forgets what code makes of what is finished",
            ),
        ),
        (
            REFERENCE,
            "typed",
            ("an update skips what the type says", "a failing merge blames the last write"),
        ),
        (
            REFERENCE,
            "governed",
            (
                "an error that escaped stays what it was",
                "effects are forgotten though they are to be reused",
                "a fresh attempt is given what is recorded",
                "a finished neighbour runs again",
                "a retry has the attempts that were left",
                "the next attempt does not wait",
                "the attempts of an effect are not limited",
                "a routed failure stops",
            ),
        ),
    )
    for name in names
}
MUTANTS: Final = tuple(
    attrs.evolve(mutant, name=f"{mutant.name}, by the laws", trial=_TOLD[mutant.name])
    for mutant in (*timers.MUTANTS, *joins.MUTANTS, *failures.MUTANTS)
    if mutant.name in _TOLD
)
