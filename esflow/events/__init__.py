"""What can have happened to a job: the closed vocabulary of recorded facts.

Every class is one event of the stored format, in the past tense.
It holds what the fold and an auditor need, under a name that never changes.
Circumstances (time, actor, host, token, hash) are not its own: they stand in `Recorded`.
This package knows nothing of bytes, stores or flows.

Identity
--------
Ids are ordinals.
An activation is ``W.I``: the I-th of the W-th wave, both from 1; the start is ``1.1``.
What an activation makes is ``W.I/kN``: k tells the kind (``e`` effect, ``o`` emission,
``d`` deferral, ``q`` question, ``i`` interrupt, ``t`` timer, ``c`` child), N counts from 0 per
activation and kind, in the order of the calls.
A message is ``mN``, the N-th that the job accepted.
An id never contains a version, because a pause in between would change it.

What counts when
----------------
An activation's emissions, deferrals, timers, children, writes, log lines, questions and pauses are
recorded together with its `ActivationCompleted`, in one append, and take effect there.
Of a run that failed, its effects hold, and what stands with its `ActivationFailed` in one append.
A run that is set aside by an interrupt records its effects and the interrupt, and nothing else.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, final

import attrs

from esflow.events.activations import ActivationCompleted as ActivationCompleted
from esflow.events.activations import ActivationFailed as ActivationFailed
from esflow.events.activations import ChildStarted as ChildStarted
from esflow.events.activations import EffectAttemptFailed as EffectAttemptFailed
from esflow.events.activations import EffectRecorded as EffectRecorded
from esflow.events.activations import EmissionDeferred as EmissionDeferred
from esflow.events.activations import Emitted as Emitted
from esflow.events.activations import Interrupted as Interrupted
from esflow.events.activations import Logged as Logged
from esflow.events.activations import MemoryWritten as MemoryWritten
from esflow.events.activations import QuestionAsked as QuestionAsked
from esflow.events.activations import SharedWritten as SharedWritten
from esflow.events.activations import TimerSet as TimerSet
from esflow.events.inputs import AnswerRecorded as AnswerRecorded
from esflow.events.inputs import ChildFinished as ChildFinished
from esflow.events.inputs import DeferralsReleased as DeferralsReleased
from esflow.events.inputs import MessageReceived as MessageReceived
from esflow.events.inputs import PauseRequested as PauseRequested
from esflow.events.inputs import TimerFired as TimerFired
from esflow.events.jobs import ExecutionClaimed as ExecutionClaimed
from esflow.events.jobs import JobCancelled as JobCancelled
from esflow.events.jobs import JobCompleted as JobCompleted
from esflow.events.jobs import JobFailed as JobFailed
from esflow.events.jobs import JobForked as JobForked
from esflow.events.jobs import JobPaused as JobPaused
from esflow.events.jobs import JobResumed as JobResumed
from esflow.events.jobs import JobRetried as JobRetried
from esflow.events.jobs import JobStarted as JobStarted
from esflow.events.jobs import WaveMerged as WaveMerged
from esflow.events.jobs import WorkDropped as WorkDropped
from esflow.moments import moment_of
from esflow.parts import EffectCall as EffectCall
from esflow.parts import Failure as Failure
from esflow.parts import Gather as Gather
from esflow.parts import Json as Json
from esflow.parts import Parent as Parent
from esflow.parts import PauseReason as PauseReason
from esflow.parts import Target as Target
from esflow.values import by_value

Event: TypeAlias = (
    JobStarted
    | ExecutionClaimed
    | EffectRecorded
    | EffectAttemptFailed
    | Emitted
    | EmissionDeferred
    | TimerSet
    | SharedWritten
    | MemoryWritten
    | Logged
    | PauseRequested
    | QuestionAsked
    | ChildStarted
    | Interrupted
    | AnswerRecorded
    | ActivationCompleted
    | ActivationFailed
    | WaveMerged
    | MessageReceived
    | TimerFired
    | ChildFinished
    | JobPaused
    | JobResumed
    | DeferralsReleased
    | WorkDropped
    | JobRetried
    | JobForked
    | JobCompleted
    | JobFailed
    | JobCancelled
)


@final
@attrs.frozen(kw_only=True)
@by_value
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
        return moment_of(self.recorded_at_ms)
