"""The async driver: runs what is ready on the loop, until nothing may run.

Async handlers are tasks of the loop, and plain ones run in threads.
What is decided is recorded on the loop as far as that waits for nothing, because a hop to a thread
and back takes longer than such a commit; the rest is done in a thread, so nothing keeps the loop
from going on.
Each activation is recorded as soon as it has finished, one after the other.

When the caller is cancelled
----------------------------
The handlers of the wave are cancelled, and nothing more of them is recorded; plain ones can't be,
so they are waited for.
Then the lease is given back: the job is left as if its host had died, and anybody may carry it on.
"""

from __future__ import annotations

from asyncio import FIRST_COMPLETED, CancelledError, Task, create_task, wait
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from esflow.clock import wait_until_async
from esflow.errors import EsflowError
from esflow.failpoints import reach
from esflow.runtime.agenda import Agenda
from esflow.runtime.decisions import Left
from esflow.runtime.host import MAX_CLAIMS, Errand, Host, passing_over
from esflow.runtime.runs import Run
from esflow.runtime.session import Session
from esflow.runtime.steps import Settling, Wave, open_wave, performed, performed_async
from esflow.runtime.threads import Threads
from esflow.state import JobState
from esflow.store import IndexRow

Performed: TypeAlias = Settling | BaseException
"""What settles an activation, or what ends its execution."""


async def carried_on(host: Host, threads: Threads, wish: Callable[[], Errand]) -> JobState:
    """Do what a caller wishes, drive the job if that makes it run, and report it.

    Raises: Fenced, when another execution has taken the job over; StoreError; NondeterminismError;
    CancelledError; and whatever ends a process, when a handler raised it.
    """
    # The wish may read a long history.
    return await _carried_on(host, threads, await threads.block(wish))


async def _carried_on(host: Host, threads: Threads, errand: Errand) -> JobState:
    trouble = await _followed(host, threads, errand)
    if trouble is not None:
        raise trouble
    await _look_after(host, threads, errand.session)
    return errand.session.fold.face()


async def taken_over(
    host: Host,
    threads: Threads,
    job_id: str,
    older_than: float | None = None,
    *,
    max_claims: int | None = MAX_CLAIMS,
) -> JobState | BaseException | None:
    """Drive one job if nobody does, or nobody has recorded anything for so many seconds.

    Returns None where there is nothing to drive, and what ends the execution, if anything does:
    raised in a task, it might end the loop.
    """
    errand = await threads.block(partial(host.taking_over, job_id, older_than, max_claims))
    trouble = await _followed(host, threads, errand)
    return trouble or (errand.session.fold.face() if errand.session.has_recorded else None)


async def recovered(
    host: Host, threads: Threads, rows: list[IndexRow], older_than: float | None
) -> list[JobState]:
    """Take over what can be, one job after the other."""
    states = list[JobState]()
    for row in rows:
        with passing_over(row.job_id):
            errand = await threads.write(partial(host.taking_over, row.job_id, older_than))
            state = await _carried_on(host, threads, errand)
            states += [state] if errand.session.has_recorded else []
    return states


async def _look_after(host: Host, threads: Threads, session: Session) -> None:
    """Drive on what the time and the family of a job make ready, and read the job again then."""
    agenda = Agenda(host, session)
    while agenda.has_more and (errand := await threads.write(agenda.next)) is not None:
        with agenda.guarding(errand):
            trouble = await _followed(host, threads, errand)
            if trouble is not None:
                raise trouble
        agenda.note(errand.session)
    if agenda.has_done:
        await threads.block(session.load)


async def _followed(host: Host, threads: Threads, errand: Errand) -> BaseException | None:
    """Go on an errand to its end; return what ends the execution, if anything does."""
    session = errand.session
    try:
        await threads.write(partial(host.take_up, errand))
        if session.token:
            with host.heartbeat.holding(session.lease):
                return await _drive(host, session, threads)
        return None
    finally:
        await threads.write(partial(host.give_back, session))


async def _drive(host: Host, session: Session, threads: Threads) -> BaseException | None:
    """Run a claimed job until it waits, is paused or has ended."""
    reach("execution.claimed")
    execution = host.execution(session, partial(threads.write, meanwhile=session.prepare))
    while (wave := open_wave(execution)) is not None:
        if wave.is_single:
            await _run_alone(wave, threads)
        else:
            await _run_beside(wave, threads)
        if session.is_grouping and session.is_waiting and wave.is_last:
            await threads.write(session.flush)
        if wave.trouble is not None:
            return wave.trouble
        if host.is_to_see_to(session):
            await threads.write(partial(host.see_to, session))
    return None


async def _run_alone(wave: Wave, threads: Threads) -> None:
    for run in wave.startable():
        await _settle(wave, run, await _performed(run, threads))


async def _settle(wave: Wave, run: Run, outcome: Performed) -> None:
    """Record what became of a run: here, as far as that waits for nothing, else in a thread.

    What may call a reducer of the user's is done there too: that is plain code.
    """
    left: Left = partial(wave.settle, run, outcome)
    if not wave.execution.has_code:
        left = wave.settle(run, outcome, at_once=True)
    if left is not None:
        await wave.execution.off_loop(left)


async def _run_beside(wave: Wave, threads: Threads) -> None:
    """Run a wave, as many at once as allowed, recording each as it finishes."""
    running: dict[Task[Performed], Run] = {}
    try:
        while True:
            if wave.is_due:
                await threads.write(wave.fire)
            for run in wave.startable():
                running[create_task(_performed(run, threads))] = run
            if not running:
                return
            for task in await _finished(running, wave):
                run = running.pop(task)
                await _settle(wave, run, task.exception() or task.result())
    finally:
        await _abandon(running)


async def _finished(running: Iterable[Task[Performed]], wave: Wave) -> list[Task[Performed]]:
    """Return what has finished, as soon as something has, or the next attempt of another is due."""
    at_ms = wave.wakes_at_ms
    if at_ms is None:
        return list((await wait(running, return_when=FIRST_COMPLETED))[0])
    due = create_task(wait_until_async(wave.session.clock, at_ms))
    try:
        await wait((*running, due), return_when=FIRST_COMPLETED)
    finally:
        due.cancel()
    return [each for each in running if each.done()]


async def _performed(run: Run, threads: Threads) -> Performed:
    """Return what settles an activation, or what ends its execution.

    What ends a process is not raised here, where it would end the loop before its neighbours.
    Whoever is cancelled while waiting here abandons the run.
    """
    if not run.slot.is_async:
        return await threads.attempt(partial(performed, run), run.abandon)
    try:
        return await performed_async(run)
    except (EsflowError, KeyboardInterrupt, SystemExit) as ending:
        return ending


async def _abandon(running: Mapping[Task[Performed], Run]) -> None:
    """Have handlers end that nobody waits for any more, and let nothing of them be recorded."""
    for run in running.values():
        run.abandon()
    while going := [each for each in running if not each.done()]:
        for task in going:
            task.cancel()
        with suppress(CancelledError):  # Whoever cancels again cancels them again.
            await wait(going)
    for task in running:
        if not task.cancelled():
            task.exception()  # It is known, and of no use.
