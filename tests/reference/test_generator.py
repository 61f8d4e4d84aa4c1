"""What the generator promises: every feature often enough, and every program well formed."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Final

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.reference.capabilities import USUAL, Capability
from tests.reference.features import BEYOND, FEATURES, MEETINGS, SELDOM, features
from tests.reference.generator import COMMON_FLAVOURS, PAYLOAD_KEYS, examples
from tests.reference.interpreter import course, run
from tests.reference.outcome import as_text
from tests.reference.program import KEPT, Program, Script

SETTINGS = settings(
    max_examples=50,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given],
)


def _counted(enabled: frozenset[Capability], runs: int, number: int) -> tuple[Counter[str], int]:
    """Count the features of many examples, and the examples.

    There are many short runs: within one, Hypothesis varies what it has just drawn.
    """
    exercised: Counter[str] = Counter()
    drawn = 0
    for flavour, asks, chance in product(COMMON_FLAVOURS, (True, False), range(runs)):

        @seed(chance)
        @settings(SETTINGS, max_examples=number)
        @given(examples(asks=asks, flavour=flavour, enabled=enabled))
        def count(example: tuple[Program, Script]) -> None:
            nonlocal drawn
            drawn += 1
            exercised.update(features(*example))

        count()
    return exercised, drawn


def test_every_feature_is_exercised_by_a_tenth_of_the_examples() -> None:
    exercised, drawn = _counted(USUAL, 4, 8)
    assert set(exercised) == FEATURES
    least = {name: drawn / 20 if name in MEETINGS else drawn / 10 for name in FEATURES}
    rare = {name: number for name, number in exercised.items() if number < least[name]}
    assert not rare, f"of {drawn} examples"


_BESIDE: Final[dict[Capability, tuple[Capability, ...]]] = {
    "children": ("gathers",),
    "typed": ("policies",),
}


@pytest.mark.parametrize("capability", sorted(BEYOND))
def test_what_is_beyond_the_usual_is_exercised_often_where_it_is_enabled(
    capability: Capability,
) -> None:
    more: frozenset[Capability] = frozenset((*USUAL, capability, *_BESIDE.get(capability, ())))
    exercised, drawn = _counted(more, 2, 8)
    rare = {
        name: exercised[name]
        for name in BEYOND[capability]
        if exercised[name] < drawn / (40 if name in SELDOM else 10)
    }
    assert not rare, f"of {drawn} examples"


@SETTINGS
@given(examples(enabled=USUAL))
def test_payloads_have_known_keys_only(example: tuple[Program, Script]) -> None:
    for _, payload, _ in run(*example).activations.values():
        assert set(payload) <= set(PAYLOAD_KEYS)


@SETTINGS
@given(examples())
def test_no_example_grows_without_bounds(example: tuple[Program, Script]) -> None:
    assert len(as_text(run(*example))) < 1_000_000


@SETTINGS
@given(examples(enabled=frozenset()))
def test_what_is_not_enabled_is_in_no_example(example: tuple[Program, Script]) -> None:
    written = repr(example)
    assert "Interrupt(" not in written
    assert "call='interrupt'" not in written
    assert example[1].breakpoints == KEPT
    assert not course(*example).hits
