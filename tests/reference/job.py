"""A job in the middle of its life, and what can be seen of it."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import attrs

from tests.reference.changes import Change, Data
from tests.reference.deliveries import Gathers, Input, shown
from tests.reference.handlers import Activation, Item
from tests.reference.outcome import ChildStatus, Failure, Hold, InterruptRecord, Outcome, Status
from tests.reference.program import (
    Ask,
    Breakpoints,
    Command,
    Json,
    Message,
    Moment,
    Payload,
    Program,
    RetryJob,
    Script,
    StartChild,
)

Hit: TypeAlias = tuple[Literal["before", "after"], str]  # Of a breakpoint, by an activation.

Expiry: TypeAlias = tuple[Moment, tuple[str, ...]]  # Of deadlines or timers, all at once.


@final
@attrs.frozen
class Timer:
    """An emission that comes later."""

    due_at_ms: int
    output: str
    payload: Payload


@final
@attrs.define
class Child:
    """A job that an activation started, as far as its parent knows it."""

    start: StartChild
    payload: Payload
    status: ChildStatus = "pending"

    @property
    def is_open(self) -> bool:
        """Say whether it may still end."""
        return self.status in ("pending", "paused", "waiting")


@final
@attrs.frozen
class Step:
    """A command that was given, at which pause, and the error it was refused with, if it was."""

    command: Command
    wave: int
    moment: Moment
    holds: tuple[Hold, ...]
    refusal: str | None


@final
@attrs.define(kw_only=True)
class Job:
    """What the rules need to know."""

    program: Program
    script: Script
    status: Status = "running"
    wave: int = 0
    is_open: bool = False  # The wave: opened and not yet closed.
    count: int = 0
    shared: Data = attrs.field(factory=dict[str, Json])
    memory: dict[str, Data] = attrs.field(factory=dict[str, Data])
    log: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    outputs: list[tuple[str, str, Payload]] = attrs.field(factory=list[tuple[str, str, Payload]])
    opened: list[Activation] = attrs.field(factory=list[Activation])
    kept: list[Activation] = attrs.field(factory=list[Activation])
    inputs: list[Input] = attrs.field(factory=list[Input])
    updates: list[Change] = attrs.field(factory=list[Change])  # The last writes of an open wave.
    deferrals: dict[str, Item] = attrs.field(factory=dict[str, Item])
    timers: dict[str, Timer] = attrs.field(factory=dict[str, Timer])
    firings: list[Expiry] = attrs.field(factory=list[Expiry])
    children: dict[str, Child] = attrs.field(factory=dict[str, Child])
    fired: list[str] = attrs.field(factory=list[str])
    gathers: Gathers = attrs.field(factory=dict[str, list[Input]])
    dropped_gathers: list[str] = attrs.field(factory=list[str])
    released: dict[str, Item] = attrs.field(factory=dict[str, Item])
    questions: dict[str, Ask] = attrs.field(factory=dict[str, Ask])
    now_ms: int = 0  # Since the start.
    deadlines: dict[str, int] = attrs.field(factory=dict[str, int])  # Of open questions.
    answers: dict[str, Json] = attrs.field(factory=dict[str, Json])
    pauses: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    standing: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    holds: list[Hold] = attrs.field(factory=list[Hold])
    breakpoints: Breakpoints = attrs.field(factory=Breakpoints)
    hits: list[Hit] = attrs.field(factory=list[Hit])
    expired: list[Expiry] = attrs.field(factory=list[Expiry])
    messages: list[Message] = attrs.field(factory=list[Message])
    sent: set[tuple[int, str]] = attrs.field(factory=set[tuple[int, str]])
    retried: list[RetryJob] = attrs.field(factory=list[RetryJob])
    steps: list[Step] = attrs.field(factory=list[Step])
    refusals: list[str] = attrs.field(factory=list[str])
    dropped: list[str] = attrs.field(factory=list[str])
    failure: Failure | None = None
    unmerged: str | None = None  # The key of the write that doesn't apply.
    replaced: set[str] = attrs.field(factory=set[str])  # Keys that the open wave no longer writes.

    @property
    def current(self) -> list[Activation]:
        """Give the activations of the wave that opened last."""
        return [activation for activation in self.opened if activation.wave == self.wave]

    @property
    def interrupted(self) -> dict[str, Activation]:
        """Give the activations that are set aside, by the ids of their open interrupts."""
        return {
            f"{it.id}/i{len(it.answers)}": it for it in self.current if it.result == "set aside"
        }

    def is_answered(self, asked: str) -> bool:
        """Say whether a question or interrupt has an answer, and not one that was forgotten."""
        owner, _, number = asked.partition("/i")
        known = [len(it.answers) for it in self.opened if it.id == owner and number]
        return asked in self.answers and all(int(number) < count for count in known)

    @property
    def has_begun(self) -> bool:
        """Say whether a wave is open and something of it has run."""
        return self.is_open and any(it.result != "ready" for it in self.current)

    @property
    def open_children(self) -> list[str]:
        """Name the children whose end is waited for, in the order of their ids."""
        return sorted((name for name, it in self.children.items() if it.is_open), key=order)

    @property
    def moment(self) -> Moment:
        """Say at which moment the job is."""
        if self.status == "running":
            return "open"
        if self.status == "waiting":
            return "retrying" if self.is_open else "waiting"
        if self.is_open:
            return "interrupted" if self.interrupted else "before"
        return "paused"

    @property
    def due(self) -> list[str]:
        """Name the open questions whose deadline has come, by due time, then id."""
        due = [
            it for it in self.questions if self.deadlines.get(it, self.now_ms + 1) <= self.now_ms
        ]
        return sorted(due, key=lambda name: (self.deadlines[name], order(name)))

    @property
    def due_timers(self) -> list[str]:
        """Name the timers whose time has come, by due time, then id."""
        due = [name for name, it in self.timers.items() if it.due_at_ms <= self.now_ms]
        return sorted(due, key=lambda name: (self.timers[name].due_at_ms, order(name)))

    def fail(self, failure: Failure) -> None:
        """End the job."""
        self.status, self.failure = "failed", failure

    def wait(self) -> None:
        """Wait for time to pass, or for a child."""
        self.status, self.holds = "waiting", []

    def pause(self, holds: list[Hold]) -> None:
        """Wait for a command; the program may have asked for it, and these hold the job besides."""
        self.status, self.holds = "paused", holds


def order(name: str) -> tuple[int, int, str, int]:
    """Give the order of an id: by wave, activation, kind and number."""
    activation, _, item = name.partition("/")
    wave, _, index = activation.partition(".")
    return int(wave), int(index), item[:1], int(item[1:] or 0)


def outcome_of(job: Job) -> Outcome:
    """Show a job to others."""
    known = job.opened + job.kept
    return Outcome(
        status=job.status,
        shared=job.shared,
        memory={routine: data for routine, data in sorted(job.memory.items()) if data},
        log=tuple(job.log),
        outputs=tuple(sorted(job.outputs, key=lambda output: order(output[0]))),
        activations={it.id: (it.slot, it.payload, it.result) for it in known},
        effects={f"{it.id}/e{n}": made for it in known for n, made in enumerate(it.effects)},
        emissions={
            f"{it.id}/o{n}": emission
            for it in known
            if it.result in ("completed", "routed")
            for n, emission in enumerate(it.requests.emissions)
        },
        deferrals=job.deferrals,
        released=job.released,
        questions=job.questions,
        answers=job.answers,
        pauses=tuple(job.pauses),
        standing=tuple(job.standing),
        ready=tuple(it.id for it in known if it.result == "ready"),
        failure=job.failure,
        messages={f"m{n}": (it.slot, it.payload) for n, it in enumerate(job.messages, 1)},
        undelivered=tuple(it.message for it in job.inputs if it.message is not None),
        refusals=tuple(job.refusals),
        activations_count=job.count,
        waves=job.wave,
        dropped=tuple(sorted(job.dropped, key=order)),
        interrupts=_interrupts(job),
        holds=tuple(job.holds),
        timers={
            name: (it.output, it.payload)
            for name, it in sorted(job.timers.items(), key=lambda item: order(item[0]))
        },
        fired=tuple(job.fired),
        gathers=shown(job.gathers),
        dropped_gathers=tuple(job.dropped_gathers),
        children={name: job.children[name].status for name in sorted(job.children, key=order)},
        attempts={
            it.id: tuple(it.failures)
            for it in known
            if len(it.failures) > 1 or (it.failures and it.result != "failed")
        },
        calls={
            f"{it.id}/e{n}": calls for it in known for n, calls in enumerate(it.calls) if calls > 1
        },
    )


def _interrupts(job: Job) -> dict[str, InterruptRecord]:
    """Give what is open, by id."""
    return {
        name: activation.interrupt
        for name, activation in job.interrupted.items()
        if activation.interrupt is not None
    }
