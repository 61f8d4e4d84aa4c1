"""What a wish leads to: `decide` turns a command into events, or refuses it by a named error.

It only reads the fold, and a refusal has changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from esflow import errors
from esflow import events as ev
from esflow.commands import (
    Answer,
    AnswerInTime,
    CancelJob,
    ClaimExecution,
    Command,
    Continue,
    FinishChild,
    FireTimers,
    Goto,
    PauseJob,
    RetryJob,
    SendMessage,
    StartJob,
    UpdateShared,
)
from esflow.consequences import is_to_claim, needed_slots, overdue, runnable, unanswered
from esflow.events import Json
from esflow.ids import message_id, order
from esflow.json_values import same_json, type_name
from esflow.merge import is_finished, rehearse, writes_of, writes_with
from esflow.state import Activation, JobFold, Status

_SHOWN: Final = 5  # Activations in a sentence.


def decide(  # noqa: C901, PLR0912 - one line for each command
    fold: JobFold, command: Command
) -> tuple[ev.Event, ...]:
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
        case RetryJob():
            return _retry(fold, command)
        case FireTimers():
            return _fire(fold, command)
        case AnswerInTime():
            return _answer_in_time(fold, command)
        case FinishChild():
            return _finish_child(fold, command)
        case _:
            assert_never(command)


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
        defaults=command.defaults,
        parent=command.parent,
    )


def _claim(fold: JobFold, command: ClaimExecution) -> tuple[ev.Event, ...]:
    if not is_to_claim(fold):
        return ()
    ready = runnable(fold)
    if ready and command.max_claims is not None and fold.claims >= command.max_claims:
        return (_given_up(fold, ready),)
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


def _given_up(fold: JobFold, ready: Sequence[Activation]) -> ev.Event:
    """Return the end of a job that ends whoever drives it, so that it ends no more of them."""
    what = ", ".join(each.id for each in ready[:_SHOWN]) + (", …" if ready[_SHOWN:] else "")
    problem = (
        f"job {fold.job_id!r}: {what} did not get anywhere in {fold.claims} executions, none of "
        "which came to its end; find out what ends them, then retry() the job"
    )
    return ev.JobFailed(error=ev.Failure(type="NoProgress", message=problem))


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
        gather=command.gather,
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
    return (recorded, *_answered(fold))


def _answer_in_time(fold: JobFold, command: AnswerInTime) -> tuple[ev.Event, ...]:
    late = unanswered(fold, command.now_ms)
    if not late:
        return ()
    recorded = [ev.AnswerRecorded(id=each.id, value=each.default) for each in late]
    resumed = _answered(fold)
    fired = _fire(fold, FireTimers(now_ms=command.now_ms, resuming=True)) if resumed else ()
    return (*fired, *recorded, *resumed)


def _answered(fold: JobFold) -> tuple[ev.Event, ...]:
    """Return what an answer to a question leads to, whichever it is."""
    if not fold.program_paused:
        return ()
    return _resume(fold, "Answer", release=_stands_by_itself(fold))


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
    lost += [each.cause for found in fold.gathers.values() for each in found.waiting]
    return tuple(sorted([*lost, *fold.deferrals, *fold.asked], key=order))


def _update(fold: JobFold, update: UpdateShared) -> tuple[ev.Event, ...]:
    if fold.status not in (Status.WAITING, Status.FAILED):
        _refuse_unpaused(fold, "an update")
    writes = tuple(
        ev.SharedWritten(activation=None, key=key, reducer=reducer, value=value)
        for key, reducer, value in update.writes
    )
    # Another key whose writes don't apply either is the business of another update.
    keys = {each.key for each in writes}
    _refuse_unmergeable(fold, [each for each in writes_with(fold, writes) if each.key in keys])
    return writes


def _cancel(fold: JobFold, cancel: CancelJob) -> tuple[ev.Event, ...]:
    _refuse_ended(fold, "a cancellation")
    return (ev.JobCancelled(reason=cancel.reason),)


def _retry(fold: JobFold, retry: RetryJob) -> tuple[ev.Event, ...]:
    if fold.ended is not Status.FAILED:
        _refuse_ended(fold, "a retry")
        raise errors.NotPaused(fold.job_id, fold.status, fold.host, Status.FAILED)
    return (ev.JobRetried(effects=retry.effects),)


def _fire(fold: JobFold, fire: FireTimers) -> tuple[ev.Event, ...]:
    ids = overdue(fold, fire.now_ms, resuming=fire.resuming)
    return (ev.TimerFired(ids=ids),) if ids else ()


def _finish_child(fold: JobFold, finish: FinishChild) -> tuple[ev.Event, ...]:
    child = fold.children.get(finish.id)
    if fold.ended is not None or child is None or child.status is not None:
        return ()
    finished = ev.ChildFinished(
        id=finish.id, status=finish.status, outputs=finish.outputs, failure=finish.failure
    )
    return (finished,)


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
