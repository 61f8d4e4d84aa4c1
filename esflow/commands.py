"""What can be wished of a job: the closed vocabulary that `decide` may refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, final

import attrs

from esflow.events import Json


@final
@attrs.frozen
class Continue:
    """Carry on after a pause: the operator's first, else the program's."""


@final
@attrs.frozen
class Answer:
    """Answer a question and carry on.

    Shape: ``to`` is the id of the question; it may be left out when one is open.
    """

    value: Json
    to: str | None = None


@final
@attrs.frozen(kw_only=True)
class StartJob:
    """Begin a job with one payload at one slot."""

    flow: str
    flow_version: str
    fingerprint: str
    slot: str
    payload: Mapping[str, Json]
    limit: int
    labels: Mapping[str, str]


@final
@attrs.frozen(kw_only=True)
class ClaimExecution:
    """Take the job over, where there is something to run.

    Shape: ``slots`` are the addresses that the claiming host's flow has.
    """

    host: str
    process: str
    flow_version: str
    fingerprint: str
    slots: frozenset[str]


@final
@attrs.frozen(kw_only=True)
class SendMessage:
    """Bring a payload to a slot from outside, once per key."""

    slot: str
    payload: Mapping[str, Json]
    key: str | None


@final
@attrs.frozen(kw_only=True)
class PauseJob:
    """Let nothing new start until somebody says `Continue`."""

    reason: str


Command: TypeAlias = Continue | Answer | StartJob | ClaimExecution | SendMessage | PauseJob

ResumeCommand: TypeAlias = Continue | Answer
"""What `Engine.resume` takes."""
