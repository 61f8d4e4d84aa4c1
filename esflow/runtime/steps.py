"""What every driver does with a claimed job: prepare runs of handlers, and settle what they did.

How handlers run beside each other, and who waits for them, is the business of the drivers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final, TypeAlias, final

import attrs

from esflow import events as ev
from esflow import usercode
from esflow.clock import Clock
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
from esflow.runtime.decisions import Decision, Left, nobody_runs, somebody_runs
from esflow.runtime.handling import Handled, handle, handled, handled_async, run_alone
from esflow.runtime.runs import Execution, Run
from esflow.runtime.session import Session
from esflow.standing import Standing
from esflow.state import Activation, JobFold

if TYPE_CHECKING:  # Loaded by what has a limit.
    from esflow.limits import Limit

Settling: TypeAlias = tuple[ev.Event, ...]
"""The events that settle an activation, or set it aside."""

inside: Final[ContextVar[frozenset[str]]] = ContextVar("esflow.inside", default=frozenset())
"""The jobs whose handlers the current thread is in, for refusing calls on them."""


@final
@attrs.define(eq=False, repr=False)
class Wave:
    """The open wave of a claimed job: which of it may start, and what became of what has.

    Shape: it is over when nothing of it runs.
    """

    execution: Execution
    session: Session
    width: int  # How many of it run at once, at most.
    is_single: bool  # Whether nothing of it runs beside anything else.
    _waiting: deque[Activation]
    _number: int
    _since: int  # How many waves had been kept when it was opened.
    trouble: BaseException | None  # Ends the execution.
    _running: int = 0
    _fired: Sequence[ev.TimerFired] = ()  # By its last append.

    def startable(self) -> list[Run]:
        """Return the runs to start now, which are counted as running from here on."""
        execution, session = self.execution, self.session
        fold = session.fold  # A member's effect may meanwhile read the job anew.
        runs: list[Run] = []
        if (
            self.trouble is not None
            or fold.token != session.token
            or fold.operator is not None
            or (session.kept_waves and not session.is_current(self._number, self._since))
        ):
            return runs
        while self._waiting and self._running < self.width:
            activation = self._waiting.popleft()
            member = fold.members.get(activation.id)
            if member is not None and fold.ended is None and member.goes:
                self._running += 1
                slot = execution.slots[activation.slot]
                memory = fold.memory.get(slot.routine, {})
                place = self._number, self._since
                run = Run(
                    execution, session, slot, member, fold.shared, memory, member.attempt, place
                )
                runs.append(run)
        return runs

    def settle(self, run: Run, outcome: Settling | BaseException, *, at_once: bool = False) -> Left:
        """Record what became of a member, or keep what ends the execution.

        Shape: what would have to wait is left to do, if it is to be done ``at_once``.
        """
        self._running -= 1
        if isinstance(outcome, BaseException):
            self._keep(outcome)
            return None

        def step(fold: JobFold) -> Settling:
            return outcome if run.is_awaited(fold) else ()

        # What asks a person may not wait for neighbours, which may go on for long.
        may_wait = type(outcome[-1]) is not ev.Interrupted
        quiet = somebody_runs if self._running else nobody_runs
        record = self.session.settle_at_once if at_once else self.session.settle
        return self._commit(partial(record, Decision((step, self._firing), quiet, may_wait)))

    def _keep(self, found: BaseException) -> None:
        """Keep what ends the execution, if this does."""
        if isinstance(found, JobClosed):
            return
        if self.trouble is None or isinstance(self.trouble, EsflowError):
            self.trouble = found  # What ends the process outranks what ends the job.

    def fire(self) -> None:
        """Let the attempts run again that are due by now."""
        if self.is_due:
            quiet = somebody_runs if self._running else nobody_runs
            decision = Decision((self._firing,), quiet, may_wait=True)
            self._commit(partial(self.session.settle, decision))

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

    def _commit(self, record: Callable[[], Left]) -> Left:
        """Record what is decided, and line up what may run again by it; return what is left."""
        try:
            left = record()
        except EsflowError as refused:
            self._keep(refused)
            return None
        if left is not None:
            return partial(self._commit, left)
        members = self.session.fold.members
        for event in self._fired:
            self._waiting += [members[each].activation for each in event.ids if each in members]
        return None

    def _firing(self, fold: JobFold) -> Sequence[ev.TimerFired]:
        is_timed = fold.delayed or fold.timers
        self._fired = fire_due(fold, self.session.clock) if is_timed else ()
        return self._fired

    @property
    def is_last(self) -> bool:
        """Whether nothing follows that what waits could be recorded with.

        Of an execution that has lost its job, or whose process ends, nothing is recorded any more.
        """
        if self.trouble is None:
            return not runnable(self.session.fold)
        is_lost = isinstance(self.trouble, Fenced | StoreError)
        return isinstance(self.trouble, EsflowError) and not is_lost


def open_wave(execution: Execution) -> Wave | None:
    """Return what of a claimed job is to run next, None for a job that has come to rest.

    Shape: nothing of it starts when a host with another flow sent work for a slot that isn't there.
    """
    session = execution.session
    kept = len(session.kept_waves)  # Before the fold, which may meanwhile be read anew.
    fold = session.fold
    ready = runnable(fold)
    if not ready:
        return None
    slots = execution.slots
    missing: tuple[str, ...] = ()
    for each in ready:
        if each.slot not in slots:
            missing = (*missing, each.slot)
    changed = FlowChanged(session.job_id, fold.flow, tuple(sorted({*missing}))) if missing else None
    count = len(ready)
    width, is_single = min(execution.max_parallel, count), count == 1
    return Wave(execution, session, width, is_single, deque(ready), fold.wave, kept, changed)


def fire_due(fold: JobFold, clock: Clock) -> Sequence[ev.TimerFired]:
    """Return the event by which what is due by now happens, if anything is."""
    events = decide(fold, FireTimers(now_ms=clock.now_ms()))
    return [each for each in events if isinstance(each, ev.TimerFired)]


def performed(run: Run) -> Settling:
    """Run one handler and return the events that settle its activation.

    It is called in a copied context, so that nothing has to be undone when it is interrupted.
    Raises: what ends the execution rather than the activation.
    """
    if run.slot.is_async:
        return run_alone(performed_async(run))
    standing, context = _begun(run)
    started_at_ms, began_ns = run.session.clock.now_ms(), perf_counter_ns()
    seconds = run.slot.timeout_seconds
    try:
        if seconds is None:
            given = run.slot, context, run.member.activation.payload
            came = usercode.ending(handle, given, {})
            outcome = usercode.stopped(came) if isinstance(came, usercode.Ended) else came
        else:
            outcome = _handled_within(seconds, run, context)
    finally:  # What may still go on behind it, because nobody waits for it, comes to nothing.
        standing.closed = True
        run.abandon()
    return _concluded(run, standing, outcome, started_at_ms, began_ns)


def _handled_within(seconds: float, run: Run, context: Context) -> Handled:
    from esflow.limits import within

    def handled_elsewhere() -> Handled:
        context.move_here()
        return handled(run.slot, context, run.activation.payload)

    return within(_limit(seconds, run), handled_elsewhere)


def _limit(seconds: float, run: Run) -> Limit:
    from esflow.limits import Limit

    return Limit(f"activation {run.activation.id}", seconds, run.session.clock)


async def performed_async(run: Run) -> Settling:
    """Run one async handler, in the task that this is called in and in others.

    Whoever is cancelled while waiting here abandons the run, and cancels the handler.
    Raises: what ends the execution rather than the activation.
    """
    outside = inside.set(inside.get())
    try:
        standing, context = _begun(run)
        started_at_ms, began_ns = run.session.clock.now_ms(), perf_counter_ns()
        slot, payload = run.slot, run.member.activation.payload
        seconds = slot.timeout_seconds
        limit = None if seconds is None else _limit(seconds, run)
        outcome = await handled_async(slot, context, payload, limit, run.abandon)
        return _concluded(run, standing, outcome, started_at_ms, began_ns)
    finally:
        inside.reset(outside)


def _begun(run: Run) -> tuple[Standing, Context]:
    inside.set(run.execution.inside)
    member, slot, job_id = run.member, run.slot, run.session.job_id
    effects, attempts, activation = member.effects, member.attempts, member.activation
    standing = Standing(job_id, activation.id, effects, attempts, run, slot.is_async)
    flow, answered = run.execution.flow, member.answered
    context = Context(flow, slot, standing, answered, run.shared, run.memory, run.attempt)
    return standing, context


def _concluded(
    run: Run, standing: Standing, outcome: Handled, started_at_ms: int, began_ns: int
) -> Settling:
    """Return what is to be recorded of a run that has come to its end, or to an interrupt."""
    if standing.lost is not None:
        raise standing.lost
    reach("handler.returned")
    duration_us = (perf_counter_ns() - began_ns) // 1000
    activation, asked = run.member.activation, standing.aside
    if asked is not None and not isinstance(outcome, usercode.Stopped):
        outcome = usercode.Raised(InterruptSwallowed(activation.id, asked.id))
    if isinstance(outcome, usercode.Returned):  # First, and not by a match, which takes longer.
        records: Settling = outcome.value
        completed = ev.ActivationCompleted(
            activation.id, started_at_ms, duration_us, len(records), run.attempt
        )
        return (*records, completed)
    if isinstance(outcome, usercode.Raised):
        from esflow.runtime.failures import Failed, outcome_of

        failed = Failed(
            activation=activation,
            attempt=run.attempt,
            error=outcome.error,
            escaped=standing.escaped(outcome.error),
            started_at_ms=started_at_ms,
            duration_us=duration_us,
        )
        return outcome_of(failed, run.execution.flow, run.due_at_ms)
    assert asked is not None, "only an interrupt sets a handler aside"
    return (asked.recorded(started_at_ms=started_at_ms, duration_us=duration_us),)
