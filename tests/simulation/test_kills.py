"""Killed anywhere, a job is finished by another process as if nothing had happened."""

from collections.abc import Callable
from itertools import count

import pytest

from esflow.failpoints import POINTS
from tests.simulation.kills import finish, kill_until, killed_at
from tests.simulation.places import Place, Server, check_equal
from tests.sizes import sizes

APPENDING = POINTS[:4]


@pytest.mark.parametrize("point", POINTS)
def test_a_process_is_killed_every_time_that_it_comes_by_a_point(
    server: Server, new_place: Callable[[], Place], undisturbed: Place, point: str
) -> None:
    for at in count(1):
        place = new_place()
        found = killed_at(server, place, point, at, 1)
        if not found:
            assert at > 2, "an undisturbed run comes by each point"
            break
        assert found == point
        before = place.history()
        finish(server, place)
        assert place.history()[: len(before)] == before, "what was recorded stands"
        check_equal(place, undisturbed, lost_calls=1)


def test_an_append_is_recorded_as_a_whole_or_not_at_all(
    server: Server, new_place: Callable[[], Place], undisturbed: Place
) -> None:
    recorded = 0
    for at in count(1):
        lengths: list[int] = []
        for point in APPENDING:
            place = new_place()
            killed_at(server, place, point, at, 1)
            lengths.append(len(place.history()))
        if recorded == len(undisturbed.history()):
            assert lengths == [recorded] * 4, "there are no more appends"
            assert at > 10
            break
        assert lengths[:3] == [recorded] * 3
        assert lengths[3] > recorded
        recorded = lengths[3]


def test_a_thousand_processes_are_killed_one_after_the_other(
    server: Server, new_place: Callable[[], Place], undisturbed: Place
) -> None:
    """Ten thousand of them in the long profile."""
    findings = kill_until(server, new_place, undisturbed, sizes().kills)
    assert findings.problems == []
    assert findings.killed.total() >= sizes().kills
    assert set(findings.killed) == set(POINTS)
