"""What an example exercised, so that a test can say that nothing has gone out of reach."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests.reference.oddities import is_awkward
from tests.reference.outcome import Outcome
from tests.reference.program import (
    Command,
    Connection,
    Goto,
    JustUpdate,
    Program,
    Update,
    log_message,
)

FEATURES: Final = frozenset(
    {
        "completed",
        "paused",
        "cancelled",
        "failure",
        "merge error",
        "limit",
        "effect",
        "caught effect error",
        "shared data",
        "memory",
        "log",
        "output",
        "question",
        "several questions",
        "answer",
        "pause",
        "deferral held",
        "deferral released",
        "message",
        "undelivered message",
        "refusal",
        "update",
        "update without resuming",
        "goto",
        "dropped work",
        "kept work",
        "fan-out",
        "rename",
        "cycle",
        "three waves",
        "wide wave",
        "awkward payload",
        "refused payload",
    }
)


def features(
    program: Program, outcome: Outcome, obeyed: tuple[Command, ...] = ()
) -> frozenset[str]:
    """Name the features that an example exercised; the commands are those that were obeyed."""
    exercised = _ends(outcome) | _waits(outcome) | _told(outcome, obeyed)
    exercised |= _courses(program, outcome) | _payloads(outcome)
    return frozenset(name for name, is_there in exercised.items() if is_there)


def _ends(outcome: Outcome) -> dict[str, bool]:
    """Say how the job ended and what it left."""
    failure = "" if outcome.failure is None else outcome.failure.type
    results = {activation: result for activation, (_, _, result) in outcome.activations.items()}
    caught = [
        kind == "error" and results[effect.partition("/")[0]] == "completed"
        for effect, (_, kind, _) in outcome.effects.items()
    ]
    return {
        "completed": outcome.status == "completed",
        "paused": outcome.status == "paused",
        "cancelled": outcome.status == "cancelled",
        "failure": failure in ("RuntimeError", "EffectError"),
        "merge error": failure == "MergeError",
        "limit": failure == "ActivationLimit",
        "effect": any(kind == "result" for _, kind, _ in outcome.effects.values()),
        "caught effect error": any(caught),
        "shared data": bool(outcome.shared),
        "memory": bool(outcome.memory),
        "log": bool(outcome.log),
        "output": bool(outcome.outputs),
    }


def _waits(outcome: Outcome) -> dict[str, bool]:
    """Say what the job waited for, and what came."""
    asked = Counter(name.partition(".")[0] for name in (*outcome.questions, *outcome.answers))
    return {
        "question": bool(asked),
        "several questions": any(number > 1 for number in asked.values()),
        "answer": bool(outcome.answers),
        "pause": bool(outcome.pauses),
        "deferral held": bool(outcome.deferrals),
        "deferral released": bool(outcome.released),
        "message": len(outcome.messages) > len(outcome.undelivered),
        "undelivered message": bool(outcome.undelivered),
        "refusal": bool(outcome.refusals),
        "kept work": bool(outcome.ready),
    }


def _told(outcome: Outcome, obeyed: tuple[Command, ...]) -> dict[str, bool]:
    """Say what was done to the job from outside that leaves few traces in it."""
    return {
        "update": any(isinstance(command, Update) for command in obeyed),
        "update without resuming": any(isinstance(command, JustUpdate) for command in obeyed),
        "goto": any(isinstance(command, Goto) for command in obeyed),
        "dropped work": bool(outcome.dropped),
    }


def _courses(program: Program, outcome: Outcome) -> dict[str, bool]:
    """Say which ways through the graph were gone."""
    gone: list[tuple[Connection, ...]] = []
    renamed = False
    for output, payload in outcome.emissions.values():
        gone.append(tuple(it for it in program.connections if it.output == output))
        renamed = renamed or any(set(it.rename) & set(payload) for it in gone[-1])
    opened = [
        (name, slot) for name, (slot, _, result) in outcome.activations.items() if result != "ready"
    ]
    edges = {(it.output.partition(".")[0], it.slot.partition(".")[0]) for it in sum(gone, ())}
    return {
        "fan-out": any(len(connections) > 1 for connections in gone),
        "rename": renamed,
        "cycle": _has_cycle(edges),
        "three waves": outcome.waves >= 3,
        "wide wave": any(not name.endswith(".1") for name, _ in opened),
    }


def _payloads(outcome: Outcome) -> dict[str, bool]:
    """Say whether what went through the job was easily spoilt, or could not be recorded."""
    went = [payload for _, payload, _ in outcome.activations.values()]
    held = (outcome.shared, *outcome.memory.values(), *went)
    values = [value for each in held for value in each.values()]
    escaped = outcome.failure is not None and outcome.failure.type == "PayloadError"
    caught = [message.startswith(log_message("refused", "")[:-1]) for _, message in outcome.log]
    return {
        "awkward payload": any(map(is_awkward, values)),
        "refused payload": escaped or any(caught),
    }


def _has_cycle(edges: set[tuple[str, str]]) -> bool:
    """Say whether one can follow edges for ever: drop what leads nowhere until nothing does."""
    while True:
        sources = {source for source, _ in edges}
        inner = {(source, target) for source, target in edges if target in sources}
        if inner == edges:
            return bool(edges)
        edges = inner
