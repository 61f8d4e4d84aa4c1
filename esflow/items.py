"""What a job's state is made of: activations and what is recorded of them, outputs, answers.

It knows nothing of how the events of a job come together in its state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, final

import attrs

from esflow import events as ev
from esflow.events import Gather, Json
from esflow.values import by_contents, by_value, late


class Status(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


@final
@attrs.frozen  # By position too: every step makes one, and by keyword it takes a half longer.
@by_value
class Activation:
    """One delivery of one payload to one slot.

    Shape: ``cause`` is the id of the emission, deferral, timer, child, message or question that it
    came from; empty for the start.
    """

    id: str
    slot: str
    payload: Mapping[str, Json]
    cause: str = ""


@final
@attrs.frozen(kw_only=True)
@by_value
class Output:
    """A payload that the job put out: an emission with nothing connected to its output."""

    id: str
    output: str
    payload: Mapping[str, Json]
    activation: str


@final
@late(kw_only=True)
@by_value
class Interrupt:
    """What an activation that is set aside asks; ``types`` are those of its event."""

    id: str
    payload: Json
    choices: tuple[Json, ...] | None
    types: tuple[str, ...]
    activation: str


@final
@late(kw_only=True)
@by_value
class JobFailure:
    """What ended a job that failed.

    Shape: ``key`` is that of the shared data where a write didn't apply.
    """

    type: str
    message: str
    traceback: str
    activation: str | None
    key: str | None = None


@final
@late(kw_only=True)
@by_value
class MergeFailure:
    """The first write that does not apply; one from outside has no activation."""

    activation: str | None
    key: str
    reducer: str
    problem: str


@final
@late(kw_only=True)
@by_value
class Answered:
    """An answer that stands; one to an interrupt, with what was asked."""

    value: Json
    version: int
    interrupt: ev.Interrupted | None = None


@final
@late(kw_only=True)
@by_value
class Delivered:
    """What a message key stands for."""

    slot: str
    payload: Mapping[str, Json]
    version: int


@final
@attrs.frozen(kw_only=True)
@by_value
class Delivery:
    """A payload on its way to a slot, before it has an id."""

    cause: str
    slot: str
    payload: Mapping[str, Json]
    gather: Gather | None = None


@final
@late(kw_only=True)
@by_value
class Gathered:
    """A payload that a slot has collected, and the connection that it came by, if that counts."""

    cause: str
    payload: Mapping[str, Json]
    connection: str


@final
@late(kw_only=True)
@by_value
class Gathering:
    """What a slot has collected, and not been activated with yet.

    Shape: ``missing`` are the connections that it waits for, where it waits for each; otherwise it
    waits for ``count`` payloads.
    """

    slot: str
    count: int
    among: tuple[str, ...]
    waiting: tuple[Gathered, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The connections that nothing has come by yet."""
        come = {each.connection for each in self.waiting}
        return tuple(each for each in self.among if each not in come)


@final
@attrs.define
@by_contents
class Collection:
    """A gathering in progress, in the order of arrival; what came last says when it is whole."""

    count: int = 0
    among: tuple[str, ...] = ()
    waiting: list[Gathered] = attrs.field(factory=lambda: [])

    def copy(self) -> Collection:
        """Return one that goes on by itself."""
        return Collection(self.count, self.among, self.waiting.copy())

    def face(self, slot: str) -> Gathering:
        """Return its immutable face."""
        return Gathering(slot=slot, count=self.count, among=self.among, waiting=tuple(self.waiting))


@final
@late(kw_only=True)
@by_value
class Child:
    """A job that this one started; ``status`` is that of its end, null before."""

    id: str
    job_id: str
    flow: str
    slot: str
    payload: Mapping[str, Json]
    then: str
    gather: Gather | None = None
    status: str | None = None


@final
@attrs.define(init=False)
@by_contents
class Member:
    """An activation of the open wave and what is recorded of it."""

    activation: Activation
    effects: dict[str, ev.EffectRecorded]
    attempts: dict[str, ev.EffectAttemptFailed]  # Of effects: the last that failed.
    answered: dict[str, Answered]  # Its interrupts.
    interrupt: ev.Interrupted | None  # It is set aside until this one is answered.
    records: Sequence[ev.Event]
    failure: ev.ActivationFailed | None  # That ends the job.
    attempt: int
    again_at_ms: int | None  # It failed, and waits for its next attempt.
    settled: bool

    def __init__(self, activation: Activation) -> None:
        """Begin with nothing; every step does, and a factory for each dict takes as long again."""
        self.activation = activation
        self.effects = {}
        self.attempts = {}
        self.answered = {}
        self.interrupt = None
        self.records = ()
        self.failure = None
        self.attempt = 1
        self.again_at_ms = None
        self.settled = False

    @property
    def goes(self) -> bool:
        """Whether its handler may run."""
        return not self.settled and self.interrupt is None and self.again_at_ms is None


@final
@late(kw_only=True)
@by_value
class Origin:
    """The job that a fork shares its history with, and up to which of its versions."""

    job_id: str
    version: int


@final
@attrs.frozen(kw_only=True)
@by_value
class Breakpoints:
    """The slots that a job stops before and after."""

    before: tuple[str, ...]
    after: tuple[str, ...]
