"""Plays a program and a script on real engines, undisturbed or with faults.

What disturbs is given as data, so that a failing example says what happened: a schedule names the
appends (by their ordinal within the play) at which something befalls the host.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread
from typing import Final, assert_never, final

import attrs

from esflow import Answer, Continue, Engine, JobState, Recorded, errors, failpoints
from esflow import events as ev
from esflow.state import ENDED
from esflow.store import Store
from esflow.testing import ManualClock
from tests.laws.family import children_flows, is_in_round, job_ids, lapse, statuses, undriven
from tests.laws.faults import Crash, Fault, Kind
from tests.laws.flows import build
from tests.laws.giving import REFUSALS, give, moment_of
from tests.laws.observe import observe
from tests.laws.world import World
from tests.reference import program as data
from tests.reference.outcome import ChildStatus, Outcome

JOB: Final = "job"
MAX_STEPS: Final = 500  # Far more than any example needs: each resume makes progress or says why.


def _nothing() -> None:
    """Let everything be."""


@final
@attrs.define
class Play:
    """One run of a program under a script, on hosts that come and go."""

    program: data.Program
    script: data.Script
    store: Store
    faults: Sequence[Fault] = ()
    parallel: int = 2
    engine: Callable[..., Engine] = Engine
    snapshot_every: int = 1000
    clock: ManualClock = attrs.field(factory=ManualClock)
    durabilities: Sequence[str] = ("step",)  # Of one host after the other.
    on_rest: Callable[[], None] = _nothing  # Each time that the program waits for somebody.
    job: str = JOB
    world: World = attrs.field(factory=World)
    refusals: list[str] = attrs.field(factory=list[str])
    obeyed: list[data.Command] = attrs.field(factory=list[data.Command])
    begun: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])  # Handlers, and when.
    unchanged: list[bool] = attrs.field(factory=list[bool])  # The log, by each refusal.
    befallen: list[Fault] = attrs.field(factory=list[Fault])
    reached: Counter[str] = attrs.field(factory=Counter[str])
    versions: list[int] = attrs.field(factory=list[int])  # After each append of a host.
    unrecorded: list[str] = attrs.field(factory=list[str])  # Keys of effects, when they were used.
    used: list[tuple[str, data.Json]] = attrs.field(factory=list[tuple[str, data.Json]])
    survivors: list[Sequence[Recorded]] = attrs.field(factory=list[Sequence[Recorded]])
    # At versions, what was given, and what is left to give of it.
    given: list[tuple[int, object, object]] = attrs.field(factory=list[tuple[int, object, object]])
    told: Mapping[str, data.Json] = attrs.field(factory=dict[str, data.Json])  # Results, by effect.
    _commands: list[data.Command] = attrs.field(init=False)
    _sent: set[tuple[int, str]] = attrs.field(factory=set[tuple[int, str]])
    _hosts: int = 0
    _retried: int = 0
    _dead: bool = False  # Nothing that this host still does is recorded.
    _quiet: int = 0  # Above 0 while somebody elsewhere acts: no fault befalls then.
    _dying: bool = False  # While somebody elsewhere is about to claim the job and die.

    def __attrs_post_init__(self) -> None:
        """Begin with the whole script before the job."""
        self._commands = list(self.script.commands)
        self.world.on_wave = self._entered
        self.world.on_used = self._used
        self.world.recorded = self._calls
        self.world.on_begun = self._began

    @property
    def most_executions(self) -> int:
        """How often effects may have been executed: once each, and once more where one was lost.

        A crash can lose as many as there were handlers at work.
        """
        crashes = sum(fault.kind != "pause" for fault in self.befallen)
        crashes += self.script.cancel is not None  # Whose late results are not recorded either.
        calls = ev.EffectRecorded | ev.EffectAttemptFailed
        recorded = sum(isinstance(each.event, calls) for each in self.family())
        return recorded + crashes * self.parallel

    def run(self) -> Outcome:
        """Play to the end, or to where the script has no command left; return what can be seen."""
        with self._hooked():
            self._begin()
            for _ in range(MAX_STEPS):
                if not self._carried_on():
                    return observe(self.history(), self.refusals, self.children())
        raise AssertionError(f"no end after {MAX_STEPS} steps: {self._state()!r}")

    def history(self) -> Sequence[Recorded]:
        """Return what is recorded of the job."""
        with self._host() as engine:
            return engine.history(self.job)

    def family(self) -> list[Recorded]:
        """Return what is recorded of the job, and then of its children."""
        with self._host() as engine:
            found = [self.job, *job_ids(self.store, self.history())]
            return [each for job_id in found for each in engine.history(job_id)]

    def children(self) -> dict[str, ChildStatus]:
        """Return what has become of each child."""
        return statuses(self.store, self.history())

    def _begin(self) -> None:
        """Start the job, again if the host died before it was recorded; a fork is there already."""
        while not self._recorded():
            self._survived(self._start)

    def _start(self, engine: Engine) -> JobState:
        stops = self.script.breakpoints
        return engine.start(
            "generated",
            self.program.start,
            self.program.payload,
            job_id=self.job,
            before=stops.before or (),
            after=stops.after or (),
        )

    def _carried_on(self) -> bool:
        """Do what is next; say whether there was something."""
        if self._is_in_round():
            self._survived(self._end_round, only_children=True)
            return True
        state = self._state()
        if state.status == "failed" and self._retry():
            return True
        if state.status in ENDED:
            return False
        if state.status in ("running", "pending"):
            self._survived(lambda engine: engine.run(self.job))
        elif any(reason.kind == "operator" for reason in state.pause):
            self._survived(lambda engine: engine.resume(self.job, Continue()))
        elif self._is_due(state) or self._has_undriven(state):
            self._survived(lambda engine: engine.run(self.job))
        elif untold := [each.id for each in state.interrupts if each.id in self.told]:
            asked = untold[0]
            self._survived(lambda it: it.resume(self.job, Answer(self.told[asked], asked)))
        else:
            self._elsewhere(self.on_rest)
            moment = moment_of(state)
            self._send(state.wave, moment)
            if self._cancel(state.wave, moment):
                return False
            if moment == "waiting" and self._state().status == "running":
                self._survived(lambda engine: engine.run(self.job))
                return True
            if not self._commands:
                return False
            return self._next()
        return True

    def _is_due(self, state: JobState) -> bool:
        """Tell whether something would happen by itself by now."""
        now_ms = self.clock.now_ms()
        asked = [it.due_at_ms for it in state.questions if it.due_at_ms is not None]
        if state.status == "waiting" and state.wakes_at is not None:
            asked.append(round(state.wakes_at.timestamp() * 1000))
        return any(at_ms <= now_ms for at_ms in asked)

    def _has_undriven(self, state: JobState) -> bool:
        """Tell whether a host died before it had driven all children of a job that waits."""
        return state.status == "waiting" and bool(undriven(self.store, self.history()))

    def _is_in_round(self) -> bool:
        history = self.history() if self.program.children else ()
        return is_in_round(history) and bool(undriven(self.store, history))

    def _end_round(self, engine: Engine) -> None:
        """Drive the children that are left of a round, before their parent goes on."""
        history = self.history()
        for child in undriven(self.store, history):
            engine.run(child)

    def _next(self) -> bool:
        """Give the next command; one for a failed job is passed over."""
        command = self._commands[0]
        if isinstance(command, data.RetryJob):
            self._given(command)
            self._commands.pop(0)
            return bool(self._commands) and self._next()
        if isinstance(command, data.Advance):
            self._advance(command)
        else:
            self._obey(command)
        return True

    def _given(self, what: object, left: object = None) -> list[bytes]:
        """Take note of what is given now; return the log as it is."""
        rows = self._rows()
        self.given.append((len(rows), what, left))
        return rows

    def _retry(self) -> bool:
        """Let a failed job run again, if that is the next command."""
        if not (self._commands and isinstance(command := self._commands[0], data.RetryJob)):
            return False
        rows, retries = self._rows(), self._retries()
        try:
            if command.values is not None:
                self._mend(command, command.values)
                return True
            self._given(command)
            self._survived(lambda it: it.retry(self.job, effects=command.effects))
        except REFUSALS as refused:
            self._refused(refused, rows)
            self._commands.pop(0)
            return self._retry()
        if self._retries() > retries:
            self.obeyed.append(self._commands.pop(0))
        return True

    def _mend(self, command: data.RetryJob, values: dict[str, data.Json]) -> None:
        """Update a failed job; what is left of the command is the retry."""
        before, left = self._obeyed(), attrs.evolve(command, values=None)
        self._given(command, left)
        self._survived(lambda engine: engine.update(self.job, values))
        if self._obeyed() > before:
            self._commands[0] = left

    def _retries(self) -> int:
        return sum(isinstance(each.event, ev.JobRetried) for each in self.history())

    def _advance(self, command: data.Advance) -> None:
        """Let time pass, and drive the job."""
        self._given(command)
        self.clock.advance(command.seconds + command.milliseconds / 1000)
        self.obeyed.append(self._commands.pop(0))
        self._survived(lambda engine: engine.run(self.job))

    def _obey(self, command: data.Command) -> None:
        """Give the next command, again if the host died before it was recorded."""
        before, rows = self._obeyed(), self._given(command)
        try:
            survived = self._survived(partial(give, self.job, command))
        except REFUSALS as refused:
            self._refused(refused, rows)
            self._commands.pop(0)
        else:
            obeyed = self._obeyed() > before
            assert obeyed or survived is None, f"{command} came to nothing, and nobody says why"
            if obeyed:
                self.obeyed.append(self._commands.pop(0))

    def _obeyed(self) -> int:
        """Count what only a command leads to, to tell whether the last one was recorded."""
        return sum(
            isinstance(each.event, ev.AnswerRecorded)
            or (isinstance(each.event, ev.JobResumed) and each.event.lifted != "operator")
            or (isinstance(each.event, ev.SharedWritten) and each.event.activation is None)
            for each in self.history()
        )

    def _began(self, job_id: str, activation: str) -> None:
        """Take note that a handler of the job begins; its children may do as they please."""
        if job_id == self.job:
            self.begun.append((activation, len(self._rows())))

    def _entered(self, job_id: str, wave: int) -> None:
        """Let come from outside what comes while a wave of the job is open."""
        if job_id == self.job:
            self._send(wave, "open")
            self._cancel(wave, "open")

    def _cancel(self, wave: int, moment: str) -> bool:
        """Cancel the job from elsewhere if this is the moment; say whether it was."""
        cancel = self.script.cancel
        if cancel is None or (cancel.wave, cancel.moment) != (wave, moment):
            return False
        self._elsewhere(self._cancel_once)
        return True

    def _cancel_once(self) -> None:
        with self._host() as engine, suppress(errors.JobClosed):
            engine.cancel(self.job, "no longer wanted")

    def _send(self, wave: int, moment: str) -> None:
        """Send the messages of a moment, once, from elsewhere."""
        if (wave, moment) not in self._sent:
            self._sent.add((wave, moment))
            for message in self.script.messages:
                if (message.wave, message.moment) == (wave, moment):
                    self._elsewhere(partial(self._send_one, message))

    def _send_one(self, message: data.Message) -> None:
        rows = self._given(message)
        try:
            with self._host() as engine:
                engine.send(self.job, message.slot, message.payload, key=message.key)
        except errors.MessageKeyReused as refused:
            self._refused(refused, rows)

    def _refused(self, refusal: errors.EsflowError, before: list[bytes]) -> None:
        """Take note of a refusal, and of whether it left the log as it was."""
        self.refusals.append(type(refusal).__name__)
        self.unchanged.append(self._rows() == before)

    def _rows(self, job_id: str | None = None) -> list[bytes]:
        return [row.state for row in self.store.read(job_id or self.job)]

    def _used(self, key: str, outcome: data.Json) -> None:
        """Take note of what a handler goes on with, and whether it does before it is recorded."""
        self.used.append((key, outcome))
        mark = json.dumps({"key": key}, separators=(",", ":"))[1:-1].encode()
        owner = key.rpartition("/c")[0] and key.rsplit("/", 2)[0]  # A child; else it's the job.
        if not any(mark in row for row in self._rows(owner or self.job)):
            self.unrecorded.append(key)

    def _calls(self, key: str) -> int:
        """Count the recorded calls of an effect, whichever job made them before it was forked."""
        mark = json.dumps({"id": key.partition("/")[2]}, separators=(",", ":"))[1:-1].encode()
        return sum(mark in row for row in self._rows())

    # Hosts, and what befalls them.

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

    def _state(self) -> JobState:
        with self._host() as engine:
            return engine.state(self.job)

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


def _pass_by(point: str) -> None:
    """Let a point pass."""
