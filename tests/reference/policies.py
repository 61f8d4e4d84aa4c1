"""What becomes of a handler that failed: another attempt, or what its slot says."""

from __future__ import annotations

from typing import Final

from tests.reference.handlers import Activation, Requests
from tests.reference.outcome import Result
from tests.reference.program import Forgetting, Slot, routed_payload

MERGED: Final[tuple[Result, ...]] = ("completed", "skipped", "routed")
"""The results of activations that settled, so that what they asked for takes effect."""


def decide(slot: Slot, activation: Activation, now_ms: int) -> None:
    """Say what follows from an attempt, if it failed."""
    if activation.result != "failed":
        return
    retry = slot.retry
    if retry is not None and activation.attempt < retry.attempts:
        activation.result, activation.due_at_ms = "retrying", now_ms + retry.delay_ms
        forget(activation, retry.effects)
    elif slot.on_error == "skip":
        activation.result, activation.requests = "skipped", Requests()
    elif slot.on_error == "route":
        payload = routed_payload(
            activation.failure,
            activation.message,
            activation.slot,
            activation.payload,
            activation.attempt,
        )
        emission = (f"{activation.routine}.error", payload)
        activation.result, activation.requests = "routed", Requests(emissions=[emission])


def forget(activation: Activation, effects: Forgetting) -> None:
    """Forget what the next attempt calls or asks again."""
    if effects == "fresh":
        activation.effects.clear()
        activation.answers.clear()
    elif activation.escaped is not None:
        del activation.effects[activation.escaped :]
    activation.escaped = None


def try_again(activation: Activation, attempt: int) -> None:
    """Be ready for a new attempt."""
    activation.attempt, activation.result = attempt, "ready"
