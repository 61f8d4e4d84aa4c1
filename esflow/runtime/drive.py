"""The sync driver: runs what is ready, records what came of it, until nothing may run.

A wave of one runs in the caller's thread; a wider one in threads of its own; both in a copy of the
caller's context variables, so that a handler can't tell which of the two it is in.
Each activation is recorded by the caller's thread as soon as it has finished; which of them
finished first shows nowhere but in the order of the records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import ContextVar, copy_context
from time import perf_counter_ns
from typing import Final, TypeAlias, assert_never, final

import attrs

from esflow import events as ev
from esflow import usercode
from esflow.context import Context
from esflow.decider import runnable
from esflow.effects import OWN_EFFECTS
from esflow.errors import EsflowError, FlowChanged, InterruptSwallowed, JobClosed
from esflow.events import Json
from esflow.failpoints import reach
from esflow.flow import Flow
from esflow.payloads import bind
from esflow.runtime.session import Decide, Session
from esflow.state import Activation, Answered, JobFold, Status

Settled: TypeAlias = Future[tuple[ev.Event, ...]]
"""A running handler, and in the end the events that settle its activation."""

inside: Final[ContextVar[frozenset[str]]] = ContextVar("esflow.inside", default=frozenset())
"""The jobs whose handlers the current thread is in, for refusing calls on them."""


@final
@attrs.frozen(kw_only=True)
class Run:
    """One execution of one activation's handler, with the data it may see."""

    session: Session
    flow: Flow
    activation: Activation
    effects: Mapping[str, ev.EffectRecorded]
    answered: Mapping[str, Answered]
    shared: Mapping[str, Json]
    memory: Mapping[str, Json]

    def record_effect(self, effect: ev.EffectRecorded) -> None:
        """Append an effect to the job's stream.

        Raises: JobClosed, when the job no longer waits for this activation.
        """

        def step(fold: JobFold) -> tuple[ev.Event, ...]:
            if not _is_awaited(fold, self.activation):
                raise JobClosed(fold.job_id, fold.status, f"effect {effect.id}")
            return (effect,)

        self.session.commit(step)

    def is_cancelled(self) -> bool:
        """Tell whether somebody has ended the job."""
        row = self.session.store.head(self.session.job_id)
        return row is not None and row.status == Status.CANCELLED

    def may_call(self, name: str) -> bool:
        """Tell whether an effect may be called: a fork is told results, unless it is live."""
        forked = self.session.fold.forked
        return forked is None or forked.live or name in OWN_EFFECTS

    def now_ms(self) -> int:
        """Return the host's time."""
        return self.session.clock.now_ms()


def drive(session: Session, flow: Flow, max_parallel: int) -> None:
    """Run a claimed job until it is paused or has ended.

    Raises: Fenced, when another execution has taken the job over; StoreError; NondeterminismError;
    and whatever ends a process, when a handler raised it.
    """
    reach("execution.claimed")
    while ready := runnable(session.fold):
        _refuse_missing(session.fold, flow, ready)
        if len(ready) == 1:
            run = _prepared(session, session.fold, flow, ready[0])
            with suppress(JobClosed):
                settled = copy_context().run(_performed, run)
                session.commit(_settling(run.activation, settled), quiet=lambda: True)
        else:
            _drive_wave(session, flow, min(max_parallel, len(ready)))


def _refuse_missing(fold: JobFold, flow: Flow, ready: tuple[Activation, ...]) -> None:
    """Refuse a wave that brings work, sent by a host with another flow, for a slot not there."""
    slots = flow.slots
    missing = {each.slot for each in ready if each.slot not in slots}
    if missing:
        raise FlowChanged(fold.job_id, fold.flow, tuple(sorted(missing)))


def _is_awaited(fold: JobFold, activation: Activation) -> bool:
    """Tell whether an activation can still be settled: nobody has ended or led away the job."""
    member = fold.members.get(activation.id)
    return fold.ended is None and member is not None and not member.settled


def _settling(activation: Activation, events: tuple[ev.Event, ...]) -> Decide:
    """Return the step that settles an activation, or leaves a late result alone."""
    return lambda fold: events if _is_awaited(fold, activation) else ()


def _drive_wave(session: Session, flow: Flow, max_parallel: int) -> None:
    """Run the open wave in threads, as many at once as allowed, recording each as it finishes."""
    waiting = deque(runnable(session.fold))
    running: dict[Settled, Activation] = {}
    trouble: BaseException | None = None
    with ThreadPoolExecutor(max_parallel, thread_name_prefix="esflow-wave") as pool:
        while True:
            fold = session.fold  # A member's effect may meanwhile read the job anew.
            may_start = trouble is None and fold.token == session.token and fold.operator is None
            while waiting and may_start and len(running) < max_parallel:
                activation = waiting.popleft()
                if _is_awaited(fold, activation):
                    run = _prepared(session, fold, flow, activation)
                    running[pool.submit(copy_context().run, _performed, run)] = activation
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                activation = running.pop(future)
                found = _settled(session, activation, future, quiet=not running)
                if trouble is None or isinstance(trouble, EsflowError):
                    trouble = found or trouble  # What ends the process outranks what ends the job.
    if trouble is not None:
        raise trouble


def _settled(
    session: Session, activation: Activation, future: Settled, *, quiet: bool
) -> BaseException | None:
    """Record what became of a member of the wave; return what ends the execution, if it does."""
    trouble = future.exception()
    if trouble is None:
        try:
            session.commit(_settling(activation, future.result()), quiet=lambda: quiet)
        except EsflowError as refused:
            return refused
    return None if isinstance(trouble, JobClosed) else trouble


def _prepared(session: Session, fold: JobFold, flow: Flow, activation: Activation) -> Run:
    routine = flow.resolve_slot(activation.slot).routine
    return Run(
        session=session,
        flow=flow,
        activation=activation,
        effects=fold.members[activation.id].effects,
        answered=fold.members[activation.id].answered,
        shared=fold.shared,
        memory=fold.memory.get(routine, {}),
    )


def _performed(run: Run) -> tuple[ev.Event, ...]:
    """Run one handler and return the events that settle its activation.

    It is called in a copied context, so that nothing has to be undone when it is interrupted.
    Raises: what ends the execution rather than the activation.
    """
    inside.set(inside.get() | {run.session.job_id})
    started_at_ms = run.now_ms()
    began = perf_counter_ns()
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
    try:
        outcome = usercode.run(_handle, run, context)
    finally:
        context.close()
    if context.lost is not None:
        raise context.lost
    reach("handler.returned")
    return _settlement(context, outcome, started_at_ms, (perf_counter_ns() - began) // 1000)


def _settlement(
    context: Context,
    outcome: usercode.Outcome | usercode.Stopped,
    started_at_ms: int,
    duration_us: int,
) -> tuple[ev.Event, ...]:
    """Return what is to be recorded of a run that has come to its end, or to an interrupt."""
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
                outcome="stop",
            )
            return (failed,)
        case usercode.Stopped():
            assert asked is not None, "only an interrupt sets a handler aside"
            return (asked.recorded(started_at_ms=started_at_ms, duration_us=duration_us),)
        case _:
            assert_never(outcome)


def _handle(run: Run, context: Context) -> tuple[ev.Event, ...]:
    slot = run.flow.resolve_slot(run.activation.slot)
    arguments = bind(slot.signature, slot.address, run.activation.payload)
    slot.function(context, **arguments)
    return context.records()
