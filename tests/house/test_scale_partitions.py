"""Where the model says that a job belongs, how even that is, and what esflow has to do with it."""

import pytest

from benchmarks.flows import chain
from benchmarks.scale.partitions import (
    LOOK_SECONDS,
    MOVES,
    POOL_CONNECTIONS,
    RISK,
    SPREADS,
    drawn_partition_of,
    fullest,
    fullest_at_most,
    moved,
    names,
    partition_of,
)
from esflow import Context, Engine, Flow
from esflow.stores import sqlite_pool, watcher

JOBS = names(2_000)
PINNED = "8a977036"  # Of job-0 to job-7 among sixteen, as hexadecimal digits.


def test_a_job_belongs_where_it_always_did() -> None:
    assert [partition_of(f"job-{number}", 16) for number in range(8)] == [
        int(digit, 16) for digit in PINNED
    ]


def test_a_child_belongs_where_its_parent_does() -> None:
    flow = Flow("family")

    @flow.slot
    def begin(ctx: Context, n: int) -> None:
        ctx.start("chain", "counter.step", {"n": n}, then="end")

    @flow.slot
    def end(ctx: Context, job_id: str, status: str, outputs: list[object], failure: object) -> None:
        ctx.log(job_id)

    with Engine("memory://", flows=[flow, chain()]) as engine:
        for name in JOBS[:20]:
            [child] = engine.start("family", "begin", {"n": 1}, job_id=name).children
            assert partition_of(child.job_id, 1_000) == partition_of(name, 1_000)


@pytest.mark.parametrize(("jobs", "partitions"), SPREADS)
def test_no_partition_is_fuller_than_the_binomial_bound(jobs: int, partitions: int) -> None:
    most = fullest(names(jobs), partitions)
    assert jobs / partitions <= most <= fullest_at_most(jobs, partitions)


def test_the_bound_is_exceeded_as_seldom_as_it_says() -> None:
    bound = fullest_at_most(200, 8)
    draws = [fullest((f"{draw} {job}" for job in range(200)), 8) for draw in range(1_000)]
    assert sum(most > bound for most in draws) <= 2 * RISK * len(draws)


def test_the_bound_is_exact_where_it_can_be_counted() -> None:
    assert fullest_at_most(10, 1) == 10
    assert fullest_at_most(2, 2, risk=0.49) == 2  # Both in one, half of the time.
    assert fullest_at_most(2, 2, risk=0.51) == 1
    assert fullest_at_most(3, 2, risk=0.26) == 2  # All in one, a quarter of the time.


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_by_the_greatest_hash_a_job_moves_to_a_new_partition_or_stays(
    before: int, after: int
) -> None:
    for name in JOBS:
        left, right = drawn_partition_of(name, before), drawn_partition_of(name, after)
        assert left == right or right >= before
    share = moved(JOBS, before, after, drawn_partition_of)
    assert share == pytest.approx(1 - before / after, abs=0.05)


def test_what_a_partition_costs_is_what_esflow_opens() -> None:
    assert vars(sqlite_pool)["_POOL_SIZE"] == POOL_CONNECTIONS
    assert vars(watcher)["_LOOK_SECONDS"] == LOOK_SECONDS
