"""What a paused job does with a command: it refuses it, or takes it and perhaps carries on."""

from __future__ import annotations

from typing import assert_never

from tests.reference.changes import Change, Data, HandlerFailed, apply, has_misfit, is_unread, write
from tests.reference.deliveries import Input
from tests.reference.job import Job, Step
from tests.reference.policies import forget, try_again
from tests.reference.program import (
    Advance,
    Answer,
    Breakpoints,
    Continue,
    Goto,
    Json,
    JustUpdate,
    RetryJob,
    Update,
    same,
)
from tests.reference.waves import (
    MergeFailed,
    begin,
    connected,
    fire,
    has_next,
    is_idle,
    merge,
    merged,
    open_wave,
    written,
)


def obey(job: Job, command: Answer | Continue | Update | JustUpdate | Goto | Advance) -> None:
    """Do what a paused job is told, or refuse to."""
    refusal = _refusal(job, command)
    job.steps.append(Step(command, job.wave, job.moment, tuple(job.holds), refusal))
    if refusal is not None:
        job.refusals.append(refusal)
        return
    if not isinstance(command, JustUpdate | Advance):
        job.breakpoints = _replaced(job.breakpoints, command.breakpoints)
    match command:
        case Answer():
            _answer(job, command)
        case Continue():
            _carry_on(job)
        case Update(values=values):
            _update(job, values)
            _carry_on(job)
        case JustUpdate(values=values):
            _update(job, values)
        case Goto():
            _lead(job, command)
        case Advance(seconds=seconds, milliseconds=milliseconds):
            job.now_ms += seconds * 1000 + milliseconds
        case _:
            assert_never(command)


def _replaced(found: Breakpoints, given: Breakpoints) -> Breakpoints:
    """Give the breakpoints after a resume."""
    return Breakpoints(
        before=found.before if given.before is None else given.before,
        after=found.after if given.after is None else given.after,
    )


def _lift(job: Job) -> None:
    """End the pause, whoever asked for it."""
    job.standing, job.holds = [], []


# Refusals.


def _refusal(
    job: Job, command: Answer | Continue | Update | JustUpdate | Goto | Advance
) -> str | None:
    """Name the error with which a command to a paused or waiting job is refused."""
    if job.status == "waiting" and isinstance(command, Continue):
        return "NotPaused"
    match command:
        case Answer():
            return _answer_refusal(job, command)
        case Update(values=values) | JustUpdate(values=values):
            refusal = _update_refusal(job, values)
            if refusal is not None or isinstance(command, JustUpdate):
                return refusal
            return _refusal(job, Continue())
        case Continue():
            if job.is_open:
                return "AnswerRequired" if job.interrupted else None
            idle = not (job.standing or job.holds or job.kept or job.inputs or job.due_timers)
            return "AnswerRequired" if job.questions and idle else None
        case Advance():
            return None
        case Goto(slot=slot):
            slots = [f"{it.name}.{that.name}" for it in job.program.routines for that in it.slots]
            if slot not in slots:
                return "SlotNotFound"
            return "NotPaused" if job.status == "waiting" else _closing_refusal(job)
        case _:
            assert_never(command)


def _answer_refusal(job: Job, answer: Answer) -> str | None:
    """Name the error with which an answer is refused."""
    if job.is_answered(answer.to):
        return "AnswerRefused"
    if answer.to in job.questions:
        choices = job.questions[answer.to].choices
    elif answer.to in job.interrupted and (found := job.interrupted[answer.to].interrupt):
        choices = found[1]
    else:
        return "InterruptNotFound"
    allowed = choices is None or any(same(answer.value, it) for it in choices)
    return None if allowed else "AnswerRefused"


def _update_refusal(job: Job, values: Data) -> str | None:
    """Name the error with which an update is refused, in an open wave behind its writes so far.

    Writes to other keys have nothing to do with it, nor have those to the key that did not merge.
    """
    changes, shared = _changes(job, values), dict(job.shared)
    if any(is_unread(job.program, change) for change in changes):
        return "PayloadError"
    keys = values.keys() - {job.unmerged}
    before = [it for _, it in written(job) if it.key in keys] if job.has_begun else []
    try:
        for change in [*before, *changes]:
            write(job.program, shared, change)
    except HandlerFailed as error:
        return error.type_name
    return "MergeError" if has_misfit(job.program, shared) else None


def _closing_refusal(job: Job) -> str | None:
    """Name the error with which a wave that is open can't be closed before its time."""
    if not job.is_open:
        return None
    try:
        merged(job)
    except MergeFailed as error:
        return error.failure.type
    return None


# Obedience.


def _answer(job: Job, answer: Answer) -> None:
    """Take an answer: to an interrupt, so that its activation runs on; or to a question."""
    activation, release = job.interrupted.get(answer.to), _stands_by_itself(job)
    _catch_up(job)
    job.answers[answer.to] = answer.value
    if activation is not None:
        activation.answer(answer.value)
        if job.status == "paused":
            _lift(job)
        job.status = "running"
        return
    question = job.questions.pop(answer.to)
    job.inputs.append(Input(question.to, {"answer": answer.value}))
    _resume_answered(job, release=release)


def _catch_up(job: Job) -> None:
    """Let the timers of a paused job fire that were due before the command came."""
    if job.status == "paused":
        fire(job)


def _stands_by_itself(job: Job) -> bool:
    """Say whether a job that is paused behind a wave would be without its breakpoints, too."""
    asked = any(it.requests.pauses or it.requests.questions for it in job.current)
    return asked or not (job.holds and has_next(job))


def _resume_answered(job: Job, *, release: bool) -> None:
    """Resume with what was answered, unless it waits for the next wave, as a message does."""
    if not job.is_open:
        _lift(job)
        open_wave(job, release=release)


def expire(job: Job) -> bool:
    """Answer the questions of a paused job that are due with their defaults, if there are any."""
    due, release = job.due, _stands_by_itself(job)
    if due and not job.is_open:
        _catch_up(job)
    for name in due:
        question = job.questions.pop(name)
        job.answers[name] = question.default
        job.inputs.append(Input(question.to, {"answer": question.default}))
    if due:
        job.expired.append((job.moment, tuple(due)))
        _resume_answered(job, release=release)
    return bool(due)


def wake(job: Job) -> bool:
    """Let happen what is due in a job that waits, and say whether anything was."""
    retries = [it for it in job.current if it.result == "retrying"]
    if any(it.due_at_ms <= job.now_ms for it in retries):
        job.status = "running"
    happened = expire(job)
    happened = fire(job) or happened
    if happened and not job.is_open:
        open_wave(job, release=is_idle(job))
    return happened or job.moment == "open"


def retry_job(job: Job, command: RetryJob) -> bool:
    """Have what failed run again, and say whether anything was accepted or refused."""
    if command.values is not None:
        refusal = _update_refusal(job, command.values)
        if refusal is not None:
            job.refusals.append(refusal)
            return True
        _repair(job, command.values)
    job.retried.append(command)
    if not job.is_open:
        return True  # A limit, or what is missing, is the same as before.
    job.status, job.failure, job.unmerged = "running", None, None
    for activation in job.current:
        if activation.result == "failed":
            forget(activation, command.effects)
            try_again(activation, 1)
    return True


def _repair(job: Job, values: Data) -> None:
    """Write to the data of a failed job; the key that didn't merge has no other write then."""
    if job.unmerged is not None and job.unmerged in values:
        job.replaced.add(job.unmerged)
        job.updates = [it for it in job.updates if it.key != job.unmerged]
    _update(job, values)


def _carry_on(job: Job) -> None:
    """Go on from a pause without an answer."""
    release = not job.questions and (bool(job.standing) or is_idle(job))
    _catch_up(job)
    _lift(job)
    if job.is_open:
        job.status = "running"  # Past the breakpoints before the wave.
    else:
        open_wave(job, release=release)


def _changes(job: Job, values: dict[str, Json]) -> list[Change]:
    """Give the writes of an update, with their reducers."""
    reducers = job.program.reducers
    return [Change(key, reducers.get(key, "set"), value) for key, value in values.items()]


def _updated(job: Job, values: Data) -> Data:
    """Give the shared data with values written to it, or fail with ``MergeError``."""
    shared = dict(job.shared)
    for change in _changes(job, values):
        apply(shared, change)
    return shared


def _update(job: Job, values: Data) -> None:
    """Write to the data: at once, or behind what an open wave writes."""
    if job.has_begun:
        job.updates += _changes(job, values)
    else:
        job.shared = _updated(job, values)


def _lead(job: Job, goto: Goto) -> None:
    """Close the open wave, drop what is in flight, and begin a wave of one activation.

    What was sent from outside and has not arrived yet is kept.
    """
    _catch_up(job)
    job.dropped_gathers += sorted(job.gathers)
    if job.is_open:
        job.dropped += [*job.interrupted, *connected(job)]
        for activation in job.current:
            if activation.result in ("ready", "set aside"):
                activation.result = "dropped"
                job.dropped.append(activation.id)
        merge(job)
    else:
        job.dropped += [it.id for it in job.kept]
    job.dropped += [*job.deferrals, *job.questions]
    job.kept, job.deferrals, job.questions, job.gathers = [], {}, {}, {}
    _lift(job)
    begin(job, [(goto.slot, goto.payload)])
