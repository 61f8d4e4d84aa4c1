"""Snapshots as an engine takes and uses them: when, how many, and what becomes of trouble."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from esflow import Answer, Context, Engine, Flow, errors, failpoints
from esflow.replay import replay_all
from esflow.snapshots import FOLD_VERSION, TAIL_SHARE
from esflow.store import Store
from esflow.stores import open_store
from esflow.testing import ManualClock
from esflow.verification import rebuild_index
from tests.stores import OpenStore

JOB: Final = "job"
LENGTH: Final = 32  # Of the job below, when it has ended.


def chain() -> Flow:
    """Return a flow of ten activations, one after the other, each of three events."""
    flow = Flow("chain")
    routine = flow.routine("link", outputs=("again",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ctx.log(f"{n} to go")
        if n:
            ctx.emit("again", n=n - 1)

    flow.connect("link.again", "link.step")
    return flow


def stopping(rest: str) -> Flow:
    """Return a flow that comes to rest after a few steps, again and again."""
    flow = Flow("stopping")
    routine = flow.routine("desk", outputs=("again", "later"))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        if n:
            ctx.emit("again", n=n - 1)
        elif rest == "ask":
            ctx.ask("How many?", to="desk.told")
        else:
            ctx.emit_after(1, "later", n=4)

    @routine.slot
    def told(ctx: Context, answer: int) -> None:
        ctx.emit("again", n=answer)

    flow.connect("desk.again", "desk.step")
    flow.connect("desk.later", "desk.step")
    return flow


def played(store: Store, *, snapshot_every: int = 5, snapshots_kept: int = 3) -> Engine:
    engine = Engine(store, [chain()], snapshot_every=snapshot_every, snapshots_kept=snapshots_kept)
    assert engine.start("chain", "link.step", {"n": 9}, job_id=JOB).version == LENGTH
    return engine


def kept(store: Store) -> list[int]:
    """Return the versions that there are snapshots at."""
    found = [store.snapshot(JOB, fold_version=FOLD_VERSION, upto=at) for at in range(199)]
    return sorted({each.version for each in found if each is not None})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a SQLite store may be."""
    return tmp_path / "jobs.db"


def change(path: Path, *statements: str) -> None:
    """Do what only the owner of a file can do to it."""
    with closing(sqlite3.connect(path)) as owner:
        for statement in statements:
            owner.execute(statement)
        owner.commit()


def test_a_snapshot_is_taken_where_an_append_crosses_a_multiple(store: Store) -> None:
    played(store, snapshot_every=5, snapshots_kept=99)
    # The appends end at 2, 5, 8, ..., 29 and, with the completion of the job, at 32.
    assert kept(store) == [5, 11, 17, 20, 26, 32]


@pytest.mark.parametrize("rest", ["ask", "later"])
def test_a_job_that_rests_far_behind_its_last_snapshot_is_given_one(
    open_again: OpenStore, store: Store, rest: str
) -> None:
    flow, rests, snapshots = stopping(rest), list[int](), list[int]()
    clock = ManualClock()
    for turn in range(6):
        with Engine(open_again(), [flow], snapshot_every=300, clock=clock) as engine:
            if turn == 0:
                rests.append(engine.start("stopping", "desk.step", {"n": 3}, job_id=JOB).version)
            elif rest == "ask":
                rests.append(engine.resume(JOB, Answer(4)).version)
            else:
                clock.advance(1)
                rests.append(engine.run(JOB).version)
        last = snapshots[-1] if snapshots else 0
        if rests[-1] - last >= 300 // TAIL_SHARE:
            snapshots.append(rests[-1])
        assert kept(store) == snapshots[-3:]
    assert 0 < len(snapshots) < len(rests), "it rested both near to a snapshot and far from one"


def test_a_job_that_has_ended_needs_none(store: Store) -> None:
    played(store, snapshot_every=300)
    assert kept(store) == []
    assert LENGTH > 300 // TAIL_SHARE


def test_the_newest_few_are_kept(store: Store) -> None:
    played(store, snapshots_kept=2)
    assert kept(store) == [26, 32]


def test_0_is_never(store: Store) -> None:
    played(store, snapshot_every=0)
    assert kept(store) == []


def test_a_message_from_outside_counts_too(store: Store, open_again: OpenStore) -> None:
    with Engine(open_again(), [chain()], snapshot_every=2) as engine:
        engine.submit("chain", "link.step", {"n": 1}, job_id=JOB)
        assert kept(store) == []
        engine.send(JOB, "link.step", {"n": 0})
        assert kept(store) == [2]


@pytest.mark.parametrize(
    ("snapshot_every", "snapshots_kept", "name"), [(-1, 3, "every"), (5, 0, "kept")]
)
def test_numbers_that_cannot_be_are_refused(
    snapshot_every: int, snapshots_kept: int, name: str
) -> None:
    with pytest.raises(errors.PayloadError, match=f"snapshots?_{name}"):
        Engine("memory://", snapshot_every=snapshot_every, snapshots_kept=snapshots_kept)


def test_a_snapshot_is_taken_behind_the_append_and_not_within(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list[tuple[int, list[int]]]()

    def look(point: str) -> None:
        if point == "append.committed":
            row = store.head(JOB)
            assert row is not None
            found.append((row.version, kept(store)))

    monkeypatch.setattr(failpoints, "hook", look)
    played(store)
    assert [version for version, there in found if version in there] == []
    assert kept(store)[-1] == LENGTH


def test_every_version_is_what_it_is_without_snapshots(store: Store) -> None:
    with played(store) as engine:
        for version in range(1, LENGTH + 1):
            state = engine.state(JOB, version).as_dict()
            assert state == replay_all(store, JOB, upto=version).fold.face().as_dict()
        with pytest.raises(errors.VersionConflict) as refused:
            engine.state(JOB, LENGTH + 1)
    assert refused.value.found == LENGTH


def test_a_store_that_cannot_keep_snapshots_stops_no_job(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(f"sqlite:///{path}?synchronous=normal")
    change(path, "DROP TABLE esflow_snapshots")
    with caplog.at_level(logging.WARNING, "esflow"), played(store) as engine:
        assert engine.state(JOB).status == "completed"
    texts = [record.getMessage() for record in caplog.records]
    assert any("snapshot of job job@5 not taken" in each for each in texts)
    assert any("snapshot of job job not read" in each for each in texts)
    store.close()


@pytest.mark.parametrize(
    ("ignored", "damage"),
    [
        (32, "UPDATE esflow_snapshots SET state = x'00'"),
        (
            32,
            "UPDATE esflow_snapshots SET state = CAST(replace(state, 'go', 'do') AS BLOB)",
        ),
        (27, "UPDATE esflow_snapshots SET version = version + 1"),
        (32, "UPDATE esflow_snapshots SET head = upper(head)"),
    ],
)
def test_a_damaged_snapshot_is_ignored_and_logged(
    path: Path, caplog: pytest.LogCaptureFixture, ignored: int, damage: str
) -> None:
    store = open_store(f"sqlite:///{path}?synchronous=normal")
    with played(store) as engine:
        before = engine.state(JOB).as_dict()
        change(path, damage)
        with caplog.at_level(logging.WARNING, "esflow"):
            assert engine.state(JOB, LENGTH).as_dict() == before
        (record,) = caplog.records
        assert record.getMessage().startswith(f"snapshot of job job@{ignored} ignored: ")
    store.close()


def test_a_snapshot_of_a_log_that_was_cut_is_ignored_and_logged(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(f"sqlite:///{path}?synchronous=normal")
    played(store)
    change(
        path,
        "DROP TRIGGER stored_events_are_never_deleted",
        "DELETE FROM stored_events WHERE originator_version > 29",
        "UPDATE esflow_jobs SET version = 29",
    )
    with caplog.at_level(logging.WARNING, "esflow"), Engine(store) as engine:
        assert engine.state(JOB).version == 29
    (record,) = caplog.records
    assert record.getMessage() == (
        "snapshot of job job@32 ignored: the log has another event there, or none"
    )
    store.close()


def test_verification_and_the_index_trust_no_snapshot(path: Path) -> None:
    store = open_store(f"sqlite:///{path}?synchronous=normal")
    with played(store) as engine:
        assert engine.verify().ok
        change(
            path,
            "DROP TRIGGER stored_events_are_never_changed",
            "UPDATE stored_events SET state = x'00' WHERE originator_version = 3",
        )
        assert engine.state(JOB).version == LENGTH, "what the snapshot says is not read again"
        assert not engine.verify().ok
        assert not engine.verify(JOB).ok
        with pytest.raises(errors.CorruptHistory):
            rebuild_index(store)
        store.drop_snapshots(JOB)
        with pytest.raises(errors.CorruptHistory):
            engine.state(JOB)
    store.close()


def test_damage_behind_a_snapshot_is_found(path: Path) -> None:
    store = open_store(f"sqlite:///{path}?synchronous=normal")
    with played(store, snapshot_every=20) as engine:
        assert kept(store) == [20]
        change(
            path,
            "DROP TRIGGER stored_events_are_never_changed",
            "UPDATE stored_events SET state = CAST(replace(state, 'go', 'do') AS BLOB)"
            " WHERE originator_version = 21",
        )
        assert engine.state(JOB, 20).version == 20
        with pytest.raises(errors.CorruptHistory) as refused:
            engine.state(JOB)
    assert refused.value.version == 21
    store.close()
