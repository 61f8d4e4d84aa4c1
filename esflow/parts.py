"""What several events hold: where emissions go, what went wrong, why a job stands still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, final

import attrs

from esflow.values import by_value, late

Json: TypeAlias = Any
"""A JSON value as plain data: None, bool, int, float, str, list or dict with string keys."""


@final
@late(kw_only=True)
@by_value
class Gather:
    """How a slot collects payloads before it is activated once with all of them.

    Shape: ``count`` payloads from wherever they come; or, with ``among``, one from each of these
    connections (``routine.output``, in order), of which this payload came by ``connection``.
    """

    count: int
    among: tuple[str, ...] = ()
    connection: str = ""


@final
@attrs.frozen(kw_only=True)
@by_value
class Target:
    """Where an emission goes, resolved when it was recorded, so that folding needs no flow."""

    slot: str
    rename: Mapping[str, str] | None = None  # Payload key -> slot parameter.
    gather: Gather | None = None


@final
@late(kw_only=True)
@by_value
class Failure:
    """What went wrong in user code, as text."""

    type: str
    message: str
    traceback: str = ""
    path: str | None = None  # Where in a value, when the value was refused.


@final
@late(kw_only=True)
@by_value
class PauseReason:
    """Why a job stands still, and who wants it to.

    Shape: ``kind`` is ``program``, ``question``, ``interrupt``, ``breakpoint`` or ``operator``.
    """

    kind: str
    text: str
    activation: str | None = None


@final
@late(kw_only=True)
@by_value
class EffectCall:
    """A call to the outside world that was not made."""

    function: str
    digest: str  # Of the arguments.
    key: str


@final
@late(kw_only=True)
@by_value
class Parent:
    """Who started a child job, and the id that the child has there."""

    job_id: str
    child: str
