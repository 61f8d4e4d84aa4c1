"""What the engine really goes through in these laws: every feature and every fault, often enough.

That the generator draws something doesn't mean that a job ever came to it, least of all one that is
crashed and paused on the way; so this counts what is recorded in the end, and what befell.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Final

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from esflow import events as ev
from esflow.failpoints import POINTS
from tests.laws.disturbances import FLAVOURS_ALONE
from tests.laws.observe import observe
from tests.laws.play import Play
from tests.laws.test_laws import played
from tests.reference.features import BEYOND, FEATURES, MEETINGS, features
from tests.reference.generator import FLAVOURS
from tests.reference.interpreter import run
from tests.reference.outcome import as_text

RUNS: Final = 4
PLAYS: Final = 320
DISTURBANCES: Final = frozenset(
    {
        "a crash",
        "a pause by an operator",
        "a takeover",
        "a claim elsewhere",
        "several faults",
        "several threads",
        "a message in an open wave",
        "a message to a paused job",
    }
)
# What a fault leads to only where it meets a handler at work, and the end that a job does not come
# to while anything is asked; half as often is often enough.
CONSEQUENCES: Final = frozenset(
    {"a handler that ran again", "an effect that was kept from the first run", "completed"}
)


# Children and types have one flavour each, which is drawn twice as often here.
MIXTURE: Final = (*FLAVOURS, "family", "typed")
# Of the awkward jobs alone.
OF_ONE_FLAVOUR: Final = frozenset({"refused payload"})


def test_every_feature_and_every_fault_is_gone_through_by_a_tenth_of_the_jobs() -> None:
    seen: Counter[str] = Counter()
    crashed: Counter[str] = Counter()
    plays = 0
    # Many short runs: within one, Hypothesis varies what it has just drawn.
    for flavour, asks, number in product(MIXTURE, (True, False), range(RUNS)):

        @seed(number)
        @settings(
            max_examples=PLAYS // (2 * len(MIXTURE) * RUNS),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given],
        )
        @given(flow=st.data(), flavour=st.just(flavour), asks=st.just(asks))
        def count(flow: st.DataObject, flavour: str, *, asks: bool) -> None:
            nonlocal plays
            plays += 1
            play = played(flow, flavour, asks=asks)
            outcome = observe(play.history(), play.refusals, play.children())
            assert as_text(outcome) == as_text(run(play.program, play.script))
            # As the outcome is the same, this is what the engine went through.
            found = features(play.program, play.script)
            seen.update(found)
            seen.update(name for name, its in BEYOND.items() if its & found)
            seen.update(disturbances(play))
            crashed.update(fault.point for fault in play.befallen if fault.kind == "crash")

        count()
    # Most of the jobs that start children wait for one in the end, whatever else is in them.
    alone = plays * sum(each in FLAVOURS_ALONE for each in MIXTURE) / len(MIXTURE)
    least = dict.fromkeys((*FEATURES, *DISTURBANCES, *BEYOND), alone / 10)
    least |= dict.fromkeys((*CONSEQUENCES, *MEETINGS, *OF_ONE_FLAVOUR), plays / 20)
    rare = {name: seen[name] for name in least if seen[name] < least[name]}
    assert not rare, f"of {plays} jobs"
    assert set(crashed) == set(POINTS)


def disturbances(play: Play) -> frozenset[str]:
    """Name what befell the hosts of a job, and what came of it."""
    kinds = {fault.kind for fault in play.befallen}
    begun = Counter(activation for activation, _ in play.begun)
    again = {activation for activation, number in begun.items() if number > 1}
    kept = [key for key, number in Counter(key for key, _ in play.used).items() if number > 1]
    messages = message_moments(play)
    happened = {
        "a crash": "crash" in kinds,
        "a pause by an operator": "pause" in kinds,
        "a takeover": "steal" in kinds,
        "a claim elsewhere": "seize" in kinds,
        "several faults": len(play.befallen) > 1,
        "a handler that ran again": bool(again),
        "an effect that was kept from the first run": bool(kept),
        "several threads": play.parallel > 1,
        "a message in an open wave": "open" in messages,
        "a message to a paused job": "paused" in messages,
    }
    return frozenset(name for name, is_there in happened.items() if is_there)


def message_moments(play: Play) -> set[str]:
    """Tell whether messages came to a job that ran, and to one that was paused."""
    moments, moment = set[str](), "open"
    for recorded in play.history():
        match recorded.event:
            case ev.JobPaused():
                moment = "paused"
            case ev.JobResumed():
                moment = "open"
            case ev.MessageReceived():
                moments.add(moment)
            case _:
                pass
    return moments
