"""What callers ask for, as commands whose values fit the flow that they are for."""

from __future__ import annotations

from collections.abc import Mapping

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
from esflow.decider import open_question
from esflow.errors import PayloadError
from esflow.flow import Flow
from esflow.inputs import checked_labels, checked_payload, checked_text
from esflow.payloads import bind, to_json
from esflow.state import JobFold


def start_job(
    flow: Flow, slot: str, payload: Mapping[str, object], labels: Mapping[str, str]
) -> StartJob:
    """Return the wish to begin a job.

    Raises: SlotNotFound, PayloadError.
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
    )


def send_message(
    flow: Flow, slot: str, payload: Mapping[str, object], key: str | None
) -> SendMessage:
    """Return the wish to bring a payload to a slot.

    Raises: SlotNotFound, PayloadError.
    """
    target = flow.resolve_slot(slot)
    data = checked_payload(payload, "payload")
    bind(target.signature, target.address, data)
    label = None if key is None else checked_text(key, "key")
    return SendMessage(slot=target.address, payload=data, key=label)


def update_shared(flow: Flow, values: Mapping[str, object]) -> UpdateShared:
    """Return the wish to write to the shared data, each key by its declared reducer.

    Raises: PayloadError.
    """
    data = checked_payload(values, "values")
    reducers = flow.reducers
    return UpdateShared(
        writes=tuple((key, reducers.get(key, "set"), value) for key, value in data.items())
    )


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
    question = open_question(fold, Answer(value, to))
    if question.to in flow.slots:  # Where it is not, the claim says what the flow lacks.
        slot = flow.slots[question.to]
        bind(slot.signature, slot.address, {"answer": value})
    return Answer(value, question.id)


def _led_to(flow: Flow, command: Goto) -> Goto:
    """Return a command whose slot is an address, with a payload that the slot takes."""
    target = flow.resolve_slot(command.slot)
    data = checked_payload(command.payload, "payload")
    bind(target.signature, target.address, data)
    return Goto(target.address, data)
