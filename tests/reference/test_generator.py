"""What the generator promises: every feature often enough, and every program well formed."""

from __future__ import annotations

from collections import Counter
from itertools import product

from hypothesis import HealthCheck, given, seed, settings

from tests.reference.features import FEATURES, features
from tests.reference.generator import FLAVOURS, PAYLOAD_KEYS, examples
from tests.reference.interpreter import course, run
from tests.reference.outcome import as_text
from tests.reference.program import KEPT, Program, Script

SETTINGS = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given],
)

RUNS = 8


def test_every_feature_is_exercised_by_a_tenth_of_the_examples() -> None:
    exercised: Counter[str] = Counter()
    drawn = 0
    # Many short runs: within one, Hypothesis varies what it has just drawn.
    for flavour, asks, number in product(FLAVOURS, (True, False), range(RUNS)):

        @seed(number)
        @settings(SETTINGS, max_examples=640 // (2 * len(FLAVOURS) * RUNS))
        @given(examples(asks=asks, flavour=flavour))
        def count(example: tuple[Program, Script]) -> None:
            nonlocal drawn
            drawn += 1
            exercised.update(features(*example))

        count()
    assert set(exercised) == FEATURES
    rare = {name: number for name, number in exercised.items() if number < drawn / 10}
    assert not rare, f"of {drawn} examples"


@SETTINGS
@given(examples())
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
