"""Crash laws of ``durability="output"``: what was kept back may be lost, and nothing else.

Hosts that group their commits and hosts that don't take turns, and die anywhere.
Messages and cancellations come at waves that the store has not seen yet, so the reference can't say
where they join: that nothing of them is lost is shown by examples in tests/engine/test_output.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esflow.failpoints import POINTS
from esflow.replay import replay
from esflow.stores import open_store
from tests.laws.compare import assert_effects_are_kept, assert_same_as_undisturbed
from tests.laws.disturbances import every_flavour, schedules
from tests.laws.faults import Fault
from tests.laws.play import JOB, Play
from tests.laws.test_laws import torn
from tests.reference.generator import examples

OUTPUT: Final = ("output",)
MIXED: Final = ("output", "step", "output")
FEW: Final = settings(max_examples=5)


def check_play(
    flow: st.DataObject,
    flavour: str,
    *,
    asks: bool,
    faults: Sequence[Fault],
    durabilities: Sequence[str],
) -> Play:
    """Play a flow that nothing comes to from outside; compare it, and look at each effect."""
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    parallel = flow.draw(st.sampled_from([1, 2, 8]), label="threads")
    play = Play(
        program,
        attrs.evolve(script, messages=(), cancel=None),
        open_store("memory://"),
        faults=faults,
        parallel=parallel,
        durabilities=durabilities,
    )
    early: list[str] = []

    def executed(key: str) -> None:
        wave = int(key.split("/")[1].partition(".")[0])
        if replay(play.store, JOB).fold.wave < wave:  # Who has lost the job may be late.
            early.append(key)

    play.world.on_executed = executed
    assert_same_as_undisturbed(play)
    assert not early, f"called while earlier waves were not recorded: {early}"
    return play


@every_flavour
@FEW
@given(flow=st.data())
def test_a_job_whose_commits_are_grouped_equals_the_reference(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    faults = flow.draw(schedules, label="schedule")
    hosts = flow.draw(st.sampled_from([OUTPUT, MIXED]), label="hosts")

    play = check_play(flow, flavour, asks=asks, faults=faults, durabilities=hosts)

    assert_effects_are_kept(play)
    for history in (*play.survivors, play.history()):
        assert not torn(history), f"left half-done: {torn(history)}"


@pytest.mark.parametrize("point", POINTS)
@settings(max_examples=4)
@given(flow=st.data())
def test_a_host_that_groups_may_die_at_any_point_at_any_time(
    flow: st.DataObject, point: str
) -> None:
    faults = [Fault("crash", at, point) for at in range(1, 16, flow.draw(st.integers(1, 3)))]

    play = check_play(flow, "calm", asks=True, faults=faults, durabilities=OUTPUT)

    assert play.world.executions.total() <= play.most_executions
