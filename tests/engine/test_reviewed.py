"""What a reviewer found: each was wrong once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any, Never

import pytest

from esflow import Context, Engine, Flow, errors
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.world import Hosts, names


class Unshowable(Exception):
    """An error whose notes can't be read."""

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]  # users may
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "error",
    [SyntaxError("bad", ("file", 1, "x", "text")), Unshowable("no"), errors.PayloadError(3, "x")],  # type: ignore[arg-type]  # users err
)
def test_an_error_that_can_hardly_be_shown_fails_the_job_readably(
    hosts: Hosts, error: Exception
) -> None:
    flow = Flow("odd")

    @flow.slot
    def go(ctx: Context) -> None:
        raise error

    engine = hosts(flow)
    state = engine.start("odd", "go", job_id="one")
    assert state.failure is not None
    assert engine.state("one").failure == state.failure


def test_a_slot_that_a_settled_neighbour_leads_to_is_missed_at_the_claim(
    hosts: Hosts, store: Store
) -> None:
    dying = [True]

    def build(*, whole: bool) -> Flow:
        flow = Flow("edited")
        start = flow.routine("start", outputs=("both",))
        a = flow.routine("a", outputs=("out",))

        @start.slot
        def go(ctx: Context) -> None:
            ctx.emit("both")

        @a.slot(name="in")
        def first(ctx: Context) -> None:
            ctx.emit("out")

        @flow.slot
        def second(ctx: Context) -> None:
            if dying:
                raise KeyboardInterrupt

        flow.connect("start.both", "a.in")
        flow.connect("start.both", "second")
        if whole:

            @flow.slot
            def x(ctx: Context) -> None:
                ctx.log("x")

            flow.connect("a.out", "x")
        return flow

    with pytest.raises(KeyboardInterrupt):
        Engine(store, flows=[build(whole=True)], max_parallel=1).start(
            "edited", "start", job_id="one"
        )
    dying.clear()
    before = [row.state for row in store.read("one")]
    with pytest.raises(errors.FlowChanged, match="x"):
        hosts(build(whole=False)).run("one")
    assert [row.state for row in store.read("one")] == before
    assert hosts(build(whole=True)).run("one").log[0].message == "x"


def test_an_effect_whose_recording_was_interrupted_is_never_used(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = Flow("paying")

    @flow.slot
    def pay(ctx: Context) -> None:
        for _ in range(2):
            try:
                ctx.shared["paid"] = ctx.effect(int)
            except KeyboardInterrupt:
                monkeypatch.undo()

    engine = Engine(store, flows=[flow])

    def interrupted(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    engine.submit("paying", "pay", job_id="one")
    append, calls = type(store).append, list[int]()

    def interrupting(self: Any, *args: Any, **kwargs: Any) -> int:
        calls.append(1)
        return interrupted() if len(calls) == 2 else append(self, *args, **kwargs)

    monkeypatch.setattr(type(store), "append", interrupting)
    with pytest.raises(errors.ContextClosed):
        engine.run("one")
    assert names(engine, "one") == ["JobStarted", "ExecutionClaimed"]
    assert engine.run("one").shared == {"paid": 0}


def test_what_a_report_holds_is_not_the_wiring_of_the_flow(hosts: Hosts) -> None:
    flow = Flow("wired")
    routine = flow.routine("go", outputs=("o",))

    @routine.slot
    def go(ctx: Context) -> None:
        ctx.defer("o", a=1)
        ctx.pause()

    @flow.slot
    def end(ctx: Context, b: int) -> None:
        ctx.log(str(b))

    flow.connect("go.o", "end", rename={"a": "b"})
    engine = hosts(flow)
    rename: Any = engine.start("wired", "go", job_id="one").deferrals[0].targets[0].rename
    rename["a"] = "hacked"
    engine.start("wired", "go", job_id="two")
    assert engine.resume("two").log[0].message == "1"


@pytest.mark.parametrize("host", ["\ud800", 7])
def test_a_host_that_can_not_be_recorded_is_refused(store: Store, host: Any) -> None:
    with pytest.raises(errors.PayloadError, match="host"):
        Engine(store, host=host)


@pytest.mark.parametrize("now_ms", [2**63, -(10**15)])
def test_a_moment_that_can_not_be_read_back_is_never_recorded(store: Store, now_ms: int) -> None:
    class Odd:
        def now_ms(self) -> int:
            return now_ms

        def alarm(self, at_ms: int, wake: object) -> Never:
            raise AssertionError(f"nobody waits for {at_ms}, {wake}")

    flow = Flow("timed")

    @flow.slot
    def go(ctx: Context) -> None:
        ctx.log("here")

    with pytest.raises(errors.PayloadError, match="milliseconds since 1970"):
        Engine(store, flows=[flow], clock=Odd()).start("timed", "go", job_id="one")
    assert store.head("one") is None


def test_a_pause_that_was_asked_for_is_recorded_though_the_attempt_is_abandoned(
    hosts: Hosts,
) -> None:
    flow = Flow("ending")

    @flow.slot
    def go(ctx: Context) -> None:
        thread = Thread(target=lambda: hosts(flow).pause("one", "inspection"))
        thread.start()
        thread.join()
        raise SystemExit

    engine = hosts(flow)
    with pytest.raises(SystemExit):
        engine.start("ending", "go", job_id="one")
    assert engine.wait("one", 60).status == "paused"


def test_a_job_that_proves_to_be_alive_is_not_taken_over(store: Store) -> None:
    clock = ManualClock()
    told: list[Any] = []
    runs: list[int] = []
    flow = Flow("alive")
    append = type(store).append

    @flow.slot
    def go(ctx: Context) -> None:
        """Record something just when another host has judged this job to be stale."""
        runs.append(1)
        if len(runs) > 1:
            return
        clock.advance(60)
        ready, recorded = Event(), Event()

        def racing(self: Any, *args: Any, **kwargs: Any) -> int:
            if current_thread() is thread and not ready.is_set():
                ready.set()
                assert recorded.wait(60)
            return append(self, *args, **kwargs)

        thread = Thread(target=lambda: told.extend(other.recover(older_than=30)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(store), "append", racing)
            thread.start()
            assert ready.wait(60)
            ctx.effect(int)
            recorded.set()
            thread.join()

    other = Engine(store, flows=[flow], clock=clock, lease_seconds=3600)
    engine = Engine(store, flows=[flow], clock=clock, lease_seconds=3600)
    assert engine.start("alive", "go", job_id="one").status == "completed"
    assert told == []


@pytest.mark.parametrize("after", [-1, -100])
def test_nothing_is_behind_a_negative_place(hosts: Hosts, after: int) -> None:
    flow = Flow("plain")

    @flow.slot
    def go(ctx: Context) -> None:
        ctx.log("here")

    engine = hosts(flow)
    engine.start("plain", "go", job_id="one")
    for look in (lambda: engine.history("one", after), lambda: next(engine.follow("one", after))):
        with pytest.raises(errors.PayloadError, match="give 0 for everything"):
            look()


def test_a_second_continue_lifts_no_more_than_its_caller_saw(hosts: Hosts, store: Store) -> None:
    flow = Flow("gated")

    @flow.slot
    def go(ctx: Context) -> None:
        ctx.pause("a person must approve this")

    engine = hosts(flow)
    engine.start("gated", "go", job_id="one")
    engine.pause("one", "inspection")
    append = type(store).append
    raced: list[int] = []

    def racing(self: Any, *args: Any, **kwargs: Any) -> int:
        if not raced:
            raced.append(1)
            hosts(flow).resume("one")
        return append(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(store), "append", racing)
        with pytest.raises(errors.VersionConflict, match="decide again"):
            engine.resume("one")
    assert [reason.kind for reason in engine.state("one").pause] == ["program"]


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("DELETE FROM esflow_jobs WHERE job_id = 'one'", "lacks it"),
        ("UPDATE esflow_jobs SET version = 1, head = ? WHERE job_id = 'one'", "goes on to"),
        ("UPDATE esflow_jobs SET head = 'other' WHERE job_id = 'one'", "another hash"),
        ("UPDATE esflow_jobs SET version = version + 1 WHERE job_id = 'one'", "the log ends"),
    ],
)
def test_verification_sees_what_the_index_has_lost(
    tmp_path: Path, statement: str, shown: str
) -> None:
    flow = Flow("plain")

    @flow.slot
    def go(ctx: Context) -> None:
        ctx.log("here")

    with Engine(f"sqlite:///{tmp_path}/jobs.db", flows=[flow]) as engine:
        for name in ("one", "two"):
            engine.start("plain", "go", job_id=name)
        assert engine.verify().ok
        first = (engine.history("one")[0].hash,)
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as database, database:
            database.execute(statement, first if "?" in statement else ())
        report = engine.verify()
        assert (report.ok, report.jobs) == (False, 2)
        assert shown in report.problems[0]
        assert "'one'" in report.problems[0]
