"""Several processes wish the same of one job at the same moment; one is granted it."""

from collections import Counter
from collections.abc import Callable

import pytest

from esflow import events as ev
from tests.simulation.places import Place, Server, check_equal, keys
from tests.simulation.races import REFUSALS, WISHES, names, race, raced
from tests.sizes import sizes

JOBS = names(sizes().raced_jobs)


@pytest.mark.parametrize("racers", [2, 4])
def test_one_answer_wins_and_the_others_are_told_which(
    server: Server, new_place: Callable[[], Place], racers: int
) -> None:
    place = new_place()
    told = raced(server, place, "answer", racers, JOBS)
    calls = place.ledger.calls()
    for job_id in JOBS:
        winners = [each for each in told[job_id] if each.startswith("won with ")]
        assert len(winners) == 1, told[job_id]
        assert set(told[job_id]) - set(winners) <= REFUSALS
        state, history = place.seen(job_id)
        (answer,) = [each.event for each in history if isinstance(each.event, ev.AnswerRecorded)]
        assert winners == [f"won with {answer.value}"]
        assert state.status == "completed"
        assert state.outputs[0].payload["first"] == f"did answer {answer.value}"
        assert {each: calls[each] for each in keys(history)} == dict.fromkeys(keys(history), 1)
    assert calls.total() == 6 * len(JOBS)


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("racers", [2, 4])
def test_the_history_of_a_race_is_that_of_one_host(
    server: Server, new_place: Callable[[], Place], wish: str, racers: int
) -> None:
    findings = race(server, new_place, wish, racers, JOBS)
    assert findings.problems == []
    assert findings.granted == (len(JOBS) if wish in {"answer", "pause"} else 0)
    assert findings.told.total() == racers * len(JOBS)


@pytest.mark.parametrize("racers", [2, 4])
def test_one_continue_lifts_a_pause_and_one_host_drives(
    server: Server, new_place: Callable[[], Place], racers: int
) -> None:
    place = new_place()
    told = raced(server, place, "pause", racers, JOBS)
    for job_id in JOBS:
        assert sorted(told[job_id]) == ["VersionConflict"] * (racers - 1) + ["won, paused"]
        _, history = place.seen(job_id)
        assert [each.event.name for each in history].count("JobResumed") == 1
        assert [each.event.name for each in history].count("ExecutionClaimed") == 1


@pytest.mark.parametrize("wish", ["run", "start"])
@pytest.mark.parametrize("racers", [2, 4])
def test_one_host_claims_what_all_want_to_run(
    server: Server, new_place: Callable[[], Place], wish: str, racers: int
) -> None:
    place = new_place()
    told = raced(server, place, wish, racers, JOBS)
    lawful = {"paused", "running", "pending"}  # The last is what was read before the first claim.
    assert {each for of_job in told.values() for each in of_job} <= lawful
    assert all("paused" in of_job for of_job in told.values())
    calls = place.ledger.calls()
    assert set(calls.values()) == {1}
    for job_id in JOBS:
        _, history = place.seen(job_id)
        claims = [each for each in history if isinstance(each.event, ev.ExecutionClaimed)]
        assert len(claims) == 1
        assert {each: calls[each] for each in keys(history)} == dict.fromkeys(keys(history), 1)


@pytest.mark.parametrize("racers", [2, 4])
def test_one_message_under_a_key_is_recorded(
    server: Server, new_place: Callable[[], Place], racers: int
) -> None:
    place = new_place()
    told = raced(server, place, "send", racers, JOBS)
    assert {tuple(each) for each in told.values()} == {("2",) * racers}
    for job_id in JOBS:
        _, history = place.seen(job_id)
        assert [each.event.name for each in history] == ["JobStarted", "MessageReceived"]


def test_a_host_that_stood_still_learns_that_it_lost_the_job(
    server: Server, new_place: Callable[[], Place], undisturbed: Place
) -> None:
    stops: Counter[str] = Counter()
    for point in ("handler.returned", "effect.returned", "append.begun", "execution.claimed"):
        for at in (2, 3):
            place = new_place()
            folder = str(place.folder)
            stop = {"point": point, "at": at, "end": "SIGSTOP"}
            stopped = server.do("drive", folder=folder, parallel=1, **stop)
            if stopped["ended"] != "stopped":
                continue
            stops[point] += 1
            assert server.do("take_over", folder=folder)["ended"] == "done"
            before = place.history()
            late = server.do("go_on")
            assert late["told"][-1] in {"refused: Fenced", "refused: NotPaused"}
            assert place.history() == before, "nothing is appended by who has lost the job"
            check_equal(place, undisturbed, lost_calls=1)
    assert len(stops) == 4


@pytest.mark.parametrize("point", ["handler.returned", "effect.returned", "append.begun"])
def test_a_host_that_stood_still_for_longer_than_its_lease_is_fenced(
    server: Server, new_place: Callable[[], Place], undisturbed: Place, point: str
) -> None:
    place = new_place()
    folder = str(place.folder)
    stop = {"point": point, "at": 3, "end": "SIGSTOP", "lease_seconds": 0.2}
    assert server.do("drive", folder=folder, parallel=1, **stop)["ended"] == "stopped"
    assert server.do("work", folder=folder) == {"ended": "done", "told": ["paused"]}
    before = place.history()
    assert server.do("go_on")["told"][-1] == "refused: Fenced"
    assert place.history() == before, "nothing is appended by who has lost the job"
    check_equal(place, undisturbed, lost_calls=1)
