"""What callers ask for, as commands whose values fit the flow that they are for."""

from __future__ import annotations

from collections.abc import Mapping

from esflow.commands import Answer, Continue, ResumeCommand, SendMessage, StartJob
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


def addressed(fold: JobFold, flow: Flow, command: object) -> ResumeCommand:
    """Return a command that names the question it answers, with a value that its slot takes.

    Raises: AnswerRefused, InterruptNotFound, JobClosed, PayloadError.
    """
    if isinstance(command, Continue):
        return command
    if not isinstance(command, Answer):
        problem = f"{command!r} is no command; resume with Continue() or Answer(value)"
        raise PayloadError("command", problem)
    value = to_json(command.value, "answer")
    to = None if command.to is None else str(command.to)
    question = open_question(fold, Answer(value, to))
    if question.to in flow.slots:  # Where it is not, the claim says what the flow lacks.
        slot = flow.slots[question.to]
        bind(slot.signature, slot.address, {"answer": value})
    return Answer(value, question.id)
