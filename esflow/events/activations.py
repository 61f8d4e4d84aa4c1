"""What happened in an activation: effects, what it asked for, how it came to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

import attrs

from esflow.parts import EffectCall, Failure, Gather, Json, Target
from esflow.values import by_value, late


@final
@attrs.frozen  # By position too: every step makes one, and by keyword it takes longer.
@by_value
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
    attempt: int = 1


@final
@late(kw_only=True)
@by_value
class EffectAttemptFailed:
    """A call to the outside world failed, and will be tried again."""

    name: ClassVar = "EffectAttemptFailed"
    id: str
    function: str
    digest: str  # Of the arguments.
    key: str
    attempt: int
    duration_us: int
    error: Failure
    again_at_ms: int


@final
@attrs.frozen  # By position too: every step makes one, and by keyword it takes longer.
@by_value
class Emitted:
    """A routine put a payload on an output."""

    name: ClassVar = "Emitted"
    id: str
    output: str
    payload: Mapping[str, Json]
    targets: tuple[Target, ...] = ()


@final
@late(kw_only=True)
@by_value
class EmissionDeferred:
    """A routine held an emission back until the job resumes."""

    name: ClassVar = "EmissionDeferred"
    id: str
    output: str
    payload: Mapping[str, Json]
    targets: tuple[Target, ...] = ()


@final
@late(kw_only=True)
@by_value
class TimerSet:
    """A routine held an emission back until a moment."""

    name: ClassVar = "TimerSet"
    id: str
    output: str
    payload: Mapping[str, Json]
    due_at_ms: int
    targets: tuple[Target, ...] = ()


@final
@attrs.frozen(kw_only=True)
@by_value
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
@late(kw_only=True)
@by_value
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
@by_value
class Logged:
    """A routine added a line to the shared log of the job."""

    name: ClassVar = "Logged"
    activation: str
    message: str
    fields: Mapping[str, Json] = attrs.field(factory=lambda: {})


@final
@late(kw_only=True)
@by_value
class QuestionAsked:
    """A routine asked a question, whose answer goes to a slot.

    Shape: if nobody has answered by ``due_at_ms``, the ``default`` is the answer.
    """

    name: ClassVar = "QuestionAsked"
    id: str
    text: str
    to: str
    choices: tuple[Json, ...] | None = None
    due_at_ms: int | None = None
    default: Json = None
    gather: Gather | None = None  # What its slot collects.


@final
@late(kw_only=True)
@by_value
class ChildStarted:
    """A routine started a job, whose outcome goes to a slot.

    Shape: the job itself begins when somebody drives its parent.
    """

    name: ClassVar = "ChildStarted"
    id: str
    job_id: str
    flow: str
    slot: str
    payload: Mapping[str, Json]
    then: str
    gather: Gather | None = None  # What that slot collects.


@final
@late(kw_only=True)
@by_value
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
@attrs.frozen  # By position too: every step makes one, and by keyword it takes longer.
@by_value
class ActivationCompleted:
    """A handler returned, and what it asked for holds from here on."""

    name: ClassVar = "ActivationCompleted"
    activation: str
    started_at_ms: int
    duration_us: int
    events: int = 0  # How many before this one, in this append, are the activation's.
    attempt: int = 1


@final
@late(kw_only=True)
@by_value
class ActivationFailed:
    """A handler raised; nothing that it asked for holds, but its effects stay recorded.

    Shape: ``outcome`` is ``retry``, ``skip``, ``route`` (the failure goes to the routine's output
    ``error``) or ``stop``; a ``retry`` runs at ``again_at_ms`` and says which ``effects`` the next
    attempt is given, ``reuse`` or ``fresh``.
    """

    name: ClassVar = "ActivationFailed"
    activation: str
    started_at_ms: int
    duration_us: int
    error: Failure
    outcome: str
    attempt: int = 1
    escaped: str | None = None  # The effect whose error ended it.
    again_at_ms: int | None = None
    effects: str | None = None
    events: int = 0  # How many before this one, in this append, are the activation's.
