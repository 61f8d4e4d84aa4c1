"""Any sequence of calls, crashes and clocks leads where the reference goes.

A failing example shows the flow, every step, and what differs first.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Final, cast, final

import attrs
import pytest
from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws.rules import Machine

SERIES: Final = 5  # Jobs in one run of Hypothesis, which varies what it has just drawn.
STEPS: Final = 50


@final
@attrs.frozen
class Kind:
    """A kind of job, and how often it is tried."""

    flavour: str
    asks: bool = attrs.field(kw_only=True)
    weight: int = attrs.field(default=1, kw_only=True)

    def __str__(self) -> str:
        """Name it."""
        return f"{self.flavour}, {'asks' if self.asks else 'asks nothing'}"


KINDS: Final = (
    Kind("calm", asks=True, weight=2),
    Kind("calm", asks=False),
    Kind("failure", asks=True),
    Kind("conflict", asks=True),
    Kind("loop", asks=True),
    Kind("loop", asks=False),
)
SHARES: Final = {  # Of the runs that have to do it: about half of those that do.
    **dict.fromkeys(("verify", "recover", "death", "another host", "takeover", "JobExists"), 0.3),
    **dict.fromkeys(("memory", "sqlite", "crash", "JobClosed", "NotPaused"), 0.2),
    **dict.fromkeys(("clock forth", "clock back", "rested failed", "rested paused"), 0.2),
    **dict.fromkeys(("pause", "hold lifted", "step", "message", "message with a key"), 0.15),
    **dict.fromkeys(("message again", "MessageKeyReused", "rested completed", "goto"), 0.1),
    **dict.fromkeys(("answer", "AnswerRefused", "answer again", "lost"), 0.07),
    **dict.fromkeys(("continue", "seizure", "Fenced", "update", "answers at once"), 0.04),
    **dict.fromkeys(("update and resume", "cancel", "rested cancelled"), 0.03),
    **dict.fromkeys(("death at append.committed", "death at handler.returned"), 0.1),
    **dict.fromkeys(("death at append.begun", "death at append.inserted"), 0.05),
    **dict.fromkeys(("death at append.indexed", "death at execution.claimed"), 0.03),
    **dict.fromkeys(("death at effect.returned", "death at effect.recorded"), 0.01),
    **dict.fromkeys(("AnswerRequired", "SlotNotFound"), 0.01),
}


def exercise(kind: Kind, series: int, exercised: Counter[str]) -> None:
    """Do everything to jobs of one kind, in so many short series.

    With ``ci`` every series has a seed of its own, with ``long`` Hypothesis draws it.
    """
    made = partial(Machine, kind.flavour, exercised, asks=kind.asks)
    for number in range(series * kind.weight):
        if settings().derandomize:
            made = seed(f"{kind} {number}")(made)
        run_state_machine_as_test(
            cast("type[Machine]", made),
            settings=settings(max_examples=SERIES, stateful_step_count=STEPS),
        )


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_whatever_is_done_to_a_job_it_ends_as_the_reference_does(kind: Kind) -> None:
    exercised: Counter[str] = Counter()

    exercise(kind, settings().max_examples // 33, exercised)

    assert exercised["runs"]


def test_everything_is_done_to_its_share_of_the_jobs() -> None:
    exercised: Counter[str] = Counter()

    for kind in KINDS:
        exercise(kind, 2, exercised)

    shares = {name: exercised[name] / exercised["runs"] for name in SHARES}
    rare = {name: share for name, share in shares.items() if share < SHARES[name]}
    assert not rare, f"of {exercised['runs']} runs"
