"""How the events of a job become its state.

`evolve` takes one event in; it refuses nothing, decides nothing and reads no clock.
It needs no flow: an emission says where it goes, a write says by which reducer.
The same events give the same state on every host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from esflow import events as ev
from esflow import waves
from esflow.events import Json, PauseReason
from esflow.holds import is_held_before
from esflow.ids import activation_of, follows
from esflow.merge import needs_code, put, writes_of
from esflow.reducers import all_owned
from esflow.state import (
    Answered,
    Delivered,
    Delivery,
    JobFailure,
    JobFold,
    Member,
    Status,
)


def evolve(fold: JobFold, event: ev.Event) -> None:
    """Take the next event of the job into the fold, in place."""
    fold.version += 1
    HANDLERS[type(event)](fold, event)


def evolve_all(fold: JobFold, events: Iterable[ev.Event]) -> None:
    """Take the next events of the job into the fold, in place."""
    for event in events:
        fold.version += 1
        HANDLERS[type(event)](fold, event)


def fold_events(job_id: str, events: Iterable[ev.Event]) -> JobFold:
    """Return the fold of a job's events, from its first."""
    fold = JobFold(job_id=job_id)
    evolve_all(fold, events)
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
    fold.shared.update(all_owned(event.defaults or {}))
    fold.inputs.append(Delivery(cause="", slot=event.slot, payload=event.payload))
    waves.open_wave(fold)


def _claimed(fold: JobFold, event: ev.ExecutionClaimed) -> None:
    fold.token = fold.version
    fold.claims += 1
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
        traceback=failure.error.traceback if failure is not None else event.error.traceback,
        activation=event.activation,
        key=event.key,
    )


def _cancelled(fold: JobFold, _: ev.JobCancelled) -> None:
    fold.ended = Status.CANCELLED


def _retried(fold: JobFold, event: ev.JobRetried) -> None:
    """Let what failed run again; where nothing did, let the wave close, or open, again."""
    fold.ended, fold.failure, fold.claims = None, None, 0
    for member in fold.members.values():
        if member.failure is not None:
            _forget(fold, member, member.failure.escaped, event.effects)
            member.failure, member.settled, member.attempt = None, False, 1
            fold.going += 1
    if fold.members:
        waves.come_to_rest(fold)
    elif fold.over_limit:
        fold.over_limit = False
        waves.open_wave(fold)


def _forked(fold: JobFold, event: ev.JobForked) -> None:
    """Let a job be a fork; one that is live starts what was open as a job of its own."""
    fold.forked = event
    for child in fold.open_children if event.live else ():
        fold.children[child.id] = waves.own_child(fold, child)


# Inside an activation.


def _buffered(fold: JobFold, event: ev.Event) -> None:
    fold.buffer.append(event)


def _effect_recorded(fold: JobFold, event: ev.EffectRecorded) -> None:
    member = fold.members[activation_of(event.id)]
    member.effects[event.id] = event
    member.attempts.pop(event.id, None)
    fold.claims = 0


def _effect_attempt_failed(fold: JobFold, event: ev.EffectAttemptFailed) -> None:
    fold.members[activation_of(event.id)].attempts[event.id] = event
    fold.claims = 0


def _activation_failed(fold: JobFold, event: ev.ActivationFailed) -> None:
    """Settle an activation that failed, unless it will be tried again."""
    member = fold.members[event.activation]
    if event.outcome == "retry":
        member.attempt = event.attempt + 1
        member.again_at_ms = event.again_at_ms
        fold.delayed += 1
        _forget(fold, member, event.escaped, event.effects or "reuse")
        _stand_still(fold)
        return
    if event.outcome == "stop":
        member.failure = event
    _settle(fold, event)


def _settle(fold: JobFold, event: ev.ActivationCompleted | ev.ActivationFailed) -> None:
    member = fold.members[event.activation]
    member.records, fold.buffer = fold.buffer, []
    member.settled = True
    fold.claims = 0  # As `_stand_still` does, which would be a call for each activation.
    fold.going -= 1
    if not fold.going:
        waves.come_to_rest(fold)


def _stand_still(fold: JobFold) -> None:
    """Count one activation less that goes."""
    fold.claims = 0
    fold.going -= 1
    if not fold.going:
        waves.come_to_rest(fold)


def _forget(fold: JobFold, member: Member, escaped: str | None, effects: str) -> None:
    """Let the next attempt call anew what ended the last one, and what came after it.

    A fresh one is asked anew, too: an answer belongs to what it was given to, and that may change.
    """
    made = {*member.effects, *member.attempts}
    if effects == "fresh":
        forgotten = made | set(member.answered)
    elif escaped is not None:
        forgotten = {each for each in made if follows(each, escaped)}
    else:
        return
    for each in forgotten:
        member.effects.pop(each, None)
        member.attempts.pop(each, None)
        member.answered.pop(each, None)
        fold.answers.pop(each, None)


def _interrupted(fold: JobFold, event: ev.Interrupted) -> None:
    fold.members[event.activation].interrupt = event
    _stand_still(fold)


# Shared data.


def _shared_written(fold: JobFold, event: ev.SharedWritten) -> None:
    if event.activation is not None:
        fold.buffer.append(event)
    elif fold.members and not is_held_before(fold):
        _add_update(fold, event)
    elif needs_code(fold, (event,)):
        fold.updates.append(event)
    else:
        put(fold.shared, event)


def _add_update(fold: JobFold, event: ev.SharedWritten) -> None:
    """Let a write from outside be the last of the open wave, or the only one where others fail."""
    if fold.failure is not None and fold.failure.key == event.key:
        fold.replaced.append(event.key)
        fold.updates = [each for each in fold.updates if each.key != event.key]
        fold.failure = attrs.evolve(fold.failure, key=None)
    fold.updates.append(event)


def _wave_merged(fold: JobFold, event: ev.WaveMerged) -> None:
    if fold.merging:
        waves.finish(fold, writes_of(fold), event.values)
    elif fold.members and not is_held_before(fold):
        fold.merged = event.values  # By what ends the wave before its time.
    else:
        waves.take_updates(fold, event.values)


# Outside inputs.


def _message_received(fold: JobFold, event: ev.MessageReceived) -> None:
    fold.messages_count += 1
    fold.messages[event.id] = event
    if event.key is not None:
        fold.keys[event.key] = Delivered(
            slot=event.slot, payload=event.payload, version=fold.version
        )
    _take_in(fold, event.id, event.slot, event.payload, event.gather)


def _take_in(
    fold: JobFold, cause: str, slot: str, payload: Mapping[str, Json], gather: ev.Gather | None
) -> None:
    waves.take_in(fold, Delivery(cause=cause, slot=slot, payload=payload, gather=gather))


def _answer_recorded(fold: JobFold, event: ev.AnswerRecorded) -> None:
    fold.answers[event.id] = Answered(value=event.value, version=fold.version)
    if event.id not in fold.questions:
        _answer_interrupt(fold, event)
        return
    question = fold.questions.pop(event.id)
    _take_in(fold, event.id, question.to, {"answer": event.value}, question.gather)


def _answer_interrupt(fold: JobFold, event: ev.AnswerRecorded) -> None:
    """Let an activation that was set aside run again."""
    member = fold.members[activation_of(event.id)]
    member.answered[event.id] = Answered(
        value=event.value, version=fold.version, interrupt=member.interrupt
    )
    member.interrupt = None
    fold.going += 1


def _timer_fired(fold: JobFold, event: ev.TimerFired) -> None:
    for each in event.ids:
        if each not in fold.timers:
            fold.members[each].again_at_ms = None
            fold.delayed -= 1
            fold.going += 1
            continue
        timer = fold.timers.pop(each)
        if not timer.targets:
            waves.put_out(fold, timer)
        fold.inputs += waves.deliveries(timer)
    waves.end_idleness(fold)


def _child_finished(fold: JobFold, event: ev.ChildFinished) -> None:
    child = attrs.evolve(fold.children[event.id], status=event.status)
    fold.children[event.id] = child
    outcome: dict[str, Json] = {
        "job_id": child.job_id,
        "status": event.status,
        "outputs": list(event.outputs),
        "failure": None
        if event.failure is None
        else {"type": event.failure.type, "message": event.failure.message},
    }
    _take_in(fold, event.id, child.then, outcome, child.gather)


# Pauses and resumption.


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
    fold.claims = 0
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
            waves.open_wave(fold)


def _released(fold: JobFold, event: ev.DeferralsReleased) -> None:
    for each in event.ids:
        waves.follow(fold, fold.deferrals.pop(each))
    if not fold.program:
        waves.open_wave(fold)


HANDLERS: Final[Mapping[type[Any], Callable[[JobFold, Any], None]]] = {
    ev.JobStarted: _started,
    ev.ExecutionClaimed: _claimed,
    ev.EffectRecorded: _effect_recorded,
    ev.EffectAttemptFailed: _effect_attempt_failed,
    ev.Emitted: _buffered,
    ev.EmissionDeferred: _buffered,
    ev.TimerSet: _buffered,
    ev.SharedWritten: _shared_written,
    ev.MemoryWritten: _buffered,
    ev.Logged: _buffered,
    ev.PauseRequested: _pause_requested,
    ev.QuestionAsked: _buffered,
    ev.ChildStarted: _buffered,
    ev.Interrupted: _interrupted,
    ev.AnswerRecorded: _answer_recorded,
    ev.ActivationCompleted: _settle,
    ev.ActivationFailed: _activation_failed,
    ev.WaveMerged: _wave_merged,
    ev.MessageReceived: _message_received,
    ev.TimerFired: _timer_fired,
    ev.ChildFinished: _child_finished,
    ev.JobPaused: _paused,
    ev.JobResumed: _resumed,
    ev.DeferralsReleased: _released,
    ev.WorkDropped: waves.drop,
    ev.JobRetried: _retried,
    ev.JobForked: _forked,
    ev.JobCancelled: _cancelled,
    ev.JobCompleted: _completed,
    ev.JobFailed: _failed,
}
"""What each event does to the fold; a test holds the table complete."""
