"""How a history looks in lines of text, for a terminal, a file or a page.

A `Line` is text with a tone, so that each of them can mark it in its own way.
Long values are cut here; whoever needs them whole takes the entries as data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias, assert_never, final

import attrs

from esflow import events as ev
from esflow.events import Failure, Json, PauseReason, Recorded
from esflow.state import Status
from esflow_projections.book import moment as event_moment
from esflow_projections.entries import (
    ActivationEntry,
    AnswerGiven,
    Call,
    ChildEntry,
    Circumstances,
    ClaimEntry,
    EndEntry,
    Entry,
    ForkEntry,
    HoldEntry,
    Interruption,
    LeadEntry,
    MergeEntry,
    MessageEntry,
    PauseEntry,
    QuestionEntry,
    ReleaseEntry,
    ResumeEntry,
    RetryEntry,
    Settlement,
    StartEntry,
    TimerEntry,
    UpdateEntry,
)
from esflow_projections.plain import cut, moment, plain, printable, recorded_as_dict, shown

max_value_characters: Final = 100

Tone: TypeAlias = Literal["plain", "quiet", "good", "bad", "asking"]

_UNITS: Final = ((1_000_000, "s"), (1_000, "ms"))
_REASONS: Final[Mapping[str, str]] = {
    "program": "the program asked for a pause",
    "question": "the program waits for an answer",
    "interrupt": "a handler waits for an answer",
    "breakpoint": "there is a breakpoint",
    "operator": "the operator asked for a pause",
}
_OUTCOMES: Final[Mapping[str, str]] = {"skip": ", passed over", "route": ", told by its output"}
_LIFTED: Final[Mapping[str, str]] = {
    "program": "its own pause",
    "question": "its own pause",
    "interrupt": "an interrupt",
    "breakpoint": "a breakpoint",
    "operator": "the operator's pause",
}


@final
@attrs.frozen(kw_only=True)
class Line:
    """One line: what it is about, and what it says.

    Shape: ``at`` is None for a line that belongs to the entry above it.
    """

    at: Circumstances | None
    label: str
    text: str
    tone: Tone = "plain"


def lines(entries: Iterable[Entry]) -> Iterator[Line]:
    """Yield the lines that tell entries, in order."""
    for entry in entries:
        yield from _told(entry)


def as_text(line: Line, *, label_width: int = 10) -> str:
    """Return a line as aligned text, with version, moment and host in front where it has them."""
    label = line.label.ljust(label_width)
    if line.at is None:
        return f"{'':45}{label}  {line.text}".rstrip()
    where = f"v{line.at.version}".ljust(6) + moment(line.at.recorded_at)
    return f"{where} {printable(line.at.host):<13} {label}  {line.text}".rstrip()


def raw_fields(recorded: Recorded) -> tuple[str, ...]:
    """Return one event as fields: version, moment, host, actor, name and data."""
    data = recorded_as_dict(recorded)["data"]
    return (
        str(recorded.version),
        moment(recorded.recorded_at),
        printable(recorded.host),
        printable(recorded.actor or "-"),
        recorded.event.name,
        shown(data),
    )


def reason_text(reason: PauseReason) -> str:
    """Say who wants a job to stand still, and why."""
    who = _REASONS.get(reason.kind, reason.kind)
    text = f": {_text(reason.text)}" if reason.text else ""
    where = f" ({reason.activation})" if reason.activation else ""
    return f"{who}{text}{where}"


def answers_text(
    choices: Sequence[Json] | None, types: Sequence[str], limit: int | None = None
) -> str:
    """Say which answers are taken, with a space in front; nothing where any is."""
    if choices is not None:
        return f" one of {shown(choices, limit)}"
    return f" of type {' or '.join(types)}" if types else ""


def breakpoints_text(before: Sequence[str] | None, after: Sequence[str] | None) -> str:
    """Say where a job stops; None leaves out what nothing is to be said of."""
    places = (("before", before), ("after", after))
    return ", ".join(
        f"{place} {' and '.join(slots) or 'no slot'}"
        for place, slots in places
        if slots is not None
    )


def _told(entry: Entry) -> Iterator[Line]:
    match entry:
        case ActivationEntry():
            yield from _activation(entry)
        case QuestionEntry():
            yield from _question(entry)
        case EndEntry():
            yield _end(entry)
        case PauseEntry():
            for reason in entry.reasons:
                yield Line(at=entry.at, label="paused", text=reason_text(reason), tone="asking")
        case TimerEntry() | ChildEntry() | MergeEntry() | RetryEntry():
            yield _consequence(entry)
        case _:
            yield _circumstance(entry)


def _circumstance(
    entry: (
        StartEntry
        | ClaimEntry
        | MessageEntry
        | UpdateEntry
        | LeadEntry
        | ForkEntry
        | HoldEntry
        | ResumeEntry
        | ReleaseEntry
    ),
) -> Line:
    match entry:
        case StartEntry():
            flow = f"flow {entry.flow} version {printable(entry.flow_version)}"
            text = f"{flow} at {entry.slot} with {_value(entry.payload)}{_labels(entry.labels)}"
            stops = breakpoints_text(entry.before or None, entry.after or None)
            text += f" with breakpoints {stops}" if stops else ""
            parent = entry.parent
            text += f" as {parent.child} of {printable(parent.job_id)}" if parent else ""
            return Line(at=entry.at, label="started", text=text + _by(entry.at))
        case ClaimEntry():
            text = f"by {printable(entry.host)} ({printable(entry.process)})"
            return Line(at=entry.at, label="claimed", text=text, tone="quiet")
        case MessageEntry():
            key = "" if entry.key is None else f", key {_value(entry.key)}"
            text = f"{entry.id} to {entry.slot} with {_value(entry.payload)}{key}{_by(entry.at)}"
            return Line(at=entry.at, label="message", text=text)
        case UpdateEntry():
            text = f"shared[{_value(entry.key)}] {_write(entry)}{_by(entry.at)}"
            return Line(at=entry.at, label="updated", text=text)
        case LeadEntry():
            instead = f" instead of {', '.join(entry.dropped)}" if entry.dropped else ""
            text = f"to {entry.slot} with {_value(entry.payload)}{instead}{_by(entry.at)}"
            return Line(at=entry.at, label="led", text=text)
        case ForkEntry():
            calls = "effects are called" if entry.live else "results of effects are asked for"
            text = f"from {printable(entry.origin)}@{entry.version}{_by(entry.at)}; {calls}"
            return Line(at=entry.at, label="forked", text=text)
        case HoldEntry():
            why = f": {_text(entry.reason)}" if entry.reason else ""
            text = f"the operator asked for a pause{_by(entry.at)}{why}"
            return Line(at=entry.at, label="hold", text=text)
        case ResumeEntry():
            text = f"from {_lifted(entry)} with {entry.command}{_by(entry.at)}{_replaced(entry)}"
            return Line(at=entry.at, label="resumed", text=text)
        case ReleaseEntry():
            text = f"what was deferred: {', '.join(entry.ids)}"
            return Line(at=entry.at, label="released", text=text, tone="quiet")
        case _:
            assert_never(entry)


def _consequence(entry: TimerEntry | ChildEntry | MergeEntry | RetryEntry) -> Line:
    match entry:
        case TimerEntry():
            return Line(at=entry.at, label="due", text=", ".join(entry.ids))
        case ChildEntry():
            why = "" if entry.failure is None else f": {_error(entry.failure)}"
            outputs = f" with {_value([*entry.outputs])}" if entry.outputs else ""
            return Line(at=entry.at, label="child", text=f"{entry.id} {entry.status}{outputs}{why}")
        case MergeEntry():
            return Line(at=entry.at, label="merged", text=_value(entry.values), tone="quiet")
        case RetryEntry():
            how = "with fresh effects" if entry.effects == "fresh" else "with recorded effects"
            return Line(at=entry.at, label="retried", text=f"{how}{_by(entry.at)}")
        case _:
            assert_never(entry)


def _activation(entry: ActivationEntry) -> Iterator[Line]:
    tone, outcome = _outcome(entry)
    head = f"{entry.slot} with {_value(entry.payload)} {outcome}"
    yield Line(at=entry.at, label=entry.id, text=head, tone=tone)
    runs: list[Call | Interruption | Settlement]
    runs = [*entry.calls, *entry.interrupts, *entry.failures]
    for each in sorted(runs, key=lambda each: each.at.version):
        match each:
            case Call():
                yield _call(each)
            case Settlement():
                yield _failure(each)
            case Interruption():
                yield from _interruption(each)
    for record in entry.records:
        label, text = _record(record)
        yield Line(at=None, label=label, text=text, tone="quiet")
    if entry.settled is not None and entry.settled.error is not None:
        yield Line(at=None, label="error", text=_error(entry.settled.error), tone="bad")


def _outcome(entry: ActivationEntry) -> tuple[Tone, str]:
    settled = entry.settled
    if settled is None:
        waits = bool(entry.interrupts) and entry.interrupts[-1].answer is None
        return "asking", "(set aside)" if waits else "(not finished here)"
    runs = len(entry.interrupts) + len(entry.failures)
    where = "" if settled.at.host == entry.at.host else f" on {printable(settled.at.host)}"
    how = "completed" if settled.error is None else "failed"
    tone: Tone = "plain" if settled.error is None else "bad"
    run = f", run {runs + 1}" if runs else ""
    run += _OUTCOMES.get(settled.outcome or "", "")
    return tone, f"{how} in {_duration(settled.duration_us)}{where} (v{settled.at.version}){run}"


def _call(call: Call) -> Line:
    where = f"on {printable(call.at.host)} (v{call.at.version})"
    name = printable(call.function)
    took = _duration(call.duration_us)
    if call.error is None:
        text = f"{name} → {_value(call.result)} in {took} {where}"
        return Line(at=None, label="called", text=text)
    text = f"{name} failed in {took} {where}: {_error(call.error)}{_again(call)}"
    return Line(at=None, label="called", text=text, tone="bad")


def _failure(run: Settlement) -> Line:
    """Tell a run that failed and is followed by another."""
    assert run.error is not None, "only what failed is tried again"
    where = f"after {_duration(run.duration_us)} on {printable(run.at.host)} (v{run.at.version})"
    text = f"attempt {run.attempt} {where}: {_error(run.error)}{_again(run)}"
    return Line(at=None, label="failed", text=text, tone="bad")


def _again(run: Call | Settlement) -> str:
    return "" if run.again_at is None else f"; again at {moment(run.again_at)}"


def _interruption(entry: Interruption) -> Iterator[Line]:
    """Tell a run that ended in a question, and the answer."""
    where = f"after {_duration(entry.duration_us)} on {printable(entry.at.host)}"
    answers = answers_text(entry.choices, entry.types, max_value_characters)
    text = f"{entry.id} {_value(entry.payload)}{answers} {where} (v{entry.at.version})"
    yield Line(at=None, label="interrupt", text=text, tone="asking")
    yield _answer(entry.answer)


def _record(event: ev.Event) -> tuple[str, str]:
    match event:
        case ev.Emitted():
            targets = ", ".join(target.slot for target in event.targets) or "out of the job"
            return "emitted", f"{event.output} {_value(event.payload)} → {targets}"
        case ev.EmissionDeferred():
            targets = ", ".join(target.slot for target in event.targets) or "out of the job"
            return "deferred", f"{event.output} {_value(event.payload)} → {targets}"
        case ev.TimerSet():
            targets = ", ".join(target.slot for target in event.targets) or "out of the job"
            what = f"{event.id} {event.output} {_value(event.payload)} → {targets}"
            return "timer", f"{what} at {moment(event_moment(event.due_at_ms))}"
        case ev.ChildStarted():
            what = f"{event.id} {event.flow} at {event.slot} with {_value(event.payload)}"
            return "child", f"{what} → {event.then}"
        case ev.SharedWritten():
            return "wrote", f"shared[{_value(event.key)}] {_write(event)}"
        case ev.MemoryWritten():
            return "wrote", f"memory of {event.routine}[{_value(event.key)}] {_write(event)}"
        case ev.Logged():
            fields = f" {_value(event.fields)}" if event.fields else ""
            return "logged", f"{_text(event.message)}{fields}"
        case ev.QuestionAsked():
            return "asked", f"{event.id} {_value(event.text)}"
        case ev.PauseRequested():
            return "pause", _text(event.reason)
        case _:  # What a newer vocabulary records inside an activation is told, if not in words.
            return event.name, _value(plain(event))


def _write(event: ev.SharedWritten | ev.MemoryWritten | UpdateEntry) -> str:
    if event.reducer == "delete":
        return "deleted"
    sign = "=" if event.reducer == "set" else event.reducer
    return f"{sign} {_value(event.value)}"


def _question(entry: QuestionEntry) -> Iterator[Line]:
    answers = answers_text(entry.choices, (), max_value_characters)
    text = f"{entry.id} {_value(entry.text)}{answers} → {entry.to}"
    if entry.due_at is not None:
        text += f", {_value(entry.default)} at {moment(entry.due_at)}"
    yield Line(at=entry.at, label="question", text=text, tone="asking")
    yield _answer(entry.answer)


def _answer(answer: AnswerGiven | None) -> Line:
    if answer is None:
        return Line(at=None, label="unanswered", text="", tone="asking")
    where = f"on {printable(answer.at.host)} at {moment(answer.at.recorded_at)}"
    text = f"{_value(answer.value)}{_by(answer.at)} {where} (v{answer.at.version})"
    return Line(at=None, label="answered", text=text, tone="good")


def _lifted(entry: ResumeEntry) -> str:
    """Say what a command carried the job on from, each kind of hold once."""
    kinds = [_LIFTED.get(each.kind, each.kind) for each in entry.reasons]
    return " and ".join(dict.fromkeys(kinds)) or "a pause"


def _replaced(entry: ResumeEntry) -> str:
    """Say which breakpoints a resumption put in the place of the old ones."""
    stops = breakpoints_text(entry.before, entry.after)
    return f"; breakpoints from now on {stops}" if stops else ""


def _end(entry: EndEntry) -> Line:
    if entry.status is Status.CANCELLED:
        why = f": {_text(entry.reason)}" if entry.reason else ""
        text = f"the job was cancelled{_by(entry.at)}{why}"
        return Line(at=entry.at, label=entry.status.value, text=text, tone="bad")
    if entry.error is None:
        return Line(at=entry.at, label=entry.status.value, text="", tone="good")
    where = f" in {entry.activation}" if entry.activation else ""
    text = f"{_error(entry.error)}{where}"
    return Line(at=entry.at, label=entry.status.value, text=text, tone="bad")


def _error(failure: Failure) -> str:
    return f"{_text(failure.type)}: {_text(failure.message)}"


def _by(at: Circumstances) -> str:
    return "" if at.actor is None else f" by {_text(at.actor)}"


def _labels(labels: Mapping[str, str]) -> str:
    return f" labels {_value(labels)}" if labels else ""


def _text(text: str) -> str:
    return cut(printable(text), max_value_characters)


def _value(value: object) -> str:
    return shown(value, max_value_characters)


def _duration(microseconds: int) -> str:
    for size, unit in _UNITS:
        if microseconds >= size:
            return f"{microseconds / size:.1f} {unit}"
    return f"{microseconds} µs"
