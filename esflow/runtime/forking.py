"""A fork: a new job that shares another one's history up to a version, and goes its own way.

Its stream is a copy: the same events at the same versions, by the same hosts and actors at the same
times, chained anew for its own id; `JobForked` stands behind them.
The other job is only read.

Where a fork may begin
----------------------
Behind a whole append: in between, half of what an activation or a command did would be missing.
What begins an append and what carries one on can be told by the events themselves; where it can't,
a fork begins one append earlier.
A claim changes nothing that a program can see, and so stands for an append of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from esflow.chance import drawn_name
from esflow.codec import encode, envelope, genesis
from esflow.consequences import due, needed_slots, runnable
from esflow.errors import FlowChanged, JobExists, VersionConflict
from esflow.events import (
    AnswerRecorded,
    DeferralsReleased,
    EffectRecorded,
    Event,
    JobCompleted,
    JobFailed,
    JobForked,
    JobPaused,
    JobResumed,
    Recorded,
    SharedWritten,
    TimerFired,
    WaveMerged,
    WorkDropped,
)
from esflow.fold import evolve, fold_events
from esflow.holds import is_held_before
from esflow.inputs import checked_actor, checked_id, findable_id, new_job_id
from esflow.replay import index_row, read_verified
from esflow.runtime.host import Host
from esflow.runtime.wishes import granted, resuming
from esflow.state import JobFold, Status
from esflow.trouble import note

if TYPE_CHECKING:
    from eventsourcing.persistence import StoredEvent


def fork(
    host: Host,
    job_id: str,
    version: int,
    *,
    name: str | None,
    command: object,
    live: bool,
    actor: str | None,
) -> str:
    """Record a fork, and return its id; None is no command.

    Raises: JobNotFound; JobExists; VersionConflict, for a version that isn't recorded or is within
    the first append; FlowChanged, when today's flow lacks a slot that the fork needs; and whatever
    the command is refused by; nothing is recorded then.
    """
    host.refuse_inside(job_id, "fork()")
    fork_id = new_job_id() if name is None else checked_id(name)
    last = host.head(job_id).version
    if not 1 <= version <= last:
        raise VersionConflict(job_id, version, last)
    # One more than asked for: it tells whether the append ends here.
    history = list(read_verified(host.store, findable_id(job_id), upto=version + 1))
    shared = history[: _whole(history, version)]
    if not shared:
        raise VersionConflict(job_id, version, last)
    if len(shared) < version:
        note("%s: version %d is within an append", job_id, version, job_id=job_id)
    forked = JobForked(origin=job_id, version=len(shared), live=live)
    _rehearse(host, fork_id, [*(each.event for each in shared), forked], command)
    record_fork(host, fork_id, shared, forked, actor)
    return fork_id


def _whole(history: Sequence[Recorded], version: int) -> int:
    """Return the last version up to one behind which no append is cut in two, or 0."""
    fold = JobFold(job_id="")
    found = 0
    for place, recorded in enumerate(history[:version], start=1):
        evolve(fold, recorded.event)
        following = history[place].event if place < len(history) else None
        within = fold.buffer or _is_merging(fold) or _carries_on(fold, recorded.event, following)
        if not (within or due(fold, quiet=False)):  # What is due is asked of whole appends only.
            found = place
    return found


def _is_merging(fold: JobFold) -> bool:
    """Tell whether writes and what code of the flow made of them are recorded only in part."""
    between = not fold.members or is_held_before(fold)
    return fold.waits_for_code or fold.merged is not None or (between and bool(fold.updates))


def _carries_on(fold: JobFold, event: Event, following: Event | None) -> bool:
    """Tell whether what follows an event was, or may have been, recorded together with it."""
    if isinstance(event, TimerFired) and fold.status is Status.PAUSED:
        return True  # It fired because of what resumed the job.
    match following:
        case JobPaused() | JobCompleted() | JobFailed():
            return True
        case JobResumed(command="Answer"):
            return True
        case JobResumed(command="Continue"):
            return isinstance(event, SharedWritten | WaveMerged | DeferralsReleased)
        case DeferralsReleased():
            return isinstance(event, AnswerRecorded | SharedWritten | WaveMerged)
        case AnswerRecorded():  # Of several questions whose time is over.
            return isinstance(event, AnswerRecorded)
        case EffectRecorded():  # Told, not called: the answer is its result.
            return isinstance(event, AnswerRecorded) and event.id == following.id
        case SharedWritten(activation=None):
            return isinstance(event, SharedWritten)
        case WorkDropped():
            return isinstance(event, JobResumed)
        case _:
            return False


def _rehearse(host: Host, fork_id: str, events: Sequence[Event], command: object) -> None:
    """Let a command, or a flow that has changed, be refused before anything is recorded."""
    fold = fold_events(fork_id, events)
    _pause_due(fold)
    wishes = () if command is None else resuming(fold, host.flow(fold.flow), command)
    for wish in wishes:
        for event in granted(fold, host.flow(fold.flow), wish):
            evolve(fold, event)
    if runnable(fold) and fold.flow in host.flows:
        missing = sorted(needed_slots(fold) - host.flow(fold.flow).slots.keys())
        if missing:
            raise FlowChanged(fork_id, fold.flow, tuple(missing))


def _pause_due(fold: JobFold) -> tuple[Event, ...]:
    """Take in, and return, the pause that was asked for while its source ran: nobody runs a fork.

    A host without the flow records the fork and goes; left out, it would look like one that runs.
    """
    paused = due(fold, quiet=True)
    if paused is None:
        return ()
    evolve(fold, paused)
    return (paused,)


def record_fork(
    host: Host, fork_id: str, shared: Sequence[Recorded], forked: JobForked, actor: str | None
) -> None:
    """Append a copy of what was recorded as a whole, and that it is one.

    Raises: JobExists; PayloadError, for an actor that is no text.
    """
    now_ms = host.clock.now_ms()
    begun = envelope(now_ms, host.name, checked_actor(actor), nonce=drawn_name(4))
    copied = [(each.event, _envelope(each)) for each in shared]
    fold = fold_events(fork_id, [*(event for event, _ in copied), forked])
    assert due(fold, quiet=False) is None, "a fork begins where a job was at rest"
    own = [(each, begun) for each in (forked, *_pause_due(fold))]
    head, rows = _rows(fork_id, [*copied, *own])
    row = index_row(
        fold,
        head=head,
        created_at_ms=shared[0].recorded_at_ms,
        updated_at_ms=now_ms,
    )
    try:
        host.store.append(rows, row, expected=0, keep_lease=False)
    except VersionConflict as conflict:
        there = host.loaded(fork_id, "fork()").fold.forked
        raise JobExists(fork_id, "forked_from", _place(there), _place(forked)) from conflict


def _envelope(recorded: Recorded) -> bytes:
    return envelope(recorded.recorded_at_ms, recorded.host, recorded.actor, recorded.token)


def _rows(fork_id: str, events: Sequence[tuple[Event, bytes]]) -> tuple[str, list[StoredEvent]]:
    """Return the hash of the last row, and the rows."""
    from esflow.stores.notifications import stored_event

    head, rows = genesis(fork_id), list["StoredEvent"]()
    for version, (event, around) in enumerate(events, start=1):
        topic, state, head = encode(event, around, head)
        rows.append(stored_event(fork_id, version, topic, state))
    return head, rows


def _place(forked: JobForked | None) -> str | None:
    return None if forked is None else f"{forked.origin}@{forked.version}"
