"""Laws of forks, and of checks: both look at a job and leave it as it is."""

from __future__ import annotations

import attrs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from esflow import Engine
from esflow import events as ev
from esflow.state import ENDED
from esflow.verification import rebuild_index
from tests.engine.world import stored
from tests.laws.compare import assert_same_outcome, assert_same_strips
from tests.laws.disturbances import every_flavour, every_flavour_alone, every_sound_flavour
from tests.laws.family import children_flows
from tests.laws.flows import build
from tests.laws.forks import LONGEST, Source, keys, without_origin
from tests.laws.observe import observe
from tests.laws.play import JOB, Play
from tests.laws.world import World
from tests.reference.generator import examples

FEW = settings(
    max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def played(flow: st.DataObject, flavour: str, *, asks: bool) -> Source:
    """Draw a flow and play it undisturbed."""
    source = Source.of(*flow.draw(examples(asks=asks, flavour=flavour), label="flow"))
    assume(len(source.history) <= LONGEST)
    return source


def assert_same_end(source: Source, play: Play) -> None:
    """Play a fork to its end, and compare what came of it with its source."""
    play.run()
    history = play.history()
    assert_same_strips(without_origin(history), without_origin(source.history))
    outcome = observe(history, ())
    answers = {key: value for key, value in outcome.answers.items() if key not in play.told}
    assert_same_outcome(attrs.evolve(outcome, answers=answers), observe(source.history, ()))


@every_flavour_alone
@FEW
@given(flow=st.data())
def test_a_live_fork_of_any_version_with_the_same_inputs_ends_as_its_source(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    source = played(flow, flavour, asks=asks)
    for version in source.versions:
        play = source.forked(version, live=True)
        shared = keys(play.history())

        assert_same_end(source, play)

        found = keys(play.history())
        assert shared <= keys(source.history)
        assert shared <= found, "recorded keys are kept"
        made = {key for key, _ in found - shared}
        assert made == {key for key, _ in found if key.startswith(f"{play.job}/")}
        called = play.world.executions.keys()
        assert called >= made, "what comes after it is called again"
        assert not called & {key for key, _ in shared}, "what came before it is not"


@every_sound_flavour
@FEW
@given(flow=st.data())
def test_a_fork_of_any_version_calls_nothing_and_with_the_same_results_ends_as_its_source(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    source = played(flow, flavour, asks=asks)
    events = [each.event for each in source.history]
    # An error can't be told, nor that there was one before; and beside a failure nothing is asked.
    errors = [each for each in events if isinstance(each, ev.EffectRecorded) and each.error]
    assume(not errors)
    failures = ev.ActivationFailed | ev.EffectAttemptFailed
    assume(not any(isinstance(each, failures) for each in events))
    for version in source.versions:
        play = source.forked(version, live=False)
        assert_same_end(source, play)
        assert not play.world.executions


@every_flavour
@FEW
@given(flow=st.data())
def test_a_fork_begins_behind_a_whole_append_and_says_which(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    source = played(flow, flavour, asks=asks)
    with Engine(source.watched.as_store) as engine:
        for version in source.versions:
            fork = engine.fork(JOB, version)
            origin = fork.forked_from
            assert origin is not None
            assert origin.job_id == JOB
            assert origin.version in source.whole(version)
            assert fork.version == origin.version + 1
            for mine, theirs in zip(engine.history(fork.job_id), source.history, strict=False):
                if mine.version <= origin.version:
                    circumstances = ("event", "recorded_at", "actor", "host", "token", "version")
                    for name in circumstances:
                        assert getattr(mine, name) == getattr(theirs, name)
            assert engine.verify(fork.job_id).ok


@every_flavour
@FEW
@given(flow=st.data())
def test_looking_checking_and_forking_leave_a_job_as_it_is_and_call_nothing(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    source = played(flow, flavour, asks=asks)
    store, world = source.watched.inner, World()
    before = [row.state for row in store.read(JOB)]
    program = source.play.program
    flows = [build(program, world), *children_flows(program, world)]
    with Engine(store, flows) as engine:
        head = store.head(JOB)
        for version in source.versions:
            engine.state(JOB, version)
            engine.diff((JOB, version), JOB)
            fork = engine.fork(JOB, version)
            engine.fork(fork.job_id, fork.version)
        assert not world.executions
        rows = stored(store)
        report = engine.check()
        for row in engine.jobs(limit=10_000):
            single = engine.check(row.job_id)
            assert (single.ok, single.differences) == (True, ())
        assert not world.executions
        assert stored(store) == rows
        is_open = head is not None and head.status not in ENDED
        opened = [row for row in engine.jobs(limit=10_000) if row.status not in ENDED]
        assert (report.ok, report.differences, report.jobs) == (True, (), len(opened))
        assert any(row.job_id == JOB for row in opened) == is_open
        assert ([row.state for row in store.read(JOB)], store.head(JOB)) == (before, head)
        assert engine.verify().ok
        _assert_index_is_what_the_log_makes(engine)


def _assert_index_is_what_the_log_makes(engine: Engine) -> None:
    before = engine.jobs(limit=10_000)
    rebuild_index(engine.store)
    assert engine.jobs(limit=10_000) == before
