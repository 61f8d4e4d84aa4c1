"""What came to a job from outside of its handlers: messages, answers, timers, children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

from esflow.parts import Failure, Gather, Json
from esflow.values import by_value, late


@final
@late(kw_only=True)
@by_value
class PauseRequested:
    """A program or an operator asked for a pause; an operator has no activation."""

    name: ClassVar = "PauseRequested"
    kind: str
    reason: str
    activation: str | None = None


@final
@late(kw_only=True)
@by_value
class AnswerRecorded:
    """Somebody answered a question or an interrupt."""

    name: ClassVar = "AnswerRecorded"
    id: str
    value: Json


@final
@late(kw_only=True)
@by_value
class MessageReceived:
    """Somebody outside sent a payload to a slot."""

    name: ClassVar = "MessageReceived"
    id: str
    slot: str
    payload: Mapping[str, Json]
    key: str | None = None
    gather: Gather | None = None  # What its slot collects.


@final
@late(kw_only=True)
@by_value
class TimerFired:
    """The time of timers came, or that of the next attempts of activations.

    Shape: ``ids`` are those of timers and of activations, in the order in which they were due.
    """

    name: ClassVar = "TimerFired"
    ids: tuple[str, ...]


@final
@late(kw_only=True)
@by_value
class ChildFinished:
    """A child job ended, and its outcome is on its way to a slot.

    Shape: ``outputs`` are objects of ``output``, ``payload`` and ``activation``.
    """

    name: ClassVar = "ChildFinished"
    id: str
    status: str
    outputs: tuple[Json, ...] = ()
    failure: Failure | None = None


@final
@late(kw_only=True)
@by_value
class DeferralsReleased:
    """Deferrals became emissions."""

    name: ClassVar = "DeferralsReleased"
    ids: tuple[str, ...]
