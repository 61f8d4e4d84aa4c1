"""Killed anywhere, a job is finished by another process as if nothing had happened."""

import random
from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest

from esflow.failpoints import POINTS
from tests.simulation.places import Place, Server, check_equal

MIN_KILLS = 1_000
APPENDING = POINTS[:4]


def _killed_at(server: Server, place: Place, point: str | None, at: int, parallel: int) -> str:
    """Return where a process was killed, '' if it came to its end."""
    outcome = server.do("drive", folder=str(place.folder), parallel=parallel, point=point, at=at)
    return str(outcome["told"][-1]) if outcome["ended"] == "killed" else ""


def _finish(server: Server, place: Place) -> None:
    assert server.do("drive", folder=str(place.folder), parallel=1)["ended"] == "done"


@pytest.mark.parametrize("point", POINTS)
def test_a_process_is_killed_every_time_that_it_comes_by_a_point(
    server: Server, new_place: Callable[[], Place], undisturbed: Place, point: str
) -> None:
    for at in count(1):
        place = new_place()
        found = _killed_at(server, place, point, at, 1)
        if not found:
            assert at > 2, "an undisturbed run comes by each point"
            break
        assert found == point
        before = place.history()
        _finish(server, place)
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
            _killed_at(server, place, point, at, 1)
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
    killed: Counter[str] = Counter()
    for seed in count():
        if killed.total() >= MIN_KILLS:
            break
        parallel = 1 + seed % 3
        place = new_place()
        found = _killed_again_and_again(server, place, parallel, random.Random(seed))
        _finish(server, place)
        try:
            check_equal(place, undisturbed, lost_calls=found.total() * parallel)
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
        killed += found
    assert set(killed) == set(POINTS)


def _killed_again_and_again(
    server: Server, place: Place, parallel: int, chance: random.Random
) -> Counter[str]:
    killed: Counter[str] = Counter()
    while found := _killed_at(server, place, None, chance.randint(1, 14), parallel):
        killed[found] += 1
    return killed
