"""Why a job stands still at a wave: what its program asked for, interrupts, breakpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from esflow import events as ev
from esflow.events import PauseReason
from esflow.ids import activation_of
from esflow.state import Activation, JobFold


def before_wave(fold: JobFold) -> tuple[PauseReason, ...]:
    """Return the breakpoints that a wave meets when it opens."""
    opened = [each.activation for each in fold.members.values()]
    return tuple(breakpoint_at(each, "before") for each in opened if each.slot in fold.before)


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


def breakpoint_at(activation: Activation, place: str) -> PauseReason:
    """Return the breakpoint that stands before or after an activation."""
    text = f"{place} {activation.slot}"
    return PauseReason(kind="breakpoint", text=text, activation=activation.id)


def is_held_before(fold: JobFold) -> bool:
    """Tell whether nothing of the open wave has begun, because of a breakpoint."""
    return any(each.kind == "breakpoint" for each in fold.halt)


def _pause(event: ev.PauseRequested) -> PauseReason:
    return PauseReason(kind=event.kind, text=event.reason, activation=event.activation)


def _question(event: ev.QuestionAsked) -> PauseReason:
    return PauseReason(kind="question", text=event.text, activation=activation_of(event.id))


ASKED: Final[Mapping[type[Any], Callable[[Any], PauseReason]]] = {
    ev.PauseRequested: _pause,
    ev.QuestionAsked: _question,
}
"""How the records of an activation keep the next wave from opening."""
