"""What an async engine does on its loop, because it waits for nothing, and what it never does."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from esflow import AsyncEngine, Context, Engine, Flow, failpoints
from esflow.commands import SendMessage
from esflow.decider import decide
from esflow.engine import host_of
from esflow.errors import JobClosed, PayloadError, StoreError
from esflow.runtime import steps
from esflow.runtime.decisions import Decision, nobody_runs, somebody_runs
from esflow.runtime.session import Session
from esflow.store import IndexRow, Store, WouldWait
from esflow.stores.memory import MemoryStore
from esflow.stores.sqlite import SQLiteStore
from esflow.testing import ManualClock
from tests.engine.flows import support
from tests.engine.world import PATIENCE_SECONDS, Gate

if TYPE_CHECKING:
    from eventsourcing.persistence import StoredEvent

LENGTH: Final = 6
TURNS: Final = 100  # Of a loop that nothing keeps from going on.


def chain(act: Callable[[Context], object] = id, **options: Any) -> Flow:
    """Return a flow of some steps, one after the other."""
    flow = Flow("chain", **options)
    routine = flow.routine("chain", outputs=("next",))

    @routine.slot
    async def step(ctx: Context, n: int) -> None:
        act(ctx)
        if n < LENGTH:
            ctx.emit("next", n=n + 1)

    flow.connect("chain.next", "chain.step")
    return flow


def driven(store: str | Store, flow: Flow, **options: Any) -> None:
    """Drive a job of a chain to its end, on a loop."""

    async def main() -> None:
        async with AsyncEngine(store, [flow], **options) as engine:
            state = await engine.start("chain", "chain.step", {"n": 1}, job_id="one")
            assert (state.status, state.wave) == ("completed", LENGTH)

    asyncio.run(main())


# What is done on the loop.


@pytest.mark.parametrize("durability", ["step", "output"])
def test_what_waits_for_nothing_is_recorded_on_the_loop(
    store: Store, monkeypatch: pytest.MonkeyPatch, durability: str
) -> None:
    found = list[tuple[str, bool]]()

    def reach(point: str) -> None:
        found.append((point, threading.current_thread() is threading.main_thread()))

    monkeypatch.setattr(failpoints, "hook", reach)
    driven(store, chain(), durability=durability)
    on_loop = found.count(("append.committed", True))
    assert on_loop == (LENGTH - 1 if durability == "step" else 0)
    assert found.count(("append.committed", False)) >= 2, "its start and its end may wait"


def test_nothing_of_a_group_goes_through_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = list[str]()

    def noted() -> bool:
        names.append(threading.current_thread().name)
        return nobody_runs()

    monkeypatch.setattr(steps, "nobody_runs", noted)  # It is asked with each decision.
    driven(f"sqlite:///{tmp_path}/jobs.db", chain(), durability="output")
    assert names.count("MainThread") == LENGTH


def test_a_lock_that_somebody_holds_keeps_no_loop_waiting(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    store = SQLiteStore(str(path), synchronous="normal", busy_seconds=10 * PATIENCE_SECONDS)
    locked = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    gone_on, held = threading.Event(), asyncio.Event()

    def lock(ctx: Context) -> None:
        if ctx.activation_id == "3.1":
            locked.execute("BEGIN IMMEDIATE")
            held.set()

    def unlock() -> bool:
        went_on = gone_on.wait(PATIENCE_SECONDS)
        locked.execute("ROLLBACK")
        return went_on

    async def main() -> bool:
        async with AsyncEngine(store, [chain(lock)]) as engine:
            job = asyncio.create_task(engine.start("chain", "chain.step", {"n": 1}))
            await held.wait()
            unlocking = asyncio.create_task(asyncio.to_thread(unlock))
            for _ in range(TURNS):
                await asyncio.sleep(0)
            gone_on.set()
            assert (await job).status == "completed"
            return await unlocking

    with closing(store), closing(locked):
        assert asyncio.run(main()), "the loop stood still"


def test_a_snapshot_is_taken_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    names = list[str]()
    put = MemoryStore.put_snapshot

    def noted(*args: Any, **kwargs: Any) -> None:
        names.append(threading.current_thread().name)
        put(*args, **kwargs)

    monkeypatch.setattr(MemoryStore, "put_snapshot", noted)
    driven("memory://", chain(), snapshot_every=2)
    assert {*names} == {"esflow-writer"}
    assert len(names) >= LENGTH, "each append is behind another multiple"


# What is left of a decision that would have had to wait.


class Busy:
    """A store in which somebody else always writes, and which fails when it is told to."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.gate: Gate | None = None
        self.fails = False

    @property
    def as_store(self) -> Store:
        """Itself, as what it stands for."""
        return cast("Store", self)

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the store has."""
        return getattr(self.inner, name)

    def append(
        self,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        expected: int,
        keep_lease: bool,
        at_once: bool = False,
    ) -> int:
        """Append unless it is to be done at once."""
        if at_once:
            raise WouldWait
        if self.fails:
            self.fails = False
            raise StoreError("appending", "no space left", True)
        if self.gate is not None:
            self.gate.hold()
        return self.inner.append(rows, index, expected=expected, keep_lease=keep_lease)


def message(text: str) -> Decision:
    """Return the decision to take in a message."""

    def step(fold: Any) -> Any:
        return decide(fold, SendMessage(slot="archive", payload={"text": text}, key=None))

    return Decision((step,), somebody_runs, may_wait=False)


def nothing() -> Decision:
    """Return a decision that comes to nothing."""
    return Decision((lambda _: (),), somebody_runs, may_wait=False)


@pytest.fixture
def store_of_one() -> Busy:
    """Return a busy store with a job in it."""
    busy = Busy()
    engine = Engine(busy.as_store, [support()])
    engine.submit("support", "agent.trigger", {"task": "Analyze data"}, job_id="one")
    return busy


def session_on(store: Busy, **options: Any) -> Session:
    """Return a session on the job."""
    session = host_of(Engine(store.as_store, [support()], **options)).session_on("one")
    session.load()
    return session


def texts(store: Busy) -> list[str]:
    """Return the messages of the job."""
    with Engine(store.as_store, [support()]) as engine:
        events: list[Any] = [each.event for each in engine.history("one")]
    return [each.payload["text"] for each in events if each.name == "MessageReceived"]


def test_what_is_left_is_done_by_who_may_wait(store_of_one: Busy) -> None:
    session = session_on(store_of_one)
    rest = session.settle_at_once(message("one"))
    assert rest is not None
    assert texts(store_of_one) == []
    assert rest() is None
    assert texts(store_of_one) == ["one"]


def test_what_somebody_else_has_recorded_meanwhile_is_not_recorded_twice(
    store_of_one: Busy,
) -> None:
    session = session_on(store_of_one)
    rest = session.settle_at_once(message("one"))
    session.settle(message("two"))
    assert rest is not None
    rest()
    assert texts(store_of_one) == ["one", "two"]


def test_whose_decision_no_longer_holds_is_told_so_and_nobody_else(store_of_one: Busy) -> None:
    session = session_on(store_of_one)
    rest = session.settle_at_once(message("one"))
    Engine(store_of_one.as_store, [support()]).cancel("one")
    session.settle(nothing())
    assert rest is not None
    with pytest.raises(JobClosed):
        rest()
    assert texts(store_of_one) == []


def test_who_meets_the_end_of_the_job_with_an_append_is_told_so(store_of_one: Busy) -> None:
    session = session_on(store_of_one)
    Engine(store_of_one.as_store, [support()]).cancel("one")
    with pytest.raises(JobClosed):
        session.settle(message("one"))
    assert texts(store_of_one) == []


def test_what_was_lost_by_the_append_of_somebody_else_is_decided_again(store_of_one: Busy) -> None:
    session = session_on(store_of_one)
    rest = session.settle_at_once(message("one"))
    store_of_one.fails = True
    with pytest.raises(StoreError, match="no space left"):
        session.settle(nothing())
    assert rest is not None
    rest()
    assert texts(store_of_one) == ["one"]


def test_a_session_that_is_at_work_in_another_thread_is_not_waited_for(store_of_one: Busy) -> None:
    session, gate = session_on(store_of_one), Gate()
    store_of_one.gate = gate
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(session.settle, message("one"))
        gate.await_handler()
        rest = session.settle_at_once(message("two"))
        gate.opened.set()
        first.result(PATIENCE_SECONDS)
    assert rest is not None
    rest()
    assert texts(store_of_one) == ["one", "two"]


# What is made ready while the thread that is to record it wakes up.


def test_each_append_that_waits_for_a_disk_is_made_ready_on_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = list[str]()
    prepare = Session.prepare

    def noted(session: Session) -> None:
        names.append(threading.current_thread().name)
        prepare(session)

    monkeypatch.setattr(Session, "prepare", noted)
    driven(f"sqlite:///{tmp_path}/jobs.db", chain())
    assert names == ["MainThread"] * LENGTH


def test_what_is_ready_is_recorded_as_it_is(store_of_one: Busy) -> None:
    clock = ManualClock()
    session = session_on(store_of_one, clock=clock)
    rest = session.settle_at_once(message("one"))
    session.prepare()
    then = clock.now_ms()
    clock.advance(60)
    assert rest is not None
    rest()
    with Engine(store_of_one.as_store, [support()]) as engine:
        last = engine.history("one")[-1]
    assert (texts(store_of_one), last.recorded_at_ms) == (["one"], then)


def test_what_is_decided_behind_what_is_ready_is_recorded_too(store_of_one: Busy) -> None:
    session = session_on(store_of_one)
    first = session.settle_at_once(message("one"))
    session.prepare()
    second = session.settle_at_once(message("two"))
    assert first is not None
    assert second is not None
    first()
    second()
    assert texts(store_of_one) == ["one", "two"]


def test_what_is_ready_gives_way_to_what_others_have_recorded(store_of_one: Busy) -> None:
    session = session_on(store_of_one)
    rest = session.settle_at_once(message("one"))
    session.prepare()
    session_on(store_of_one).settle(message("theirs"))
    assert rest is not None
    rest()
    assert texts(store_of_one) == ["theirs", "one"]


def test_somebody_is_named_on_what_they_did_whatever_is_ready(store_of_one: Busy) -> None:
    session = session_on(store_of_one)
    rest = session.settle_at_once(message("one"))
    session.prepare()
    session.settle(message("two"), actor="user:17")
    assert rest is not None
    rest()
    with Engine(store_of_one.as_store, [support()]) as engine:
        actors = [each.actor for each in engine.history("one")]
    assert (texts(store_of_one), actors[-2:]) == (["one", "two"], [None, "user:17"])


def test_what_can_not_be_made_ready_is_refused_to_who_records_it(
    store_of_one: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    session = session_on(store_of_one, clock=clock)
    rest = session.settle_at_once(message("one"))
    monkeypatch.setattr(clock, "now_ms", lambda: 10**15)
    session.prepare()
    assert rest is not None
    with pytest.raises(PayloadError, match="no moment from the year 1 to 9999"):
        rest()
    assert texts(store_of_one) == []


def test_nothing_is_made_ready_while_another_thread_is_at_work(store_of_one: Busy) -> None:
    session, gate = session_on(store_of_one), Gate()
    store_of_one.gate = gate
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(session.settle, message("one"))
        gate.await_handler()
        session.prepare()
        assert not first.done(), "it was waited for"
        gate.opened.set()
        first.result(PATIENCE_SECONDS)
    assert texts(store_of_one) == ["one"]
