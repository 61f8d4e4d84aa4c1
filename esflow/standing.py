"""One run of a handler: what is recorded of it, what it is doing, and whether it may still act.

All of a run's scopes share it, whichever threads or tasks they belong to.
A run that has lost its job, or met a history of other code, says so at every further call, so
that no ``except`` in a handler can hide it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, final
from uuid import UUID

import attrs

from esflow import errors
from esflow.asking import Asked
from esflow.chance import drawn_number, drawn_uuid
from esflow.clock import Clock
from esflow.effects import Call
from esflow.events import EffectAttemptFailed, EffectRecorded
from esflow.flow import Flow
from esflow.ids import order
from esflow.moments import moment_of
from esflow.policies import seconds_of
from esflow.usercode import SetAside

if TYPE_CHECKING:
    from asyncio import Task


StandIn: TypeAlias = Callable[[Call], Callable[..., Any]]
"""Returns what makes a call in place of its function, which is async if that is."""


class Recorder(Protocol):
    """What records an effect before the handler goes on, and has it wait for another attempt."""

    @property
    def clock(self) -> Clock:
        """The host's clock."""
        ...

    def record_effect(self, effect: EffectRecorded | EffectAttemptFailed) -> None:
        """Append the effect, or an attempt of it, to the job's stream.

        Raises: Fenced, StoreError.
        """
        ...

    async def record_effect_async(self, effect: EffectRecorded | EffectAttemptFailed) -> None:
        """Append the effect without holding up other tasks.

        Who is cancelled meanwhile is told so after it has been recorded, and not if it wasn't.
        Raises: Fenced, StoreError.
        """
        ...

    def let_out(self) -> None:
        """Let all that led to a call of the outside be recorded.

        Raises: JobClosed, Fenced, StoreError.
        """
        ...

    async def let_out_async(self) -> None:
        """Do so without holding up other tasks."""
        ...

    def now_ms(self) -> int:
        """Return the host's time, in milliseconds since 1970."""
        ...

    @property
    def flows(self) -> Mapping[str, Flow]:
        """The flows of this host, by name."""
        ...

    def due_at_ms(self, delay_ms: int) -> int:
        """Return the moment so many milliseconds from now, and from the job's last event."""
        ...

    def wait(self, at_ms: int) -> None:
        """Return at a moment.

        Raises: JobClosed, ContextClosed, StoreError, as soon as it isn't worth waiting any longer.
        """
        ...

    async def wait_async(self, at_ms: int) -> None:
        """Return at a moment, without holding up other tasks.

        Raises: as `wait` does.
        """
        ...

    def is_cancelled(self) -> bool:
        """Tell whether somebody has ended the job."""
        ...

    def may_call(self, name: str) -> bool:
        """Tell whether an effect that is not recorded may be called."""
        ...


@final
class Calls:
    """What a run has asked the outside for: its effects by id, its branches by name."""

    def __init__(self) -> None:
        self.used: dict[str, None] = {}
        self.branches: dict[str, object] = {}
        self.told: list[tuple[Exception, str]] = []  # By which errors, of which effects.
        self.called: dict[str, Coroutine[Any, Any, object]] = {}
        self.awaiting: dict[str, Task[Any]] = {}


@final
class Standing:
    """One run of a handler: what is recorded of it, and whether it may still act."""

    def __init__(  # noqa: PLR0917 - every step makes one, and by keyword it takes a third longer
        self,
        job_id: str,
        activation: str,
        recorded: Mapping[str, EffectRecorded],
        attempts: Mapping[str, EffectAttemptFailed],
        recorder: Recorder,
        is_async: bool,
        stand_in: StandIn | None = None,
    ) -> None:
        self.job_id = job_id
        self.activation = activation
        # Copies: what is recorded from now on, the run knows by itself.
        self.recorded = dict(recorded) if recorded else {}
        self.attempts = dict(attempts) if attempts else {}  # Of effects: the last that failed.
        self.recorder = recorder
        self.stand_in = stand_in  # What makes calls in place of their functions.
        self.is_async = is_async
        self.here: Callable[[], object] = _task_or_thread if is_async else get_ident
        self.owner = self.here()  # The thread or task of the handler.
        self.aside: Asked | None = None  # What set the run aside.
        self.lost: errors.EsflowError | None = None  # Why it may not settle.
        self.closed = False
        self.calling_at: dict[object, str] = {}  # The effects that are called now, by place.
        self._calls: Calls | None = None

    @property
    def calls(self) -> Calls:
        """What it has asked the outside for; made for a run that asks: most don't."""
        if self._calls is None:
            self._calls = Calls()
        return self._calls

    def after_ms(self, delay: object, path: str) -> int:
        """Return the moment that a delay from now on leads to.

        Raises: PayloadError, for no delay.
        """
        delay_ms = math.ceil(seconds_of(delay, path) * 1000)
        return self.recorder.due_at_ms(delay_ms)

    def refuse_ended(self, call: str) -> None:
        """Refuse what would be recorded nowhere.

        Raises: ContextClosed, ReentrantCall, SetAside, and what the run is lost for.
        """
        if self.closed:
            raise errors.ContextClosed(self.activation, call)
        if self.lost is not None:
            raise self.lost
        if self.aside is not None:
            raise SetAside
        if self.calling_at and self.here() in self.calling_at:
            raise errors.ReentrantCall(self.job_id, call)

    def use(self, call: str, *given: object) -> None:
        """Refuse what would be recorded nowhere, or in an order that is chance.

        Shape: ``call`` is how it is called in an error, as `str.format` fills it.
        Raises: ContextClosed, ConcurrentEffects, ReentrantCall, SetAside, and what the run is lost
        for.
        """
        if (
            self.closed
            or self.lost is not None
            or self.aside is not None
            or self.calling_at
            or self.here() != self.owner
        ):
            self.refuse_ended(call.format(*given))
            self.refuse_elsewhere(self.owner, call.format(*given))

    def refuse_elsewhere(self, owner: object, call: str) -> None:
        """Refuse what another thread or task than the owner asks for.

        Raises: ConcurrentEffects.
        """
        if self.here() != owner:
            raise errors.ConcurrentEffects(self.activation, call)

    def calling(self, effect_id: str) -> AbstractContextManager[None]:
        """Let nothing of the context be used by an effect that is called here."""
        return _Calling(self.calling_at, self.here(), effect_id)

    @property
    def running(self) -> str | None:
        """The effect that is called here, if one is."""
        return self.calling_at.get(self.here()) if self.calling_at else None

    def recording(self, name: str) -> AbstractContextManager[None]:
        """Let the run be lost if an effect is not recorded, whatever keeps it from being so."""
        return _Recording(self, name)

    def key_of(self, effect_id: str) -> str:
        """Return the key of an effect, the same at every execution."""
        recorded = self.recorded.get(effect_id)
        return f"{self.job_id}/{effect_id}" if recorded is None else recorded.key

    def moment(self) -> datetime:
        """Return the host's time."""
        return moment_of(self.recorder.now_ms())

    def identifier(self) -> UUID:
        """Return a random UUID, for the effect that is running."""
        return drawn_uuid(self.key_of(self.running or ""))

    def number(self) -> float:
        """Return a number from 0 up to 1, for the effect that is running."""
        return drawn_number(self.key_of(self.running or ""))

    def made_by(self, call: Call) -> Callable[..., Any]:
        """Return what makes a call: its function, unless something stands in for it."""
        return call.function if self.stand_in is None else self.stand_in(call)

    def told(self, error: Exception, effect_id: str) -> None:
        """Remember by which error a handler is told of an effect that failed."""
        self.calls.told.append((error, effect_id))

    def escaped(self, error: BaseException) -> str | None:
        """Return the effect whose error this is, or one that a group of tasks raised it in."""
        if isinstance(error, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", error)
            found = map(self.escaped, group.exceptions)
            return min((each for each in found if each is not None), key=order, default=None)
        told = () if self._calls is None else self._calls.told
        return next((effect_id for each, effect_id in told if each is error), None)

    # Effects that are awaited.

    def called(self, effect_id: str, coroutine: Coroutine[Any, Any, object]) -> None:
        """Remember an effect that was called, until it is awaited."""
        self.calls.called[effect_id] = coroutine

    @contextmanager
    def awaited(self, effect_id: str) -> Generator[None]:
        """Remember the task that awaits an effect, until it has its result."""
        task = _current_task()
        assert task is not None, "only a task awaits"
        calls = self.calls
        del calls.called[effect_id]
        calls.awaiting[effect_id] = task
        try:
            yield
        finally:
            del calls.awaiting[effect_id]

    async def close_async(self) -> str | None:
        """End the run and the effects that are still going; return what of them was left.

        Whoever awaits one of them is cancelled, and nothing of it is recorded.
        """
        self.closed = True
        calls = self._calls
        if calls is None or not (calls.called or calls.awaiting):
            return None
        from asyncio import CancelledError, wait

        left = next(iter({**calls.called, **calls.awaiting}))
        cancelled: CancelledError | None = None
        for coroutine in calls.called.values():
            coroutine.close()  # It was never begun.
        while tasks := set(calls.awaiting.values()):
            for task in tasks:
                task.cancel()
            try:
                await wait(tasks)
            except CancelledError as told:  # They end first.
                cancelled = told
        if cancelled is not None:
            raise cancelled
        return left


# Classes, because a generator for each of these takes as long as all else that they are for.


@final
@attrs.define(eq=False, repr=False)
class _Calling:
    _calling: dict[object, str]
    _here: object
    _effect_id: str

    def __enter__(self) -> None:
        self._calling[self._here] = self._effect_id

    def __exit__(self, *_: object) -> None:
        del self._calling[self._here]


@final
@attrs.define(eq=False, repr=False)
class _Recording:
    _run: Standing
    _name: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, ending: BaseException | None, __: object) -> None:
        if ending is None or self._run.lost is not None:
            return
        if isinstance(ending, errors.EsflowError):
            self._run.lost = ending
        else:  # A signal, say.
            self._run.lost = errors.ContextClosed(self._run.activation, f"effect({self._name})")


def _task_or_thread() -> object:
    """Return the task that is running, or the thread where none is."""
    return _current_task() or get_ident()


def _current_task() -> Task[Any] | None:
    """Return the task that is running in this thread, None where none is."""
    try:
        return _of_loop()()
    except RuntimeError:  # The thread has no loop.
        return None


@cache
def _of_loop() -> Callable[[], Task[Any] | None]:
    """Import what tells the running task at the first need, and once: each import is a call."""
    from asyncio import current_task

    return current_task
