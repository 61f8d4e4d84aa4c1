"""A history without what two runs of a job may differ in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, cast

import attrs

from esflow import Recorded
from esflow import events as ev
from esflow.ids import activation_of

_CIRCUMSTANCES: Final = frozenset({"started_at_ms", "duration_us", "traceback"})


def stripped(history: Sequence[Recorded]) -> dict[str, list[object]]:
    """Return a history without circumstances, activation by activation; the rest under ''."""
    strips: dict[str, list[object]] = {}
    for recorded in history:
        event = recorded.event
        transparent = isinstance(event, ev.JobPaused | ev.JobResumed | ev.ExecutionClaimed)
        if not transparent and not _is_operators(event):
            strips.setdefault(_activation(event), []).append(_strip(event))
    return strips


def _is_operators(event: ev.Event) -> bool:
    return isinstance(event, ev.PauseRequested) and event.activation is None


def _activation(event: ev.Event) -> str:
    """Return the activation that recorded an event; '' for what is the job's own."""
    if isinstance(event, ev.JobFailed | ev.MessageReceived | ev.AnswerRecorded):
        return ""
    return activation_of(str(getattr(event, "activation", "") or getattr(event, "id", "")))


def _strip(value: object) -> object:
    if attrs.has(type(value)):
        fields = {
            each.name: _strip(getattr(value, each.name))
            for each in attrs.fields(type(cast("attrs.AttrsInstance", value)))
            if each.name not in _CIRCUMSTANCES
        }
        return (type(value).__name__, fields)
    if isinstance(value, tuple):
        return [_strip(each) for each in cast("tuple[object, ...]", value)]
    # As text, in which 1, 1.0 and True are three things, and so are both zeros.
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
