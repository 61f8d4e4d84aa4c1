"""What is added to a set-up takes nothing away, and its bottleneck is what is in the way."""

from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale.capacity import Setup, on_files, on_one_file, on_tables, setups
from benchmarks.scale.constants import Constants
from benchmarks.scale.growth import EVENTS, grown, replay_seconds

MORE = (1, 2, 3, 4, 8, 16, 64, 256)


@st.composite
def constants(draw: st.DrawFn) -> Constants:
    """Draw constants of any size that don't contradict themselves."""
    names = [field.name for field in attrs.fields(Constants)]
    values = {name: draw(st.floats(1e-3, 1e6)) for name in names}
    for kind in ("full", "normal"):
        values[f"{kind}_step_us"] += values[f"{kind}_commit_us"]
    return Constants(**values)


def check_never_less(found: list[Setup]) -> None:
    """Compare each set-up with the next larger one."""
    assert all(less.per_second <= more.per_second for less, more in pairwise(found))


@given(constants(), st.sampled_from(MORE))
def test_more_partitions_never_lower_capacity(given_constants: Constants, hosts: int) -> None:
    check_never_less([on_files(given_constants, each, hosts) for each in MORE])
    check_never_less([on_tables(given_constants, each, hosts) for each in MORE])


@given(constants(), st.sampled_from(MORE))
def test_more_hosts_servers_and_processes_never_lower_capacity(
    given_constants: Constants, partitions: int
) -> None:
    check_never_less([on_files(given_constants, partitions, each) for each in MORE])
    check_never_less([on_tables(given_constants, partitions, each) for each in MORE])
    check_never_less([on_tables(given_constants, partitions, 4, each) for each in MORE])
    check_never_less([on_one_file(given_constants, each, full=True) for each in MORE])


@given(constants())
def test_a_capacity_is_that_of_its_bottleneck_and_above_no_limit(
    given_constants: Constants,
) -> None:
    for setup in setups(given_constants):
        assert setup.per_second == setup.limits[setup.bottleneck]
        assert all(setup.per_second <= limit for limit in setup.limits.values())


def test_more_hosts_on_one_table_change_nothing_once_its_lock_is_in_the_way() -> None:
    few, many = on_tables(Constants(), 1, 4), on_tables(Constants(), 1, 64)
    assert few.bottleneck == many.bottleneck == "the ordering lock"
    assert few.per_second == many.per_second == 2_000


def test_every_set_up_of_what_is_not_there_is_called_a_model() -> None:
    assert {setup.name.startswith("model: ") for setup in setups(Constants())} == {True, False}
    for setup in setups(Constants()):
        assert setup.name.startswith("model: ") == ("PostgreSQL" in setup.name)


@given(constants())
def test_everything_grows_with_events_and_snapshots_bound_a_replay(
    given_constants: Constants,
) -> None:
    stores = [grown(given_constants, events) for events in EVENTS]
    for less, more in pairwise(stores):
        assert less.stored_bytes <= more.stored_bytes
        assert less.verify_seconds < more.verify_seconds
    longest = replay_seconds(given_constants, EVENTS[-1], snapshots=True)
    most = given_constants.snapshot_us + given_constants.snapshot_events * given_constants.replay_us
    assert longest <= most / 1e6 * (1 + 1e-9)


def test_a_store_of_paused_jobs_alone_is_as_large_as_they_are() -> None:
    fewer = attrs.evolve(Constants(), activations_per_job=1e-9)
    store = grown(fewer, 1_000_000)
    assert store.stored_bytes == pytest.approx(1_000_000 / 5 * fewer.paused_job_bytes)
