"""Plays a program and a script on real engines, undisturbed or with faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final, final

import attrs

from esflow import Answer, Continue, Engine, JobState, errors
from esflow import events as ev
from esflow.state import ENDED
from tests.laws.family import undriven
from tests.laws.giving import REFUSALS, give, moment_of
from tests.laws.hosting import JOB, Hosting
from tests.laws.observe import observe
from tests.reference import program as data
from tests.reference.outcome import Outcome

__all__ = ("JOB", "MAX_STEPS", "Play")

MAX_STEPS: Final = 500  # Far more than any example needs: each resume makes progress or says why.


def _nothing() -> None:
    """Let everything be."""


@final
@attrs.define
class Play(Hosting):
    """One run of a program under a script, on hosts that come and go."""

    on_rest: Callable[[], None] = _nothing  # Each time that the program waits for somebody.
    refusals: list[str] = attrs.field(factory=list[str])
    obeyed: list[data.Command] = attrs.field(factory=list[data.Command])
    begun: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])  # Handlers, and when.
    unchanged: list[bool] = attrs.field(factory=list[bool])  # The log, by each refusal.
    unrecorded: list[str] = attrs.field(factory=list[str])  # Keys of effects, when they were used.
    used: list[tuple[str, data.Json]] = attrs.field(factory=list[tuple[str, data.Json]])
    # At versions, what was given, and what is left to give of it.
    given: list[tuple[int, object, object]] = attrs.field(factory=list[tuple[int, object, object]])
    told: Mapping[str, data.Json] = attrs.field(factory=dict[str, data.Json])  # Results, by effect.
    _commands: list[data.Command] = attrs.field(init=False)
    _sent: set[tuple[int, str]] = attrs.field(factory=set[tuple[int, str]])

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
            return self._stood_by(state)
        return True

    def _stood_by(self, state: JobState) -> bool:
        """Let come from outside what comes to a job that is at rest; say if there was anything."""
        self._elsewhere(self.on_rest)
        moment = moment_of(state)
        self._send(state.wave, moment)
        if self._cancel(state.wave, moment):
            return False
        if moment == "waiting" and self._state().status == "running":
            self._survived(lambda engine: engine.run(self.job))
            return True
        return bool(self._commands) and self._next()

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
            self.given[-1] = (len(rows), command, None)
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

    def _used(self, key: str, outcome: data.Json) -> None:
        """Take note of what a handler goes on with, and whether it does before it is recorded."""
        self.used.append((key, outcome))
        owner = key.rpartition("/c")[0] and key.rsplit("/", 2)[0]  # A child; else it's the job.
        if not any(_mark("key", key) in row for row in self._rows(owner or self.job)):
            self.unrecorded.append(key)

    def _calls(self, key: str) -> int:
        """Count the recorded calls of an effect, whichever job made them before it was forked."""
        mark = _mark("id", key.partition("/")[2])
        return sum(mark in row for row in self._rows())


def _mark(field: str, value: str) -> bytes:
    """Return how a field of an event stands in its row."""
    return json.dumps({field: value}, separators=(",", ":"))[1:-1].encode()
