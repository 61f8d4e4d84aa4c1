"""Hosts of a job that is played, and what befalls them.

What disturbs is given as data, so that a failing example says what happened: a schedule names the
appends (by their ordinal within the play) at which something befalls the host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Final, assert_never

import attrs

from esflow import Engine, JobState, Recorded, errors, failpoints
from esflow.store import Store
from esflow.testing import ManualClock
from tests.laws.family import children_flows, is_in_round, job_ids, lapse, statuses, undriven
from tests.laws.faults import Crash, Fault, Kind
from tests.laws.flows import build
from tests.laws.world import World
from tests.reference import program as data
from tests.reference.outcome import ChildStatus

JOB: Final = "job"


@attrs.define
class Hosting:
    """Hosts that come and go, one after the other, and others elsewhere."""

    program: data.Program
    script: data.Script
    store: Store
    faults: Sequence[Fault] = ()
    parallel: int = 2
    engine: Callable[..., Engine] = Engine
    snapshot_every: int = 1000
    clock: ManualClock = attrs.field(factory=ManualClock)
    durabilities: Sequence[str] = ("step",)  # Of one host after the other.
    job: str = JOB
    world: World = attrs.field(factory=World)
    befallen: list[Fault] = attrs.field(factory=list[Fault])
    reached: Counter[str] = attrs.field(factory=Counter[str])
    versions: list[int] = attrs.field(factory=list[int])  # After each append of a host.
    survivors: list[Sequence[Recorded]] = attrs.field(factory=list[Sequence[Recorded]])
    _hosts: int = 0
    _dead: bool = False  # Nothing that this host still does is recorded.
    _quiet: int = 0  # Above 0 while somebody elsewhere acts: no fault befalls then.
    _dying: bool = False  # While somebody elsewhere is about to claim the job and die.

    def history(self) -> Sequence[Recorded]:
        """Return what is recorded of the job."""
        return self._looking().history(self.job)

    def family(self) -> list[Recorded]:
        """Return what is recorded of the job, and then of its children."""
        engine = self._looking()
        found = [self.job, *job_ids(self.store, self.history())]
        return [each for job_id in found for each in engine.history(job_id)]

    def children(self) -> dict[str, ChildStatus]:
        """Return what has become of each child."""
        return statuses(self.store, self.history())

    def _host(self, *, only_children: bool = False) -> Engine:
        """Return another host: a fresh engine with fresh flows, sharing nothing but the store."""
        flows = [] if only_children else [build(self.program, self.world)]
        flows += children_flows(self.program, self.world)
        durability = self.durabilities[self._hosts % len(self.durabilities)]
        self._hosts += 1
        return self.engine(
            self.store,
            flows=flows,
            durability=durability,
            max_parallel=self.parallel,
            snapshot_every=self.snapshot_every,
            clock=self.clock,
        )

    def _looking(self) -> Engine:
        """Return what drives nothing: whoever looks needs neither flows nor the same engine."""
        return Engine(self.store, clock=self.clock, snapshot_every=self.snapshot_every)

    def _state(self) -> JobState:
        return self._looking().state(self.job)

    def _recorded(self) -> bool:
        return self.store.head(self.job) is not None

    def _survived(
        self, act: Callable[[Engine], JobState | None], *, only_children: bool = False
    ) -> JobState | None:
        """Let a host act; None if it died, or lost the job, on the way."""
        try:
            with self._host(only_children=only_children) as engine:
                return act(engine)
        except (Crash, errors.Fenced, errors.NotPaused, errors.VersionConflict) as trouble:
            waits = isinstance(trouble, errors.NotPaused) and self._state().status == "waiting"
            if waits or not self.befallen:
                raise
            if self._recorded():
                self.survivors.append(self.history())
                self._lapse()
            return None
        finally:
            self._dead = False

    @contextmanager
    def _hooked(self) -> Generator[None]:
        failpoints.hook = self._reach
        try:
            yield
        finally:
            failpoints.hook = _pass_by

    def _reach(self, point: str) -> None:
        if self._dying and point == "execution.claimed":
            raise Crash
        if self._quiet:
            return
        if self._dead and point == "append.begun":
            raise Crash
        self.reached[point] += 1
        if point == "append.committed":
            self.versions.append(len(self._rows()))
        for fault in self.faults:
            if (fault.point, fault.at) == (point, self.reached[point]):
                self.befallen.append(fault)
                self._befall(fault.kind)

    def _befall(self, kind: Kind) -> None:
        match kind:
            case "crash":
                self._dead = "output" in self.durabilities  # Dying, it would record what it kept.
                raise Crash
            case "pause":
                self._elsewhere(self._pause)
            case "steal":
                self._elsewhere(self._steal)
            case "seize":
                self._elsewhere(self._seize)
            case _:
                assert_never(kind)

    def _pause(self) -> None:
        with self._host() as engine, suppress(errors.JobNotFound, errors.JobClosed):
            engine.pause(self.job, "inspection")

    def _lapse(self) -> None:
        lapse(self.store, [self.job, *job_ids(self.store, self.history())])

    def _steal(self) -> None:
        if self.program.children:
            self._steal_from_family(dies=False)
            return
        with self._host() as engine:
            engine.recover(older_than=0)

    def _seize(self) -> None:
        """Claim the job on a host that dies at once, so that it can't hide what this one does."""
        if self.program.children:
            self._steal_from_family(dies=True)
            return
        self._dying = True
        try:
            with suppress(Crash):
                self._steal()
        finally:
            self._dying = False

    def _steal_from_family(self, *, dies: bool) -> None:
        """Take over the job, and not children that its host would drive later."""
        if not self._recorded():
            return
        self._lapse()
        if self._is_in_round():
            with self._host(only_children=True) as engine:
                self._end_round(engine)
        status = self._state().status
        self._dying = dies and status in ("pending", "running")
        try:
            if status in ("pending", "running", "waiting"):
                with suppress(Crash), self._host() as engine:
                    engine.run(self.job)
        finally:
            self._dying = False

    def _is_in_round(self) -> bool:
        history = self.history() if self.program.children else ()
        return is_in_round(history) and bool(undriven(self.store, history))

    def _end_round(self, engine: Engine) -> None:
        """Drive the children that are left of a round, before their parent goes on."""
        history = self.history()
        for child in undriven(self.store, history):
            engine.run(child)

    def _elsewhere(self, act: Callable[[], None]) -> None:
        """Let something happen on another host while this one stands still."""
        trouble: list[BaseException] = []

        def acting() -> None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - it is raised again in the caller
                trouble.append(error)

        self._quiet += 1
        thread = Thread(target=acting)
        thread.start()
        thread.join()
        self._quiet -= 1
        if trouble:
            raise trouble[0]

    def _rows(self, job_id: str | None = None) -> list[bytes]:
        return [row.state for row in self.store.read(job_id or self.job)]


def _pass_by(point: str) -> None:
    """Let a point pass."""
