"""What a history consists of: entries for readers who have never seen the flow.

Each entry tells one thing that happened to a job, with its circumstances.
Entries are data; how they look is the business of `esflow_projections.render` and its like.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, TypeAlias, final

import attrs

from esflow.events import Event, Failure, Json, Parent, PauseReason, Recorded
from esflow.state import Status


@final
@attrs.frozen(kw_only=True)
class Circumstances:
    """When, where and by whom something was recorded; ``version`` is its place in the job."""

    version: int
    recorded_at: datetime
    host: str
    actor: str | None


def circumstances(recorded: Recorded) -> Circumstances:
    """Return the circumstances of an event."""
    return Circumstances(
        version=recorded.version,
        recorded_at=recorded.recorded_at,
        host=recorded.host,
        actor=recorded.actor,
    )


@final
@attrs.frozen(kw_only=True)
class StartEntry:
    """The job began; it stops ``before`` and ``after`` these slots."""

    kind: ClassVar = "start"
    at: Circumstances
    flow: str
    flow_version: str
    slot: str
    payload: Mapping[str, Json]
    labels: Mapping[str, str]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    parent: Parent | None = None


@final
@attrs.frozen(kw_only=True)
class ClaimEntry:
    """A host took the job over."""

    kind: ClassVar = "claim"
    at: Circumstances
    host: str
    process: str
    flow_version: str


@final
@attrs.frozen(kw_only=True)
class Call:
    """A call to the outside world, and what came of it.

    Shape: what failed and is tried again has the moment of that in ``again_at``.
    """

    at: Circumstances
    id: str
    function: str
    key: str
    duration_us: int
    result: Json
    error: Failure | None
    attempt: int = 1
    again_at: datetime | None = None


@final
@attrs.frozen(kw_only=True)
class AnswerGiven:
    """Somebody answered; who and where is in ``at``."""

    at: Circumstances
    value: Json


@final
@attrs.frozen(kw_only=True)
class Interruption:
    """A run of a handler that ended in a question, and the answer that the next run began with.

    Shape: ``types`` are the types of JSON that an answer may have; none mean any.
    """

    at: Circumstances
    id: str
    payload: Json
    choices: tuple[Json, ...] | None
    types: tuple[str, ...]
    started_at: datetime
    duration_us: int
    answer: AnswerGiven | None = None


@final
@attrs.frozen(kw_only=True)
class Settlement:
    """How a run of an activation ended; with an error, it failed.

    Shape: the ``outcome`` of a failure is ``stop``, ``skip``, ``route`` or ``retry``, and None
    without one; what is tried again has the moment of that in ``again_at``.
    """

    at: Circumstances
    started_at: datetime
    duration_us: int
    error: Failure | None
    outcome: str | None = None
    attempt: int = 1
    again_at: datetime | None = None


@final
@attrs.frozen(kw_only=True)
class ActivationEntry:
    """One delivery to one slot, with everything that its handler called and asked for.

    Shape: ``at`` are the circumstances of its first event, ``cause`` is the id of what led to it
    (empty for the start); ``interrupts`` and ``failures`` are its runs but the last, in order;
    ``records`` are emissions, deferrals, timers, writes, log lines, questions, children and pauses
    in the order of the calls; ``settled`` is None while it is open.
    """

    kind: ClassVar = "activation"
    at: Circumstances
    id: str
    slot: str
    payload: Mapping[str, Json]
    cause: str
    calls: tuple[Call, ...] = ()
    interrupts: tuple[Interruption, ...] = ()
    failures: tuple[Settlement, ...] = ()
    records: tuple[Event, ...] = ()
    settled: Settlement | None = None


@final
@attrs.frozen(kw_only=True)
class QuestionEntry:
    """A routine asked, and perhaps somebody has answered."""

    kind: ClassVar = "question"
    at: Circumstances
    id: str
    text: str
    choices: tuple[Json, ...] | None
    to: str
    due_at: datetime | None = None  # When the default is the answer.
    default: Json = None
    answer: AnswerGiven | None = None


@final
@attrs.frozen(kw_only=True)
class MessageEntry:
    """Somebody sent a payload to a slot."""

    kind: ClassVar = "message"
    at: Circumstances
    id: str
    slot: str
    payload: Mapping[str, Json]
    key: str | None


@final
@attrs.frozen(kw_only=True)
class UpdateEntry:
    """Somebody outside wrote to one key of the shared data."""

    kind: ClassVar = "update"
    at: Circumstances
    key: str
    reducer: str
    value: Json


@final
@attrs.frozen(kw_only=True)
class LeadEntry:
    """Somebody led the job to one slot; ``dropped`` are the ids of what came to nothing by it."""

    kind: ClassVar = "lead"
    at: Circumstances
    slot: str
    payload: Mapping[str, Json]
    dropped: tuple[str, ...]


@final
@attrs.frozen(kw_only=True)
class ForkEntry:
    """What is told before this happened to another job, up to one of its versions."""

    kind: ClassVar = "fork"
    at: Circumstances
    origin: str
    version: int
    live: bool


@final
@attrs.frozen(kw_only=True)
class HoldEntry:
    """An operator wants the job to stand still."""

    kind: ClassVar = "hold"
    at: Circumstances
    reason: str


@final
@attrs.frozen(kw_only=True)
class PauseEntry:
    """The job came to a halt."""

    kind: ClassVar = "pause"
    at: Circumstances
    reasons: tuple[PauseReason, ...]


@final
@attrs.frozen(kw_only=True)
class ResumeEntry:
    """A command carried the job on.

    Shape: ``lifted`` is ``program``, ``wave`` or ``operator``, as it is recorded, and ``reasons``
    are what had kept the job there; breakpoints that are None stayed as they were.
    """

    kind: ClassVar = "resume"
    at: Circumstances
    command: str
    lifted: str
    reasons: tuple[PauseReason, ...]
    before: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None


@final
@attrs.frozen(kw_only=True)
class ReleaseEntry:
    """Deferrals became emissions."""

    kind: ClassVar = "release"
    at: Circumstances
    ids: tuple[str, ...]


@final
@attrs.frozen(kw_only=True)
class TimerEntry:
    """What was due happened: ``ids`` are those of timers, and of activations that run again."""

    kind: ClassVar = "timer"
    at: Circumstances
    ids: tuple[str, ...]


@final
@attrs.frozen(kw_only=True)
class ChildEntry:
    """A job that this one started ended."""

    kind: ClassVar = "child"
    at: Circumstances
    id: str
    status: str
    outputs: tuple[Json, ...]
    failure: Failure | None


@final
@attrs.frozen(kw_only=True)
class MergeEntry:
    """Code of the flow merged what was written; ``values`` are what it made of it."""

    kind: ClassVar = "merge"
    at: Circumstances
    values: Mapping[str, Json]


@final
@attrs.frozen(kw_only=True)
class RetryEntry:
    """Somebody let what failed run again, with its recorded effects or without them."""

    kind: ClassVar = "retry"
    at: Circumstances
    effects: str


@final
@attrs.frozen(kw_only=True)
class EndEntry:
    """The job ended.

    Shape: a failure names the activation that it came from, where there is one; ``reason`` is what
    was said of a cancellation.
    """

    kind: ClassVar = "end"
    at: Circumstances
    status: Status
    error: Failure | None = None
    activation: str | None = None
    reason: str = ""


Entry: TypeAlias = (
    StartEntry
    | ClaimEntry
    | ActivationEntry
    | QuestionEntry
    | MessageEntry
    | UpdateEntry
    | LeadEntry
    | ForkEntry
    | HoldEntry
    | PauseEntry
    | ResumeEntry
    | ReleaseEntry
    | TimerEntry
    | ChildEntry
    | MergeEntry
    | RetryEntry
    | EndEntry
)
