"""Why a job stands still at a wave: what its program asked for, interrupts, breakpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from esflow import events as ev
from esflow.events import PauseReason
from esflow.ids import activation_of
from esflow.state import Activation, JobFold, Member


def before_wave(fold: JobFold) -> tuple[PauseReason, ...]:
    """Return the breakpoints that a wave meets when it opens."""
    opened = [each.activation for each in fold.members.values()]
    return tuple(_breakpoint(each, "before") for each in opened if each.slot in fold.before)


def within_wave(fold: JobFold) -> tuple[PauseReason, ...]:
    """Return the interrupts that keep a wave from closing."""
    return tuple(
        PauseReason(
            kind="interrupt",
            text=each.payload if isinstance(each.payload, str) else "",
            activation=each.activation,
        )
        for each in fold.interrupts
    )


def behind_wave(fold: JobFold, members: Iterable[Member]) -> tuple[PauseReason, ...]:
    """Return what keeps the next wave from opening, of the members of the one that has closed."""
    found: list[PauseReason] = []
    for member in members:
        for each in member.records:
            if isinstance(each, _ASKING):
                found.append(_asked_by(each))  # noqa: PERF401 - a comprehension is a call
        if member.activation.slot in fold.after:
            found.append(_breakpoint(member.activation, "after"))
    return tuple(found)


def is_held_before(fold: JobFold) -> bool:
    """Tell whether nothing of the open wave has begun, because of a breakpoint."""
    return any(each.kind == "breakpoint" for each in fold.halt)


def _breakpoint(activation: Activation, place: str) -> PauseReason:
    text = f"{place} {activation.slot}"
    return PauseReason(kind="breakpoint", text=text, activation=activation.id)


_ASKING: Final = (ev.PauseRequested, ev.QuestionAsked)


def _asked_by(event: ev.PauseRequested | ev.QuestionAsked) -> PauseReason:
    if isinstance(event, ev.PauseRequested):
        return PauseReason(kind=event.kind, text=event.reason, activation=event.activation)
    return PauseReason(kind="question", text=event.text, activation=activation_of(event.id))
