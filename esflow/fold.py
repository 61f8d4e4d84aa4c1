"""How the events of a job become its state.

`evolve` takes one event in; it refuses nothing, decides nothing and reads no clock.
It needs no flow: an emission says where it goes, a write says by which reducer.
The same events give the same state on every host.

How a wave goes
---------------
A wave opens with its activations, and all of them see the shared data of that moment.
Each settles in an append of its own; what it recorded is kept aside until the last one settles.
Then the wave closes: writes and log lines are merged in activation order, emissions followed in
activation order become the next wave, and it opens at once, unless the program asked for a pause.
Kept work, released deferrals and outside inputs stand in this order in the wave that opens.
A wave with a failure in it, or with a write that doesn't apply, stays open; nothing of it holds.
So does a wave with an activation that is set aside, until its interrupt is answered and it runs
again, and one that opened with a breakpoint, of which nothing runs until somebody continues.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from esflow import events as ev
from esflow.events import Json, PauseReason
from esflow.holds import before_wave, behind_wave, is_held_before, within_wave
from esflow.ids import activation_id, activation_of, order
from esflow.merge import is_finished, put, rehearse, writes_of
from esflow.state import (
    Activation,
    Answered,
    Delivered,
    Delivery,
    JobFailure,
    JobFold,
    Member,
    Output,
    Status,
)

Emission: TypeAlias = ev.Emitted | ev.EmissionDeferred


def evolve(fold: JobFold, event: ev.Event) -> None:
    """Take the next event of the job into the fold, in place."""
    fold.version += 1
    HANDLERS[type(event)](fold, event)


def fold_events(job_id: str, events: Iterable[ev.Event]) -> JobFold:
    """Return the fold of a job's events, from its first."""
    fold = JobFold(job_id=job_id)
    for event in events:
        evolve(fold, event)
    return fold


# Starting, claiming, ending.


def _started(fold: JobFold, event: ev.JobStarted) -> None:
    fold.flow = event.flow
    fold.flow_version = event.flow_version
    fold.fingerprint = event.fingerprint
    fold.labels = event.labels
    fold.limit = event.limit
    fold.request = event
    fold.before, fold.after = event.before, event.after
    fold.inputs.append(Delivery(cause="", slot=event.slot, payload=event.payload))
    _open(fold)


def _claimed(fold: JobFold, event: ev.ExecutionClaimed) -> None:
    fold.token = fold.version
    fold.host = event.host
    fold.flow_version = event.flow_version
    fold.fingerprint = event.fingerprint


def _completed(fold: JobFold, _: ev.JobCompleted) -> None:
    fold.ended = Status.COMPLETED


def _failed(fold: JobFold, event: ev.JobFailed) -> None:
    fold.ended = Status.FAILED
    member = fold.members.get(event.activation or "")
    failure = member.failure if member is not None else None
    fold.failure = JobFailure(
        type=event.error.type,
        message=event.error.message,
        traceback=failure.traceback if failure is not None else event.error.traceback,
        activation=event.activation,
    )


# Inside an activation.


def _buffered(fold: JobFold, event: ev.Event) -> None:
    fold.buffer.append(event)


def _shared_written(fold: JobFold, event: ev.SharedWritten) -> None:
    if event.activation is not None:
        fold.buffer.append(event)
    elif fold.members and not is_held_before(fold):
        fold.updates.append(event)  # The last write of the open wave.
    else:
        put(fold.shared, event)


def _effect_recorded(fold: JobFold, event: ev.EffectRecorded) -> None:
    fold.members[activation_of(event.id)].effects[event.id] = event


def _activation_completed(fold: JobFold, event: ev.ActivationCompleted) -> None:
    fold.members[event.activation].records = fold.buffer
    fold.buffer = []
    _settle(fold, fold.members[event.activation])


def _activation_failed(fold: JobFold, event: ev.ActivationFailed) -> None:
    fold.members[event.activation].failure = event.error
    _settle(fold, fold.members[event.activation])


def _interrupted(fold: JobFold, event: ev.Interrupted) -> None:
    fold.members[event.activation].interrupt = event
    _come_to_rest(fold)


def _settle(fold: JobFold, member: Member) -> None:
    member.settled = True
    _come_to_rest(fold)


def _come_to_rest(fold: JobFold) -> None:
    """Count one activation out; close the wave behind the last, or say what it stands still for."""
    fold.going -= 1
    if fold.going or any(each.failure is not None for each in fold.members.values()):
        return
    fold.halt = within_wave(fold)
    if not fold.halt:
        _close(fold)


# Closing a wave.


def _close(fold: JobFold) -> None:
    """Merge what the wave recorded and line up what follows from it."""
    fold.merge_failure = rehearse(fold.shared, writes_of(fold))
    if fold.merge_failure is not None:
        return
    members, fold.members = fold.members, {}
    for member in members.values():
        for event in member.records:
            _take(fold, event)
    _take_updates(fold)
    fold.program = behind_wave(fold, members.values())
    if not fold.program:
        _open(fold)


def _take_updates(fold: JobFold) -> None:
    for write in fold.updates:
        put(fold.shared, write)
    fold.updates = []


def _take(fold: JobFold, event: ev.Event) -> None:
    """Let one record of a completed activation hold."""
    match event:
        case ev.SharedWritten():
            put(fold.shared, event)
        case ev.Emitted():
            _follow(fold, event)
        case ev.EmissionDeferred():
            fold.deferrals[event.id] = event
        case ev.MemoryWritten():
            put(fold.memory.setdefault(event.routine, {}), event)
        case ev.Logged():
            fold.log.append(event)
        case ev.QuestionAsked():
            fold.questions[event.id] = event
        case _:
            pass  # A pause holds the job, not what the activation made.


def _follow(fold: JobFold, emission: Emission) -> None:
    """Keep an emission's deliveries for the next wave, or put it out."""
    if not emission.targets:
        output = Output(
            id=emission.id,
            output=emission.output,
            payload=emission.payload,
            activation=activation_of(emission.id),
        )
        if isinstance(emission, ev.Emitted):
            fold.outputs.append(output)
        else:  # A released deferral is older than what was put out since.
            bisect.insort(fold.outputs, output, key=lambda each: order(each.id))
    for target in emission.targets:
        payload = _renamed(emission.payload, target.rename)
        _keep(fold, Delivery(cause=emission.id, slot=target.slot, payload=payload))


def _renamed(payload: Mapping[str, Json], rename: Mapping[str, str] | None) -> Mapping[str, Json]:
    if not rename:
        return payload
    rest = {key: value for key, value in payload.items() if key not in rename}
    return rest | {rename[key]: value for key, value in payload.items() if key in rename}


# Opening a wave.


def _keep(fold: JobFold, delivery: Delivery) -> None:
    """Number a delivery as the next activation of the wave to come."""
    fold.kept.append(
        Activation(
            id=activation_id(fold.wave + 1, len(fold.kept) + 1),
            slot=delivery.slot,
            payload=delivery.payload,
            cause=delivery.cause,
        )
    )


def _open(fold: JobFold) -> None:
    """Open the next wave with kept work and what came from outside, where there is any."""
    if fold.activations_count + len(fold.kept) + len(fold.inputs) > fold.limit:
        fold.over_limit = True
        return
    for delivery in fold.inputs:
        _keep(fold, delivery)
    if not fold.kept:
        return
    fold.inputs = []
    fold.messages = {}
    _begin(fold)


def _begin(fold: JobFold) -> None:
    """Make a wave of what is kept."""
    fold.members = {each.id: Member(each) for each in fold.kept}
    fold.kept = []
    fold.wave += 1
    fold.going = len(fold.members)
    fold.activations_count += fold.going
    fold.halt = before_wave(fold) if fold.before else ()


# Outside inputs, pauses, resumption.


def _message_received(fold: JobFold, event: ev.MessageReceived) -> None:
    fold.messages_count += 1
    fold.messages[event.id] = event
    fold.inputs.append(Delivery(cause=event.id, slot=event.slot, payload=event.payload))
    if event.key is not None:
        fold.keys[event.key] = Delivered(
            slot=event.slot, payload=event.payload, version=fold.version
        )


def _answer_recorded(fold: JobFold, event: ev.AnswerRecorded) -> None:
    fold.answers[event.id] = Answered(value=event.value, version=fold.version)
    if event.id not in fold.questions:
        _answer_interrupt(fold, event)
        return
    question = fold.questions.pop(event.id)
    fold.inputs.append(Delivery(cause=event.id, slot=question.to, payload={"answer": event.value}))


def _answer_interrupt(fold: JobFold, event: ev.AnswerRecorded) -> None:
    """Let an activation that was set aside run again."""
    member = fold.members[activation_of(event.id)]
    member.answered[event.id] = Answered(
        value=event.value, version=fold.version, interrupt=member.interrupt
    )
    member.interrupt = None
    fold.going += 1


def _pause_requested(fold: JobFold, event: ev.PauseRequested) -> None:
    if event.activation is not None:
        fold.buffer.append(event)
    else:
        fold.operator = PauseReason(kind=event.kind, text=event.reason)


def _paused(fold: JobFold, event: ev.JobPaused) -> None:
    if any(each.kind == "operator" for each in event.reasons):
        fold.operator_paused = True
    elif fold.members:
        fold.halt_paused = True
    else:
        fold.program = event.reasons
        fold.program_paused = True


def _resumed(fold: JobFold, event: ev.JobResumed) -> None:
    fold.before = fold.before if event.before is None else event.before
    fold.after = fold.after if event.after is None else event.after
    if event.lifted == "operator":
        fold.operator = None
        fold.operator_paused = False
    elif event.lifted == "wave":
        fold.halt, fold.halt_paused = (), False
    else:
        fold.program, fold.program_paused = (), False
        if event.command != "Goto":  # Which says itself what the next wave is.
            _open(fold)


def _dropped(fold: JobFold, event: ev.WorkDropped) -> None:
    """Let what is finished hold, but lead nowhere; begin a wave of one slot alone."""
    members, fold.members = fold.members, {}
    for member in members.values():
        for record in member.records:
            if is_finished(record):
                _take(fold, record)
    _take_updates(fold)
    fold.kept, fold.deferrals, fold.questions = [], {}, {}
    fold.program, fold.program_paused = (), False
    fold.halt, fold.halt_paused, fold.going = (), False, 0
    if fold.activations_count >= fold.limit:
        fold.over_limit = True
        return
    _keep(fold, Delivery(cause="", slot=event.slot, payload=event.payload))
    _begin(fold)


def _forked(fold: JobFold, event: ev.JobForked) -> None:
    fold.forked = event


def _cancelled(fold: JobFold, _: ev.JobCancelled) -> None:
    fold.ended = Status.CANCELLED


def _released(fold: JobFold, event: ev.DeferralsReleased) -> None:
    for each in event.ids:
        _follow(fold, fold.deferrals.pop(each))
    if not fold.program:
        _open(fold)


HANDLERS: Final[Mapping[type[Any], Callable[[JobFold, Any], None]]] = {
    ev.JobStarted: _started,
    ev.ExecutionClaimed: _claimed,
    ev.EffectRecorded: _effect_recorded,
    ev.Emitted: _buffered,
    ev.EmissionDeferred: _buffered,
    ev.SharedWritten: _shared_written,
    ev.MemoryWritten: _buffered,
    ev.Logged: _buffered,
    ev.PauseRequested: _pause_requested,
    ev.QuestionAsked: _buffered,
    ev.Interrupted: _interrupted,
    ev.AnswerRecorded: _answer_recorded,
    ev.ActivationCompleted: _activation_completed,
    ev.ActivationFailed: _activation_failed,
    ev.MessageReceived: _message_received,
    ev.JobPaused: _paused,
    ev.JobResumed: _resumed,
    ev.DeferralsReleased: _released,
    ev.WorkDropped: _dropped,
    ev.JobForked: _forked,
    ev.JobCancelled: _cancelled,
    ev.JobCompleted: _completed,
    ev.JobFailed: _failed,
}
"""What each event does to the fold; a test holds the table complete."""
