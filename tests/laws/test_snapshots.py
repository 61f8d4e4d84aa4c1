"""A snapshot changes nothing but what has to be read: it is never needed, and never believed.

Every law is tried on generated flows, and on the log as it would be without any snapshot.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, TypeAlias, assert_never, final

import attrs
import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from esflow import Context, Continue, Engine, Flow
from esflow.codec import encode, envelope, genesis
from esflow.consequences import runnable
from esflow.events import Event
from esflow.fold import evolve, fold_events
from esflow.fold_wires import pack
from esflow.replay import index_row, read_verified, replay, replay_all
from esflow.snapshots import FOLD_VERSION, TAIL_SHARE, decode_snapshot, encode_snapshot
from esflow.state import JobFold
from esflow.store import SnapshotRow, Store
from esflow.stores import open_store
from tests.laws.compare import assert_same_as_undisturbed
from tests.laws.disturbances import each_flavour, schedules
from tests.laws.play import JOB, Play
from tests.laws.test_laws import played
from tests.laws.watched import Watched
from tests.reference.generator import FLAVOURS, examples

EVERY: Final = 1000
FEW: Final = settings(max_examples=3)
WHOLE: Final = 1_000_000
Wrong: TypeAlias = Literal["none", "byte", "version", "head", "fold version", "job", "log"]
WRONGS: Final[tuple[Wrong, ...]] = (
    "none",
    "byte",
    "version",
    "head",
    "fold version",
    "job",
    "log",
)


def text(fold: JobFold) -> str:
    """Return a state as text, in which 1 is not 1.0 and the order of keys counts."""
    return json.dumps(fold.face().as_dict())


def snapshot_of(store: Store, version: int, job_id: str = JOB) -> SnapshotRow:
    """Return a snapshot at any version, as it is taken where an append ends."""
    return encode_snapshot(replay_all(store, job_id, upto=version), 0)


@each_flavour
@FEW
@given(flow=st.data())
def test_from_every_version_a_snapshot_and_the_tail_are_the_whole(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    play = played(flow, flavour, asks=asks)
    events = [recorded.event for recorded in play.history()]
    folds = [fold_events(JOB, events[:version]) for version in range(len(events) + 1)]
    texts, bytes_ = [text(fold) for fold in folds], [pack(fold) for fold in folds]

    for version in range(1, len(events) + 1):
        fold = decode_snapshot(JOB, snapshot_of(play.store, version)).fold
        assert text(fold) == texts[version]
        assert runnable(fold) == runnable(folds[version])
        assert tail(fold, events[version:]) == (texts[-1], bytes_[-1])


def tail(fold: JobFold, events: Sequence[Event]) -> tuple[str, bytes]:
    for event in events:
        evolve(fold, event)
    return text(fold), pack(fold)


@each_flavour
@FEW
@given(flow=st.data())
def test_hosts_that_go_on_from_snapshots_do_what_others_would_have_done(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    faults = flow.draw(schedules, label="schedule")
    every = flow.draw(st.sampled_from([1, 2, 7, 10]), label="every")
    store = open_store("memory://")

    assert_same_as_undisturbed(Play(program, script, store, faults=faults, snapshot_every=every))

    state = Engine(store).state(JOB)
    assert json.dumps(state.as_dict()) == text(replay_all(store, JOB).fold)


@each_flavour
@FEW
@given(flow=st.data())
def test_no_more_is_read_than_stands_between_two_snapshots(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    every = flow.draw(st.sampled_from([1, 2, 7, 10]), label="every")
    watched = Watched(open_store("memory://"))
    Play(program, script, watched.as_store, snapshot_every=every).run()

    watched.rows_read = 0
    Engine(watched.as_store).state(JOB)
    assert 0 < watched.rows_read <= every


@each_flavour
@settings(max_examples=3)
@given(flow=st.data())
def test_every_snapshot_can_be_deleted_between_any_two_calls(
    flow: st.DataObject, flavour: str, *, asks: bool
) -> None:
    program, script = flow.draw(examples(asks=asks, flavour=flavour), label="flow")
    faults = flow.draw(schedules, label="schedule")
    rate = flow.draw(st.sampled_from([1, 2, 3]), label="rate")
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/jobs.db?synchronous=normal")
        calls: Iterator[int] = iter(range(WHOLE))
        deleted: list[int] = []
        with closing(
            sqlite3.connect(Path(folder, "jobs.db"), isolation_level=None, check_same_thread=False)
        ) as other:

            def forget() -> None:
                if next(calls) % rate == 0:
                    deleted.append(other.execute("DELETE FROM esflow_snapshots").rowcount)

            watched = Watched(store, forget)
            assert_same_as_undisturbed(
                Play(program, script, watched.as_store, faults=faults, snapshot_every=1)
            )
        store.close()
    assert sum(deleted), "there were none"


@pytest.mark.parametrize("wrong", WRONGS)
@settings(max_examples=12)
@given(flow=st.data())
def test_a_snapshot_that_the_log_does_not_bear_out_is_never_used(
    flow: st.DataObject, wrong: Wrong
) -> None:
    flavour = flow.draw(st.sampled_from(FLAVOURS), label="flavour")
    asks = flow.draw(st.booleans(), label="asks")
    events = [each.event for each in played(flow, flavour, asks=asks).history()]
    log = written(JOB, events)
    version = flow.draw(st.integers(1, len(events)), label="version")
    row = spoilt(flow, log, version, wrong)
    if wrong == "log":
        # The snapshot is of a longer log that was cut, and then went on otherwise, or not at all.
        cut = flow.draw(st.integers(0, version - 1), label="cut")
        length = flow.draw(st.integers(max(1, cut), len(events)), label="length")
        log = written(JOB, events[:length], cut=cut)
    log.put_snapshot(JOB, row, keep=3)

    watched = Watched(log)
    found = replay(watched.as_store, JOB)

    whole = replay_all(log, JOB)
    assert (pack(found.fold), found.head) == (pack(whole.fold), whole.head)
    assert found.created_at_ms == whole.created_at_ms
    if wrong == "none":
        assert watched.rows_read == len(events) - version + 1
    else:
        assert watched.rows_read >= whole.fold.version, "it was used"


def spoilt(flow: st.DataObject, log: Store, version: int, wrong: Wrong) -> SnapshotRow:
    """Return a snapshot that doesn't agree with a log in one way, or does agree."""
    row = snapshot_of(log, version)
    match wrong:
        case "none" | "log":
            return row
        case "byte":
            place = flow.draw(st.integers(0, len(row.state) - 1), label="byte")
            state = bytearray(row.state)
            state[place] ^= 1 << flow.draw(st.integers(0, 7), label="bit")
            return attrs.evolve(row, state=bytes(state))
        case "version":
            others = st.integers(1, version + 3).filter(lambda other: other != version)
            return attrs.evolve(row, version=flow.draw(others, label="other version"))
        case "head":
            return attrs.evolve(row, head="0" * 64)
        case "fold version":
            return attrs.evolve(row, fold_version=FOLD_VERSION + 1)
        case "job":
            events = [each.event for each in read_verified(log, JOB)]
            return snapshot_of(written("other", events), version, "other")
        case _:
            assert_never(wrong)


def written(job_id: str, events: Sequence[Event], cut: int = WHOLE) -> Store:
    """Return a log of some events; behind the cut, another host recorded them."""
    fold, head, rows = JobFold(job_id=job_id), genesis(job_id), list[StoredEvent]()
    for version, event in enumerate(events, start=1):
        host = "host" if version <= cut else "another host"
        topic, state, head = encode(event, envelope(7, host), head)
        rows.append(StoredEvent(job_id, version, topic, state))
        evolve(fold, event)
    index = index_row(fold, head=head, created_at_ms=7, updated_at_ms=7)
    store = open_store("memory://")
    store.append(rows, index, expected=0, keep_lease=False)
    return store


def test_resuming_costs_the_same_however_long_the_history_is() -> None:
    short, long = read_by_resuming(100), read_by_resuming(10_000)

    assert short.events > 99
    assert long.events > 9_999
    assert max(long.rows, short.rows) < EVERY // TAIL_SHARE
    assert long.rows_without >= long.events, "the counting is right"


@final
@attrs.frozen
class Cost:
    """What was read to resume a job, with its snapshots and without."""

    events: int
    rows: int
    rows_without: int


def read_by_resuming(events: int) -> Cost:
    store = open_store("memory://")
    with Engine(store, [counting()], snapshot_every=EVERY) as first:
        version = first.start("counting", "step.step", {"n": events // 3}, job_id=JOB).version
    rows = list[int]()
    for _ in range(2):
        watched = Watched(store)
        with Engine(watched.as_store, [counting()], snapshot_every=0) as host:
            assert host.resume(JOB, Continue()).status == "paused"
        rows.append(watched.rows_read)
        store.drop_snapshots()
    return Cost(version, *rows)


def counting() -> Flow:
    """Return a flow that writes a line for each step, and pauses twice at the end."""
    flow = Flow("counting")
    routine = flow.routine("step", outputs=("again",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ctx.log(f"{n} to go")
        if n <= 0:
            ctx.pause("that's it")
        if n > -2:
            ctx.emit("again", n=n - 1)

    flow.connect("step.again", "step.step")
    return flow
