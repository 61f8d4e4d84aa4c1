"""Laws of the fold, over generated histories, disturbed and undisturbed."""

from __future__ import annotations

import copy

from hypothesis import given, settings

from esflow import Engine
from esflow.fold import evolve, fold_events
from esflow.state import JobFold
from tests.core.courses import JOB, plays, steered
from tests.laws.play import Play

MODERATE = settings(max_examples=40)
MAX_VERSIONS = 40  # Of one history: looking at each would cost its square.


@given(plays())
@MODERATE
def test_the_state_at_every_version_is_the_fold_of_the_events_up_to_there(play: Play) -> None:
    history = play.history()
    fold, shown = JobFold(job_id=JOB), list[str]()
    for recorded in history:
        evolve(fold, recorded.event)
        shown.append(repr(fold.face().as_dict()))
    with Engine(play.store) as engine:
        for version in range(len(history), 0, -(len(history) // MAX_VERSIONS + 1)):
            state = engine.state(JOB, version)
            assert state == fold_events(JOB, [each.event for each in history[:version]]).face()
            assert repr(state.as_dict()) == shown[version - 1]


@given(plays())
@MODERATE
def test_folding_changes_no_event(play: Play) -> None:
    events = [recorded.event for recorded in play.history()]
    before = copy.deepcopy(events)
    fold_events(JOB, events)
    assert repr(events) == repr(before)


@given(plays())
@MODERATE
def test_folding_twice_says_the_same(play: Play) -> None:
    events = [recorded.event for recorded in play.history()]
    assert repr(fold_events(JOB, events)) == repr(fold_events(JOB, events))


def test_every_part_of_a_steered_history_can_be_folded() -> None:
    for events in steered().values():
        for version in range(len(events) + 1):
            assert fold_events(JOB, events[:version]).face().version == version
