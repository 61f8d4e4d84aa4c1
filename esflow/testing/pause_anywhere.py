"""Law 7 for a user's own flow: stop a job anywhere, carry it on, and it comes to the same.

One run is undisturbed; each further one is stopped at an append, by an operator, by the loss of its
host or by another host that takes it over, and carried on with nothing but the store.
Whatever a handler keeps elsewhere, asks the machine or does outside of an effect shows as a
difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar, final

import attrs

from esflow.chance import seeded
from esflow.engine import Engine
from esflow.errors import EsflowError
from esflow.flow import Flow
from esflow.replay import read_history
from esflow.store import JobQuery
from esflow.stores import open_store
from esflow.testing.answering import Answering, Answers
from esflow.testing.driving import carry_on
from esflow.testing.hosts import JOB, MAX_JOBS, SEED, Append, Effect, Hosts
from esflow.testing.outcomes import Outcome, family_difference, other_results, outcome_of
from esflow.testing.remembering import Memory, memory_of
from esflow.testing.stops import Schedule, every_schedule, spread, told

World = TypeVar("World")

DEFAULT_MAX_SCHEDULES: Final = 200
_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@final
@attrs.frozen(kw_only=True)
class PauseReport:
    """How much was tried: boundaries of the undisturbed run, schedules, and those that compare.

    Shape: where a lost effect came back with something else when it was called again, the run had
    other inputs, and isn't compared.
    """

    boundaries: int
    schedules: int
    compared: int


def check_pause_anywhere(
    flow: Flow | Callable[..., Flow],
    slot: str,
    payload: Mapping[str, object] = _EMPTY,
    *,
    answers: Answers = (),
    others: Iterable[Flow] = (),
    world: Callable[[], World] | None = None,
    seen: Callable[[World], object] | None = None,
    schedules: Iterable[Schedule] | None = None,
    max_schedules: int = DEFAULT_MAX_SCHEDULES,
) -> PauseReport:
    """Check that a job comes to the same wherever it is stopped and carried on.

    Handlers and effects really run, many times over: let effects call fakes.
    Shape: ``flow`` is a flow, or a function that makes one for each host; it is given what
    ``world`` makes for each run, the fakes that stand for the outside, whose ``seen`` is what came
    to the outside. ``answers`` are by text, in order, or a function of the open question or
    interrupt. ``others`` are flows that it starts jobs of. ``schedules`` are those to try; by
    default all with one stop, at most ``max_schedules`` of them, evenly spread.
    Raises: AssertionError, with the schedule and the first difference, or where an answer is
    missing; what the engine raises for a wrong flow, slot or payload.
    """
    course = _Course(flow, slot, payload, answers, tuple(others), world, seen)
    try:
        first = course.run(())
        course.refuse_otherwise(first, course.run((), afresh=False))
        every = every_schedule(len(first.appends)) if schedules is None else list(schedules)
        chosen = spread(every, max_schedules)
        compared = sum(course.refuse_otherwise(first, course.run(each)) for each in chosen)
    finally:
        course.forget()
    return PauseReport(boundaries=len(first.appends), schedules=len(chosen), compared=compared)


@final
@attrs.frozen(kw_only=True)
class _Ran:
    """A run that came to its end, or to an error that no run may come to."""

    schedule: Schedule
    afresh: bool
    outcomes: dict[str, Outcome]  # By job; none where it came to an error.
    error: EsflowError | None
    appends: tuple[Append, ...]
    unrecorded: frozenset[Effect]  # Those that a host made and could not record.
    seen: object


@final
@attrs.define(eq=False)
class _Course:
    """All runs of one check."""

    _flow: Flow | Callable[..., Flow]
    _slot: str
    _payload: Mapping[str, object]
    _answers: Answers
    _others: tuple[Flow, ...]
    _world: Callable[[], Any] | None
    _seen: Callable[[Any], object] | None
    _memory: Memory | None = attrs.field(default=None, init=False)
    _effects: frozenset[str] = attrs.field(default=frozenset(), init=False)  # By function.

    def __attrs_post_init__(self) -> None:
        """Refuse what can't be meant."""
        if self._seen is not None and self._world is None:
            raise TypeError("seen= is asked of what world= makes; give both")

    def run(self, schedule: Schedule, *, afresh: bool = True) -> _Ran:
        """Run the job once, from its start; ``afresh`` in a process that has just been started."""
        world = None if self._world is None else self._world()

        def new_flow() -> Flow:
            if afresh:
                self.forget()
            flow = self._made(world)
            if self._memory is None:
                slots = [slot for it in (flow, *self._others) for slot in it.slots.values()]
                self._memory = memory_of(slot.function for slot in slots)
            return flow

        hosts = Hosts(open_store("memory://"), new_flow, schedule, self._others)
        error: EsflowError | None = None
        try:
            with seeded(SEED):
                carry_on(hosts, partial(self._start, hosts), Answering(self._answers))
        except EsflowError as refusal:
            if not schedule:
                raise
            error = refusal
        finally:
            hosts.close()
        return self._ran(hosts, error, afresh=afresh, world=world)

    def _ran(self, hosts: Hosts, error: EsflowError | None, *, afresh: bool, world: object) -> _Ran:
        rows = hosts.store.jobs(JobQuery(limit=MAX_JOBS)) if error is None else ()
        ids = [row.job_id for row in rows]
        outcomes = {each: outcome_of(list(read_history(hosts.store, each))) for each in ids}
        for outcome in outcomes.values():
            self._effects |= {str(each["function"]) for each in outcome.effects.values()}
        return _Ran(
            schedule=hosts.schedule,
            afresh=afresh,
            outcomes=outcomes,
            error=error,
            appends=tuple(hosts.appends),
            unrecorded=frozenset(hosts.unrecorded),
            seen=None if self._seen is None else self._seen(world),
        )

    def _made(self, world: object) -> Flow:
        if isinstance(self._flow, Flow):
            return self._flow
        return self._flow() if self._world is None else self._flow(world)

    def forget(self) -> None:
        """Let the handlers remember what they did before the check."""
        if self._memory is not None:
            self._memory.put_back(self._effects)

    def _start(self, hosts: Hosts, engine: Engine) -> object:
        return engine.start(hosts.flow, self._slot, self._payload, job_id=JOB)

    def refuse_otherwise(self, first: _Ran, ran: _Ran) -> bool:
        """Tell whether a run could be compared with the undisturbed one.

        Raises: AssertionError, when it came to something else.
        """
        if ran.error is not None:
            raise AssertionError(_report(first, ran, f"it ended with an error: {ran.error}"))
        if _has_other_inputs(first, ran):
            return False
        differing = family_difference(first.outcomes, ran.outcomes)
        if differing is None and not ran.unrecorded and first.seen != ran.seen:
            differing = f"the outside has seen {ran.seen!r:.300}, undisturbed {first.seen!r:.300}"
        if differing is not None:
            raise AssertionError(_report(first, ran, differing))
        return True


def _has_other_inputs(first: _Ran, ran: _Ran) -> bool:
    """Tell whether an effect that was lost with its host came back with something else."""
    for job_id in first.outcomes.keys() & ran.outcomes.keys():
        lost = {effect for job, effect in ran.unrecorded if job == job_id}
        if any(other_results(first.outcomes[job_id], ran.outcomes[job_id], lost)):
            return True
    return False


def _report(first: _Ran, ran: _Ran, differing: str) -> str:
    """Return what is wrong, where it was stopped, and how to have it again."""
    lines = [
        f"the job comes to something else when it is stopped: {told(ran.schedule)}",
        f"  first difference: {differing}",
    ]
    if not ran.schedule:
        lines[0] = "the job comes to something else when it runs again in the same process"
    reached = [each.at for each in ran.schedule if each.at <= len(ran.appends)]
    lines += [f"  append {at} held: {ran.appends[at - 1]}" for at in reached]
    if ran.error is None:
        ends = f"{ran.outcomes[JOB].told}; undisturbed: {first.outcomes[JOB].told}"
        lines.append(f"  in the end: {ends}")
    if ran.schedule:
        lines.append(f"  to have it again: schedules=[{ran.schedule!r}]")
    else:
        lines.append(
            "  either a handler uses time, chance or memory of its own, outside of ctx.effect, or"
            " a fake remembers the last run: then let world= make the fakes"
        )
    return "\n".join(lines)
