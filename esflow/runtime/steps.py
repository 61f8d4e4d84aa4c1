"""What every driver does with a claimed job: prepare runs of handlers, and settle what they did.

It waits for nothing and starts no thread: how handlers run beside each other, and who waits for
them, is the business of the drivers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import partial
from time import perf_counter_ns
from typing import Final, TypeAlias, assert_never, final

import attrs

from esflow import events as ev
from esflow import usercode
from esflow.context import Context
from esflow.decider import runnable
from esflow.effects import OWN_EFFECTS
from esflow.errors import ContextClosed, EsflowError, FlowChanged, InterruptSwallowed, JobClosed
from esflow.events import Json
from esflow.failpoints import reach
from esflow.flow import Flow, Slot
from esflow.runtime.handling import Handled, handled, handled_async, run_alone
from esflow.runtime.session import Decide, Session
from esflow.state import Activation, Answered, JobFold, Status

Settling: TypeAlias = tuple[ev.Event, ...]
"""The events that settle an activation, or set it aside."""

OffLoop: TypeAlias = Callable[[Callable[[], None]], Awaitable[None]]
"""Does what blocks, away from the loop that waits for it."""


async def at_once(work: Callable[[], None]) -> None:
    """Do what blocks here: the loop is that of one handler alone."""
    work()


inside: Final[ContextVar[frozenset[str]]] = ContextVar("esflow.inside", default=frozenset())
"""The jobs whose handlers the current thread is in, for refusing calls on them."""


@final
@attrs.define(eq=False, kw_only=True)
class Run:
    """One execution of one activation's handler, with the data it may see."""

    session: Session
    flow: Flow
    slot: Slot
    activation: Activation
    effects: Mapping[str, ev.EffectRecorded]
    answered: Mapping[str, Answered]
    shared: Mapping[str, Json]
    memory: Mapping[str, Json]
    off_loop: OffLoop = attrs.field(default=at_once)
    abandoned: bool = False  # Whether its driver waits for it only to see it end.

    def record_effect(self, effect: ev.EffectRecorded) -> None:
        """Append an effect to the job's stream.

        Raises: JobClosed, when the job no longer waits for this activation; ContextClosed, when the
        driver doesn't.
        """

        def step(fold: JobFold) -> tuple[ev.Event, ...]:
            if self.abandoned:
                raise ContextClosed(self.activation.id, f"effect {effect.id}")
            if not _is_awaited(fold, self.activation):
                raise JobClosed(fold.job_id, fold.status, f"effect {effect.id}")
            return (effect,)

        self.session.commit(step)

    async def record_effect_async(self, effect: ev.EffectRecorded) -> None:
        """Append an effect to the job's stream, off the loop."""
        await self.off_loop(partial(self.record_effect, effect))

    def is_cancelled(self) -> bool:
        """Tell whether somebody has ended the job, or the driver no longer waits for it."""
        if self.abandoned:
            return True
        row = self.session.store.head(self.session.job_id)
        return row is not None and row.status == Status.CANCELLED

    def may_call(self, name: str) -> bool:
        """Tell whether an effect may be called: a fork is told results, unless it is live."""
        forked = self.session.fold.forked
        return forked is None or forked.live or name in OWN_EFFECTS

    def now_ms(self) -> int:
        """Return the host's time."""
        return self.session.clock.now_ms()


@final
@attrs.frozen
class Began:
    """When a handler was begun, by two clocks."""

    at_ms: int
    counter_ns: int


@final
@attrs.define(eq=False)
class Wave:
    """The open wave of a claimed job: which of it may start, and what became of what has.

    Shape: at most ``max_parallel`` of it run at once; it is over when nothing of it runs.
    """

    session: Session
    flow: Flow
    max_parallel: int
    off_loop: OffLoop
    _waiting: deque[Activation]
    _running: int = attrs.field(default=0, init=False)
    trouble: BaseException | None = attrs.field(default=None, init=False)  # Ends the execution.

    @property
    def is_single(self) -> bool:
        """Whether nothing of it runs beside anything else."""
        return self.max_parallel == 1 and len(self._waiting) == 1

    def startable(self) -> list[Run]:
        """Return the runs to start now, which are counted as running from here on."""
        fold = self.session.fold  # A member's effect may meanwhile read the job anew.
        may_start = (
            self.trouble is None and fold.token == self.session.token and fold.operator is None
        )
        runs = list[Run]()
        while self._waiting and may_start and self._running < self.max_parallel:
            activation = self._waiting.popleft()
            if _is_awaited(fold, activation):
                self._running += 1
                runs.append(self._prepared(fold, activation))
        return runs

    def settle(self, run: Run, outcome: Settling | BaseException) -> None:
        """Record what became of a member, or keep what ends the execution."""
        self._running -= 1
        found = outcome if isinstance(outcome, BaseException) else self._recorded(run, outcome)
        if found is None or isinstance(found, JobClosed):
            return
        if self.trouble is None or isinstance(self.trouble, EsflowError):
            self.trouble = found  # What ends the process outranks what ends the job.

    def _recorded(self, run: Run, events: Settling) -> EsflowError | None:
        is_last = not self._running
        try:
            self.session.commit(_settling(run.activation, events), quiet=lambda: is_last)
        except EsflowError as refused:
            return refused
        return None

    def _prepared(self, fold: JobFold, activation: Activation) -> Run:
        slot = self.flow.resolve_slot(activation.slot)
        return Run(
            session=self.session,
            flow=self.flow,
            slot=slot,
            activation=activation,
            effects=fold.members[activation.id].effects,
            answered=fold.members[activation.id].answered,
            shared=fold.shared,
            memory=fold.memory.get(slot.routine, {}),
            off_loop=self.off_loop,
        )


def open_wave(
    session: Session, flow: Flow, max_parallel: int, off_loop: OffLoop = at_once
) -> Wave | None:
    """Return what of a claimed job is to run next, None for a job that has come to rest.

    Raises: FlowChanged, when a host with another flow sent work for a slot that isn't there.
    """
    ready = runnable(session.fold)
    if not ready:
        return None
    missing = {each.slot for each in ready if each.slot not in flow.slots}
    if missing:
        raise FlowChanged(session.job_id, session.fold.flow, tuple(sorted(missing)))
    return Wave(session, flow, min(max_parallel, len(ready)), off_loop, deque(ready))


def _is_awaited(fold: JobFold, activation: Activation) -> bool:
    """Tell whether an activation can still be settled: nobody has ended or led away the job."""
    member = fold.members.get(activation.id)
    return fold.ended is None and member is not None and not member.settled


def _settling(activation: Activation, events: Settling) -> Decide:
    """Return the step that settles an activation, or leaves a late result alone."""
    return lambda fold: events if _is_awaited(fold, activation) else ()


def performed(run: Run) -> Settling:
    """Run one handler and return the events that settle its activation.

    It is called in a copied context, so that nothing has to be undone when it is interrupted.
    Raises: what ends the execution rather than the activation.
    """
    if run.slot.is_async:
        return run_alone(performed_async(run))
    context, began = _begun(run)
    return _concluded(context, handled(run.slot, context, run.activation.payload), began)


async def performed_async(run: Run) -> Settling:
    """Run one async handler, in the task that this is called in and in others.

    Whoever is cancelled while waiting here cancels the handler.
    Raises: what ends the execution rather than the activation.
    """
    context, began = _begun(run)
    outcome = await handled_async(run.slot, context, run.activation.payload)
    return _concluded(context, outcome, began)


def _begun(run: Run) -> tuple[Context, Began]:
    inside.set(inside.get() | {run.session.job_id})
    began = Began(run.now_ms(), perf_counter_ns())
    context = Context(
        flow=run.flow,
        job_id=run.session.job_id,
        activation=run.activation,
        recorded=run.effects,
        answered=run.answered,
        shared=run.shared,
        memory=run.memory,
        recorder=run,
    )
    return context, began


def _concluded(context: Context, outcome: Handled, began: Began) -> Settling:
    """Return what is to be recorded of a run that has come to its end, or to an interrupt."""
    if context.lost is not None:
        raise context.lost
    reach("handler.returned")
    started_at_ms = began.at_ms
    duration_us = (perf_counter_ns() - began.counter_ns) // 1000
    activation, asked = context.activation_id, context.aside
    if asked is not None and not isinstance(outcome, usercode.Stopped):
        outcome = usercode.Raised(InterruptSwallowed(activation, asked.id))
    match outcome:
        case usercode.Returned(records):
            completed = ev.ActivationCompleted(
                activation=activation,
                started_at_ms=started_at_ms,
                duration_us=duration_us,
                events=len(records),
            )
            return (*records, completed)
        case usercode.Raised(error):
            failed = ev.ActivationFailed(
                activation=activation,
                started_at_ms=started_at_ms,
                duration_us=duration_us,
                error=usercode.failure_of(error, with_traceback=True),
            )
            return (failed,)
        case usercode.Stopped():
            assert asked is not None, "only an interrupt sets a handler aside"
            return (asked.recorded(started_at_ms=started_at_ms, duration_us=duration_us),)
        case _:
            assert_never(outcome)
