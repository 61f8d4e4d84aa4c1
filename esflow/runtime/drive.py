"""The sync driver: runs what is ready, records what came of it, until nothing may run.

A wave of one runs in the caller's thread; a wider one in threads of its own, which see the same
context variables, so that a handler can't tell which of the two it is in.
Each activation is recorded by the caller's thread as soon as it has finished; which of them
finished first shows nowhere but in the order of the records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from time import perf_counter_ns
from typing import Final, final

import attrs

from esflow import events as ev
from esflow import usercode
from esflow.context import Context
from esflow.decider import runnable
from esflow.errors import EsflowError
from esflow.events import Json
from esflow.failpoints import reach
from esflow.flow import Flow
from esflow.payloads import bind
from esflow.runtime.session import Decide, Session
from esflow.state import Activation, JobFold

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
    shared: Mapping[str, Json]
    memory: Mapping[str, Json]

    def record_effect(self, effect: ev.EffectRecorded) -> None:
        """Append an effect to the job's stream."""
        self.session.commit(_decided((effect,)))

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
        if len(ready) == 1:
            settled = _performed(_prepared(session, session.fold, flow, ready[0]))
            session.commit(_decided(settled), quiet=lambda: True)
        else:
            _drive_wave(session, flow, min(max_parallel, len(ready)))


def _decided(events: tuple[ev.Event, ...]) -> Decide:
    """Return the step that decides on nothing but these events, whatever else has happened."""
    return lambda _: events


def _drive_wave(session: Session, flow: Flow, max_parallel: int) -> None:
    """Run the open wave in threads, as many at once as allowed, recording each as it finishes."""
    waiting = deque(runnable(session.fold))
    running: set[Future[tuple[ev.Event, ...]]] = set()
    trouble: BaseException | None = None
    with ThreadPoolExecutor(max_parallel, thread_name_prefix="esflow-wave") as pool:
        while True:
            fold = session.fold  # A member's effect may meanwhile read the job anew.
            may_start = trouble is None and fold.token == session.token and fold.operator is None
            while waiting and may_start and len(running) < max_parallel:
                run = _prepared(session, fold, flow, waiting.popleft())
                running.add(pool.submit(copy_context().run, _performed, run))
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            while done:
                future = done.pop()
                found = _settled(session, future, quiet=not (running or done))
                if trouble is None or isinstance(trouble, EsflowError):
                    trouble = found or trouble  # What ends the process outranks what ends the job.
    if trouble is not None:
        raise trouble


def _settled(
    session: Session, future: Future[tuple[ev.Event, ...]], *, quiet: bool
) -> BaseException | None:
    """Record what became of a member of the wave; return what ends the execution, if it does."""
    trouble = future.exception()
    if trouble is not None:
        return trouble
    try:
        session.commit(_decided(future.result()), quiet=lambda: quiet)
    except EsflowError as refused:
        return refused
    return None


def _prepared(session: Session, fold: JobFold, flow: Flow, activation: Activation) -> Run:
    routine = flow.resolve_slot(activation.slot).routine
    return Run(
        session=session,
        flow=flow,
        activation=activation,
        effects=fold.members[activation.id].effects,
        shared=fold.shared,
        memory=fold.memory.get(routine, {}),
    )


def _performed(run: Run) -> tuple[ev.Event, ...]:
    """Run one handler and return the events that settle its activation.

    Raises: what ends the execution rather than the activation.
    """
    started_at_ms = run.now_ms()
    began = perf_counter_ns()
    context = Context(
        flow=run.flow,
        job_id=run.session.job_id,
        activation=run.activation,
        effects=run.effects,
        shared=run.shared,
        memory=run.memory,
        recorder=run,
    )
    try:
        with _inside(run.session.job_id):
            outcome = usercode.call(_handle, (run, context), {})
    finally:
        context.close()
    if context.lost is not None:
        raise context.lost
    reach("handler.returned")
    duration_us = (perf_counter_ns() - began) // 1000
    if isinstance(outcome, usercode.Raised):
        failed = ev.ActivationFailed(
            activation=run.activation.id,
            started_at_ms=started_at_ms,
            duration_us=duration_us,
            error=usercode.failure_of(outcome.error, with_traceback=True),
        )
        return (failed,)
    records: tuple[ev.Event, ...] = outcome.value
    completed = ev.ActivationCompleted(
        activation=run.activation.id,
        started_at_ms=started_at_ms,
        duration_us=duration_us,
        events=len(records),
    )
    return (*records, completed)


def _handle(run: Run, context: Context) -> tuple[ev.Event, ...]:
    slot = run.flow.resolve_slot(run.activation.slot)
    arguments = bind(slot.signature, slot.address, run.activation.payload)
    slot.function(context, **arguments)
    return context.records()


@contextmanager
def _inside(job_id: str) -> Generator[None]:
    before = inside.set(inside.get() | {job_id})
    try:
        yield
    finally:
        inside.reset(before)
