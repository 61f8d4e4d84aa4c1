"""What follows by itself: the one event that a job still owes, what may run, what is overdue.

`due` names the one event that a fold still owes, until it owes none: what a wave's end, a pause or
an idle job leads to.
Every append is a decision and all that is due after it, so each recorded version that ends an
append is a resting point from which any host can go on.
Time is an argument: what is `overdue` depends on it, and nothing else here does.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Final, cast

from esflow import errors
from esflow import events as ev
from esflow.events import PauseReason
from esflow.ids import activation_of, order
from esflow.state import Activation, Child, JobFold, Member, MergeFailure, Status


def due(fold: JobFold, *, quiet: bool) -> ev.Event | None:
    """Return what must be recorded next by itself, if anything.

    Shape: ``quiet`` says that no handler of this job is running anywhere.
    """
    if fold.ended is not None or fold.merging:
        return None
    if fold.halt:
        paused = ev.JobPaused(reasons=fold.halt)
        return _operator_pause(fold) if fold.halt_paused else paused
    if fold.going:
        return _operator_pause(fold) if quiet else None
    if fold.members:
        return _operator_pause(fold) if fold.is_delayed else _wave_failure(fold)
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
    members = fold.members.values()
    if fold.going == len(members):
        return tuple(map(_activation, members))
    return tuple([each.activation for each in members if each.goes])


_activation: Final = cast("Callable[[Member], Activation]", attrgetter("activation"))


def is_to_claim(fold: JobFold) -> bool:
    """Tell whether a job needs a host: to start what may run, or to record that nothing does.

    An operator's pause is recorded by whoever drives the job.
    If that host has gone, another takes its place, so that what it may still do is refused.
    """
    if fold.ended is None and fold.going and _operator_pause(fold) is not None:
        return True
    return bool(runnable(fold))


def overdue(fold: JobFold, now_ms: int, *, resuming: bool = False) -> tuple[str, ...]:
    """Return what is due and may happen: ids of timers, and of activations to be tried again.

    Shape: in the order in which they were due, then by id; none while somebody holds the job,
    unless what its program waits for is just ``resuming`` it.
    """
    is_held = fold.operator is not None or fold.status is Status.PAUSED
    if fold.ended is not None or (is_held and not resuming):
        return ()
    found = [(each.due_at_ms, each.id) for each in fold.timers.values()]
    found += [
        (each.again_at_ms, each.activation.id)
        for each in fold.members.values()
        if each.again_at_ms is not None
    ]
    past = [(at_ms, order(item), item) for at_ms, item in found if at_ms <= now_ms]
    return tuple(item for _, _, item in sorted(past))


def unanswered(fold: JobFold, now_ms: int) -> tuple[ev.QuestionAsked, ...]:
    """Return the questions whose time is over, so that their defaults are the answers.

    Shape: in the order in which they were due, then by id.
    """
    if fold.ended is not None:
        return ()
    past = [
        (each.due_at_ms, order(each.id), each)
        for each in fold.questions.values()
        if each.due_at_ms is not None and each.due_at_ms <= now_ms
    ]
    return tuple(question for _, _, question in sorted(past, key=lambda each: each[:2]))


_NOBODY: Final = frozenset[str]()


def owed(fold: JobFold) -> frozenset[str]:
    """Return what a job still has to do in other jobs, as its own events tell it.

    Shape: ids of children to start or, once it is cancelled, ``end`` and the ids of those to
    cancel; and ``parent``, which is to be told how the job ended. It stays owed when it is done:
    nothing is recorded of that.
    """
    if fold.ended is None and not fold.children:
        return _NOBODY
    if fold.ended is not None:
        found = {"parent"} if fold.parent is not None else set[str]()
        return frozenset(found | {f"end {each.id}" for each in to_cancel(fold)})
    return frozenset(each.id for each in to_start(fold))


def to_start(fold: JobFold) -> tuple[Child, ...]:
    """Return the open children of a job, which whoever drives it starts; none while it is held."""
    if fold.ended is not None or fold.operator is not None or not fold.has_family:
        return ()
    return tuple(fold.open_children)


def to_cancel(fold: JobFold) -> tuple[Child, ...]:
    """Return the children that end with a job, because it was cancelled."""
    if fold.ended is not Status.CANCELLED or not fold.has_family:
        return ()
    return tuple(fold.open_children)


def needed_slots(fold: JobFold) -> frozenset[str]:
    """Return the slots that what is recorded will still be delivered to."""
    records = [record for member in fold.members.values() for record in member.records]
    emissions = [
        each
        for each in (*records, *fold.deferrals.values(), *fold.timers.values())
        if isinstance(each, ev.Emitted | ev.EmissionDeferred | ev.TimerSet)
    ]
    asked = [each for each in records if isinstance(each, ev.QuestionAsked)]
    started = [each for each in records if isinstance(each, ev.ChildStarted)]
    return frozenset(
        [each.slot for each in fold.ready]
        + [fold.members[each.activation].activation.slot for each in fold.interrupts]
        + [each.slot for each in fold.inputs]
        + [each.to for each in (*asked, *fold.questions.values())]
        + [each.then for each in started]
        + [each.then for each in fold.open_children]
        + list(fold.gathers)
        + [target.slot for each in emissions for target in each.targets]
    )


def merge_failed(failure: MergeFailure) -> ev.JobFailed:
    """Return the end that a write leads to which doesn't apply."""
    error = errors.MergeError(failure.key, failure.reducer, failure.problem)
    return ev.JobFailed(
        error=ev.Failure(type="MergeError", message=str(error)),
        activation=failure.activation,
        key=failure.key,
    )


def _operator_pause(fold: JobFold) -> ev.Event | None:
    if fold.operator is None or fold.operator_paused:
        return None
    return ev.JobPaused(reasons=(fold.operator,))


def _wave_failure(fold: JobFold) -> ev.Event:
    """Return the end that a settled wave that can't close leads to."""
    if fold.merge_failure is not None:
        return merge_failed(fold.merge_failure)
    failures = [
        (each.activation.id, each.failure.error)
        for each in fold.members.values()
        if each.failure is not None
    ]
    assert failures, "a wave that has settled either closed, failed, or did not merge"
    activation, raised = failures[0]
    failure = ev.Failure(type=raised.type, message=raised.message)
    return ev.JobFailed(error=failure, activation=activation)


def _idle(fold: JobFold) -> ev.Event | None:
    """Return what becomes of a job with nothing to run and nothing that holds it."""
    if fold.questions:
        reasons = [
            PauseReason(kind="question", text=each.text, activation=activation_of(each.id))
            for each in fold.questions.values()
        ]
        return ev.JobPaused(reasons=tuple(reasons))
    if fold.is_expecting:
        return _operator_pause(fold)
    if fold.deferrals:
        return ev.DeferralsReleased(ids=tuple(fold.deferrals))
    if fold.gathers:
        return _incomplete(fold)
    return ev.JobCompleted()


def _incomplete(fold: JobFold) -> ev.Event:
    """Return the end of a job whose slots wait for what nothing will bring."""
    slot, found = next(iter(fold.gathers.items()))
    names = found.face(slot).missing
    few = f"{found.count} payloads, only {len(found.waiting)}"
    missing = f"what {', '.join(names)} brings" if names else few
    error = errors.GatherIncomplete(fold.job_id, slot, missing)
    return ev.JobFailed(error=ev.Failure(type="GatherIncomplete", message=str(error)))
