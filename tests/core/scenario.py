"""Given events, when a command, then events or an error; and short words for the events.

Whatever a command is refused with or granted by, deciding must not have changed what it read:
every `when` sees to that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, final

import attrs

from esflow import events as ev
from esflow.commands import Command
from esflow.consequences import due
from esflow.decider import decide
from esflow.errors import EsflowError
from esflow.events import Json
from esflow.fold import evolve, fold_events
from esflow.state import JobFold

JOB: Final = "job"
Outcome: TypeAlias = "tuple[ev.Event, ...] | EsflowError"


@final
@attrs.frozen
class Given:
    """A job that something has happened to."""

    events: tuple[ev.Event, ...]

    def fold(self) -> JobFold:
        """Return the fold of what has happened."""
        return fold_events(JOB, self.events)

    def when(self, command: Command) -> When:
        """Let somebody wish for something."""
        return When(self._undisturbed(lambda fold: _decided(fold, command)))

    def at_rest(self, *, quiet: bool = True) -> When:
        """Let everything that is due happen."""
        fold, happened = self.fold(), list[ev.Event]()
        while (event := self._same_twice(fold, quiet=quiet)) is not None:
            evolve(fold, event)
            happened.append(event)
        return When(tuple(happened))

    def _same_twice(self, fold: JobFold, *, quiet: bool) -> ev.Event | None:
        event, again = due(fold, quiet=quiet), due(fold, quiet=quiet)
        assert event == again, "asking what is due has changed the answer"
        return event

    def _undisturbed(self, read: Callable[[JobFold], Outcome]) -> Outcome:
        fold = self.fold()
        before = repr(fold)
        outcome = read(fold)
        assert repr(fold) == before, "deciding has changed what it read"
        return outcome


@final
@attrs.frozen
class When:
    """What a wish, or the course of things, led to."""

    outcome: Outcome

    def then(self, *expected: ev.Event | EsflowError) -> None:
        """See that it led to these events, or was refused by this error."""
        if isinstance(self.outcome, EsflowError):
            assert [_shown(self.outcome)] == [_shown(each) for each in expected]
        else:
            assert self.outcome == expected


def given(*events: ev.Event) -> Given:
    """Begin with what has happened."""
    return Given(events)


def _decided(fold: JobFold, command: Command) -> Outcome:
    try:
        return decide(fold, command)
    except EsflowError as refused:
        return refused


def _shown(outcome: object) -> tuple[type, object]:
    """Return an error as what it is and what it holds: errors themselves are never equal."""
    return type(outcome), outcome.args if isinstance(outcome, EsflowError) else outcome


# Events, each with as little as it takes.


def started(slot: str = "a.in", *, limit: int = 100, **payload: Json) -> ev.JobStarted:
    """Return the beginning of a job."""
    return ev.JobStarted(
        flow="flow", flow_version="1", fingerprint="f", slot=slot, payload=payload, limit=limit
    )


def stopping(*, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> ev.JobStarted:
    """Return the beginning of a job with breakpoints."""
    return attrs.evolve(started(), before=before, after=after)


CLAIMED: Final = ev.ExecutionClaimed(host="h", process="p", flow_version="1", fingerprint="f")
RUNNING: Final = (started(), CLAIMED)


def done(activation: str = "1.1", *records: ev.Event) -> tuple[ev.Event, ...]:
    """Return what an activation records when its handler returns."""
    completed = ev.ActivationCompleted(
        activation=activation, started_at_ms=0, duration_us=0, events=len(records)
    )
    return (*records, completed)


def failed(activation: str = "1.1", message: str = "no") -> ev.ActivationFailed:
    """Return what is recorded of a handler that raises."""
    error = ev.Failure(type="ValueError", message=message, traceback=f"traceback of {activation}")
    return ev.ActivationFailed(
        activation=activation, started_at_ms=0, duration_us=0, error=error, outcome="stop"
    )


def emitted(item: str, *slots: str, **payload: Json) -> ev.Emitted:
    """Return an emission to slots."""
    targets = tuple(ev.Target(slot=slot) for slot in slots)
    return ev.Emitted(id=item, output="out", payload=payload, targets=targets)


def deferred(item: str, *slots: str, **payload: Json) -> ev.EmissionDeferred:
    """Return a deferral to slots."""
    targets = tuple(ev.Target(slot=slot) for slot in slots)
    return ev.EmissionDeferred(id=item, output="later", payload=payload, targets=targets)


def asked(item: str = "1.1/q0", to: str = "a.in", **options: Any) -> ev.QuestionAsked:
    """Return a question."""
    return ev.QuestionAsked(id=item, text=f"{item}?", to=to, **options)


def answered(item: str = "1.1/q0", value: Json = "yes") -> ev.AnswerRecorded:
    """Return an answer."""
    return ev.AnswerRecorded(id=item, value=value)


def interrupted(item: str = "1.1/i0", payload: Json = "go?", **options: Any) -> ev.Interrupted:
    """Return what is recorded of a handler that asks in its middle."""
    return ev.Interrupted(id=item, payload=payload, started_at_ms=0, duration_us=0, **options)


def wrote(key: str, reducer: str, value: Json = None, by: str = "1.1") -> ev.SharedWritten:
    """Return a write to shared data."""
    return ev.SharedWritten(activation=by, key=key, reducer=reducer, value=value)


def wants_pause(reason: str = "tea", by: str = "1.1") -> ev.PauseRequested:
    """Return a program's wish to pause."""
    return ev.PauseRequested(kind="program", reason=reason, activation=by)


HOLD: Final = ev.PauseRequested(kind="operator", reason="inspection")


def paused(*reasons: ev.PauseReason) -> ev.JobPaused:
    """Return a halt."""
    return ev.JobPaused(reasons=reasons)


def for_question(item: str = "1.1/q0") -> ev.PauseReason:
    """Return the reason that a question is."""
    activation = item.partition("/")[0]
    return ev.PauseReason(kind="question", text=f"{item}?", activation=activation)


def for_interrupt(item: str = "1.1/i0", text: str = "go?") -> ev.PauseReason:
    """Return the reason that an interrupt is."""
    activation = item.partition("/")[0]
    return ev.PauseReason(kind="interrupt", text=text, activation=activation)


def before(activation: str = "1.1", slot: str = "a.in") -> ev.PauseReason:
    """Return the reason that a breakpoint before a slot is."""
    return ev.PauseReason(kind="breakpoint", text=f"before {slot}", activation=activation)


def after(activation: str = "1.1", slot: str = "a.in") -> ev.PauseReason:
    """Return the reason that a breakpoint after a slot is."""
    return ev.PauseReason(kind="breakpoint", text=f"after {slot}", activation=activation)


def for_program(text: str = "tea", by: str = "1.1") -> ev.PauseReason:
    """Return the reason that a program gives."""
    return ev.PauseReason(kind="program", text=text, activation=by)


FOR_OPERATOR: Final = ev.PauseReason(kind="operator", text="inspection")
HELD: Final = paused(FOR_OPERATOR)


def resumed(command: str = "Continue", lifted: str = "program") -> ev.JobResumed:
    """Return the lifting of a pause."""
    return ev.JobResumed(command=command, lifted=lifted)


def released(*ids: str) -> ev.DeferralsReleased:
    """Return a release of deferrals."""
    return ev.DeferralsReleased(ids=ids)


def message(number: int = 1, slot: str = "a.in", key: str | None = None) -> ev.MessageReceived:
    """Return a message."""
    return ev.MessageReceived(id=f"m{number}", slot=slot, payload={"n": number}, key=key)


ASKED: Final = (*RUNNING, *done("1.1", asked()), paused(for_question()))
"""A job that waits for the answer to ``1.1/q0``."""
INTERRUPTED: Final = (*RUNNING, interrupted(), paused(for_interrupt()))
"""A job whose only activation is set aside until ``1.1/i0`` is answered."""
STOPPED_BEFORE: Final = (stopping(before=("a.in",)), paused(before()))
"""A job that stands before its first activation, which nobody has claimed."""
STOPPED_AFTER: Final = (
    *(stopping(after=("a.in",)), CLAIMED),
    *(*done("1.1", emitted("1.1/o0", "b.in")), paused(after())),
)
"""A job that stands behind its first wave, with ``2.1`` kept."""
PAUSED: Final = (*RUNNING, *done("1.1", wants_pause()), paused(for_program()))
"""A job whose program has paused it, with nothing else to do."""
ENDED: Final = (*RUNNING, *done(), ev.JobCompleted())
