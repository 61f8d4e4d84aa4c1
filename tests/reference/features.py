"""What an example exercised, so that a test can say that nothing has gone out of reach."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests.reference.beyond import BEYOND, SELDOM, beyond
from tests.reference.interpreter import Course, course, run
from tests.reference.oddities import is_awkward
from tests.reference.outcome import Outcome
from tests.reference.program import (
    KEPT,
    Advance,
    Answer,
    Connection,
    Continue,
    Goto,
    JustUpdate,
    Program,
    RetryJob,
    Script,
    Update,
    log_message,
)

__all__ = ("BEYOND", "FEATURES", "MEETINGS", "SELDOM", "SINGLE", "features")

SINGLE: Final = frozenset(
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
        "interrupt",
        "interrupts of several activations",
        "several interrupts of one handler",
        "interrupt answered",
        "breakpoint before",
        "breakpoint after",
        "breakpoints replaced",
    }
)
"""What at least a tenth of the examples go through."""

MEETINGS: Final = frozenset(
    {
        "interrupt answered out of order",
        "pause or question beside an interrupt",
        "failure beside an interrupt",
        "answer refused at an interrupt",
        "continue refused at an interrupt",
        "update at an interrupt",
        "goto at an interrupt",
        "question answered in an open wave",
        "message at an interrupt or a breakpoint",
        "cancelled at an interrupt or a breakpoint",
        "answer at a breakpoint",
        "update at a breakpoint",
        "goto at a breakpoint",
    }
)
"""Two or more of them in one place, which at least a twentieth go through."""

FEATURES: Final = SINGLE | MEETINGS


def features(program: Program, script: Script) -> frozenset[str]:
    """Name the features that an example exercised."""
    outcome, way = run(program, script), course(program, script)
    exercised = _ends(outcome) | _waits(outcome) | _told(outcome, way)
    exercised |= _interrupts(outcome, way) | _breakpoints(way) | _holds(script, outcome, way)
    exercised |= beyond(program, outcome, way)
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


def _told(outcome: Outcome, way: Course) -> dict[str, bool]:
    """Say what was done to the job from outside that leaves few traces in it."""
    obeyed = [step.command for step in way.steps if step.refusal is None]
    return {
        "update": any(isinstance(command, Update) for command in obeyed),
        "update without resuming": any(isinstance(command, JustUpdate) for command in obeyed),
        "goto": any(isinstance(command, Goto) for command in obeyed),
        "dropped work": bool(outcome.dropped),
    }


def _interrupts(outcome: Outcome, way: Course) -> dict[str, bool]:
    """Say what was asked in the middle of handlers, and what was done then."""
    names = {*outcome.interrupts, *outcome.answers, *outcome.dropped}
    asked = [name.partition("/") for name in names if "/i" in name]
    waves = Counter({activation.partition(".")[0]: 0 for activation, _, _ in asked})
    waves.update(activation.partition(".")[0] for activation in {it for it, _, _ in asked})
    beside = {name.partition(".")[0] for name, _ in outcome.pauses}
    beside |= {name.partition(".")[0] for name in names if "/q" in name}
    steps = [step for step in way.steps if step.moment == "interrupted"]
    refused = [step.command for step in steps if step.refusal is not None]
    obeyed = [step.command for step in steps if step.refusal is None]
    answers = [
        (step.command.to.partition("/")[0], step.holds[0][1])
        for step in steps
        if isinstance(step.command, Answer) and "/i" in step.command.to and step.refusal is None
    ]
    results = [result for _, _, result in outcome.activations.values()]
    return {
        "interrupt": bool(asked),
        "interrupts of several activations": any(number > 1 for number in waves.values()),
        "several interrupts of one handler": any(item != "i0" for _, _, item in asked),
        "interrupt answered": bool(answers),
        "interrupt answered out of order": any(to != first for to, first in answers),
        "pause or question beside an interrupt": bool(beside & set(waves)),
        "failure beside an interrupt": outcome.status == "failed" and "set aside" in results,
        "answer refused at an interrupt": any(isinstance(it, Answer) for it in refused),
        "continue refused at an interrupt": any(isinstance(it, Continue) for it in refused),
        "update at an interrupt": any(isinstance(it, JustUpdate) for it in obeyed),
        "goto at an interrupt": any(isinstance(it, Goto) for it in obeyed),
    }


def _breakpoints(way: Course) -> dict[str, bool]:
    """Say where the job was held, and what was done then."""
    obeyed = [step for step in way.steps if step.refusal is None]
    held = [it.command for it in obeyed if it.holds and it.holds[0][0] == "breakpoint"]
    brought = [
        it.command for it in obeyed if not isinstance(it.command, JustUpdate | Advance | RetryJob)
    ]
    return {
        "breakpoint before": any(kind == "before" for kind, _ in way.hits),
        "breakpoint after": any(kind == "after" for kind, _ in way.hits),
        "breakpoints replaced": any(it.breakpoints != KEPT for it in brought),
        "answer at a breakpoint": any(isinstance(it, Answer) for it in held),
        "update at a breakpoint": any(isinstance(it, Update | JustUpdate) for it in held),
        "goto at a breakpoint": any(isinstance(it, Goto) for it in held),
    }


def _holds(script: Script, outcome: Outcome, way: Course) -> dict[str, bool]:
    """Say what came while the job was held by an interrupt or a breakpoint."""
    answers = [
        step.command.to
        for step in way.steps
        if isinstance(step.command, Answer) and step.moment != "paused" and step.refusal is None
    ]
    moments = {message.moment for message in script.messages}
    return {
        "question answered in an open wave": any("/q" in to for to in answers),
        "message at an interrupt or a breakpoint": bool(moments & {"interrupted", "before"}),
        "cancelled at an interrupt or a breakpoint": outcome.status == "cancelled"
        and bool(outcome.holds),
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
