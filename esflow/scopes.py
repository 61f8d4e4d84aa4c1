"""Effects as a handler makes them: numbered, looked up, called, recorded, and told again.

A scope belongs to one thread and numbers the effects that are made in it, in the order of their
calls; what is not called from there would get a number by chance, and is refused.
All scopes of one run of a handler share whether that run may still act.
A run that has lost its job, or met a history of other code, says so at every further call, so
that no ``except`` in a handler can hide it.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import get_ident
from typing import Protocol, TypeVar, cast, final

import attrs

from esflow import effects, errors
from esflow.asking import Asked, asking_for_result
from esflow.effects import Call, call_of
from esflow.events import EffectCall, EffectRecorded
from esflow.failpoints import reach
from esflow.ids import item_id
from esflow.payloads import return_annotation
from esflow.usercode import SetAside

Result = TypeVar("Result")


class Recorder(Protocol):
    """What records an effect before the handler goes on."""

    def record_effect(self, effect: EffectRecorded) -> None:
        """Append the effect to the job's stream.

        Raises: Fenced, StoreError.
        """
        ...

    def now_ms(self) -> int:
        """Return the host's time, in milliseconds since 1970."""
        ...

    def is_cancelled(self) -> bool:
        """Tell whether somebody has ended the job."""
        ...

    def may_call(self, name: str) -> bool:
        """Tell whether an effect that is not recorded may be called."""
        ...


@final
@attrs.define(eq=False, kw_only=True)
class Standing:
    """One run of a handler: what is recorded of it, and whether it may still act."""

    job_id: str
    activation: str
    recorded: Mapping[str, EffectRecorded]
    recorder: Recorder
    aside: Asked | None = None  # What set the run aside.
    lost: errors.EsflowError | None = None  # Why it may not settle.
    closed: bool = False
    used: set[str] = attrs.field(factory=set[str], init=False)  # Effects that were asked for.
    calling: dict[int, str] = attrs.field(factory=dict[int, str], init=False)  # By thread.

    def use(self, call: str, owner: int) -> None:
        """Refuse what would be recorded nowhere, or in an order that is chance.

        Raises: ContextClosed, ConcurrentEffects, ReentrantCall, SetAside, and what the run is lost
        for.
        """
        if self.closed:
            raise errors.ContextClosed(self.activation, call)
        if self.lost is not None:
            raise self.lost
        if self.aside is not None:
            raise SetAside
        place = get_ident()
        if place in self.calling:
            raise errors.ReentrantCall(self.job_id, call)
        if place != owner:
            raise errors.ConcurrentEffects(self.activation, call)

    def key_of(self, effect_id: str) -> str:
        """Return the key of an effect, the same at every execution."""
        recorded = self.recorded.get(effect_id)
        return f"{self.job_id}/{effect_id}" if recorded is None else recorded.key

    @contextmanager
    def recording(self, name: str) -> Generator[None]:
        """Let the run be lost if an effect is not recorded, whatever keeps it from being so."""
        lost: errors.EsflowError | None = errors.ContextClosed(self.activation, f"effect({name})")
        try:
            yield
            lost = None
        except errors.EsflowError as refusal:
            lost = refusal
            raise
        finally:  # A signal, too, may have come in between.
            self.lost = self.lost or lost

    def moment(self) -> datetime:
        """Return the host's time."""
        return datetime.fromtimestamp(self.recorder.now_ms() / 1000, tz=UTC)


@final
@attrs.define(eq=False)
class Scope:
    """The effects of one thread, in the order of their calls."""

    _run: Standing
    _within: str  # What begins the ids of its effects.
    _owner: int = attrs.field(factory=get_ident, init=False)
    _count: int = attrs.field(default=0, init=False)

    def use(self, call: str) -> None:
        """Refuse a call that this thread may not make, or not any more."""
        self._run.use(call, self._owner)

    def effect(self, function: Callable[..., Result], /, *args: object, **kwargs: object) -> Result:
        """Call the outside world once, and return the recorded result at every re-execution.

        Shape: the result has been through the codec, back to the function's return annotation.
        Raises: EffectError, when the function raised; PayloadError, when its result can't be
        recorded; NondeterminismError, when another call is recorded at this place.
        """
        return cast("Result", self._effect(call_of(function, args, kwargs)))

    def now(self) -> datetime:
        """Return the time, in UTC, recorded as an effect."""
        return cast("datetime", self._effect(call_of(self._run.moment, (), {}, "esflow.now")))

    def uuid(self) -> uuid.UUID:
        """Return a random UUID, recorded as an effect."""
        return cast("uuid.UUID", self._effect(call_of(_uuid, (), {}, "esflow.uuid")))

    def random(self) -> float:
        """Return a number from 0 up to 1, recorded as an effect."""
        return cast("float", self._effect(call_of(_random, (), {}, "esflow.random")))

    @property
    def idempotency_key(self) -> str:
        """The key of the next effect (or of the running one), the same at every re-execution."""
        running = self._run.calling.get(get_ident())
        return self._run.key_of(running or item_id(self._within, "e", self._count))

    def _effect(self, call: Call) -> object:
        self.use(f"effect({call.name})")
        effect_id = item_id(self._within, "e", self._count)
        recorded, cause = self._recorded(call, effect_id), None
        self._run.used.add(effect_id)
        self._count += 1
        if recorded is None:
            recorded, cause = self._made(call, effect_id)
        return effects.result_of(recorded, call, cause)

    def _recorded(self, call: Call, effect_id: str) -> EffectRecorded | None:
        """Return what is recorded of a call, None where it has to be made."""
        recorded = self._run.recorded.get(effect_id)
        if recorded is None:
            self._refuse_call(call, effect_id)
        elif (difference := effects.difference(self._run.activation, recorded, call)) is not None:
            self._run.lost = difference
            raise difference
        return recorded

    def _refuse_call(self, call: Call, effect_id: str) -> None:
        """Set the handler aside at a call that may not be made, until somebody tells its result."""
        if self._run.recorder.may_call(call.name):
            return
        key = self._run.key_of(effect_id)
        asked_for = EffectCall(function=call.name, digest=call.digest, key=key)
        returns = return_annotation(call.function)
        self._run.aside = asking_for_result(effect_id, asked_for, effects.shown(call), returns)
        raise SetAside

    def _made(self, call: Call, effect_id: str) -> tuple[EffectRecorded, Exception | None]:
        """Make a call and record what became of it, before anybody uses it."""
        self._run.calling[self._owner] = effect_id
        try:
            effect, error = effects.make(call, effect_id, self._run.key_of(effect_id))
        finally:
            del self._run.calling[self._owner]
        with self._run.recording(call.name):
            self._run.recorder.record_effect(effect)
        reach("effect.recorded")
        return effect, error


def _uuid() -> uuid.UUID:
    return uuid.uuid4()  # Which has no annotation to read the recorded text by.


def _random() -> float:
    return random.random()  # noqa: S311 - chance for programs, not for secrets
