"""What becomes due: timers that fire, next attempts, and questions whose time is over.

Whether something may happen is decided as everything is, see `esflow.consequences.overdue`; this
module brings the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from esflow.commands import AnswerInTime, Command, Continue, FireTimers
from esflow.consequences import overdue, unanswered
from esflow.decider import decide
from esflow.events import Event
from esflow.runtime.decisions import Decide
from esflow.runtime.session import Session
from esflow.runtime.steps import fire_due
from esflow.state import JobFold

TIMER: Final = "timer"
"""Who answers a question in whose time nobody did."""


def firing_before_resumption(session: Session, wishes: Iterable[Command]) -> Decide:
    """Return the step that lets what was due while a job was paused join what comes next.

    A Continue lifts an operator's hold and no other, so while one stands it resumes no program.
    """
    continues = any(isinstance(wish, Continue) for wish in wishes)

    def step(fold: JobFold) -> Sequence[Event]:
        resumes = fold.operator is None or not continues
        if not (resumes and (fold.program_paused or fold.halt_paused)):
            return ()
        return decide(fold, FireTimers(now_ms=session.clock.now_ms(), resuming=True))

    return step


def answer_in_time(session: Session) -> None:
    """Record the default of every question whose time is over, until none is.

    Raises: Fenced; StoreError.
    """

    def step(fold: JobFold) -> Sequence[Event]:
        return decide(fold, AnswerInTime(now_ms=session.clock.now_ms()))

    while unanswered(session.fold, session.clock.now_ms()):
        session.commit(step, actor=TIMER)


def is_overdue(session: Session) -> bool:
    """Tell whether the time of anything in a job has come."""
    wakes_at_ms = session.fold.wakes_at_ms
    return wakes_at_ms is not None and wakes_at_ms <= session.clock.now_ms()


def catch_up(session: Session) -> None:
    """Let happen what has become due while a job was driven.

    Raises: Fenced; StoreError.
    """
    answer_in_time(session)
    if overdue(session.fold, session.clock.now_ms()):
        session.commit(lambda fold: fire_due(fold, session.clock))
