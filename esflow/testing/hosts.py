"""Hosts of one job under test, in one process: each is an engine that can be stopped at an append.

A host knows the store through a gate of its own, which counts the appends of the run and lets
befall its host what the schedule says.
What is left of a lost host can do nothing more: its gate is shut.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context as ContextVars
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, final

import attrs

from esflow.chance import seeded
from esflow.engine import Engine
from esflow.errors import JobClosed, VersionConflict
from esflow.flow import Flow
from esflow.store import IndexRow, JobQuery, Store
from esflow.testing.manual_clock import ManualClock
from esflow.testing.stops import Schedule

if TYPE_CHECKING:
    from eventsourcing.persistence import StoredEvent

JOB: Final = "job"
MAX_JOBS: Final = 10_000
"""So many jobs may come of one that is tried, by starting others."""
SEED: Final = "check_pause_anywhere"
"""What chance follows from, so that it is the same in every run."""


@final
class HostLost(BaseException):
    """The host ends here: neither a handler nor esflow may catch it."""


@final
class IdleClock:
    """A clock that stands still until a job waits for a moment, and is that moment then.

    How long handlers take shows nowhere: their limits never pass.
    """

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._expected: set[int] = set()

    def now_ms(self) -> int:
        """Return the milliseconds since 1970, UTC."""
        return self._clock.now_ms()

    def expect(self, at_ms: int) -> None:
        """Be a moment as soon as somebody waits for it: the next attempt of an effect."""
        self._expected.add(at_ms)

    def come_to(self, at_ms: int) -> None:
        """Be a moment, unless it is past."""
        if at_ms > self.now_ms():
            self._clock.set(datetime.fromtimestamp(at_ms / 1000, tz=UTC))

    @contextmanager
    def alarm(self, at_ms: int, wake: Callable[[], object]) -> Generator[float]:
        """Call ``wake`` when the clock comes to a moment."""
        if at_ms in self._expected:
            self.come_to(at_ms)
        with self._clock.alarm(at_ms, wake) as seconds:
            yield seconds


Effect: TypeAlias = tuple[str, str]
"""A job and the id of an effect of it."""


@final
@attrs.frozen
class Append:
    """What hosts appended, or would have: the names of the events, and the effects among them."""

    events: tuple[str, ...]
    effects: frozenset[Effect]

    def __str__(self) -> str:
        return ", ".join(self.events)


@final
@attrs.define(eq=False)
class Hosts:
    """The hosts of one run: the one that drives the job, and those that come after it.

    Shape: ``new_flow`` returns the flow as a process that has just been started has it.
    """

    store: Store
    new_flow: Callable[[], Flow]
    schedule: Schedule
    others: Sequence[Flow] = ()
    clock: IdleClock = attrs.field(factory=IdleClock)
    appends: list[Append] = attrs.field(factory=lambda: [], init=False)
    unrecorded: set[Effect] = attrs.field(factory=set[Effect], init=False)  # Made in vain.
    current: Engine = attrs.field(init=False)
    flow: str = attrs.field(init=False)
    left: bool = attrs.field(default=False, init=False)  # A lost host may have left something.
    _engines: list[Engine] = attrs.field(factory=lambda: [], init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with one host."""
        self.take_turns()

    def take_turns(self) -> Engine:
        """Let a host that has just been started be the one that drives the job."""
        gate = cast("Store", _Gate(self.store, self))
        flow = self.new_flow()
        self.flow = flow.name
        self.current = Engine(
            gate,
            flows=[flow, *self.others],
            host=f"host {len(self._engines) + 1}",
            max_parallel=1,
            clock=self.clock,
        )
        self._engines.append(self.current)
        return self.current

    def lose(self) -> None:
        """Let the current host be gone, its leases lapse, and another one take its turn."""
        leases = [str(row.lease) for row in self.store.jobs(JobQuery(leased=True, limit=MAX_JOBS))]
        self.store.renew(leases, self.clock.now_ms())
        self.left = True
        self.take_turns()

    def close(self) -> None:
        """End all hosts."""
        for engine in self._engines:
            engine.close()

    def count(self, rows: Sequence[StoredEvent]) -> tuple[int, Append]:
        """Take down what is about to be appended, and return its place among the appends."""
        names, effects = list[str](), set[Effect]()
        for row in rows:
            event: dict[str, Any] = json.loads(row.state)
            names.append(row.topic.partition("/")[0])
            if names[-1] in ("EffectRecorded", "EffectAttemptFailed"):
                effects.add((str(row.originator_id), event["data"]["id"]))
            if names[-1] == "EffectAttemptFailed":
                self.clock.expect(event["data"]["again_at_ms"])
        append = Append(tuple(names), frozenset(effects))
        with self._lock:
            self.appends.append(append)
            return len(self.appends), append

    def befalls(self, how: str, at: int) -> bool:
        """Tell whether the schedule has something befall a host here."""
        return any((stop.how, stop.at) == (how, at) for stop in self.schedule)

    def pause(self, job_id: str) -> None:
        """Have an operator pause the job, from another process."""

        def ask() -> None:
            with suppress(JobClosed):
                engine.pause(job_id, "stopped by the check")

        engine = Engine(self.store, clock=self.clock)
        _elsewhere(ask)
        engine.close()

    def steal(self) -> None:
        """Have another host take the job over, and drive it as far as it goes."""
        thief = self.take_turns()

        def drive() -> None:
            try:
                with seeded(SEED):
                    thief.recover(older_than=0)
            except HostLost:
                self.lose()

        _elsewhere(drive)


@final
class _Gate:
    """The store as one host knows it."""

    def __init__(self, store: Store, hosts: Hosts) -> None:
        self._store = store
        self._hosts = hosts
        self._shut = False
        self._refused: set[Effect] = set()  # Effects that this host has made and not recorded.

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(
        self,
        rows: Sequence[StoredEvent],
        index: IndexRow,
        *,
        expected: int,
        keep_lease: bool,
        at_once: bool = False,
    ) -> int:
        """Append, and let happen what is to happen here."""
        if self._shut:
            raise HostLost
        hosts = self._hosts
        at, append = hosts.count(rows)
        if hosts.befalls("crash before", at):
            hosts.unrecorded |= append.effects
            self._be_lost()
        try:
            position = self._store.append(
                rows, index, expected=expected, keep_lease=keep_lease, at_once=at_once
            )
        except VersionConflict:
            self._refused |= append.effects - hosts.unrecorded
            hosts.unrecorded |= append.effects
            raise
        hosts.unrecorded -= self._refused & append.effects
        if hosts.befalls("pause", at):
            hosts.pause(index.job_id)
        if hosts.befalls("steal", at):
            hosts.steal()
        if hosts.befalls("crash after", at):
            self._be_lost()
        return position

    def release(self, job_id: str, lease: str) -> bool:
        """Give a lease back, unless the host is lost: then that isn't its business any more."""
        return not self._shut and self._store.release(job_id, lease)

    def renew(self, leases: Collection[str], until_ms: int) -> int:
        """Move the end of leases, unless the host is lost."""
        return 0 if self._shut else self._store.renew(leases, until_ms)

    def _be_lost(self) -> None:
        self._shut = True
        raise HostLost


def _elsewhere(act: Callable[[], object]) -> None:
    """Do something in a thread of its own, which knows nothing of the caller's context."""
    with ThreadPoolExecutor(1, thread_name_prefix="esflow-elsewhere") as pool:
        pool.submit(ContextVars().run, act).result()
