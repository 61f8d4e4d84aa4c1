"""What happened to a job as a whole: how it began, who drives it, why it stands still, its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

import attrs

from esflow.parts import Failure, Json, Parent, PauseReason
from esflow.values import by_value, late


@final
@attrs.frozen(kw_only=True)
@by_value
class JobStarted:
    """A job began with one payload at one slot.

    Shape: a job whose shared data has a type has what its fields begin with in ``defaults``.
    """

    name: ClassVar = "JobStarted"
    flow: str
    flow_version: str
    fingerprint: str
    slot: str
    payload: Mapping[str, Json]
    limit: int  # Activations, at most.
    labels: Mapping[str, str] = attrs.field(factory=lambda: {})
    before: tuple[str, ...] = ()  # Slots with a breakpoint.
    after: tuple[str, ...] = ()
    defaults: Mapping[str, Json] | None = None  # Of shared data; null where it has no type.
    parent: Parent | None = None  # Of a child job.


@final
@attrs.frozen(kw_only=True)
@by_value
class ExecutionClaimed:
    """A host took the job over; the version of this event is the token of its execution."""

    name: ClassVar = "ExecutionClaimed"
    host: str
    process: str
    flow_version: str
    fingerprint: str


@final
@late(kw_only=True)
@by_value
class JobPaused:
    """The job came to a halt."""

    name: ClassVar = "JobPaused"
    reasons: tuple[PauseReason, ...]


@final
@late(kw_only=True)
@by_value
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
@late(kw_only=True)
@by_value
class WaveMerged:
    """The writes of a wave, or of an update, met the shared data by code of the flow.

    Shape: ``values`` are what custom reducers, validators and converters made of the keys that
    they touched; what they leave out follows from the writes themselves.
    """

    name: ClassVar = "WaveMerged"
    values: Mapping[str, Json] = attrs.field(factory=lambda: {})


@final
@late(kw_only=True)
@by_value
class WorkDropped:
    """A command led the job elsewhere: to one slot, instead of what was in flight.

    Shape: ``ids`` are those of activations, emissions, deferrals, questions and interrupts that
    came to nothing by it, and of what was gathered.
    """

    name: ClassVar = "WorkDropped"
    slot: str
    payload: Mapping[str, Json]
    ids: tuple[str, ...] = ()


@final
@late(kw_only=True)
@by_value
class JobRetried:
    """Somebody let what failed run again, with all its attempts.

    Shape: ``effects`` is ``reuse`` or ``fresh``: which recorded effects the new attempts are given.
    """

    name: ClassVar = "JobRetried"
    effects: str


@final
@late(kw_only=True)
@by_value
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
@by_value
class JobCompleted:
    """Nothing was left to do."""

    name: ClassVar = "JobCompleted"


@final
@late(kw_only=True)
@by_value
class JobFailed:
    """A failure ended the job."""

    name: ClassVar = "JobFailed"
    error: Failure
    activation: str | None = None
    key: str | None = None  # Of the shared data, where a write didn't apply.


@final
@late(kw_only=True)
@by_value
class JobCancelled:
    """Somebody ended the job before its time."""

    name: ClassVar = "JobCancelled"
    reason: str
