"""Law 7 without chance: small runs are stopped at every single boundary, in every way there is.

The boundaries of a run are all its visits to the named points, and so everything that its log is at
any moment; the flows are drawn, what befalls their hosts is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final, final

import attrs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from esflow.failpoints import POINTS
from esflow.stores import open_store
from tests.laws.compare import assert_same_history, assert_same_outcome
from tests.laws.disturbances import OUTSIDE, every_flavour
from tests.laws.faults import Fault, Kind
from tests.laws.play import Play
from tests.reference.generator import examples
from tests.reference.interpreter import run
from tests.reference.outcome import Outcome
from tests.reference.program import Program, Script

SMALL: Final = 32  # Visits to points; each is the place of up to four plays.
TINY: Final = 3  # Appends; each set of them is the place of three plays.
BEYOND: Final = 1  # A disturbed run appends more than an undisturbed one.
UNHURRIED: Final = [HealthCheck.too_slow, HealthCheck.filter_too_much]
FEW: Final = settings(max_examples=2, suppress_health_check=UNHURRIED)
ELSEWHERE: Final[tuple[Kind, ...]] = ("pause", "steal", "seize")


@final
@attrs.frozen
class Plain:
    """An undisturbed run, and what the reference says of it."""

    program: Program
    script: Script
    play: Play
    expected: Outcome

    @classmethod
    def of(cls, program: Program, script: Script) -> Plain:
        """Play a program and a script."""
        play = Play(program, script, open_store("memory://"), parallel=1)
        expected = run(program, script)
        assert_same_outcome(play.run(), expected)
        return cls(program, script, play, expected)

    def disturbed(self, faults: Sequence[Fault]) -> Play:
        """Return the same, disturbed, when it has been found to come to the same."""
        store = open_store("memory://")
        play = Play(self.program, self.script, store, faults=faults, parallel=1)
        try:
            assert_same_outcome(play.run(), self.expected)
            assert_same_history(play.history(), self.play.history())
            assert play.world.executions.total() <= play.most_executions
            history = tuple(play.history())
            for survivor in play.survivors:
                assert history[: len(survivor)] == tuple(survivor), "what was recorded is gone"
        except Exception as error:
            error.add_note(f"with {list(faults)}, of which befell {play.befallen}")
            raise
        return play


@every_flavour
@FEW
@given(flow=st.data())
def test_law_7_holds_at_every_single_boundary_of_a_run(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    plain = Plain.of(*flow.draw(examples(asks=asks, flavour=flavour), label="flow"))
    assume(plain.play.reached.total() <= SMALL)

    versions = set[int]()
    for fault in boundaries(plain.play):
        play = plain.disturbed([fault])
        assert play.befallen == [fault]
        if (fault.kind, fault.point) == ("crash", "append.committed"):
            versions |= {len(survivor) for survivor in play.survivors}

    assert versions == set(plain.play.versions), "there is no version at which no host has died"


def boundaries(undisturbed: Play) -> Iterator[Fault]:
    """Yield everything that can befall a host at each of its visits to a point."""
    for point in POINTS:
        for at in range(1, undisturbed.reached[point] + 1):
            yield Fault("crash", at, point)
            for kind in ELSEWHERE if point in OUTSIDE else ():
                yield Fault(kind, at, point)


@every_flavour
@FEW
@given(flow=st.data())
def test_law_7_holds_at_every_set_of_versions_of_a_small_run(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    plain = Plain.of(*flow.draw(examples(asks=asks, flavour=flavour), label="flow"))
    appends = plain.play.reached["append.committed"]
    assume(appends <= TINY)

    kinds: tuple[Kind, ...] = ("crash", "pause", "seize")
    for kind in kinds:
        faults = [Fault(kind, at, "append.committed") for at in range(1, appends + BEYOND + 1)]
        for number in range(2, len(faults) + 1):
            for chosen in combinations(faults, number):
                if chosen[0].at <= appends:  # The others may never be come to.
                    assert plain.disturbed(chosen).befallen
