"""Law 7 for slots that gather and data that code merges: stopped anywhere, it comes to the same."""

from __future__ import annotations

from typing import Any

import pytest

from esflow import JobState
from esflow.failpoints import POINTS
from esflow.stores import open_store
from tests.laws.compare import assert_same_history
from tests.laws.disturbances import OUTSIDE
from tests.laws.joins import COURSES, Stopping, run


def report(state: JobState) -> dict[str, Any]:
    """Return all of a state but how long it took to get there."""
    return {name: value for name, value in state.as_dict().items() if name != "version"}


@pytest.mark.parametrize("name", COURSES)
def test_what_the_courses_come_to_undisturbed(name: str) -> None:
    course = COURSES[name]
    state, _ = run(course, Stopping(open_store("memory://"), course.flow))
    assert (state.status, state.gathers) == ("completed", ())
    if name == "joins":
        assert state.shared == {"joined": [[0, 0], [1, -1]]}
        items = [each.payload["items"] for each in state.outputs]
        assert items[0] == [{"by": "deferral"}, {"answer": "so"}]
        assert [each["by"] for each in items[1]] == ["join", "join"]
    else:
        assert state.shared == {
            "total": 3,
            "words": {"A": 2, "B": 1, "outside": 2, "last": 1, "looks": 1},
            "title": "told",
            "updated": True,
        }


@pytest.mark.parametrize("parallel", [2, 8])
@pytest.mark.parametrize("name", COURSES)
def test_law_6_joins_and_merges_by_code_are_the_same_however_many_run_at_once(
    name: str, parallel: int
) -> None:
    course = COURSES[name]
    state, history = run(course, Stopping(open_store("memory://"), course.flow))
    for _ in range(5):
        stopping = Stopping(open_store("memory://"), course.flow, parallel=parallel)
        found, disturbed = run(course, stopping)
        assert report(found) == report(state)
        assert_same_history(disturbed, history)


@pytest.mark.parametrize("kind", ["crash", "pause"])
@pytest.mark.parametrize("name", COURSES)
def test_law_7_joins_and_merges_by_code_are_the_same_wherever_a_host_is_stopped(
    name: str, kind: str
) -> None:
    course = COURSES[name]
    counting = Stopping(open_store("memory://"), course.flow)
    state, history = run(course, counting)
    points = POINTS if kind == "crash" else OUTSIDE
    for point in points:
        for at in range(1, counting.visits[point] + 1):
            stopping = Stopping(open_store("memory://"), course.flow, kind, point, at)
            found, disturbed = run(course, stopping)
            assert stopping.befell, f"nothing befell it at {point} for the {at}. time"
            assert report(found) == report(state), f"stopped at {point} for the {at}. time"
            assert_same_history(disturbed, history)
