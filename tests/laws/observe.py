"""What a recorded history shows of a job, in the terms of the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from esflow import Recorded
from esflow import events as ev
from esflow.fold import evolve
from esflow.ids import activation_of, order
from esflow.state import Activation, JobFold
from tests.reference.outcome import (
    ChildStatus,
    EffectRecord,
    Failure,
    Hold,
    Outcome,
    Result,
    Status,
)
from tests.reference.program import Ask, Json, Payload, without_wording

OUTCOMES: dict[str, Result] = {
    "stop": "failed",
    "retry": "retrying",
    "skip": "skipped",
    "route": "routed",
}
Item = tuple[str, Payload]
Value = TypeVar("Value")


def observe(
    history: Sequence[Recorded],
    refusals: Sequence[str],
    children: Mapping[str, ChildStatus] | None = None,
) -> Outcome:
    """Return what can be seen of a job as the reference shows it; its history knows no child's."""
    fold = JobFold(job_id=history[0].job_id)
    activations: dict[str, Activation] = {}
    results: dict[str, Result] = {}
    effects: dict[str, EffectRecord] = {}
    emptied: list[str] = []  # Gathers, by a Goto.
    causes: set[str] = set()  # Of what was in them.
    for recorded in history:
        opened, gathered = set(fold.members), fold.gathers
        evolve(fold, recorded.event)
        _take_effect(effects, fold, recorded.event)
        if isinstance(recorded.event, ev.WorkDropped):
            emptied += sorted(gathered)
            causes |= {each.cause for it in gathered.values() for each in it.waiting}
            for dropped in recorded.event.ids:
                if dropped in opened:
                    results[dropped] = "dropped"
                else:  # Kept work, whose id is free again.
                    activations.pop(dropped, None)
        activations |= {each.id: each for each in fold.ready if each.id not in activations}
    events = [recorded.event for recorded in history]
    results |= _results(events, fold)
    outcome = _outcome(fold, history, activations, results, effects)
    dropped_ids = tuple(each for each in outcome.dropped if each not in causes)
    return attrs.evolve(
        outcome,
        refusals=tuple(refusals),
        dropped=dropped_ids,
        dropped_gathers=tuple(emptied),
        children=_in_order(dict(children or {})),
    )


def _outcome(
    fold: JobFold,
    history: Sequence[Recorded],
    activations: dict[str, Activation],
    results: dict[str, Result],
    effects: dict[str, EffectRecord],
) -> Outcome:
    events, asked = [recorded.event for recorded in history], _asked(history)

    def item(emission: ev.Emitted | ev.EmissionDeferred | ev.TimerSet) -> Item:
        routine = activations[activation_of(emission.id)].slot.partition(".")[0]
        return f"{routine}.{emission.output}", _payload(emission.payload)

    emissions = {each.id: item(each) for each in events if isinstance(each, ev.Emitted)}
    deferrals = {each.id: item(each) for each in events if isinstance(each, ev.EmissionDeferred)}
    timers = {each.id: item(each) for each in events if isinstance(each, ev.TimerSet)}
    state = fold.face()
    return Outcome(
        status=cast("Status", state.status.value),
        shared=dict(state.shared),
        memory={name: dict(it) for name, it in sorted(state.memory.items()) if it},
        log=tuple((each.activation, each.message) for each in state.log),
        outputs=tuple(
            (each.id, (emissions | deferrals | timers)[each.id][0], _payload(each.payload))
            for each in state.outputs
        ),
        activations={
            it.id: (it.slot, _payload(it.payload), results.get(it.id, "ready"))
            for it in _in_order(activations).values()
        },
        effects=_in_order(effects),
        emissions=_in_order(emissions),
        deferrals={each.id: item(each) for each in state.deferrals},
        released={each: deferrals[each] for each in _ids(events, ev.DeferralsReleased)},
        interrupts={it.id: (it.payload, it.choices) for it in state.interrupts},
        holds=_holds(fold),
        questions={it.id: asked[it.id] for it in state.questions},
        answers={each.id: each.value for each in events if isinstance(each, ev.AnswerRecorded)},
        pauses=_pauses(events, fold),
        standing=_standing(fold),
        ready=tuple(
            each.id
            for each in state.ready
            if each.id not in fold.members or fold.members[each.id].again_at_ms is None
        ),
        dropped=_dropped(events),
        failure=_failure(fold),
        timers={each.id: timers[each.id] for each in state.timers},
        fired=tuple(each for each in _ids(events, ev.TimerFired) if "/t" in each),
        gathers={
            it.slot: tuple(_payload(each.payload) for each in it.waiting) for it in state.gathers
        },
        attempts=_in_order(_attempts(events, fold)),
        calls=_in_order(_calls(events)),
        messages=_messages(events),
        undelivered=tuple(each.id for each in state.messages),
        refusals=(),  # Of which nothing is recorded.
        activations_count=state.activations_count,
        waves=state.wave,
    )


def _ids(events: Sequence[ev.Event], kind: type[ev.DeferralsReleased | ev.TimerFired]) -> list[str]:
    return [each for event in events if isinstance(event, kind) for each in event.ids]


def _messages(events: Sequence[ev.Event]) -> dict[str, Item]:
    found = [each for each in events if isinstance(each, ev.MessageReceived)]
    return {each.id: (each.slot, dict(each.payload)) for each in found}


def _standing(fold: JobFold) -> tuple[tuple[str, str], ...]:
    """Return the pauses that stand; those of an ended job, which its reports don't show, too."""
    reasons = fold.program if fold.program_paused else ()
    return tuple((str(it.activation), it.text) for it in reasons if it.kind == "program")


def _payload(payload: Mapping[str, Json]) -> Payload:
    return cast("Payload", without_wording(dict(payload)))


def _asked(history: Sequence[Recorded]) -> dict[str, Ask]:
    """Return every question, with how many seconds it was open from the moment it was asked."""
    asked: dict[str, Ask] = {}
    for recorded in history:
        match recorded.event:
            case ev.QuestionAsked(due_at_ms=int(due_at_ms)) as it:
                seconds = round(due_at_ms / 1000 - recorded.recorded_at.timestamp())
                asked[it.id] = Ask(it.text, it.to, it.choices, seconds, it.default)
            case ev.QuestionAsked() as it:
                asked[it.id] = Ask(it.text, it.to, it.choices)
            case _:
                pass
    return asked


def _dropped(events: Sequence[ev.Event]) -> tuple[str, ...]:
    ids = [each for it in events if isinstance(it, ev.WorkDropped) for each in it.ids]
    return tuple(sorted(ids, key=order))


def _in_order(by_id: dict[str, Value]) -> dict[str, Value]:
    return {key: by_id[key] for key in sorted(by_id, key=order)}


def _holds(fold: JobFold) -> tuple[Hold, ...]:
    """Return what holds a job that its program didn't ask for."""
    standing = fold.halt if fold.halt_paused else ()
    standing += fold.program if fold.program_paused else ()
    return tuple(
        (cast("Any", each.kind), str(each.activation))
        for each in standing
        if each.kind in ("interrupt", "breakpoint")
    )


def _results(events: Sequence[ev.Event], fold: JobFold) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for event in events:
        if isinstance(event, ev.ActivationCompleted):
            results[event.activation] = "completed"
        elif isinstance(event, ev.ActivationFailed):
            results[event.activation] = OUTCOMES[event.outcome]
        elif isinstance(event, ev.TimerFired):
            results = {key: it for key, it in results.items() if key not in event.ids}
        elif isinstance(event, ev.JobRetried):
            results = {key: it for key, it in results.items() if it != "failed"}
    results |= {each.activation: "set aside" for each in fold.interrupts}
    return results


def _attempts(events: Sequence[ev.Event], fold: JobFold) -> dict[str, tuple[str, ...]]:
    """Return the types of the errors that ended attempts, but of a lone failure that stands."""
    found: dict[str, tuple[str, ...]] = {}
    for event in events:
        if isinstance(event, ev.ActivationFailed):
            found[event.activation] = (*found.get(event.activation, ()), event.error.type)
    stands = {key for key, it in fold.members.items() if it.failure is not None}
    return {key: it for key, it in found.items() if len(it) > 1 or key not in stands}


def _calls(events: Sequence[ev.Event]) -> dict[str, int]:
    counted = Counter(
        each.id for each in events if isinstance(each, ev.EffectRecorded | ev.EffectAttemptFailed)
    )
    return {key: count for key, count in counted.items() if count > 1}


def effects_of(history: Sequence[Recorded]) -> dict[str, EffectRecord]:
    """Return the effects that count: those that an attempt has forgotten are there no more.

    Raises: AssertionError, where one is recorded again that nobody has forgotten.
    """
    effects: dict[str, EffectRecord] = {}
    fold = JobFold(job_id=history[0].job_id)
    for recorded in history:
        evolve(fold, recorded.event)
        _take_effect(effects, fold, recorded.event)
    return effects


def _take_effect(effects: dict[str, EffectRecord], fold: JobFold, event: ev.Event) -> None:
    """Take an effect in, or leave out those that a next attempt calls again."""
    if isinstance(event, ev.EffectRecorded):
        assert event.id not in effects, f"{event.id} is recorded twice"
        effects[event.id] = (
            (event.function, "result", event.result)
            if event.error is None
            else (event.function, "error", event.error.message)
        )
    elif isinstance(event, ev.ActivationFailed | ev.JobRetried):
        going = {key: it.effects for key, it in fold.members.items() if not it.settled}
        for key in [*effects]:
            if key not in going.get(activation_of(key), effects):
                effects.pop(key)


def _pauses(events: Sequence[ev.Event], fold: JobFold) -> tuple[tuple[str, str], ...]:
    """Return the pauses of programs, of waves that have closed."""
    asked = [
        (event.activation, event.reason)
        for event in events
        if isinstance(event, ev.PauseRequested)
        and event.activation is not None
        and event.activation not in fold.members
    ]
    return tuple(sorted(asked, key=lambda each: order(each[0])))


def _failure(fold: JobFold) -> Failure | None:
    return fold.failure and Failure(fold.failure.type, fold.failure.activation)
