"""The laws of the design, each on generated flows that are crashed, paused and stolen anywhere.

A failing example names the flow, the schedule of faults and the first difference.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from tempfile import TemporaryDirectory
from typing import Final
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from esflow import Engine, Recorded
from esflow import events as ev
from esflow.codec import genesis
from esflow.fold import fold_events
from esflow.items import Delivery
from esflow.replay import replay
from esflow.state import ENDED
from esflow.stores import open_store
from tests.awaited import awaited_engine
from tests.laws.compare import assert_effects_are_kept, assert_same_as_undisturbed
from tests.laws.disturbances import each_flavour, every_flavour, schedules
from tests.laws.faults import Fault
from tests.laws.play import JOB, Play
from tests.laws.stripping import stripped
from tests.laws.world import World
from tests.reference.generator import examples
from tests.reference.outcome import as_text
from tests.reference.program import Program, Script

FEW = settings(max_examples=4)
FEWER = settings(max_examples=3)
MORE = settings(max_examples=8)

MEMORY: Final = "memory://"


def played(flow: st.DataObject, flavour: str, *, asks: bool, url: str = "memory://") -> Play:
    """Draw a flow and a schedule, and play them to the end."""
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    faults = flow.draw(schedules, label="schedule")
    parallel = flow.draw(st.sampled_from([1, 2, 8]), label="threads")
    play = variant(program, script, url, faults, parallel)
    play.run()
    return play


def variant(
    program: Program, script: Script, url: str, faults: Sequence[Fault], parallel: int
) -> Play:
    """Return a play on one kind of engine, with handlers that are async or not.

    Which, depends on the program and is no draw of its own: examples stay what they are.
    """
    number = crc32(repr(program).encode())
    return Play(
        program,
        script,
        open_store(url),
        faults=faults,
        parallel=parallel,
        engine=(Engine, awaited_engine)[number % 2],
        world=World(mixed=bool(number // 2 % 2)),
    )


@each_flavour
@FEW
@given(flow=st.data())
def test_law_1_the_log_is_the_truth(flow: st.DataObject, flavour: str, *, asks: bool) -> None:
    play = played(flow, flavour, asks=asks)

    engine, history = Engine(play.store), play.history()

    for version in range(1, len(history) + 1):
        folded = fold_events(JOB, [recorded.event for recorded in history[:version]])
        assert engine.state(JOB, version).as_dict() == folded.face().as_dict()
    row = play.store.head(JOB)
    assert row is not None
    assert (row.version, row.status, row.head) == (
        len(history),
        engine.state(JOB).status,
        history[-1].hash,
    )


@each_flavour
@FEW
@given(flow=st.data())
def test_law_2_the_log_is_self_contained(flow: st.DataObject, flavour: str, *, asks: bool) -> None:
    play = played(flow, flavour, asks=asks)

    # An engine without flows knows nothing but the stored rows.
    state = Engine(play.store).state(JOB)

    assert json.loads(json.dumps(state.as_dict())) == state.as_dict()
    assert state.version == len(play.history())


@each_flavour
@FEW
@given(flow=st.data())
def test_law_3_the_log_is_append_only(flow: st.DataObject, flavour: str, *, asks: bool) -> None:
    play = played(flow, flavour, asks=asks)
    history = play.history()

    assert [recorded.version for recorded in history] == list(range(1, len(history) + 1))
    for survivor in play.survivors:
        assert tuple(history[: len(survivor)]) == tuple(survivor)
    assert Engine(play.store).verify().ok
    assert chained(play) == [recorded.hash for recorded in history]


def chained(play: Play) -> list[str]:
    """Return the hashes of a history, computed anew from the stored rows."""
    previous, hashes = genesis(JOB), list[str]()
    for row in play.store.read(JOB):
        body = row.state.partition(b'",')[2]
        lines = b"\n".join([previous.encode(), row.topic.encode(), body])
        previous = sha256(lines).hexdigest()
        hashes.append(previous)
    return hashes


@each_flavour
@FEW
@given(flow=st.data())
def test_law_4_an_activation_happens_entirely_or_not_at_all(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    play = played(flow, flavour, asks=asks)

    for history in (*play.survivors, play.history()):
        assert not torn(history), f"left half-done: {torn(history)}"


def torn(history: Sequence[Recorded]) -> list[ev.Event]:
    """Return the records of activations that don't stand directly before their settling."""
    left: list[ev.Event] = []
    for recorded in history:
        match recorded.event:
            case ev.ActivationCompleted() | ev.ActivationFailed() as settled:
                assert len(left) == settled.events, f"{settled} after {left}"
                assert all(settled.activation in str(each) for each in left)
                left = []
            case (
                ev.Emitted()
                | ev.EmissionDeferred()
                | ev.TimerSet()
                | ev.ChildStarted()
                | ev.SharedWritten(activation=str())
                | ev.MemoryWritten()
                | ev.Logged()
                | ev.QuestionAsked()
            ) as record:
                left.append(record)
            case ev.PauseRequested(activation=str()) as record:
                left.append(record)
            case _:
                assert not left, f"{recorded.event} stands between {left} and its settling"
    return left


@each_flavour
@FEW
@given(flow=st.data())
def test_law_5_effects_are_recorded_before_they_are_used(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    play = played(flow, flavour, asks=asks)

    assert_effects_are_kept(play)


@every_flavour
@FEWER
@given(flow=st.data())
def test_law_6_there_is_one_order(flow: st.DataObject, flavour: str, *, asks: bool) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    with TemporaryDirectory() as folder:
        plays = [
            Play(
                program,
                script,
                open_store(url.format(folder)),
                parallel=parallel,
                engine=engine,
                world=World(mixed=mixed),
            )
            for engine, mixed, url, parallel in (
                (Engine, False, MEMORY, 1),
                (Engine, False, "sqlite:///{}/sync.db?synchronous=normal", 2),
                (awaited_engine, False, MEMORY, 8),
                (awaited_engine, True, MEMORY, 1),
                (awaited_engine, True, "sqlite:///{}/async.db?synchronous=normal", 2),
            )
        ]
        first, *others = [(as_text(play.run()), stripped(play.history())) for play in plays]
        for play in plays:
            play.store.close()

    assert all(other == first for other in others)


@every_flavour
@MORE
@given(flow=st.data())
def test_law_7_pausing_anywhere_equals_never_having_paused(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    faults = flow.draw(schedules, label="schedule")
    parallel = flow.draw(st.sampled_from([1, 2, 8]), label="threads")

    assert_same_as_undisturbed(variant(program, script, MEMORY, faults, parallel))


@every_flavour
@FEW
@given(flow=st.data())
def test_law_7_nothing_starts_while_an_operator_holds_the_job(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    play = played(flow, flavour, asks=asks)

    held = paused = False
    finished = 0
    for event in [recorded.event for recorded in play.history()]:
        match event:
            case ev.PauseRequested(activation=None):
                held, finished = True, 0
            case ev.JobPaused(reasons=reasons):
                paused = paused or any(each.kind == "operator" for each in reasons)
            case ev.JobResumed(lifted="operator"):
                held = paused = False
            case ev.ExecutionClaimed():
                # Before, it is how a pause is recorded in place of a host that has gone.
                assert not paused, f"{event} while the job is paused"
            case ev.ActivationCompleted() | ev.ActivationFailed():
                finished += 1
                assert not paused, f"{event} while the job is paused"
                assert not held or finished <= play.parallel, f"{event} was not running"
            case _:
                pass


@each_flavour
@FEW
@given(flow=st.data())
def test_law_8_there_is_one_writer(flow: st.DataObject, flavour: str, *, asks: bool) -> None:
    play = played(flow, flavour, asks=asks)

    token = 0
    for recorded in play.history():
        if isinstance(recorded.event, ev.ExecutionClaimed):
            token = recorded.version
        assert recorded.token in (0, token), f"{recorded} came from a fenced execution"


@every_flavour
@FEW
@given(flow=st.data())
def test_law_9_nothing_is_lost_and_nothing_is_doubled(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    play = played(flow, flavour, asks=asks)

    accepted = [
        it.event.id
        for it in play.history()
        if isinstance(it.event, ev.MessageReceived | ev.ChildFinished)
    ]
    causes = delivered(play)
    state = Engine(play.store).state(JOB)
    waiting = [delivery.cause for delivery in replay(play.store, JOB).fold.inputs]
    for each in accepted:
        assert causes.count(each) + waiting.count(each) == 1, f"{each} is lost or doubled"
    assert {message.id for message in state.messages} <= set(waiting)
    assert state.status in ("failed", "paused", "waiting", "cancelled") or not waiting
    if state.status in ENDED and state.status != "cancelled":
        assert not replay(play.store, JOB).fold.going, "the job has ended under its handlers"


def delivered(play: Play) -> list[str]:
    """Return what caused each activation that was ever opened, and what came to a join."""
    seen: dict[str, str] = {}
    joined: set[str] = set()
    inputs: list[Delivery] = []
    for version in range(1, len(play.history()) + 1):
        fold = replay(play.store, JOB, upto=version).fold
        opened = [it.activation for key, it in fold.members.items() if key not in seen]
        seen |= {each.id: each.cause for each in opened}
        joined |= {each.cause for it in fold.gathers.values() for each in it.waiting}
        # What completes a join with others is its cause, or is only to be seen in its payload.
        items = [(each.slot, item) for each in opened for item in each.payload.get("items", ())]
        still = {each.cause for each in fold.inputs}
        for gone in [each for each in inputs if each.gather and each.cause not in still]:
            if gone.cause not in {*seen.values(), *joined}:
                items.remove((gone.slot, gone.payload))
                joined.add(gone.cause)
        inputs = list(fold.inputs)
    return [*seen.values(), *joined]


@each_flavour
@FEW
@given(flow=st.data())
def test_law_9_what_is_refused_leaves_the_log_as_it_was(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    play = Play(program, script, open_store("memory://"))

    play.run()

    assert len(play.unchanged) == len(play.refusals)
    assert all(play.unchanged), play.refusals
