"""What every driver does with a claimed job: prepare runs of handlers, and settle what they did.

How handlers run beside each other, and who waits for them, is the business of the drivers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never, final

import attrs

from esflow import events as ev
from esflow import usercode
from esflow.commands import FireTimers
from esflow.consequences import runnable
from esflow.context import Context
from esflow.decider import decide
from esflow.errors import (
    EsflowError,
    Fenced,
    FlowChanged,
    InterruptSwallowed,
    JobClosed,
    StoreError,
)
from esflow.failpoints import reach
from esflow.flow import Flow
from esflow.runtime.handling import Handled, handled, handled_async, run_alone
from esflow.runtime.runs import OffLoop, Run, at_once, is_awaited
from esflow.runtime.session import Decide, Session
from esflow.state import Activation, JobFold

Settling: TypeAlias = tuple[ev.Event, ...]
"""The events that settle an activation, or set it aside."""

if TYPE_CHECKING:  # Loaded by what has a limit.
    from esflow.limits import Limit

Began: TypeAlias = tuple[int, int]
"""When a handler was begun: milliseconds since 1970, and nanoseconds of a counter."""

inside: Final[ContextVar[frozenset[str]]] = ContextVar("esflow.inside", default=frozenset())
"""The jobs whose handlers the current thread is in, for refusing calls on them."""


@final
@attrs.define(eq=False, repr=False)
class Wave:
    """The open wave of a claimed job: which of it may start, and what became of what has.

    Shape: at most ``max_parallel`` of it run at once; it is over when nothing of it runs.
    """

    session: Session
    flow: Flow
    flows: Mapping[str, Flow]
    max_parallel: int
    off_loop: OffLoop
    _waiting: deque[Activation]
    _is_current: Callable[[], bool]  # Whether nothing has undone it since it was opened.
    trouble: BaseException | None  # Ends the execution.
    _running: int = attrs.field(default=0, init=False)

    @property
    def is_single(self) -> bool:
        """Whether nothing of it runs beside anything else."""
        return self.max_parallel == 1 and len(self._waiting) == 1

    def startable(self) -> list[Run]:
        """Return the runs to start now, which are counted as running from here on."""
        fold = self.session.fold  # A member's effect may meanwhile read the job anew.
        may_start = (
            self.trouble is None
            and fold.token == self.session.token
            and fold.operator is None
            and self._is_current()
        )
        runs: list[Run] = []
        while self._waiting and may_start and self._running < self.max_parallel:
            activation = self._waiting.popleft()
            if is_awaited(fold, activation):
                self._running += 1
                runs.append(self._prepared(fold, activation))
        return runs

    def settle(self, run: Run, outcome: Settling | BaseException) -> None:
        """Record what became of a member, or keep what ends the execution."""
        self._running -= 1
        if isinstance(outcome, BaseException):
            self._keep(outcome)
        else:
            asks = isinstance(outcome[-1], ev.Interrupted)
            self._keep(self._committed(_settling(run, outcome), may_wait=not asks))

    def _keep(self, found: BaseException | None) -> None:
        """Keep what ends the execution, if anything does."""
        if found is None or isinstance(found, JobClosed):
            return
        if self.trouble is None or isinstance(self.trouble, EsflowError):
            self.trouble = found  # What ends the process outranks what ends the job.

    def fire(self) -> None:
        """Let the attempts run again that are due by now."""
        if self.is_due:
            self._keep(self._committed())

    @property
    def is_due(self) -> bool:
        """Whether an attempt may run again by now."""
        at_ms = self.wakes_at_ms
        return at_ms is not None and at_ms <= self.session.clock.now_ms()

    @property
    def wakes_at_ms(self) -> int | None:
        """When the next attempt of a member is due, if one is waited for and may run then."""
        fold = self.session.fold
        if not fold.delayed or fold.operator is not None or self.trouble is not None:
            return None
        members = fold.members.values()
        found = [each.again_at_ms for each in members if each.again_at_ms is not None]
        return min(found, default=None)

    def _committed(self, *steps: Decide, may_wait: bool = True) -> EsflowError | None:
        """Append what steps lead to, and what is due; line up what may run again by it.

        Shape: what asks a person may not wait for neighbours, which may go on for long.
        """
        is_last = not self._running
        fired: list[str] = []

        def firing(fold: JobFold) -> tuple[ev.Event, ...]:
            events = fire_due(fold, self.session.clock.now_ms())
            fired[:] = [each for event in events for each in event.ids]
            return events

        try:
            self.session.commit(*steps, firing, quiet=lambda: is_last, may_wait=may_wait)
        except EsflowError as refused:
            return refused
        members = self.session.fold.members
        self._waiting += [members[each].activation for each in fired if each in members]
        return None

    def _prepared(self, fold: JobFold, activation: Activation) -> Run:
        slot = self.flow.resolve_slot(activation.slot)
        member = fold.members[activation.id]
        return Run(
            session=self.session,
            flow=self.flow,
            flows=self.flows,
            slot=slot,
            activation=activation,
            attempt=member.attempt,
            effects=member.effects,
            attempts=member.attempts,
            answered=member.answered,
            shared=fold.shared,
            memory=fold.memory.get(slot.routine, {}),
            is_current=self._is_current,
            off_loop=self.off_loop,
        )

    @property
    def is_last(self) -> bool:
        """Whether something waits, and nothing follows that it could be recorded with.

        Of an execution that has lost its job, or whose process ends, nothing is recorded any more.
        """
        if not self.session.is_waiting:
            return False
        if self.trouble is None:
            return not runnable(self.session.fold)
        is_lost = isinstance(self.trouble, Fenced | StoreError)
        return isinstance(self.trouble, EsflowError) and not is_lost


def open_wave(
    session: Session, flows: Mapping[str, Flow], max_parallel: int, off_loop: OffLoop = at_once
) -> Wave | None:
    """Return what of a claimed job is to run next, None for a job that has come to rest.

    Shape: nothing of it starts when a host with another flow sent work for a slot that isn't there.
    """
    kept = len(session.kept_waves)  # Before the fold, which may meanwhile be read anew.
    fold = session.fold
    ready = runnable(fold)
    if not ready:
        return None
    flow = flows[fold.flow]
    missing = {each.slot for each in ready if each.slot not in flow.slots}
    changed = FlowChanged(session.job_id, fold.flow, tuple(sorted(missing))) if missing else None
    width, is_current = min(max_parallel, len(ready)), partial(session.is_current, fold.wave, kept)
    return Wave(session, flow, flows, width, off_loop, deque(ready), is_current, changed)


def fire_due(fold: JobFold, now_ms: int) -> tuple[ev.TimerFired, ...]:
    """Return the event by which what is due by now happens, if anything is."""
    if not (fold.delayed or fold.timers):
        return ()
    events = decide(fold, FireTimers(now_ms=now_ms))
    return tuple(each for each in events if isinstance(each, ev.TimerFired))


def _settling(run: Run, events: Settling) -> Decide:
    """Return the step that settles an activation, or leaves a late result alone."""
    return lambda fold: events if run.is_awaited(fold) else ()


def performed(run: Run) -> Settling:
    """Run one handler and return the events that settle its activation.

    It is called in a copied context, so that nothing has to be undone when it is interrupted.
    Raises: what ends the execution rather than the activation.
    """
    if run.slot.is_async:
        return run_alone(performed_async(run))
    context, began = _begun(run)
    limit = _limit_of(run)
    try:
        if limit is None:
            outcome = handled(run.slot, context, run.activation.payload)
        else:
            from esflow.limits import within

            outcome = within(limit, partial(_handled_elsewhere, run, context))
    finally:
        _leave(run, context)
    return _concluded(run, context, outcome, began)


def _handled_elsewhere(run: Run, context: Context) -> Handled:
    context.move_here()
    return handled(run.slot, context, run.activation.payload)


def _limit_of(run: Run) -> Limit | None:
    seconds = run.slot.timeout_seconds
    if seconds is None:
        return None
    from esflow.limits import Limit

    return Limit(f"activation {run.activation.id}", seconds, run.session.clock)


def _leave(run: Run, context: Context) -> None:
    """Let what may still go on behind a run, because nobody waits for it, come to nothing."""
    context.close()
    run.abandon()


async def performed_async(run: Run) -> Settling:
    """Run one async handler, in the task that this is called in and in others.

    Whoever is cancelled while waiting here abandons the run, and cancels the handler.
    Raises: what ends the execution rather than the activation.
    """
    outside = inside.set(inside.get())
    try:
        context, began = _begun(run)
        slot, payload = run.slot, run.activation.payload
        outcome = await handled_async(slot, context, payload, _limit_of(run), run.abandon)
        return _concluded(run, context, outcome, began)
    finally:
        inside.reset(outside)


def _begun(run: Run) -> tuple[Context, Began]:
    inside.set(inside.get() | {run.session.job_id})
    began = run.now_ms(), perf_counter_ns()
    context = Context(
        flow=run.flow,
        job_id=run.session.job_id,
        activation=run.activation,
        recorded=run.effects,
        answered=run.answered,
        shared=run.shared,
        memory=run.memory,
        recorder=run,
        attempt=run.attempt,
        attempts=run.attempts,
    )
    return context, began


def _concluded(run: Run, context: Context, outcome: Handled, began: Began) -> Settling:
    """Return what is to be recorded of a run that has come to its end, or to an interrupt."""
    if context.lost is not None:
        raise context.lost
    reach("handler.returned")
    started_at_ms, began_ns = began
    duration_us = (perf_counter_ns() - began_ns) // 1000
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
                attempt=run.attempt,
            )
            return (*records, completed)
        case usercode.Raised(error):
            from esflow.runtime.failures import Failed, outcome_of

            failed = Failed(
                activation=run.activation,
                attempt=run.attempt,
                error=error,
                escaped=context.escaped(error),
                started_at_ms=started_at_ms,
                duration_us=duration_us,
            )
            return outcome_of(failed, run.flow, run.due_at_ms)
        case usercode.Stopped():
            assert asked is not None, "only an interrupt sets a handler aside"
            return (asked.recorded(started_at_ms=started_at_ms, duration_us=duration_us),)
        case _:
            assert_never(outcome)
