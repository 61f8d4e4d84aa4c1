"""What the failure of a handler leads to, by what its slot says: another attempt, or an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import attrs

from esflow import usercode
from esflow.chance import spread
from esflow.events import ActivationFailed, Emitted, Event
from esflow.flow import Flow
from esflow.graph import ERROR
from esflow.ids import item_id
from esflow.state import Activation
from esflow.values import by_value


@final
@attrs.frozen(kw_only=True)
@by_value
class Failed:
    """One attempt that failed."""

    activation: Activation
    attempt: int
    error: Exception
    escaped: str | None  # The effect whose error it is.
    started_at_ms: int
    duration_us: int


def outcome_of(failed: Failed, flow: Flow, due_at_ms: Callable[[int], int]) -> tuple[Event, ...]:
    """Return the events that record a failure.

    Shape: ``due_at_ms`` returns the moment that is so many milliseconds away.
    """
    slot = flow.resolve_slot(failed.activation.slot)
    event = ActivationFailed(
        activation=failed.activation.id,
        started_at_ms=failed.started_at_ms,
        duration_us=failed.duration_us,
        error=usercode.failure_of(failed.error, with_traceback=True),
        outcome=slot.on_error,
        attempt=failed.attempt,
        escaped=failed.escaped,
    )
    retry = slot.retry
    if retry is not None and retry.applies(failed.attempt, failed.error):
        delay_ms = retry.delay_ms(failed.attempt, spread())
        again_at_ms = due_at_ms(delay_ms)
        again = attrs.evolve(event, outcome="retry", again_at_ms=again_at_ms, effects=retry.effects)
        return (again,)
    if slot.on_error == "route":
        return _routed(failed, event, flow), attrs.evolve(event, events=1)
    return (event,)


def _routed(failed: Failed, event: ActivationFailed, flow: Flow) -> Emitted:
    """Return the emission that tells of a failure."""
    slot = flow.resolve_slot(failed.activation.slot)
    return Emitted(
        id=item_id(failed.activation.id, "o", 0),
        output=ERROR,
        payload={
            "type": event.error.type,
            "message": event.error.message,
            "slot": slot.address,
            "payload": failed.activation.payload,
            "attempts": failed.attempt,
        },
        targets=flow.targets(slot.routine, ERROR),
    )
