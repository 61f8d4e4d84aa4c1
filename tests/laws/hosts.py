"""Hosts that stand still, go on and die where a test says so.

Every call of a host runs in a thread of its own, and only one thread of all goes at a time: the
caller waits until the call returns, or stands still at a fail point, or is dead.
So what happens is what the test says, whatever the machine does: a call that stands still is a
host that was stopped in the middle of its work, with its lease, its threads and what it had read.
A host drives one handler after the other for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from threading import Semaphore, Thread
from typing import Any, Final, cast, final

import attrs

from esflow import Engine, failpoints
from esflow.store import Store
from esflow.testing import ManualClock
from tests.awaited import awaited_engine
from tests.laws.disturbances import OUTSIDE
from tests.laws.faults import Crash
from tests.laws.flows import build
from tests.laws.world import World
from tests.reference.program import Program

PATIENCE_SECONDS: Final = 20.0  # Nothing here takes as long, unless threads wait for each other.


@final
@attrs.frozen
class Death:
    """How a host dies: where, and when it comes there for the how-many-th time from now."""

    point: str
    at: int = 1


@final
@attrs.frozen
class Go:
    """How far a call goes: past so many boundaries, if it doesn't die before."""

    points: int
    death: Death | None = None


TO_THE_END: Final = Go(1_000_000)


@final
@attrs.define(eq=False)
class Call:
    """One call of a host, in a thread that stands still when it has gone as far as it may.

    Shape: unless it is ``early``, it stands still only behind its own first append, so a wish is
    granted or refused when the caller hears of it; ``token`` is that of the execution which the
    call began, 0 for none.
    """

    engine: Engine
    act: Callable[[Engine], object]
    early: bool = False
    token: int = 0
    granted: bool = False  # Whether what it wished holds.
    at: str = ""  # Where it stands, or died.
    returned: object = None
    error: BaseException | None = None
    ended: bool = False
    dead: bool = False
    _appended: bool = False
    _left: int = 0
    _death: Death | None = None
    _arrivals: int = 0
    _go: Semaphore = attrs.field(factory=lambda: Semaphore(0))
    _stood: Semaphore = attrs.field(factory=lambda: Semaphore(0))
    _thread: Thread = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Stand still before the beginning."""
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def go(self, how: Go) -> None:
        """Go on until it stands still again, returns, or dies."""
        self._left, self._death, self._arrivals = how.points, how.death, 0
        self._go.release()
        assert self._stood.acquire(timeout=PATIENCE_SECONDS), f"it hangs, last seen at {self.at}"
        if self.ended:
            self._thread.join()

    def die(self) -> None:
        """Die where it stands; nothing more is recorded."""
        self.dead = True
        self.go(TO_THE_END)

    def reach(self, point: str) -> None:
        """Come to a fail point, and die or stand still there if it is time to."""
        if self._death is not None and self._death.point == point:
            self._arrivals += 1
            self.dead = self.dead or self._arrivals == self._death.at
        if self.dead:
            self.at = point
            raise Crash
        self._appended = self._appended or point == "append.committed"
        if (self._appended or self.early) and point in OUTSIDE:
            self._left -= 1
            if self._left <= 0:
                self._stand(point)

    def _stand(self, point: str) -> None:
        self.at = point
        self._stood.release()
        self._go.acquire()
        if self.dead:
            raise Crash

    def _run(self) -> None:
        _calling.set(self)
        self._go.acquire()
        try:
            self.returned = self.act(self.engine)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the call judges it
            self.error = error
        self.ended = True
        self._stood.release()


_calling: Final[ContextVar[Call | None]] = ContextVar("tests.laws.hosts", default=None)
"""The call that a thread works for; handlers run in copies of their caller's context."""


@contextmanager
def stopping() -> Generator[None]:
    """Let calls stand still and die at fail points."""
    passing, failpoints.hook = failpoints.hook, _reach
    try:
        yield
    finally:
        failpoints.hook = passing


def _reach(point: str) -> None:
    call = _calling.get()
    if call is not None:
        call.reach(point)


@final
@attrs.define(eq=False)
class Host:
    """An engine with a flow, a clock and a handle on the store of its own."""

    engine: Engine
    store: Store
    clock: ManualClock

    def may_take(self, job_id: str) -> bool:
        """Tell whether nobody drives a job, as far as this host's clock can tell.

        All processes that hold leases here are alive: they are this one.
        """
        row = self.store.head(job_id)
        assert row is not None
        return row.lease is None or (row.lease_until_ms or 0) <= self.clock.now_ms()

    def is_leased(self, job_id: str) -> bool:
        """Tell whether somebody drives a job, or did before the lease lapsed."""
        row = self.store.head(job_id)
        return row is not None and row.lease is not None

    def is_silent(self, job_id: str, seconds: float) -> bool:
        """Tell whether nothing was recorded of a job for so long, by this host's clock."""
        row = self.store.head(job_id)
        assert row is not None
        return row.updated_at_ms <= self.clock.now_ms() - seconds * 1000


@final
class Loops:
    """Async engines that act as one, a new one for each call.

    One thread writes for all jobs of an async engine, so a call that stands still would hold up
    the others, as if their host had stopped with it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._make = partial(awaited_engine, *args, **kwargs)
        self._made: list[Engine] = []

    def __getattr__(self, name: str) -> Any:
        self._made.append(self._make())
        return getattr(self._made[-1], name)

    def close(self) -> None:
        """Close all that have been made."""
        for each in self._made:
            each.close()


def new_host(
    program: Program,
    world: World,
    store: Store,
    *,
    has_loop: bool = False,
    parallel: int = 1,
    snapshot_every: int = 1000,
) -> Host:
    """Return a host that shares nothing with others but the store and the world."""
    clock = ManualClock()
    engine = cast("type[Engine]", Loops if has_loop else Engine)(
        store,
        flows=[build(program, world)],
        max_parallel=parallel,
        snapshot_every=snapshot_every,
        clock=clock,
    )
    return Host(engine, store, clock)
