"""What may happen next to a job: refusals, and what must follow.

`decide` turns a command into events, or refuses it by a named error and nothing has happened.
`due` names the one event that a fold still owes, until it owes none: what a wave's end, a pause or
an idle job leads to.
Both only read the fold.
Every append is a decision and all that is due after it, so each recorded version that ends an
append is a resting point from which any host can go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from esflow import errors
from esflow import events as ev
from esflow.commands import (
    Answer,
    CancelJob,
    ClaimExecution,
    Command,
    Continue,
    Goto,
    PauseJob,
    SendMessage,
    StartJob,
    UpdateShared,
)
from esflow.events import Json, PauseReason
from esflow.ids import activation_of, message_id, order
from esflow.json_values import same_json, type_name
from esflow.merge import is_finished, rehearse, writes_of
from esflow.state import Activation, JobFold, Status


def decide(fold: JobFold, command: Command) -> tuple[ev.Event, ...]:
    """Return the events that grant a wish; none where it is granted already.

    Raises: the `EsflowError` that says why the wish is refused.
    """
    match command:
        case StartJob():
            return (_start(command),)
        case ClaimExecution():
            return _claim(fold, command)
        case SendMessage():
            return _send(fold, command)
        case PauseJob():
            return _pause(fold, command)
        case Continue():
            return _continue(fold)
        case Answer():
            return _answer(fold, command)
        case Goto():
            return _goto(fold, command)
        case UpdateShared():
            return _update(fold, command)
        case CancelJob():
            return _cancel(fold, command)
        case _:
            assert_never(command)


def due(fold: JobFold, *, quiet: bool) -> ev.Event | None:
    """Return what must be recorded next by itself, if anything.

    Shape: ``quiet`` says that no handler of this job is running anywhere.
    """
    if fold.ended is not None:
        return None
    if fold.halt:
        paused = ev.JobPaused(reasons=fold.halt)
        return _operator_pause(fold) if fold.halt_paused else paused
    if fold.going:
        return _operator_pause(fold) if quiet else None
    if fold.members:
        return _wave_failure(fold)
    if fold.over_limit:
        limit = errors.ActivationLimit(fold.job_id, fold.limit)
        return ev.JobFailed(error=ev.Failure(type="ActivationLimit", message=str(limit)))
    if fold.program and not fold.program_paused:
        return ev.JobPaused(reasons=fold.program)
    if fold.program:
        return _operator_pause(fold)
    return _idle(fold)


def runnable(fold: JobFold) -> tuple[Activation, ...]:
    """Return the activations that a host may start now, in order."""
    if fold.ended is not None or fold.operator is not None or fold.halt:
        return ()
    return tuple(each.activation for each in fold.members.values() if each.goes)


def asked_for(fold: JobFold, answer: Answer) -> ev.QuestionAsked | ev.Interrupted:
    """Return the question or interrupt that an answer is for.

    Raises: AnswerRefused, InterruptNotFound, JobClosed.
    """
    if answer.to is None:
        return _only_one_asked(fold)
    if answer.to in fold.answers:
        raise _already_answered(fold, answer.to)
    _refuse_ended(fold, "an answer")
    asked = fold.asked
    if answer.to in asked:
        return asked[answer.to]
    raise errors.InterruptNotFound(fold.job_id, answer.to, tuple(asked))


def needed_slots(fold: JobFold) -> frozenset[str]:
    """Return the slots that what is recorded will still be delivered to."""
    records = [record for member in fold.members.values() for record in member.records]
    emissions = [each for each in records if isinstance(each, ev.Emitted | ev.EmissionDeferred)]
    asked = [each for each in records if isinstance(each, ev.QuestionAsked)]
    return frozenset(
        [each.slot for each in fold.ready]
        + [fold.members[each.activation].activation.slot for each in fold.interrupts]
        + [each.slot for each in fold.inputs]
        + [each.to for each in (*asked, *fold.questions.values())]
        + [
            target.slot
            for each in (*emissions, *fold.deferrals.values())
            for target in each.targets
        ]
    )


# Commands, one by one.


def _start(command: StartJob) -> ev.Event:
    return ev.JobStarted(
        flow=command.flow,
        flow_version=command.flow_version,
        fingerprint=command.fingerprint,
        slot=command.slot,
        payload=command.payload,
        limit=command.limit,
        labels=command.labels,
        before=command.before,
        after=command.after,
    )


def _claim(fold: JobFold, command: ClaimExecution) -> tuple[ev.Event, ...]:
    if not runnable(fold):
        return ()
    missing = sorted(needed_slots(fold) - command.slots)
    if missing:
        raise errors.FlowChanged(fold.job_id, fold.flow, tuple(missing))
    claimed = ev.ExecutionClaimed(
        host=command.host,
        process=command.process,
        flow_version=command.flow_version,
        fingerprint=command.fingerprint,
    )
    return (claimed,)


def _send(fold: JobFold, command: SendMessage) -> tuple[ev.Event, ...]:
    if command.key in fold.keys:
        known = fold.keys[command.key]
        if known.slot == command.slot and same_json(known.payload, command.payload):
            return ()
        raise errors.MessageKeyReused(fold.job_id, command.key, known.version)
    _refuse_ended(fold, f"a message to {command.slot!r}")
    message = ev.MessageReceived(
        id=message_id(fold.messages_count + 1),
        slot=command.slot,
        payload=command.payload,
        key=command.key,
    )
    return (message,)


def _pause(fold: JobFold, command: PauseJob) -> tuple[ev.Event, ...]:
    _refuse_ended(fold, "a pause")
    if fold.operator is not None:
        return ()
    return (ev.PauseRequested(kind="operator", reason=command.reason),)


def _continue(fold: JobFold) -> tuple[ev.Event, ...]:
    _refuse_ended(fold, "Continue()")
    if fold.operator is not None:
        return (ev.JobResumed(command="Continue", lifted="operator"),)
    if fold.halt_paused:
        if fold.interrupts:
            raise errors.AnswerRequired(fold.job_id, tuple(fold.asked))
        return (ev.JobResumed(command="Continue", lifted="wave"),)
    if not fold.program_paused:
        raise errors.NotPaused(fold.job_id, fold.status, fold.host)
    held = {each.kind for each in fold.program}
    if fold.questions and held == {"question"} and not (fold.kept or fold.inputs):
        raise errors.AnswerRequired(fold.job_id, tuple(fold.questions))
    release = "program" in held and not fold.questions
    return _resume(fold, "Continue", release=release)


def _answer(fold: JobFold, answer: Answer) -> tuple[ev.Event, ...]:
    asked = asked_for(fold, answer)
    problem = _misfit(asked, answer.value)
    if problem is not None:
        raise errors.AnswerRefused(fold.job_id, asked.id, problem)
    recorded = ev.AnswerRecorded(id=asked.id, value=answer.value)
    if isinstance(asked, ev.Interrupted):
        lifted = (ev.JobResumed(command="Answer", lifted="wave"),) if fold.halt_paused else ()
        return (recorded, *_told(asked, answer.value), *lifted)
    if fold.program_paused:
        return (recorded, *_resume(fold, "Answer", release=_stands_by_itself(fold)))
    return (recorded,)


def _told(asked: ev.Interrupted, value: Json) -> tuple[ev.Event, ...]:
    """Return the effect that was told instead of called, if an interrupt asked for one."""
    call = asked.call
    if call is None:
        return ()
    effect = ev.EffectRecorded(
        id=asked.id,
        function=call.function,
        digest=call.digest,
        key=call.key,
        duration_us=0,
        result=value,
    )
    return (effect,)


def _stands_by_itself(fold: JobFold) -> bool:
    """Tell whether a job that is paused behind a wave would be without its breakpoints, too."""
    asked_for = any(each.kind != "breakpoint" for each in fold.program)
    return asked_for or not (fold.kept or fold.inputs)


def _misfit(asked: ev.QuestionAsked | ev.Interrupted, value: Json) -> str | None:
    """Return why a value is no answer."""
    choices = asked.choices
    if choices is not None and not any(same_json(value, each) for each in choices):
        return f"{value!r} is not among the choices {list(choices)!r}; answer with one of them"
    if isinstance(asked, ev.Interrupted) and asked.types and type_name(value) not in asked.types:
        return f"{value!r} is no {' or '.join(asked.types)}; answer with one"
    return None


def _resume(fold: JobFold, command: str, *, release: bool) -> tuple[ev.Event, ...]:
    resumed = ev.JobResumed(command=command, lifted="program")
    if not release or not fold.deferrals:
        return (resumed,)
    return (ev.DeferralsReleased(ids=tuple(fold.deferrals)), resumed)


def _goto(fold: JobFold, goto: Goto) -> tuple[ev.Event, ...]:
    _refuse_unpaused(fold, f"Goto({goto.slot!r})")
    _refuse_unmergeable(fold, writes_of(fold))
    dropped = ev.WorkDropped(slot=goto.slot, payload=goto.payload, ids=_in_flight(fold))
    if fold.halt_paused:
        return (ev.JobResumed(command="Goto", lifted="wave"), dropped)
    if fold.program_paused:
        return (ev.JobResumed(command="Goto", lifted="program"), dropped)
    return (dropped,)


def _in_flight(fold: JobFold) -> tuple[str, ...]:
    """Return the ids of what leads nowhere once the job is led elsewhere."""
    records = [record for member in fold.members.values() for record in member.records]
    lost = [
        each.id
        for each in records
        if isinstance(each, ev.Emitted | ev.EmissionDeferred | ev.QuestionAsked)
        and not is_finished(each)
    ]
    lost += [each.id for each in fold.ready]
    lost += [each.activation for each in fold.interrupts]
    return tuple(sorted([*lost, *fold.deferrals, *fold.asked], key=order))


def _update(fold: JobFold, update: UpdateShared) -> tuple[ev.Event, ...]:
    _refuse_unpaused(fold, "an update")
    writes = tuple(
        ev.SharedWritten(activation=None, key=key, reducer=reducer, value=value)
        for key, reducer, value in update.writes
    )
    _refuse_unmergeable(fold, [*writes_of(fold), *writes])
    return writes


def _cancel(fold: JobFold, cancel: CancelJob) -> tuple[ev.Event, ...]:
    _refuse_ended(fold, "a cancellation")
    return (ev.JobCancelled(reason=cancel.reason),)


# Refusals that several commands share.


def _refuse_unpaused(fold: JobFold, wish: str) -> None:
    _refuse_ended(fold, wish)
    if fold.status is not Status.PAUSED:
        raise errors.NotPaused(fold.job_id, fold.status, fold.host)


def _refuse_unmergeable(fold: JobFold, writes: Iterable[ev.SharedWritten]) -> None:
    finding = rehearse(fold.shared, writes)
    if finding is not None:
        raise errors.MergeError(finding.key, finding.reducer, finding.problem)


def _refuse_ended(fold: JobFold, wish: str) -> None:
    if fold.ended is not None:
        raise errors.JobClosed(fold.job_id, fold.ended, wish)


def _only_one_asked(fold: JobFold) -> ev.QuestionAsked | ev.Interrupted:
    _refuse_ended(fold, "an answer")
    asked = fold.asked
    if len(asked) == 1:
        return next(iter(asked.values()))
    if asked:
        raise errors.AnswerRefused(
            fold.job_id,
            " or ".join(asked),
            "several are open; name one with Answer(value, to=id)",
        )
    if fold.answers:
        raise _already_answered(fold, list(fold.answers)[-1])
    raise errors.InterruptNotFound(fold.job_id, "", ())


def _already_answered(fold: JobFold, question: str) -> errors.AnswerRefused:
    answered = fold.answers[question]
    return errors.AnswerRefused(
        fold.job_id,
        question,
        f"was answered with {answered.value!r} at version {answered.version}; "
        "the first answer stands",
        answered.value,
        answered.version,
    )


# What follows by itself.


def _operator_pause(fold: JobFold) -> ev.Event | None:
    if fold.operator is None or fold.operator_paused:
        return None
    return ev.JobPaused(reasons=(fold.operator,))


def _wave_failure(fold: JobFold) -> ev.Event:
    """Return the end that a settled wave that can't close leads to."""
    merge = fold.merge_failure
    if merge is not None:
        error = errors.MergeError(merge.key, merge.reducer, merge.problem)
        failure = ev.Failure(type="MergeError", message=str(error))
        return ev.JobFailed(error=failure, activation=merge.activation)
    failures = [
        (each.activation.id, each.failure)
        for each in fold.members.values()
        if each.failure is not None
    ]
    assert failures, "a wave that has settled either closed, failed, or did not merge"
    activation, raised = failures[0]
    failure = ev.Failure(type=raised.type, message=raised.message)
    return ev.JobFailed(error=failure, activation=activation)


def _idle(fold: JobFold) -> ev.Event:
    """Return what becomes of a job with nothing to run and nothing that holds it."""
    if fold.questions:
        reasons = [
            PauseReason(kind="question", text=each.text, activation=activation_of(each.id))
            for each in fold.questions.values()
        ]
        return ev.JobPaused(reasons=tuple(reasons))
    if fold.deferrals:
        return ev.DeferralsReleased(ids=tuple(fold.deferrals))
    return ev.JobCompleted()
