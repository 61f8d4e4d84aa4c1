"""Whether today's code would do what is recorded: each activation is run again, and compared.

Nothing outside is called and nothing is appended: a handler gets the effects and answers that its
history has, and is stopped at the first call that it lacks.

What is compared
----------------
Of an activation that completed: all that it recorded, in the order of its calls, and its effects,
one by one; of one that waits for an answer: what it asks; of one that is to run yet: whether its
slot is still there and takes the payload.
Failures are not run again: an error that is mended is no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias, final

import attrs

from esflow import events as ev
from esflow import usercode
from esflow.asking import Asked
from esflow.clock import Clock
from esflow.context import Context
from esflow.errors import EsflowError, NondeterminismError
from esflow.events import Event, Json
from esflow.flow import Flow
from esflow.fold import evolve
from esflow.json_values import same_json
from esflow.merging import merge, pending_writes
from esflow.payloads import bind
from esflow.reducers import ABSENT
from esflow.replay import read_verified, recorders
from esflow.runtime.handling import handled, handled_async, run_alone
from esflow.standing import Standing
from esflow.state import Activation, JobFold, Member, MergeFailure
from esflow.store import Store

Found: TypeAlias = "tuple[str, str, str]"
"""What differs: its kind, what is recorded, and what would be now."""

_NOTHING: Final = "nothing"
_KINDS: Final[dict[type[Event], str]] = {
    ev.Emitted: "emission",
    ev.EmissionDeferred: "deferral",
    ev.SharedWritten: "write",
    ev.MemoryWritten: "write",
    ev.Logged: "log",
    ev.PauseRequested: "pause",
    ev.QuestionAsked: "question",
    ev.TimerSet: "timer",
    ev.ChildStarted: "child",
}


@final
@attrs.frozen(kw_only=True)
class Difference:
    """The first thing that an activation would do otherwise.

    Shape: ``kind`` is ``effect``, ``interrupt``, ``emission``, ``deferral``, ``timer``, ``child``,
    ``write``, ``merge``, ``log``, ``pause``, ``question``, ``failure``, ``slot`` or ``payload``;
    ``recorded`` and ``now`` show both sides, ``nothing`` where one of them has none.
    """

    job_id: str
    activation: str
    kind: str
    recorded: str
    now: str


@final
@attrs.frozen(kw_only=True)
class CheckReport:
    """What a check found: no differences, when today's code would do what is recorded."""

    ok: bool
    jobs: int
    activations: int
    differences: tuple[Difference, ...]


@final
@attrs.frozen
class Rehearsal:
    """Lets a handler do nothing outside."""

    flows: Mapping[str, Flow]

    @property
    def clock(self) -> Clock:
        """Tell no time."""
        raise AssertionError("a rehearsal asked for the time")

    def record_effect(self, effect: ev.EffectRecorded | ev.EffectAttemptFailed) -> None:
        """Record nothing: no effect is called."""
        raise AssertionError(f"{effect.id} was called in a rehearsal")

    async def record_effect_async(self, effect: ev.EffectRecorded | ev.EffectAttemptFailed) -> None:
        """Record nothing: no effect is called."""
        self.record_effect(effect)

    def let_out(self) -> None:
        """Let nothing out: no effect is called."""
        raise AssertionError("an effect was to be called in a rehearsal")

    async def let_out_async(self) -> None:
        """Let nothing out: no effect is called."""
        self.let_out()

    def due_at_ms(self, delay_ms: int) -> int:
        """Let everything count from the same moment: when something is due is no difference."""
        return delay_ms

    def wait(self, at_ms: int) -> None:
        """Let nobody wait."""
        raise AssertionError(f"{at_ms} is waited for in a rehearsal")

    async def wait_async(self, at_ms: int) -> None:
        """Let nobody wait."""
        self.wait(at_ms)

    def now_ms(self) -> int:
        """Tell no time: what asks for it is an effect like another."""
        raise AssertionError("a rehearsal asked for the time")

    def is_cancelled(self) -> bool:
        """Tell that nobody has cancelled the job."""
        return False

    def may_call(self, name: str) -> bool:  # noqa: ARG002 - no name changes the answer
        """Tell that no effect may be called."""
        return False


def check_jobs(
    store: Store, jobs: Iterator[tuple[str, Flow]], flows: Mapping[str, Flow]
) -> CheckReport:
    """Check jobs against the flows that they would be carried on with today.

    Raises: CorruptHistory, UnknownEvent.
    """
    count, activations, differences = 0, 0, list[Difference]()
    for job_id, flow in jobs:
        count += 1
        for activation, found in _checked(store, job_id, flow, flows):
            activations += 1
            if found is not None:
                kind, was, now = found
                differences.append(
                    Difference(
                        job_id=job_id, activation=activation, kind=kind, recorded=was, now=now
                    )
                )
    return CheckReport(
        ok=not differences,
        jobs=count,
        activations=activations,
        differences=tuple(differences),
    )


def _checked(
    store: Store, job_id: str, flow: Flow, flows: Mapping[str, Flow]
) -> Iterator[tuple[str, Found | None]]:
    """Yield every activation that is compared, with what differs."""
    whose = iter(recorders(store, job_id))  # A handler sees which job it runs for.
    fold, rehearsal = JobFold(job_id=next(whose)), Rehearsal(flows)
    for event in (recorded.event for recorded in read_verified(store, job_id)):
        if isinstance(event, ev.JobForked):
            fold.job_id = next(whose)
        if isinstance(event, ev.ActivationCompleted):
            member = fold.members[event.activation]
            yield event.activation, _completed(fold, flow, member, rehearsal, tuple(fold.buffer))
        elif isinstance(event, ev.WaveMerged):
            yield from _merged(fold, flow, event)
        evolve(fold, event)
    if fold.ended is not None:
        return
    for member in fold.members.values():
        if member.interrupt is not None:
            yield member.activation.id, _set_aside(fold, flow, member, rehearsal, member.interrupt)
        elif not member.settled:
            yield member.activation.id, _to_run(flow, member.activation)
    for activation in fold.kept:
        yield activation.id, _to_run(flow, activation)
    yield from _waiting(fold, flow)


def _to_run(flow: Flow, activation: Activation) -> Found | None:
    """Return why an activation can't be run by today's code."""
    return _misfit(flow, activation.slot, activation.payload)


def _misfit(
    flow: Flow, address: str, payload: Mapping[str, Json], *, gathers: bool = False
) -> Found | None:
    """Return why a payload, alone or among others, can't be taken by today's code."""
    slot = flow.slots.get(address)
    if slot is None:
        return "slot", address, _NOTHING
    try:
        bind(slot.signature, slot.address, {"items": [payload]} if gathers else payload)
    except EsflowError as misfit:
        return "payload", _shown(dict(payload)), str(misfit)
    return None


def _waiting(fold: JobFold, flow: Flow) -> Iterator[tuple[str, Found | None]]:
    """Yield what waits for a resumption, where its slot has gone or takes something else."""
    needed = [(each.id, each.to) for each in fold.questions.values()]
    held_back: tuple[ev.EmissionDeferred | ev.TimerSet, ...] = (
        *fold.deferrals.values(),
        *fold.timers.values(),
    )
    needed += [(each.id, target.slot) for each in held_back for target in each.targets]
    needed += [(each.id, each.then) for each in fold.open_children]
    for item, slot in needed:
        if slot not in flow.slots:
            yield item, ("slot", slot, _NOTHING)
    for delivery in fold.inputs:
        gathers = delivery.gather is not None
        problem = _misfit(flow, delivery.slot, delivery.payload, gathers=gathers)
        if problem is not None:
            yield delivery.cause, problem
    for address, found in fold.gathers.items():
        for gathered in found.waiting:
            problem = _misfit(flow, address, gathered.payload, gathers=True)
            if problem is not None:
                yield gathered.cause, problem


def _completed(
    fold: JobFold, flow: Flow, member: Member, rehearsal: Rehearsal, records: Sequence[Event]
) -> Found | None:
    """Return in what a run of today's code differs from one that completed."""
    run = _run(fold, flow, member, rehearsal)
    if run.problem is not None:
        return run.problem
    if run.asked is not None:
        kind = "interrupt" if run.asked.call is None else "effect"
        return kind, _NOTHING, str(run.asked)
    return _first(records, run.records) or _unused(run, member)


def _merged(fold: JobFold, flow: Flow, event: ev.WaveMerged) -> Iterator[tuple[str, Found]]:
    """Yield in what today's code would merge the writes of a wave, or of an update, otherwise."""
    writes = pending_writes(fold)
    found = merge(flow, fold, writes)
    if isinstance(found, MergeFailure):
        yield found.activation or "", ("merge", _shown(dict(event.values)), found.problem)
        return
    for key in dict.fromkeys([*event.values, *found]):
        was, now = event.values.get(key, ABSENT), found.get(key, ABSENT)
        if was is ABSENT or now is ABSENT or not same_json(was, now):
            wrote = [each.activation for each in writes if each.key == key and each.activation]
            yield wrote[-1] if wrote else "", ("merge", _valued(key, was), _valued(key, now))
            return


def _valued(key: str, value: Json) -> str:
    return _NOTHING if value is ABSENT else f"{key} {_shown(value)}"


def _set_aside(
    fold: JobFold, flow: Flow, member: Member, rehearsal: Rehearsal, interrupt: ev.Interrupted
) -> Found | None:
    """Return in what a run of today's code differs from one that waits for an answer."""
    run = _run(fold, flow, member, rehearsal)
    if run.problem is not None:
        return run.problem
    was = _asked(interrupt)
    if run.asked is None:
        return "interrupt", _shown(was), _NOTHING
    now = _asked(run.asked.recorded(started_at_ms=0, duration_us=0))
    if not same_json(was, now):
        kind = "interrupt" if run.asked.call is None else "effect"
        return kind, _shown(was), _shown(now)
    return _unused(run, member)


def _asked(interrupt: ev.Interrupted) -> Json:
    """Return an interrupt without circumstances: the key of a call names the job that made it."""
    call = None if interrupt.call is None else attrs.evolve(interrupt.call, key="")
    return _fields(attrs.evolve(interrupt, started_at_ms=0, duration_us=0, call=call))


@final
@attrs.frozen(kw_only=True)
class _Run:
    """What became of a handler that was run again."""

    problem: Found | None = None  # It could not be, or did not come to its end.
    asked: Asked | None = None  # It was stopped at what is not recorded.
    records: Sequence[Event] = ()
    effects_used: AbstractSet[str] = frozenset()
    interrupts_used: int = 0


def _run(fold: JobFold, flow: Flow, member: Member, rehearsal: Rehearsal) -> _Run:
    """Run an activation's handler again, with what is recorded of it."""
    problem = _to_run(flow, member.activation)
    if problem is not None:
        return _Run(problem=problem)
    slot = flow.slots[member.activation.slot]
    run = Standing(fold.job_id, member.activation.id, member.effects, {}, rehearsal, slot.is_async)
    memory = fold.memory.get(slot.routine, {})
    context = Context(flow, slot, run, member.answered, fold.shared, memory, member.attempt)
    payload = member.activation.payload
    if slot.is_async:
        outcome = run_alone(handled_async(slot, context, payload))
    else:
        outcome = handled(slot, context, payload)
    if run.lost is not None:
        return _Run(problem=_lost(run.lost))
    match outcome:
        case usercode.Returned(records) if run.aside is None:
            return _Run(
                records=records,
                effects_used=context.effects_used,
                interrupts_used=context.interrupts_used,
            )
        case usercode.Stopped():
            return _Run(
                asked=run.aside,
                effects_used=context.effects_used,
                interrupts_used=context.interrupts_used,
            )
        case usercode.Returned():
            return _Run(problem=("failure", _NOTHING, "InterruptSwallowed"))
        case usercode.Raised(error):
            return _Run(problem=("failure", _NOTHING, _raised(error)))


def _raised(error: Exception) -> str:
    failure = usercode.failure_of(error, with_traceback=False)
    return f"{failure.type}: {failure.message}"


def _lost(lost: EsflowError) -> Found:
    if isinstance(lost, NondeterminismError):
        return lost.effect.partition(" ")[0], lost.recorded, lost.now
    return "failure", _NOTHING, str(lost)


def _first(recorded: Sequence[Event], now: Sequence[Event]) -> Found | None:
    """Return the first record that differs."""
    for place in range(max(len(recorded), len(now))):
        was = recorded[place] if place < len(recorded) else None
        becomes = now[place] if place < len(now) else None
        if was is None or becomes is None or not _same(was, becomes):
            either = was or becomes
            assert either is not None, "one side is longer"
            return _KINDS[type(either)], _told(was), _told(becomes)
    return None


def _unused(run: _Run, member: Member) -> Found | None:
    """Return the first recorded effect that was not asked for."""
    for effect in member.effects.values():
        if effect.id not in run.effects_used:
            return "effect", f"{effect.function} ({effect.id})", _NOTHING
    asked = [each.interrupt for each in member.answered.values()]
    interrupts = [each for each in asked if each is not None and each.call is None]
    for interrupt in interrupts[run.interrupts_used :]:
        return "interrupt", f"{_shown(interrupt.payload)} ({interrupt.id})", _NOTHING
    return None


def _same(one: Event, other: Event) -> bool:
    return type(one) is type(other) and same_json(_timeless(one), _timeless(other))


def _timeless(event: Event) -> Json:
    """Return an event without the moment that it waits for, which no code repeats."""
    return {name: value for name, value in _fields(event).items() if name != "due_at_ms"}


def _fields(event: Event) -> Json:
    return json.loads(json.dumps(attrs.asdict(event)))


def _told(event: Event | None) -> str:
    return _NOTHING if event is None else f"{event.name} {_shown(_fields(event))}"


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
