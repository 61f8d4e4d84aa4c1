"""What can have happened to a job: the closed vocabulary of recorded facts.

Every class is one event of the stored format, in the past tense.
It holds what the fold and an auditor need, under a name that never changes.
Circumstances (time, actor, host, token, hash) are not its own: they stand in `Recorded`.
This module knows nothing of bytes, stores or flows.

Identity
--------
Ids are ordinals.
An activation is ``W.I``: the I-th of the W-th wave, both from 1; the start is ``1.1``.
What an activation makes is ``W.I/kN``: k tells the kind (``e`` effect, ``o`` emission,
``d`` deferral, ``q`` question, ``i`` interrupt), N counts from 0 per activation and kind, in the
order of the calls.
A message is ``mN``, the N-th that the job accepted.
An id never contains a version, because a pause in between would change it.

What counts when
----------------
An activation's emissions, deferrals, writes, log lines, questions and pauses are recorded together
with its `ActivationCompleted`, in one append, and take effect there.
A run that is set aside by an interrupt records its effects and the interrupt, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias, final

import attrs

from esflow.parts import EffectCall as EffectCall
from esflow.parts import Failure as Failure
from esflow.parts import Json as Json
from esflow.parts import PauseReason as PauseReason
from esflow.parts import Target as Target


@final
@attrs.frozen(kw_only=True)
class JobStarted:
    """A job began with one payload at one slot."""

    name: ClassVar = "JobStarted"
    flow: str
    flow_version: str
    fingerprint: str
    slot: str
    payload: Mapping[str, Json]
    limit: int  # Activations, at most.
    labels: Mapping[str, str] = attrs.field(factory=dict[str, str])
    before: tuple[str, ...] = ()  # Slots with a breakpoint.
    after: tuple[str, ...] = ()


@final
@attrs.frozen(kw_only=True)
class ExecutionClaimed:
    """A host took the job over; the version of this event is the token of its execution."""

    name: ClassVar = "ExecutionClaimed"
    host: str
    process: str
    flow_version: str
    fingerprint: str


@final
@attrs.frozen(kw_only=True)
class EffectRecorded:
    """A call to the outside world came back, or failed, for good."""

    name: ClassVar = "EffectRecorded"
    id: str
    function: str
    digest: str  # Of the arguments.
    key: str  # Offered to the outside as idempotency key.
    duration_us: int
    result: Json = None
    error: Failure | None = None


@final
@attrs.frozen(kw_only=True)
class Emitted:
    """A routine put a payload on an output."""

    name: ClassVar = "Emitted"
    id: str
    output: str
    payload: Mapping[str, Json]
    targets: tuple[Target, ...] = ()


@final
@attrs.frozen(kw_only=True)
class EmissionDeferred:
    """A routine held an emission back until the job resumes."""

    name: ClassVar = "EmissionDeferred"
    id: str
    output: str
    payload: Mapping[str, Json]
    targets: tuple[Target, ...] = ()


@final
@attrs.frozen(kw_only=True)
class SharedWritten:
    """A routine wrote to the shared data of the job.

    Shape: ``reducer`` is ``delete`` for a deletion; its value is null.
    Without an activation somebody outside did.
    """

    name: ClassVar = "SharedWritten"
    activation: str | None
    key: str
    reducer: str
    value: Json = None


@final
@attrs.frozen(kw_only=True)
class MemoryWritten:
    """A routine wrote to its own memory; the reducer is ``set`` or ``delete``."""

    name: ClassVar = "MemoryWritten"
    activation: str
    routine: str
    key: str
    reducer: str
    value: Json = None


@final
@attrs.frozen(kw_only=True)
class Logged:
    """A routine added a line to the shared log of the job."""

    name: ClassVar = "Logged"
    activation: str
    message: str
    fields: Mapping[str, Json] = attrs.field(factory=dict[str, Any])


@final
@attrs.frozen(kw_only=True)
class PauseRequested:
    """A program or an operator asked for a pause; an operator has no activation."""

    name: ClassVar = "PauseRequested"
    kind: str
    reason: str
    activation: str | None = None


@final
@attrs.frozen(kw_only=True)
class QuestionAsked:
    """A routine asked a question, whose answer goes to a slot."""

    name: ClassVar = "QuestionAsked"
    id: str
    text: str
    to: str
    choices: tuple[Json, ...] | None = None


@final
@attrs.frozen(kw_only=True)
class Interrupted:
    """A handler asked in its middle, and is set aside until somebody answers.

    A fork that may not call the outside world asks for the result of a ``call`` so.

    Shape: ``types`` are the types of JSON that an answer may have (``null``, ``boolean``,
    ``integer``, ``number``, ``string``, ``array``, ``object``); none mean any.
    """

    name: ClassVar = "Interrupted"
    id: str
    payload: Json
    started_at_ms: int
    duration_us: int
    choices: tuple[Json, ...] | None = None
    types: tuple[str, ...] = ()
    call: EffectCall | None = None

    @property
    def activation(self) -> str:
        """The activation that asks."""
        return self.id.partition("/")[0]


@final
@attrs.frozen(kw_only=True)
class AnswerRecorded:
    """Somebody answered a question or an interrupt."""

    name: ClassVar = "AnswerRecorded"
    id: str
    value: Json


@final
@attrs.frozen(kw_only=True)
class ActivationCompleted:
    """A handler returned, and what it asked for holds from here on."""

    name: ClassVar = "ActivationCompleted"
    activation: str
    started_at_ms: int
    duration_us: int
    events: int = 0  # How many before this one, in this append, are the activation's.


@final
@attrs.frozen(kw_only=True)
class ActivationFailed:
    """A handler raised; nothing that it asked for holds, but its effects stay recorded."""

    name: ClassVar = "ActivationFailed"
    activation: str
    started_at_ms: int
    duration_us: int
    error: Failure


@final
@attrs.frozen(kw_only=True)
class MessageReceived:
    """Somebody outside sent a payload to a slot."""

    name: ClassVar = "MessageReceived"
    id: str
    slot: str
    payload: Mapping[str, Json]
    key: str | None = None


@final
@attrs.frozen(kw_only=True)
class JobPaused:
    """The job came to a halt."""

    name: ClassVar = "JobPaused"
    reasons: tuple[PauseReason, ...]


@final
@attrs.frozen(kw_only=True)
class JobResumed:
    """A command lifted a pause; what it did not lift still holds the job.

    Shape: ``lifted`` is ``program`` (questions, and breakpoints behind a wave, included),
    ``wave`` (breakpoints before a wave, or interrupts in it) or ``operator``; breakpoints that are
    null stay as they were.
    """

    name: ClassVar = "JobResumed"
    command: str
    lifted: str
    before: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None


@final
@attrs.frozen(kw_only=True)
class DeferralsReleased:
    """Deferrals became emissions."""

    name: ClassVar = "DeferralsReleased"
    ids: tuple[str, ...]


@final
@attrs.frozen(kw_only=True)
class WorkDropped:
    """A command led the job elsewhere: to one slot, instead of what was in flight.

    Shape: ``ids`` are those of activations, emissions, deferrals, questions and interrupts that
    came to nothing by it.
    """

    name: ClassVar = "WorkDropped"
    slot: str
    payload: Mapping[str, Json]
    ids: tuple[str, ...] = ()


@final
@attrs.frozen(kw_only=True)
class JobForked:
    """What stands before this was copied from another job, up to one of its versions.

    Shape: with ``live``, effects are called; without, their results are asked for.
    """

    name: ClassVar = "JobForked"
    origin: str
    version: int
    live: bool


@final
@attrs.frozen(kw_only=True)
class JobCompleted:
    """Nothing was left to do."""

    name: ClassVar = "JobCompleted"


@final
@attrs.frozen(kw_only=True)
class JobFailed:
    """A failure ended the job."""

    name: ClassVar = "JobFailed"
    error: Failure
    activation: str | None = None


@final
@attrs.frozen(kw_only=True)
class JobCancelled:
    """Somebody ended the job before its time."""

    name: ClassVar = "JobCancelled"
    reason: str


Event: TypeAlias = (
    JobStarted
    | ExecutionClaimed
    | EffectRecorded
    | Emitted
    | EmissionDeferred
    | SharedWritten
    | MemoryWritten
    | Logged
    | PauseRequested
    | QuestionAsked
    | Interrupted
    | AnswerRecorded
    | ActivationCompleted
    | ActivationFailed
    | MessageReceived
    | JobPaused
    | JobResumed
    | DeferralsReleased
    | WorkDropped
    | JobForked
    | JobCompleted
    | JobFailed
    | JobCancelled
)


@final
@attrs.frozen(kw_only=True)
class Recorded:
    """An event with its circumstances.

    Shape: ``version`` from 1 within the job; ``position`` in the order of all jobs;
    ``token`` is the version of the claim whose execution recorded it, 0 for everybody else.
    """

    job_id: str
    version: int
    position: int
    recorded_at_ms: int  # Since 1970, UTC, by the clock of the host that recorded it.
    actor: str | None
    host: str
    token: int
    hash: str
    event: Event

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded, in UTC."""
        return datetime.fromtimestamp(self.recorded_at_ms / 1000, tz=UTC)
