"""What the model simulates is what theory says of it, as far as chance allows."""

from itertools import pairwise

import pytest

from benchmarks.scale.queueing import (
    Waiting,
    expected_closed,
    expected_open,
    most_closed,
    simulated_closed,
    simulated_open,
    within_fixed,
)

# Of the formula's value; what chance leaves of 400,000 commits is below it.
MEAN_TOLERANCE = 0.05
P99_TOLERANCE = 0.1
RATE_TOLERANCE = 0.01


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize(("load", "hosts"), [(0.3, 1), (0.5, 8), (0.8, 8), (0.9, 64)])
def test_commits_that_come_at_random_wait_as_theory_has_it(
    load: float, hosts: int, *, fixed: bool
) -> None:
    found = simulated_open(load, hosts, fixed=fixed)
    theory = expected_open(load, fixed=fixed)
    assert found.per_commit_time == pytest.approx(load, rel=RATE_TOLERANCE)
    assert found.mean == pytest.approx(theory.mean, rel=MEAN_TOLERANCE)
    assert found.p50 == pytest.approx(theory.p50, rel=MEAN_TOLERANCE)
    assert found.p99 == pytest.approx(theory.p99, rel=P99_TOLERANCE)


@pytest.mark.parametrize("in_flight", [1, 10, 50, 60, 100])
def test_activations_in_flight_do_what_theory_says(in_flight: int) -> None:
    found = simulated_closed(in_flight, 50, fixed=False).per_commit_time
    assert found == pytest.approx(expected_closed(in_flight, 50), rel=RATE_TOLERANCE)


@pytest.mark.parametrize("in_flight", [1, 10, 50, 60, 100])
def test_nothing_does_more_than_its_bound(in_flight: int) -> None:
    most = most_closed(in_flight, 50)
    assert expected_closed(in_flight, 50) <= most * (1 + 1e-9)
    found = simulated_closed(in_flight, 50, fixed=True).per_commit_time
    assert expected_closed(in_flight, 50) * (1 - RATE_TOLERANCE) <= found
    assert found <= most * (1 + RATE_TOLERANCE)


@pytest.mark.parametrize("load", [0.2, 0.5, 0.8])
def test_erlangs_distribution_has_the_mean_of_pollaczek_and_khinchine(load: float) -> None:
    step = 0.05
    heights = [1 - within_fixed(load, place * step) for place in range(800)]
    mean = sum((left + right) / 2 * step for left, right in pairwise(heights))
    assert mean == pytest.approx(expected_open(load, fixed=True).mean, rel=1e-3)


def test_a_seed_repeats_itself_and_another_does_not() -> None:
    def run(seed: int) -> Waiting:
        return simulated_open(0.5, 4, fixed=True, commits=1_000, seed=seed)

    assert run(1) == run(1)
    assert run(1) != run(2)
