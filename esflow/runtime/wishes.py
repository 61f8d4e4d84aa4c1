"""What callers ask for, as commands whose values fit the flow that they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import final

import attrs

from esflow.commands import (
    Answer,
    Command,
    Continue,
    Goto,
    SendMessage,
    StartJob,
    Update,
    UpdateShared,
)
from esflow.decider import asked_for, decide
from esflow.errors import NotPaused, PayloadError
from esflow.events import Event, JobResumed, QuestionAsked, SharedWritten
from esflow.flow import Flow
from esflow.gathering import gather_from_outside, refuse_misfit
from esflow.holds import is_held_before
from esflow.inputs import checked_labels, checked_payload, checked_text
from esflow.merge import writes_of
from esflow.merging import data_begun, merged_by_code, refuse_failing
from esflow.payloads import bind, to_json
from esflow.shared_type import refuse_untyped
from esflow.state import JobFold
from esflow.values import by_value


@final
@attrs.frozen(slots=False)
@by_value
class Breakpoints:
    """Where a caller wants a job to stop; None leaves it as it was."""

    before: tuple[str, ...] | None
    after: tuple[str, ...] | None

    def put_into(self, fold: JobFold, wish: Command, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events that grant a wish; from a resumption on, these breakpoints hold.

        Raises: NotPaused, where nothing is resumed, and the wish isn't one that another follows.
        """
        if (self.before is None and self.after is None) or isinstance(wish, UpdateShared):
            return events
        if not any(isinstance(each, JobResumed) for each in events):
            raise NotPaused(fold.job_id, fold.status, fold.host)
        return [
            attrs.evolve(each, before=self.before, after=self.after)
            if isinstance(each, JobResumed)
            else each
            for each in events
        ]


def breakpoints(
    flow: Flow, before: Iterable[str] | None, after: Iterable[str] | None
) -> Breakpoints:
    """Return breakpoints at the addresses of slots.

    Raises: SlotNotFound; PayloadError, for one text in the place of several.
    """
    return Breakpoints(_slots(flow, before, "before"), _slots(flow, after, "after"))


def _slots(flow: Flow, names: Iterable[str] | None, path: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str):
        raise PayloadError(path, f"{names!r:.200} is one text; give a list of slots")
    return tuple(dict.fromkeys(flow.resolve_slot(each).address for each in names))


def start_job(
    flow: Flow,
    slot: str,
    payload: Mapping[str, object],
    labels: Mapping[str, str],
    stops: Breakpoints,
) -> StartJob:
    """Return the wish to begin a job.

    Raises: SlotNotFound; PayloadError, also for a class of shared data that makes none.
    """
    target = flow.resolve_slot(slot)
    data = checked_payload(payload, "payload")
    bind(target.signature, target.address, data)
    return StartJob(
        flow=flow.name,
        flow_version=flow.version,
        fingerprint=flow.fingerprint,
        slot=target.address,
        payload=data,
        limit=flow.max_activations,
        labels=checked_labels(labels),
        before=stops.before or (),
        after=stops.after or (),
        defaults=data_begun(flow),
    )


def send_message(
    flow: Flow, slot: str, payload: Mapping[str, object], key: str | None
) -> SendMessage:
    """Return the wish to bring a payload to a slot.

    Raises: SlotNotFound, PayloadError.
    """
    target = flow.resolve_slot(slot)
    data = checked_payload(payload, "payload")
    gather = gather_from_outside(target, "a message")
    refuse_misfit(target, data)
    label = None if key is None else checked_text(key, "key")
    return SendMessage(slot=target.address, payload=data, key=label, gather=gather)


def update_shared(flow: Flow, values: Mapping[str, object]) -> UpdateShared:
    """Return the wish to write to the shared data, each key by its declared reducer.

    Raises: PayloadError.
    """
    data = checked_payload(values, "values")
    reducers = flow.reducers
    for key, value in data.items():
        refuse_untyped(flow.data, key, reducers.get(key, "set"), value)
    return UpdateShared(
        writes=tuple((key, reducers.get(key, "set"), value) for key, value in data.items())
    )


def granted(fold: JobFold, flow: Flow, wish: Command) -> Sequence[Event]:
    """Return the events that grant a wish, with what code of the flow makes of the data by it.

    Raises: what `decide` refuses by; MergeError; FlowNotFound, where that code is elsewhere.
    """
    events = decide(fold, wish)
    updates = [each for each in events if isinstance(each, SharedWritten)]
    if isinstance(wish, Goto):
        return (*merged_by_code(flow, fold, writes_of(fold)), *events)
    if not updates:
        return events
    if fold.members and not is_held_before(fold):
        refuse_failing(flow, fold, updates)  # What comes of them is recorded when it closes.
        return events
    return (*events, *merged_by_code(flow, fold, updates))


def resuming(fold: JobFold, flow: Flow, command: object) -> tuple[Command, ...]:
    """Return what a resume command amounts to, one decision after the other.

    Raises: SlotNotFound, AnswerRefused, InterruptNotFound, JobClosed, PayloadError.
    """
    match command:
        case Continue():
            return (command,)
        case Answer():
            return (_addressed(fold, flow, command),)
        case Update():
            return (update_shared(flow, command.values), Continue())
        case Goto():
            return (_led_to(flow, command),)
        case _:
            problem = (
                f"{command!r:.200} is no command; give Continue(), Answer(value), "
                "Update(values) or Goto(slot, payload)"
            )
            raise PayloadError("command", problem)


def _addressed(fold: JobFold, flow: Flow, command: Answer) -> Answer:
    """Return an answer that names its question, with a value that the question's slot takes."""
    value = to_json(command.value, "answer")
    to = None if command.to is None else str(command.to)
    asked = asked_for(fold, Answer(value, to))
    # Where the flow lacks the slot of a question, the claim says so.
    if isinstance(asked, QuestionAsked) and asked.to in flow.slots:
        refuse_misfit(flow.slots[asked.to], {"answer": value})
    return Answer(value, asked.id)


def _led_to(flow: Flow, command: Goto) -> Goto:
    """Return a command whose slot is an address, with a payload that the slot takes."""
    target = flow.resolve_slot(command.slot)
    data = checked_payload(command.payload, "payload")
    bind(target.signature, target.address, data)
    return Goto(target.address, data)
