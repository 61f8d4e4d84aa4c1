"""How a wave opens, comes to rest and closes, as the events of its activations tell it.

How a wave goes
---------------
A wave opens with its activations, and all of them see the shared data of that moment.
Each settles in an append of its own; what it recorded is kept aside until the last one settles.
Then the wave closes: writes and log lines are merged in activation order, emissions followed in
activation order become the next wave, and it opens at once, unless the program asked for a pause.
Kept work, released deferrals and outside inputs stand in this order in the wave that opens.
A wave with a failure in it, or with a write that doesn't apply, stays open; nothing of it holds.
So does a wave with an activation that is set aside, until its interrupt is answered and it runs
again; one with an activation that failed and will be tried again; one that opened with a
breakpoint, of which nothing runs until somebody continues; and one whose writes need code of the
flow to be merged, until it is recorded what came of that.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

import attrs

from esflow import events as ev
from esflow.events import Gather, Json, PauseReason, SharedWritten
from esflow.holds import ASKED, before_wave, breakpoint_at, within_wave
from esflow.ids import activation_id, activation_of, order
from esflow.merge import is_finished, needs_code, put, put_all, rehearse, writes_of
from esflow.state import (
    Activation,
    Child,
    Collection,
    Delivery,
    Gathered,
    JobFold,
    Member,
    Output,
)
from esflow.values import unlocked

Emission: TypeAlias = ev.Emitted | ev.EmissionDeferred | ev.TimerSet


_NOTHING: Final[Mapping[str, Json]] = {}
_new: Final = object.__new__


# Coming to rest, closing.


def come_to_rest(fold: JobFold) -> None:
    """Close the wave when nothing of it goes any more, or say what it stands still for.

    To close is to merge what it recorded and to line up what follows from it.
    """
    if fold.going:
        return
    asks, is_written = False, bool(fold.updates)
    for each in fold.members.values():
        if each.failure is not None or each.again_at_ms is not None:
            return
        if each.interrupt is not None:
            asks = True
        for record in each.records:
            if type(record) is SharedWritten:
                is_written = True
    fold.halt = within_wave(fold) if asks else ()
    if fold.halt:
        return
    fold.merge_failure = None
    if is_written:
        _merge(fold, writes_of(fold))
    else:
        finish(fold, (), _NOTHING)


def _merge(fold: JobFold, writes: Sequence[SharedWritten]) -> None:
    """Close the wave if its writes apply, and if no code of the flow has to say so."""
    fold.merging = needs_code(fold, writes)
    if fold.merging:  # Which finds what doesn't apply.
        return
    fold.merge_failure = rehearse(fold.shared, writes)
    if fold.merge_failure is None:
        finish(fold, writes, _NOTHING)


def finish(fold: JobFold, writes: Sequence[SharedWritten], merged: Mapping[str, Json]) -> None:
    """Close the wave whose writes apply."""
    members, fold.members, fold.merging = fold.members, {}, False
    if writes:
        _write(fold, writes, merged)
    held: list[PauseReason] = []
    after = fold.after
    for member in members.values():
        for record in member.records:
            kind = type(record)
            _TAKE[kind](fold, record)
            if kind in ASKED:
                held.append(ASKED[kind](record))
        if after and member.activation.slot in after:
            held.append(breakpoint_at(member.activation, "after"))
    fold.program = tuple(held)
    if not fold.program:
        open_wave(fold)


def drop(fold: JobFold, dropped: ev.WorkDropped) -> None:
    """Let what is finished hold, but lead nowhere; begin a wave of one slot alone."""
    writes = writes_of(fold)
    members, fold.members, fold.merging = fold.members, {}, False
    _write(fold, writes, fold.merged or {})
    fold.merged = None
    for member in members.values():
        for record in member.records:
            if is_finished(record):
                _TAKE[type(record)](fold, record)
    fold.kept, fold.deferrals, fold.questions, fold.gathers = [], {}, {}, {}
    fold.program, fold.program_paused = (), False
    fold.halt, fold.halt_paused, fold.going, fold.delayed = (), False, 0, 0
    if fold.activations_count >= fold.limit:
        fold.over_limit = True
        return
    keep(fold, Delivery(cause="", slot=dropped.slot, payload=dropped.payload))
    _begin(fold)


def take_updates(fold: JobFold, merged: Mapping[str, Json]) -> None:
    """Let what somebody outside wrote between two waves hold."""
    _write(fold, fold.updates, merged)


def _write(fold: JobFold, writes: Sequence[SharedWritten], merged: Mapping[str, Json]) -> None:
    put_all(fold.shared, writes, merged)
    fold.updates, fold.replaced = [], []


def _defer(fold: JobFold, event: ev.EmissionDeferred) -> None:
    fold.deferrals[event.id] = event


def _set_timer(fold: JobFold, event: ev.TimerSet) -> None:
    fold.timers[event.id] = event


def _remember(fold: JobFold, event: ev.MemoryWritten) -> None:
    put(fold.memory.setdefault(event.routine, {}), event)


def _log(fold: JobFold, event: ev.Logged) -> None:
    fold.log.append(event)


def _ask(fold: JobFold, event: ev.QuestionAsked) -> None:
    fold.questions[event.id] = event


def _start_child(fold: JobFold, event: ev.ChildStarted) -> None:
    fold.children[event.id] = own_child(fold, _child(event))


def _leave(_fold: JobFold, _event: SharedWritten | ev.PauseRequested) -> None:
    """Do nothing: writes hold already, and a pause holds the job, not what was made."""


def own_child(fold: JobFold, child: Child) -> Child:
    """Return a child as this job's own: in a live fork, not as that of its origin."""
    if fold.forked is None or not fold.forked.live:
        return child
    return attrs.evolve(child, job_id=f"{fold.job_id}/{child.id}")


def _child(event: ev.ChildStarted) -> Child:
    return Child(
        id=event.id,
        job_id=event.job_id,
        flow=event.flow,
        slot=event.slot,
        payload=event.payload,
        then=event.then,
        gather=event.gather,
    )


def follow(fold: JobFold, emission: Emission) -> None:
    """Keep an emission's deliveries for the next wave, or put it out."""
    if not emission.targets:
        put_out(fold, emission)
        return
    for target in emission.targets:
        if target.gather is None:
            payload = _renamed(emission, target.rename) if target.rename else emission.payload
            _keep(fold, target.slot, payload, emission.id)
        else:
            keep(fold, _delivery(emission, target))


def put_out(fold: JobFold, emission: Emission) -> None:
    """Let the job put out what is connected to nothing."""
    output = Output(
        id=emission.id,
        output=emission.output,
        payload=emission.payload,
        activation=activation_of(emission.id),
    )
    if isinstance(emission, ev.Emitted):
        fold.outputs.append(output)
    else:  # What was held back is older than what was put out since.
        bisect.insort(fold.outputs, output, key=lambda each: order(each.id))


def deliveries(emission: Emission) -> list[Delivery]:
    """Return where an emission goes, in the order of the connections."""
    return [_delivery(emission, target) for target in emission.targets]


def _delivery(emission: Emission, target: ev.Target) -> Delivery:
    payload = _renamed(emission, target.rename) if target.rename else emission.payload
    return Delivery(cause=emission.id, slot=target.slot, payload=payload, gather=target.gather)


def _renamed(emission: Emission, rename: Mapping[str, str]) -> Mapping[str, Json]:
    """Return what arrives of an emission, under the names that its slot knows."""
    payload = emission.payload
    rest = {key: value for key, value in payload.items() if key not in rename}
    return rest | {rename[key]: value for key, value in payload.items() if key in rename}


# Lining up and opening.


def keep(fold: JobFold, delivery: Delivery) -> None:
    """Number a delivery as the next activation of the wave to come, or collect its payload."""
    if delivery.gather is None:
        _keep(fold, delivery.slot, delivery.payload, delivery.cause)
    else:
        _collect(fold, delivery, delivery.gather)


def _keep(fold: JobFold, slot: str, payload: Mapping[str, Json], cause: str) -> None:
    kept = fold.kept
    made: Any = _new(_open_activation())  # Filled here: a constructor takes as long again.
    made.id = activation_id(fold.wave + 1, len(kept) + 1)
    made.slot = slot
    made.payload = payload
    made.cause = cause
    made.__class__ = Activation
    kept.append(made)


@cache
def _open_activation() -> type[Activation]:
    """Return what activations are filled as; it is made at first need, and no import waits."""
    return unlocked(Activation)


def _collect(fold: JobFold, delivery: Delivery, gather: Gather) -> None:
    """Collect a payload; the one that makes the collection whole stands for the activation."""
    found = fold.gathers.setdefault(delivery.slot, Collection())
    found.count, found.among = gather.count, gather.among
    found.waiting.append(
        Gathered(cause=delivery.cause, payload=delivery.payload, connection=gather.connection)
    )
    places = _whole(found)
    if not places:
        return
    items = [found.waiting[place].payload for place in places]
    found.waiting = [each for place, each in enumerate(found.waiting) if place not in places]
    if not found.waiting:
        del fold.gathers[delivery.slot]
    keep(fold, attrs.evolve(delivery, payload={"items": items}, gather=None))


def _whole(found: Collection) -> dict[int, None]:
    """Return the places of what a slot is activated with, in order, if it has all of it."""
    if not found.among:
        enough = len(found.waiting) >= found.count
        return dict.fromkeys(range(found.count)) if enough else {}
    if len(found.waiting) < len(found.among):
        return {}
    first: dict[str, int] = {}
    for place, each in enumerate(found.waiting):
        first.setdefault(each.connection, place)
    if any(name not in first for name in found.among):
        return {}
    return {first[name]: None for name in found.among}


def open_wave(fold: JobFold) -> None:
    """Open the next wave with kept work and what came from outside, where there is any."""
    kept, gathers = len(fold.kept), fold.gathers
    if fold.inputs:
        fold.gathers = {slot: found.copy() for slot, found in gathers.items()}
        for delivery in fold.inputs:
            keep(fold, delivery)
    if fold.activations_count + len(fold.kept) > fold.limit:
        fold.over_limit, fold.gathers = True, gathers
        del fold.kept[kept:]
        return
    if fold.inputs:
        fold.inputs = []
        fold.messages = {}
    if fold.kept:
        _begin(fold)


def _begin(fold: JobFold) -> None:
    """Make a wave of what is kept."""
    members: dict[str, Member] = {}
    for each in fold.kept:
        members[each.id] = Member(each)
    fold.members, fold.kept = members, []
    fold.wave += 1
    fold.going = len(members)
    fold.activations_count += len(members)
    fold.halt = before_wave(fold) if fold.before else ()


def take_in(fold: JobFold, delivery: Delivery) -> None:
    """Line up what came from outside; it ends the idleness of a job that has nothing to do."""
    fold.inputs.append(delivery)
    end_idleness(fold)


def end_idleness(fold: JobFold) -> None:
    """Open a wave with what came from outside, where nothing is open and nothing holds the job."""
    if not (fold.members or fold.program or fold.over_limit):
        open_wave(fold)


_TAKE: Final[Mapping[type[Any], Callable[[JobFold, Any], None]]] = {
    ev.Emitted: follow,
    ev.EmissionDeferred: _defer,
    ev.TimerSet: _set_timer,
    SharedWritten: _leave,
    ev.MemoryWritten: _remember,
    ev.Logged: _log,
    ev.PauseRequested: _leave,
    ev.QuestionAsked: _ask,
    ev.ChildStarted: _start_child,
}
"""How each record of an activation comes to hold when its wave closes."""
