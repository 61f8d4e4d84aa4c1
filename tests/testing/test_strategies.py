"""What the strategies draw is what they promise, and enough of each sort."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esflow import Recorded
from esflow.fold import fold_events
from esflow.json_values import same_json
from esflow.payloads import to_json
from esflow.state import ENDED
from esflow.testing import (
    Schedule,
    SketchedFlow,
    check_pause_anywhere,
    flows,
    histories,
    payloads,
    schedules,
    values,
)
from esflow.testing.strategies import AWKWARD
from tests.testing.echoing import echoed

RARE = 10  # Of 200.
FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])


@given(payloads() | values())
def test_payloads_can_be_recorded_and_come_back_as_they_were(payload: object) -> None:
    assert same_json(to_json(payload, "payload"), payload)


@pytest.mark.parametrize("value", AWKWARD, ids=repr)
def test_awkward_values_survive_a_job(value: object) -> None:
    assert same_json(echoed(value), value)


@given(schedules(max_appends=9, max_stops=4))
def test_schedules_are_in_the_order_of_a_run(schedule: Schedule) -> None:
    assert len(schedule) <= 4
    assert all(1 <= stop.at <= 9 for stop in schedule)
    assert all(one.at < other.at for one, other in pairwise(schedule))


@FEW
@given(flows(), st.lists(schedules(), min_size=1, max_size=3))
def test_a_sketched_flow_comes_to_the_same_under_any_schedule(
    sketch: SketchedFlow, chosen: list[Schedule]
) -> None:
    report = check_pause_anywhere(
        sketch.flow, sketch.slot, sketch.payload, answers=sketch.answer, schedules=chosen
    )

    assert report.compared == len(chosen)


@FEW
@given(flows())
def test_a_sketched_flow_is_the_same_each_time_that_it_is_made(sketch: SketchedFlow) -> None:
    assert sketch.flow().fingerprint == sketch.flow().fingerprint


@FEW
@given(histories())
def test_a_history_is_that_of_an_ended_job(history: list[Recorded]) -> None:
    fold = fold_events("job", [each.event for each in history])

    assert fold.status in ENDED
    assert [each.version for each in history] == list(range(1, len(history) + 1))


def test_enough_of_each_sort_is_drawn() -> None:
    seen = Counter[str]()

    @settings(max_examples=200, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(histories())
    def look(history: list[Recorded]) -> None:
        seen.update({each.event.name for each in history})
        seen.update({str(fold_events("job", [each.event for each in history]).status)})
        seen["taken over"] += len({each.host for each in history}) > 1

    look()

    expected = (
        *("Emitted", "EmissionDeferred", "SharedWritten", "MemoryWritten", "Logged"),
        *("EffectRecorded", "QuestionAsked", "Interrupted", "AnswerRecorded", "JobPaused"),
        *("PauseRequested", "ActivationFailed", "DeferralsReleased", "completed", "failed"),
        "taken over",
    )
    rare = {name: seen[name] for name in expected if seen[name] < RARE}
    assert not rare, rare


WITHOUT = """
import sys
sys.modules["hypothesis"] = None
import esflow, esflow.testing
from esflow.testing import ManualClock, check_pause_anywhere, given
try:
    from esflow.testing import flows
except ImportError as error:
    print(error)
"""


def test_only_the_strategies_need_hypothesis() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )

    assert ran.stdout == "the strategies need the extra: esflow-jobs[testing]\n"


def test_what_is_not_there_is_named() -> None:
    import esflow.testing

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = esflow.testing.nothing
