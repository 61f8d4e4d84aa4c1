"""A context without a job behind it: what a slot does with it is seen, and recorded nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast, final

import attrs

from esflow import events as ev
from esflow.clock import Clock
from esflow.context import Context
from esflow.events import Event, Json
from esflow.flow import Flow
from esflow.merging import data_begun
from esflow.payloads import to_json
from esflow.standing import Standing
from esflow.state import Answered
from esflow.testing.faking import Effects, Fakes
from esflow.testing.manual_clock import ManualClock

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
_NO_ANSWERS: Final[Mapping[str, Answered]] = MappingProxyType({})
JOB: Final = "job-1"


@final
@attrs.frozen(eq=False)
class Notebook:
    """Keeps what a handler records at once, for as long as the test runs."""

    flows: Mapping[str, Flow]
    clock: Clock = attrs.field(factory=ManualClock)
    effects: dict[str, ev.EffectRecorded] = attrs.field(factory=lambda: {})

    def record_effect(self, effect: ev.EffectRecorded | ev.EffectAttemptFailed) -> None:
        """Keep an effect."""
        if isinstance(effect, ev.EffectRecorded):
            self.effects[effect.id] = effect

    async def record_effect_async(self, effect: ev.EffectRecorded | ev.EffectAttemptFailed) -> None:
        """Keep an effect."""
        self.record_effect(effect)

    def let_out(self) -> None:
        """Keep nobody waiting: nothing is outside."""

    async def let_out_async(self) -> None:
        """Keep nobody waiting: nothing is outside."""

    def now_ms(self) -> int:
        """Return the time of the test."""
        return self.clock.now_ms()

    def due_at_ms(self, delay_ms: int) -> int:
        """Return the moment so many milliseconds from now."""
        return self.now_ms() + delay_ms

    def wait(self, at_ms: int) -> None:
        """Return at once: nobody wants to wait for another attempt."""

    async def wait_async(self, at_ms: int) -> None:
        """Return at once: nobody wants to wait for another attempt."""

    def is_cancelled(self) -> bool:
        """Tell that nobody has cancelled anything."""
        return False

    def may_call(self, name: str) -> bool:  # noqa: ARG002 - no name changes the answer
        """Tell that effects may be called."""
        return True


def context(
    flow: Flow,
    slot: str,
    *,
    shared: Mapping[str, object] = _EMPTY,
    memory: Mapping[str, object] = _EMPTY,
    effects: Effects = None,
    attempt: int = 1,
    clock: Clock | None = None,
    others: Iterable[Flow] = (),
) -> Context:
    """Return a context for calling a slot as the function that it is.

    What the slot has asked for is seen by `asked_for`.
    Shape: ``effects`` are what effects come back with, by name or function, or in the order of the
    calls: a result, an exception or a function; without any they really run. ``others`` are flows
    that the slot may start jobs of.
    Raises: SlotNotFound; PayloadError, for data that can't be recorded.
    """
    notebook = Notebook(by_name(flow, others), clock or ManualClock())
    start = Started(flow=flow, slot=slot, shared=shared, memory=memory, attempt=attempt)
    return start.context(Fakes(effects), notebook)


def by_name(flow: Flow, others: Iterable[Flow]) -> Mapping[str, Flow]:
    """Return flows by their names."""
    return {each.name: each for each in (flow, *others)}


@final
@attrs.frozen(kw_only=True)
class Started:
    """What a handler finds when it starts."""

    flow: Flow
    slot: str
    shared: Mapping[str, object] = _EMPTY
    memory: Mapping[str, object] = _EMPTY
    attempt: int = 1
    payload: Mapping[str, Json] = _EMPTY

    def context(
        self,
        fakes: Fakes,
        notebook: Notebook,
        answered: Mapping[str, Answered] = _NO_ANSWERS,
    ) -> Context:
        """Return a context: the one place where a test makes one."""
        slot = self.flow.resolve_slot(self.slot)
        run = Standing(
            JOB,
            "1.1",
            notebook.effects,
            {},
            notebook,
            slot.is_async,
            stand_in=fakes.stand_in,
        )
        shared = {**(data_begun(self.flow) or {}), **_data(self.shared, "shared")}
        memory = _data(self.memory, "memory")
        return Context(self.flow, slot, run, answered, shared, memory, self.attempt)


def _data(given: Mapping[str, object], name: str) -> dict[str, Json]:
    return cast("dict[str, Json]", to_json(dict(given), name))


@final
@attrs.frozen(kw_only=True)
class AskedFor:
    """What a handler asked its context for, in the order of its calls.

    Shape: ``emitted``, ``deferred`` and ``later`` (what waits for a moment) are outputs with
    payloads, ``started`` flows with slots and payloads, ``logged`` messages with fields, ``paused``
    reasons; ``wrote`` are the keys of shared data that were written, as they are now,
    ``remembered`` those of the routine's memory; ``deleted`` are the keys of shared data that are
    gone. All of it, and what has no name here, stands in ``events``.
    """

    emitted: tuple[tuple[str, Mapping[str, Json]], ...]
    deferred: tuple[tuple[str, Mapping[str, Json]], ...]
    later: tuple[tuple[str, Mapping[str, Json]], ...]
    started: tuple[tuple[str, str, Mapping[str, Json]], ...]
    asked: tuple[ev.QuestionAsked, ...]
    paused: tuple[str, ...]
    wrote: Mapping[str, Json]
    deleted: tuple[str, ...]
    remembered: Mapping[str, Json]
    logged: tuple[tuple[str, Mapping[str, Json]], ...]
    events: tuple[Event, ...]


NOTHING: Final = AskedFor(
    emitted=(),
    deferred=(),
    later=(),
    started=(),
    asked=(),
    paused=(),
    wrote=_EMPTY,
    deleted=(),
    remembered=_EMPTY,
    logged=(),
    events=(),
)
"""What holds of a handler that didn't come to its end."""


def asked_for(used: Context) -> AskedFor:
    """Return what a handler has asked a context for so far.

    Raises: PayloadError, when a value of the data was read and changed in place.
    """
    events = used.records()
    shared = dict.fromkeys(each.key for each in events if isinstance(each, ev.SharedWritten))
    memory = dict.fromkeys(each.key for each in events if isinstance(each, ev.MemoryWritten))
    children = [each for each in events if isinstance(each, ev.ChildStarted)]
    logged = [each for each in events if isinstance(each, ev.Logged)]
    return AskedFor(
        emitted=_put_out(events, ev.Emitted),
        deferred=_put_out(events, ev.EmissionDeferred),
        later=_put_out(events, ev.TimerSet),
        started=tuple((each.flow, each.slot, each.payload) for each in children),
        asked=tuple(each for each in events if isinstance(each, ev.QuestionAsked)),
        paused=tuple(each.reason for each in events if isinstance(each, ev.PauseRequested)),
        wrote={key: used.shared[key] for key in shared if key in used.shared},
        deleted=tuple(key for key in shared if key not in used.shared),
        remembered={key: used.memory[key] for key in memory if key in used.memory},
        logged=tuple((each.message, each.fields) for each in logged),
        events=events,
    )


def _put_out(
    events: tuple[Event, ...], kind: type[ev.Emitted | ev.EmissionDeferred | ev.TimerSet]
) -> tuple[tuple[str, Mapping[str, Json]], ...]:
    return tuple((each.output, each.payload) for each in events if isinstance(each, kind))
