"""A history without what two runs of a job may differ in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final, cast

import attrs

from esflow import Recorded
from esflow import events as ev
from esflow.ids import activation_of

_CIRCUMSTANCES: Final = frozenset(
    {"started_at_ms", "duration_us", "due_at_ms", "again_at_ms", "traceback"}
)


def stripped(history: Sequence[Recorded]) -> dict[str, list[object]]:
    """Return a history without circumstances, activation by activation; the rest under ''."""
    strips: dict[str, list[object]] = {}
    for event in _apart(history):
        transparent = isinstance(event, ev.JobPaused | ev.JobResumed | ev.ExecutionClaimed)
        if not transparent and not _is_operators(event):
            strips.setdefault(_activation(event), []).append(_strip(event))
    return strips


def _apart(history: Sequence[Recorded]) -> Iterator[ev.Event]:
    """Yield events; each attempt that is due again by itself, as neighbours are in any order."""
    for event in [recorded.event for recorded in history]:
        if not isinstance(event, ev.TimerFired):
            yield event
            continue
        timers = tuple(each for each in event.ids if "/" in each)
        for each in event.ids:
            if each not in timers:
                yield ev.TimerFired(ids=(each,))
        if timers:
            yield ev.TimerFired(ids=timers)


def _is_operators(event: ev.Event) -> bool:
    return isinstance(event, ev.PauseRequested) and event.activation is None


def _activation(event: ev.Event) -> str:
    """Return the activation that recorded an event; '' for what is the job's own."""
    if isinstance(event, ev.JobFailed | ev.MessageReceived | ev.AnswerRecorded | ev.ChildFinished):
        return ""
    if isinstance(event, ev.TimerFired):
        return "" if "/" in event.ids[0] else event.ids[0]
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
