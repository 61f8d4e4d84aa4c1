"""What can be seen of a job: the part on which the engine and the reference have to agree."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import attrs

from tests.reference.program import Ask, Json, Moment, Payload, canonical

EffectRecord: TypeAlias = tuple[str, Literal["result", "error"], Json]  # Name, value or message.
InterruptRecord: TypeAlias = tuple[Json, tuple[Json, ...] | None]  # Payload, choices.
Result: TypeAlias = Literal[
    "completed", "failed", "ready", "set aside", "dropped", "retrying", "skipped", "routed"
]
Hold: TypeAlias = tuple[Literal["interrupt", "breakpoint"], str]  # With the activation.
ChildStatus: TypeAlias = Literal[
    "pending", "running", "completed", "failed", "paused", "waiting", "cancelled"
]
Status: TypeAlias = Literal["running", "completed", "failed", "paused", "waiting", "cancelled"]


@final
@attrs.frozen
class Failure:
    """Why the job failed; ``ActivationLimit`` has no activation."""

    type: str
    activation: str | None


@final
@attrs.frozen(kw_only=True)
class Outcome:
    """Everything that can be seen of a job at its end, or where its script ran out.

    Slots and outputs are written ``routine.name``. Mappings by id are in the order of the ids.
    """

    status: Status
    shared: dict[str, Json]
    memory: dict[str, dict[str, Json]]  # By routine; a routine that remembers nothing is left out.
    log: tuple[tuple[str, str], ...]  # Activation, message.
    outputs: tuple[tuple[str, str, Payload], ...]  # Id of the emission or deferral, output.
    # Opened (and perhaps dropped then), or kept: slot, payload, result.
    activations: dict[str, tuple[str, Payload, Result]]
    effects: dict[str, EffectRecord]  # Of activations that failed or were set aside, too.
    emissions: dict[str, tuple[str, Payload]]  # Of completed activations, merged or not.
    deferrals: dict[str, tuple[str, Payload]]  # Held at the end.
    released: dict[str, tuple[str, Payload]]  # Deferrals that became emissions.
    questions: dict[str, Ask]  # Open at the end.
    answers: dict[str, Json]  # Accepted, by question or interrupt.
    pauses: tuple[tuple[str, str], ...]  # Every merged pause: activation, reason.
    standing: tuple[tuple[str, str], ...]  # Those that still stand.
    ready: tuple[str, ...]  # Never begun: kept work, or the wave in which the job was cancelled.
    failure: Failure | None
    messages: dict[str, tuple[str, Payload]]  # Accepted.
    undelivered: tuple[str, ...]  # Those of them that never joined a wave.
    refusals: tuple[str, ...]  # Names of errors, in the order of the refused commands and messages.
    activations_count: int  # Those of the waves that opened.
    waves: int
    # By ``Goto``: activations, deferrals, questions, interrupts, and of an open wave emissions.
    dropped: tuple[str, ...] = ()
    interrupts: dict[str, InterruptRecord] = attrs.field(
        factory=dict[str, InterruptRecord]
    )  # Open.
    holds: tuple[Hold, ...] = ()  # Reasons of a pause that its program did not ask for.
    timers: dict[str, tuple[str, Payload]] = attrs.field(
        factory=dict[str, tuple[str, Payload]]
    )  # Not yet fired.
    fired: tuple[str, ...] = ()  # In their order.
    gathers: dict[str, tuple[Payload, ...]] = attrs.field(
        factory=dict[str, tuple[Payload, ...]]
    )  # By slot: what is there of incomplete ones.
    dropped_gathers: tuple[str, ...] = ()  # By ``Goto``: slots, sorted for each.
    # By child: how it ended, "paused", or "pending" as long as nobody has driven it.
    children: dict[str, ChildStatus] = attrs.field(factory=dict[str, ChildStatus])
    # By activation: the types of the errors that ended attempts, in their order; an activation
    # whose only attempt failed, and that stands as failed, is left out.
    attempts: dict[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    # By effect, where it is more than one: how many calls were recorded.
    calls: dict[str, int] = attrs.field(factory=dict[str, int])


def moment_of(outcome: Outcome) -> Moment:
    """Say at which moment the job is that is seen here."""
    if outcome.status == "running":
        return "open"
    if outcome.status == "waiting":
        results = [result for _, _, result in outcome.activations.values()]
        return "retrying" if "retrying" in results else "waiting"
    if outcome.interrupts:
        return "interrupted"
    held = outcome.holds[0][1] if outcome.holds else ""
    return "before" if held in outcome.ready else "paused"


def choices_of(outcome: Outcome, asked: str) -> tuple[Json, ...] | None:
    """Give the choices of an open question or interrupt: none where any answer will do."""
    if asked in outcome.questions:
        return outcome.questions[asked].choices
    return outcome.interrupts[asked][1] if asked in outcome.interrupts else ()


def as_text(outcome: Outcome) -> str:
    """Write an outcome so that equal texts mean equal outcomes, types of values included."""
    plain: dict[str, Json] = attrs.asdict(outcome)
    # ``canonical`` sorts keys; the order of activations is part of the outcome.
    return canonical([plain, list(outcome.activations)])
