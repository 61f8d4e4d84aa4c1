"""What is known of a job: the values that its events fold into.

`JobFold` is the fold in progress, built in place by `esflow.fold`, because copying it for each
event would make a long history cost its square.
`JobState` is its immutable face, which every report shows.
This module knows nothing of flows, bytes, stores or time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, cast, final

import attrs

from esflow import events as ev
from esflow.events import Json, PauseReason


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
@attrs.frozen(kw_only=True)
class Activation:
    """One delivery of one payload to one slot.

    Shape: ``cause`` is the id of the emission, deferral, message or question that it came from;
    empty for the start.
    """

    id: str
    slot: str
    payload: Mapping[str, Json]
    cause: str = ""


@final
@attrs.frozen(kw_only=True)
class Output:
    """A payload that the job put out: an emission with nothing connected to its output."""

    id: str
    output: str
    payload: Mapping[str, Json]
    activation: str


@final
@attrs.frozen(kw_only=True)
class Interrupt:
    """What an activation that is set aside asks; ``types`` are those of its event."""

    id: str
    payload: Json
    choices: tuple[Json, ...] | None
    types: tuple[str, ...]
    activation: str


@final
@attrs.frozen(kw_only=True)
class JobFailure:
    """What ended a job that failed."""

    type: str
    message: str
    traceback: str
    activation: str | None


@final
@attrs.frozen(kw_only=True)
class MergeFailure:
    """The first write that does not apply; one from outside has no activation."""

    activation: str | None
    key: str
    reducer: str
    problem: str


@final
@attrs.frozen(kw_only=True)
class Answered:
    """An answer that stands; one to an interrupt, with what was asked."""

    value: Json
    version: int
    interrupt: ev.Interrupted | None = None


@final
@attrs.frozen(kw_only=True)
class Delivered:
    """What a message key stands for."""

    slot: str
    payload: Mapping[str, Json]
    version: int


@final
@attrs.define
class Member:
    """An activation of the open wave and what is recorded of it."""

    activation: Activation
    effects: dict[str, ev.EffectRecorded] = attrs.field(factory=dict[str, ev.EffectRecorded])
    answered: dict[str, Answered] = attrs.field(factory=dict[str, Answered])  # Its interrupts.
    interrupt: ev.Interrupted | None = None  # It is set aside until this one is answered.
    records: Sequence[ev.Event] = ()
    failure: ev.Failure | None = None
    settled: bool = False

    @property
    def goes(self) -> bool:
        """Whether its handler may run."""
        return not self.settled and self.interrupt is None


@final
@attrs.frozen(kw_only=True)
class Origin:
    """The job that a fork shares its history with, and up to which of its versions."""

    job_id: str
    version: int


@final
@attrs.frozen(kw_only=True)
class Breakpoints:
    """The slots that a job stops before and after."""

    before: tuple[str, ...]
    after: tuple[str, ...]


@final
@attrs.frozen(kw_only=True)
class Delivery:
    """A payload on its way to a slot, before it has an id."""

    cause: str
    slot: str
    payload: Mapping[str, Json]


@final
@attrs.define(kw_only=True)
class JobFold:
    """A job as its events tell it, in progress."""

    job_id: str
    version: int = 0
    flow: str = ""
    flow_version: str = ""
    fingerprint: str = ""
    labels: Mapping[str, str] = attrs.field(factory=dict[str, str])
    limit: int = 0
    request: ev.JobStarted | None = None
    forked: ev.JobForked | None = None  # The last time.
    token: int = 0
    host: str | None = None
    wave: int = 0
    members: dict[str, Member] = attrs.field(factory=dict[str, Member])
    going: int = 0
    buffer: list[ev.Event] = attrs.field(factory=list[ev.Event])
    kept: list[Activation] = attrs.field(factory=list[Activation])
    inputs: list[Delivery] = attrs.field(factory=list[Delivery])
    over_limit: bool = False
    updates: list[ev.SharedWritten] = attrs.field(factory=list[ev.SharedWritten])
    merge_failure: MergeFailure | None = None
    shared: dict[str, Json] = attrs.field(factory=dict[str, Any])
    memory: dict[str, dict[str, Json]] = attrs.field(factory=dict[str, dict[str, Any]])
    log: list[ev.Logged] = attrs.field(factory=list[ev.Logged])
    outputs: list[Output] = attrs.field(factory=list[Output])
    deferrals: dict[str, ev.EmissionDeferred] = attrs.field(factory=dict[str, ev.EmissionDeferred])
    questions: dict[str, ev.QuestionAsked] = attrs.field(factory=dict[str, ev.QuestionAsked])
    answers: dict[str, Answered] = attrs.field(factory=dict[str, Answered])
    messages: dict[str, ev.MessageReceived] = attrs.field(factory=dict[str, ev.MessageReceived])
    messages_count: int = 0
    keys: dict[str, Delivered] = attrs.field(factory=dict[str, Delivered])
    before: tuple[str, ...] = ()  # Slots with a breakpoint.
    after: tuple[str, ...] = ()
    program: tuple[PauseReason, ...] = ()  # Why no wave opens.
    program_paused: bool = False  # `JobPaused` was recorded for it.
    halt: tuple[PauseReason, ...] = ()  # Why the open wave doesn't go on.
    halt_paused: bool = False
    operator: PauseReason | None = None
    operator_paused: bool = False
    activations_count: int = 0
    ended: Status | None = None
    failure: JobFailure | None = None

    @property
    def status(self) -> Status:
        """Where the job stands."""
        if self.ended is not None:
            return self.ended
        if self.operator_paused or self.halt_paused:
            return Status.PAUSED
        if self.going:
            return Status.RUNNING if self.token else Status.PENDING
        return Status.PAUSED if self.program_paused else Status.RUNNING

    @property
    def ready(self) -> list[Activation]:
        """What is to run, in order: now, or when the job resumes."""
        waiting = [each.activation for each in self.members.values() if each.goes]
        return waiting + self.kept

    @property
    def interrupts(self) -> list[ev.Interrupted]:
        """The interrupts that nobody has answered, in order."""
        return [each.interrupt for each in self.members.values() if each.interrupt is not None]

    @property
    def asked(self) -> dict[str, ev.QuestionAsked | ev.Interrupted]:
        """All that waits for an answer, by id, in order."""
        return {**self.questions, **{each.id: each for each in self.interrupts}}

    @property
    def pause(self) -> tuple[PauseReason, ...]:
        """Why the job is paused; empty while it isn't."""
        if self.ended is not None:
            return ()
        program = self.program if self.program_paused else ()
        program += self.halt if self.halt_paused else ()
        if self.operator is None or not self.operator_paused:
            return program
        return (*program, self.operator)

    def face(self) -> JobState:
        """Return the immutable face of what has been folded so far.

        The values in it are those of the fold: evolve no further what has been shown.
        """
        return JobState(
            job_id=self.job_id,
            flow=self.flow,
            flow_version=self.flow_version,
            fingerprint=self.fingerprint,
            labels=self.labels,
            status=self.status,
            version=self.version,
            wave=self.wave,
            shared=self.shared,
            memory=self.memory,
            log=tuple(self.log),
            ready=tuple(self.ready),
            deferrals=tuple(self.deferrals.values()),
            questions=tuple(self.questions.values()),
            interrupts=tuple(map(_interrupt, self.interrupts)),
            messages=tuple(self.messages.values()),
            outputs=tuple(self.outputs),
            failure=self.failure,
            pause=self.pause,
            breakpoints=Breakpoints(before=self.before, after=self.after),
            forked_from=None
            if self.forked is None
            else Origin(job_id=self.forked.origin, version=self.forked.version),
            activations_count=self.activations_count,
        )


@final
@attrs.frozen(kw_only=True, repr=False)
class JobState:
    """A job at one version: `fold` of its events up to there, and nothing else.

    Shape: JSON values are plain dicts and lists, and all yours: changing them changes no job.
    ``deferrals``, ``questions``, ``messages`` and ``log`` hold the events that they stand for.
    """

    job_id: str
    flow: str
    flow_version: str
    fingerprint: str
    labels: Mapping[str, str]
    status: Status
    version: int
    wave: int
    shared: Mapping[str, Json]
    memory: Mapping[str, Mapping[str, Json]]
    log: tuple[ev.Logged, ...]
    ready: tuple[Activation, ...]
    deferrals: tuple[ev.EmissionDeferred, ...]
    questions: tuple[ev.QuestionAsked, ...]
    interrupts: tuple[Interrupt, ...]
    messages: tuple[ev.MessageReceived, ...]
    outputs: tuple[Output, ...]
    failure: JobFailure | None
    pause: tuple[PauseReason, ...]
    breakpoints: Breakpoints
    forked_from: Origin | None
    activations_count: int

    def as_dict(self) -> dict[str, Json]:
        """Return the whole state as plain JSON data, with stable names."""
        return {field.name: _plain(getattr(self, field.name)) for field in attrs.fields(JobState)}

    def __repr__(self) -> str:
        """Say what matters: which job, where it stands and what it waits for."""
        why = ""
        if self.failure is not None:
            why = f" {self.failure.type}: {self.failure.message!r}"
        elif self.questions and self.status not in ENDED:
            why = f" waiting: {self.questions[0].text!r}"
        elif self.interrupts and self.status not in ENDED:
            why = f" waiting: {self.interrupts[0].payload!r:.200}"
        elif self.pause:
            why = f" because: {self.pause[0].text!r}"
        return f"<JobState {self.job_id} {self.status} v{self.version}{why}>"


def _interrupt(event: ev.Interrupted) -> Interrupt:
    return Interrupt(
        id=event.id,
        payload=event.payload,
        choices=event.choices,
        types=event.types,
        activation=event.activation,
    )


def _plain(value: object) -> Json:
    """Return data of our own classes as plain JSON data."""
    if attrs.has(type(value)):
        named = cast("attrs.AttrsInstance", value)
        return {each.name: _plain(getattr(value, each.name)) for each in attrs.fields(type(named))}
    if isinstance(value, Status):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("Sequence[object]", value)]
    return value
