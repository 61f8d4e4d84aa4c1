"""What is known of a job: the values that its events fold into.

`JobFold` is the fold in progress, built in place by `esflow.fold`, because copying it for each
event would make a long history cost its square.
`JobState` is its immutable face, which every report shows.
This module knows nothing of flows, bytes, stores or time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast, final

import attrs

from esflow import events as ev
from esflow.events import Json, Parent, PauseReason
from esflow.items import (
    ENDED,
    Activation,
    Answered,
    Breakpoints,
    Child,
    Collection,
    Delivered,
    Delivery,
    Gathered,
    Gathering,
    Interrupt,
    JobFailure,
    Member,
    MergeFailure,
    Origin,
    Output,
    Status,
)
from esflow.moments import moment_of
from esflow.values import by_contents, by_value

__all__ = [
    "ENDED",
    "Activation",
    "Answered",
    "Breakpoints",
    "Child",
    "Collection",
    "Delivered",
    "Delivery",
    "Gathered",
    "Gathering",
    "Interrupt",
    "JobFailure",
    "JobFold",
    "JobState",
    "Member",
    "MergeFailure",
    "Origin",
    "Output",
    "Status",
]


@final
@attrs.define(kw_only=True)
@by_contents
class JobFold:
    """A job as its events tell it, in progress."""

    job_id: str
    version: int = 0
    flow: str = ""
    flow_version: str = ""
    fingerprint: str = ""
    labels: Mapping[str, str] = attrs.field(factory=lambda: {})
    limit: int = 0
    request: ev.JobStarted | None = None
    forked: ev.JobForked | None = None  # The last time.
    token: int = 0
    host: str | None = None
    claims: int = 0  # Since the job last got anywhere.
    wave: int = 0
    members: dict[str, Member] = attrs.field(factory=lambda: {})
    going: int = 0
    delayed: int = 0  # Activations that wait for their next attempt.
    buffer: list[ev.Event] = attrs.field(factory=lambda: [])
    kept: list[Activation] = attrs.field(factory=lambda: [])
    inputs: list[Delivery] = attrs.field(factory=lambda: [])
    over_limit: bool = False
    updates: list[ev.SharedWritten] = attrs.field(factory=lambda: [])
    replaced: list[str] = attrs.field(factory=lambda: [])  # Keys that only updates write to.
    merging: bool = False  # The open wave can close when code of the flow has merged its writes.
    merged: Mapping[str, Json] | None = None  # By code of the flow, for what comes next.
    merge_failure: MergeFailure | None = None
    shared: dict[str, Json] = attrs.field(factory=lambda: {})
    memory: dict[str, dict[str, Json]] = attrs.field(factory=lambda: {})
    log: list[ev.Logged] = attrs.field(factory=lambda: [])
    outputs: list[Output] = attrs.field(factory=lambda: [])
    deferrals: dict[str, ev.EmissionDeferred] = attrs.field(factory=lambda: {})
    timers: dict[str, ev.TimerSet] = attrs.field(factory=lambda: {})
    gathers: dict[str, Collection] = attrs.field(factory=lambda: {})  # By slot.
    children: dict[str, Child] = attrs.field(factory=lambda: {})
    questions: dict[str, ev.QuestionAsked] = attrs.field(factory=lambda: {})
    answers: dict[str, Answered] = attrs.field(factory=lambda: {})
    messages: dict[str, ev.MessageReceived] = attrs.field(factory=lambda: {})
    messages_count: int = 0
    keys: dict[str, Delivered] = attrs.field(factory=lambda: {})
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
        if self.members:
            return Status.WAITING if self.is_delayed else Status.RUNNING
        if self.program_paused:
            return Status.PAUSED
        return Status.WAITING if self.is_expecting else Status.RUNNING

    @property
    def is_delayed(self) -> bool:
        """Whether the open wave waits for the next attempt of an activation."""
        return self.delayed > 0

    @property
    def is_expecting(self) -> bool:
        """Whether nothing is to do before a timer fires or a child ends."""
        idle = not (self.members or self.program or self.over_limit or self.kept or self.inputs)
        return idle and bool(self.timers or self.open_children)

    @property
    def is_typed(self) -> bool:
        """Whether the whole of the shared data has a type."""
        return self.request is not None and self.request.defaults is not None

    @property
    def waits_for_code(self) -> bool:
        """Whether the open wave closes, or fails, as soon as code of the flow merges its writes."""
        return self.merging and self.ended is None

    @property
    def open_children(self) -> list[Child]:
        """The jobs that this one started and that have not ended, as far as it knows."""
        return [each for each in self.children.values() if each.status is None]

    @property
    def wakes_at_ms(self) -> int | None:
        """When something is due next by itself: a timer, another attempt, a question's default."""
        if self.ended is not None:
            return None
        found = [each.due_at_ms for each in self.timers.values()]
        found += [each.due_at_ms for each in self.questions.values() if each.due_at_ms is not None]
        if self.delayed:
            again = [each.again_at_ms for each in self.members.values()]
            found += [at_ms for at_ms in again if at_ms is not None]
        return min(found, default=None)

    @property
    def due_at_ms(self) -> int | None:
        """When a host has to see to a job that rests, if nothing else happens to it.

        While a job is paused, only a question's own time goes on.
        """
        status = self.status
        if status is Status.WAITING:
            return self.wakes_at_ms
        if status is not Status.PAUSED:
            return None
        found = [each.due_at_ms for each in self.questions.values()]
        return min((each for each in found if each is not None), default=None)

    @property
    def parent(self) -> Parent | None:
        """The job that started this one; a fork was started by nobody else."""
        return None if self.request is None or self.forked is not None else self.request.parent

    @property
    def has_family(self) -> bool:
        """Whether the jobs that it started are its own: a fork that isn't live has none."""
        return self.forked is None or self.forked.live

    @property
    def ready(self) -> list[Activation]:
        """What is to run, in order: now, or when the job resumes."""
        waiting = [
            each.activation
            for each in self.members.values()
            if not each.settled and each.interrupt is None
        ]
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
    def first_asked(self) -> ev.QuestionAsked | ev.Interrupted | None:
        """What waits for an answer first, if anything does."""
        if self.questions:
            return next(iter(self.questions.values()))
        return next((each.interrupt for each in self.members.values() if each.interrupt), None)

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
        wakes_at_ms = self.wakes_at_ms
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
            timers=tuple(self.timers.values()),
            gathers=tuple(found.face(slot) for slot, found in self.gathers.items()),
            messages=tuple(self.messages.values()),
            outputs=tuple(self.outputs),
            failure=self.failure,
            pause=self.pause,
            wakes_at=None if wakes_at_ms is None else moment_of(wakes_at_ms),
            breakpoints=Breakpoints(before=self.before, after=self.after),
            parent=self.parent,
            children=tuple(self.children.values()),
            forked_from=None
            if self.forked is None
            else Origin(job_id=self.forked.origin, version=self.forked.version),
            activations_count=self.activations_count,
        )


@final
@attrs.frozen(kw_only=True)
@by_value
class JobState:
    """A job at one version: `fold` of its events up to there, and nothing else.

    Shape: JSON values are plain dicts and lists, and all yours: changing them changes no job.
    ``deferrals``, ``questions``, ``timers``, ``messages`` and ``log`` hold the events that they
    stand for.
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
    timers: tuple[ev.TimerSet, ...]
    gathers: tuple[Gathering, ...]
    messages: tuple[ev.MessageReceived, ...]
    outputs: tuple[Output, ...]
    failure: JobFailure | None
    pause: tuple[PauseReason, ...]
    wakes_at: datetime | None
    breakpoints: Breakpoints
    parent: Parent | None
    children: tuple[Child, ...]
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
        elif self.status in ENDED:
            pass
        elif self.questions:
            why = f" waiting: {self.questions[0].text!r}"
        elif self.interrupts:
            why = f" waiting: {self.interrupts[0].payload!r:.200}"
        elif self.pause:
            why = f" because: {self.pause[0].text!r}"
        elif self.status is Status.WAITING and self.wakes_at is not None:
            why = f" until: {self.wakes_at.isoformat()}"
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
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("Sequence[object]", value)]
    return value
