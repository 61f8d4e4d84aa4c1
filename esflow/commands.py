"""What can be wished of a job: the closed vocabulary that `decide` may refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, final

import attrs

from esflow.events import Failure, Gather, Json, Parent
from esflow.values import by_value, late


@final
@attrs.frozen(slots=False)
@by_value
class Continue:
    """Carry on after a pause: the operator's first, then a breakpoint's, else the program's."""


@final
@attrs.frozen(slots=False)
@by_value
class Answer:
    """Answer a question or an interrupt, and carry on.

    Shape: ``to`` is the id of the question or interrupt; it may be left out when one is open.
    """

    value: Json
    to: str | None = None


@final
@attrs.frozen(slots=False)
@by_value
class Update:
    """Change the shared data, each key by its declared reducer, and carry on."""

    values: Mapping[str, Json]


@final
@attrs.frozen(slots=False)
@by_value
class Goto:
    """Drop what is in flight and run exactly one slot instead."""

    slot: str
    payload: Mapping[str, Json] = attrs.field(factory=lambda: {})


@final
@attrs.frozen(kw_only=True, slots=False)
@by_value
class StartJob:
    """Begin a job with one payload at one slot."""

    flow: str
    flow_version: str
    fingerprint: str
    slot: str
    payload: Mapping[str, Json]
    limit: int
    labels: Mapping[str, str]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    defaults: Mapping[str, Json] | None = None
    parent: Parent | None = None


@final
@attrs.frozen(kw_only=True, slots=False)
@by_value
class ClaimExecution:
    """Take the job over, where there is something to run.

    Shape: ``slots`` are the addresses that the claiming host's flow has; a job that did not get
    anywhere in ``max_claims`` executions is not claimed once more, but fails.
    """

    host: str
    process: str
    flow_version: str
    fingerprint: str
    slots: frozenset[str]
    max_claims: int | None = None


@final
@late(kw_only=True)
@by_value
class SendMessage:
    """Bring a payload to a slot from outside, once per key."""

    slot: str
    payload: Mapping[str, Json]
    key: str | None
    gather: Gather | None = None


@final
@late(kw_only=True)
@by_value
class PauseJob:
    """Let nothing new start until somebody says `Continue`."""

    reason: str


@final
@late(kw_only=True)
@by_value
class UpdateShared:
    """Write to the shared data from outside.

    Shape: ``writes`` are keys with their reducers and values.
    """

    writes: tuple[tuple[str, str, Json], ...]


@final
@late(kw_only=True)
@by_value
class CancelJob:
    """End the job, whatever it is doing."""

    reason: str


@final
@late(kw_only=True)
@by_value
class RetryJob:
    """Let what ended the job run again; ``effects`` is ``reuse`` or ``fresh``."""

    effects: str


@final
@attrs.frozen(kw_only=True, slots=False)
@by_value
class FireTimers:
    """Let happen what is due by now.

    Shape: a paused job lets its timers wait, unless it is ``resuming``.
    """

    now_ms: int
    resuming: bool = False


@final
@late(kw_only=True)
@by_value
class AnswerInTime:
    """Answer every question whose time is over by now with its default, all at once."""

    now_ms: int


@final
@late(kw_only=True)
@by_value
class FinishChild:
    """Tell a job how a child of it ended."""

    id: str
    status: str
    outputs: tuple[Json, ...]
    failure: Failure | None


Command: TypeAlias = (
    Continue
    | Answer
    | Goto
    | StartJob
    | ClaimExecution
    | SendMessage
    | PauseJob
    | UpdateShared
    | CancelJob
    | RetryJob
    | FireTimers
    | AnswerInTime
    | FinishChild
)

ResumeCommand: TypeAlias = Continue | Answer | Update | Goto
"""What `Engine.resume` takes."""
