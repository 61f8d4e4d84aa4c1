"""From which status to which each event may lead a job: the table of lawful transitions.

It is a fact about histories, not what decides them: `fold` moves a job, `decider` chooses.
A law test holds it against generated histories, every row of it, and the diagram in the documents
is drawn from it.

How to read it
--------------
Status before the first event is None.
A handler that is still running when its job comes to a halt may finish, so whatever an activation
records is lawful while the job is paused, and what follows from it too.
Only a resumption starts anything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from esflow import events as ev
from esflow.state import ENDED, Status

Transition: TypeAlias = tuple[Status | None, Status]

_PENDING: Final = (Status.PENDING, Status.PENDING)
_RUNNING: Final = (Status.RUNNING, Status.RUNNING)
_PAUSED: Final = (Status.PAUSED, Status.PAUSED)
_WAITING: Final = (Status.WAITING, Status.WAITING)
_FAILED: Final = (Status.FAILED, Status.FAILED)
_ACTIVE: Final[tuple[Transition, ...]] = (_RUNNING, _PAUSED)
_RESTING: Final = (Status.RUNNING, Status.WAITING)
_WOKEN: Final = (Status.WAITING, Status.RUNNING)

TRANSITIONS: Final[Mapping[type[Any], tuple[Transition, ...]]] = {
    ev.JobStarted: ((None, Status.PENDING),),
    ev.ExecutionClaimed: ((Status.PENDING, Status.RUNNING), _RUNNING),
    ev.EffectRecorded: _ACTIVE,
    ev.EffectAttemptFailed: _ACTIVE,
    ev.Emitted: _ACTIVE,
    ev.EmissionDeferred: _ACTIVE,
    ev.TimerSet: _ACTIVE,
    ev.SharedWritten: (*_ACTIVE, _WAITING, _FAILED),
    ev.MemoryWritten: _ACTIVE,
    ev.Logged: _ACTIVE,
    ev.PauseRequested: (_PENDING, _WAITING, *_ACTIVE),
    ev.QuestionAsked: _ACTIVE,
    ev.ChildStarted: _ACTIVE,
    ev.Interrupted: (_RESTING, *_ACTIVE),
    ev.AnswerRecorded: (_WOKEN, *_ACTIVE),
    ev.ActivationCompleted: (_RESTING, *_ACTIVE),
    ev.ActivationFailed: (_RESTING, *_ACTIVE),
    ev.WaveMerged: (_RESTING, _WAITING, _FAILED, *_ACTIVE),
    ev.MessageReceived: (_PENDING, _WAITING, _WOKEN, *_ACTIVE),
    ev.TimerFired: (_WAITING, _WOKEN, *_ACTIVE),
    ev.ChildFinished: (_WAITING, _WOKEN, *_ACTIVE),
    ev.JobPaused: (
        (Status.PENDING, Status.PAUSED),
        (Status.RUNNING, Status.PAUSED),
        (Status.WAITING, Status.PAUSED),
        _PAUSED,
    ),
    ev.JobResumed: (
        (Status.PAUSED, Status.PENDING),
        (Status.PAUSED, Status.RUNNING),
        (Status.PAUSED, Status.WAITING),
        *_ACTIVE,
    ),
    ev.DeferralsReleased: _ACTIVE,
    ev.WorkDropped: (_PENDING, (Status.PAUSED, Status.RUNNING), *_ACTIVE),
    ev.JobRetried: ((Status.FAILED, Status.RUNNING), (Status.FAILED, Status.WAITING)),
    ev.JobForked: tuple((status, status) for status in Status),
    ev.JobCompleted: ((Status.RUNNING, Status.COMPLETED), (Status.PAUSED, Status.COMPLETED)),
    ev.JobFailed: ((Status.RUNNING, Status.FAILED), (Status.PAUSED, Status.FAILED)),
    ev.JobCancelled: tuple((status, Status.CANCELLED) for status in Status if status not in ENDED),
}
"""Complete over the events; an event that may leave the status as it is says so."""


def to_mermaid() -> str:
    """Return the table as a Mermaid state diagram, without what leaves the status as it is.

    Shape: always the same text for the same table, ending in a newline.
    """
    arrows: dict[Transition, list[str]] = {}
    for event, transitions in TRANSITIONS.items():
        for before, after in transitions:
            if before is not after:
                arrows.setdefault((before, after), []).append(event.name)
    lines = [
        f"    {before or '[*]'} --> {after} : {', '.join(names)}"
        for (before, after), names in sorted(arrows.items(), key=_place)
    ]
    lines += [f"    {end} --> [*]" for end in Status if end in ENDED & _reached()]
    return "\n".join(["stateDiagram-v2", *lines, ""])


def _place(arrow: tuple[Transition, list[str]]) -> tuple[int, int]:
    """Return where an arrow stands: in the order of `Status`, the beginning first."""
    order: list[Status | None] = [None, *Status]
    before, after = arrow[0]
    return order.index(before), order.index(after)


def _reached() -> frozenset[Status]:
    return frozenset(after for each in TRANSITIONS.values() for _, after in each)
