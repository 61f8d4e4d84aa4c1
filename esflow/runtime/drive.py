"""The sync driver: runs what is ready, records what came of it, until nothing may run.

A wave of one runs in the caller's thread; a wider one in threads of its own; both in a copy of the
caller's context variables, so that a handler can't tell which of the two it is in.
Each activation is recorded by the caller's thread as soon as it has finished; which of them
finished first shows nowhere but in the order of the records.
"""

from __future__ import annotations

from contextvars import copy_context
from threading import Event

from esflow.clock import wait_until
from esflow.errors import EsflowError
from esflow.failpoints import reach
from esflow.runtime.agenda import Agenda
from esflow.runtime.host import MAX_CLAIMS, Errand, Host, passing_over
from esflow.runtime.runs import Run
from esflow.runtime.session import Session
from esflow.runtime.steps import Settling, Wave, open_wave, performed
from esflow.state import JobState
from esflow.store import IndexRow


def carried_on(host: Host, errand: Errand) -> JobState:
    """Do what a caller wishes, drive the job if that makes it run, and report it.

    Raises: Fenced, when another execution has taken the job over; StoreError; NondeterminismError;
    and whatever ends a process, when a handler raised it.
    """
    _followed(host, errand)
    _look_after(host, errand.session)
    return errand.session.fold.face()


def taken_over(
    host: Host,
    job_id: str,
    older_than: float | None = None,
    *,
    max_claims: int | None = MAX_CLAIMS,
) -> JobState | None:
    """Drive one job if nobody does, or nobody has recorded anything for so many seconds.

    Returns None where there is nothing to drive.
    """
    errand = host.taking_over(job_id, older_than, max_claims)
    _followed(host, errand)
    return errand.session.fold.face() if errand.session.has_recorded else None


def recovered(host: Host, rows: list[IndexRow], older_than: float | None) -> list[JobState]:
    """Take over what can be, one job after the other."""
    states = list[JobState]()
    for row in rows:
        with passing_over(row.job_id):
            errand = host.taking_over(row.job_id, older_than)
            state = carried_on(host, errand)
            states += [state] if errand.session.has_recorded else []
    return states


def _look_after(host: Host, session: Session) -> None:
    """Drive on what the time and the family of a job make ready, and read the job again then."""
    agenda = Agenda(host, session)
    while (errand := agenda.next()) is not None:
        with agenda.guarding(errand):
            _followed(host, errand)
        agenda.note(errand.session)
    if agenda.has_done:
        session.load()


def _followed(host: Host, errand: Errand) -> None:
    """Do what a caller wishes, and drive the job if that makes it run."""
    session = errand.session
    try:
        host.take_up(errand)
        if session.token:
            with host.heartbeat.holding(session.lease):
                _drive(host, session)
    finally:
        host.give_back(session)


def _drive(host: Host, session: Session) -> None:
    """Run a claimed job until it waits, is paused or has ended."""
    reach("execution.claimed")
    execution = host.execution(session)
    while (wave := open_wave(execution)) is not None:
        if wave.is_single:
            _run_alone(wave)
        else:
            _run_in_threads(wave)
        if session.is_grouping and wave.is_last:
            session.flush()
        if wave.trouble is not None:
            raise wave.trouble
        if host.is_to_see_to(session):
            host.see_to(session)


def _run_alone(wave: Wave) -> None:
    for run in wave.startable():
        outcome: Settling | EsflowError
        try:
            outcome = copy_context().run(performed, run)
        except EsflowError as ending:  # What ends a process goes its way.
            outcome = ending
        wave.settle(run, outcome)


def _run_in_threads(wave: Wave) -> None:
    """Run a wave in threads, as many at once as allowed, recording each as it finishes."""
    from concurrent.futures import Future, ThreadPoolExecutor

    running: dict[Future[Settling], Run] = {}
    woken = Event()
    with ThreadPoolExecutor(wave.width, thread_name_prefix="esflow-wave") as pool:
        while True:
            wave.fire()
            for run in wave.startable():
                future = pool.submit(copy_context().run, performed, run)
                running[future] = run
                future.add_done_callback(lambda _: woken.set())
            if not running:
                return
            wait_until(wave.session.clock, wave.wakes_at_ms, woken)
            woken.clear()  # Before it is seen who has finished: whoever does later wakes again.
            for future in [each for each in running if each.done()]:
                wave.settle(running.pop(future), future.exception() or future.result())
