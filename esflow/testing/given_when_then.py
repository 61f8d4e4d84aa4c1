"""One slot by itself: given data, effects and answers, when it takes a payload, then what follows.

A handler that is interrupted runs again from its start with each answer, as it does in a job: its
effects are returned to it then, and not made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Self, TypeAlias, cast, final

import attrs

from esflow import events as ev
from esflow import usercode
from esflow.asking import Asked
from esflow.context import Context
from esflow.errors import InterruptSwallowed
from esflow.events import Json
from esflow.flow import Flow, Slot
from esflow.json_values import same_json
from esflow.payloads import to_json
from esflow.runtime.handling import handled, handled_async, run_alone
from esflow.state import Answered
from esflow.testing.answering import Answering, Answers
from esflow.testing.contexts import JOB, NOTHING, AskedFor, Notebook, Started, asked_for, by_name
from esflow.testing.differing import places, shown
from esflow.testing.faking import Effects, Fakes

Payloads: TypeAlias = Sequence[tuple[str, Mapping[str, object]]]
"""Outputs with payloads."""

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
_UNNAMED: Final = object()


@final
@attrs.frozen(kw_only=True)
class Given:
    """What a slot finds."""

    flow: Flow
    shared: Mapping[str, object] = _EMPTY
    memory: Mapping[str, object] = _EMPTY
    effects: Effects = None
    answers: Answers = ()
    attempt: int = 1
    others: tuple[Flow, ...] = ()

    def when(self, slot: str, payload: Mapping[str, object] = _EMPTY) -> Tried:
        """Let a slot take a payload, and return what came of it.

        Raises: SlotNotFound; PayloadError, for data that can't be recorded.
        """
        start = Started(
            flow=self.flow,
            slot=slot,
            shared=self.shared,
            memory=self.memory,
            attempt=self.attempt,
            payload=cast("dict[str, Json]", to_json(dict(payload), "payload")),
        )
        notebook = Notebook(by_name(self.flow, self.others))
        return _tried(start, notebook, Fakes(self.effects), Answering(self.answers))


def given(
    flow: Flow,
    *,
    shared: Mapping[str, object] = _EMPTY,
    memory: Mapping[str, object] = _EMPTY,
    effects: Effects = None,
    answers: Answers = (),
    attempt: int = 1,
    others: Iterable[Flow] = (),
) -> Given:
    """Say what a slot of a flow finds; `Given.when` then tries one.

    Shape: ``effects`` are what effects come back with, by name or function, or in the order of the
    calls: a result, an exception or a function; without any they really run. ``answers`` are those
    to its interrupts: in order, by payload, or a function of the interrupt. ``others`` are flows
    that the slot may start jobs of.
    """
    return Given(
        flow=flow,
        shared=shared,
        memory=memory,
        effects=effects,
        answers=answers,
        attempt=attempt,
        others=tuple(others),
    )


@final
@attrs.frozen(kw_only=True)
class Tried:
    """What came of a slot that took a payload.

    Shape: ``done`` is what it asked for, which is nothing unless it came to its end; ``raised``
    what it raised instead, ``interrupted`` the interrupt that nobody answered; ``called`` are the
    names of its effects, ``wrong`` is what was given and not enough, or too much.
    """

    slot: str
    payload: Mapping[str, Json]
    done: AskedFor
    raised: Exception | None
    interrupted: ev.Interrupted | None
    called: tuple[str, ...]
    wrong: tuple[str, ...]

    def then(
        self,
        *,
        emitted: Payloads | None = None,
        deferred: Payloads | None = None,
        later: Payloads | None = None,
        started: Sequence[tuple[str, str, Mapping[str, object]]] | None = None,
        asked: Sequence[str | Mapping[str, object]] | None = None,
        paused: bool | str | Sequence[str] | None = None,
        wrote: Mapping[str, object] | None = None,
        deleted: Sequence[str] | None = None,
        remembered: Mapping[str, object] | None = None,
        logged: Sequence[str | tuple[str, Mapping[str, object]]] | None = None,
        called: Sequence[str] | None = None,
        interrupted: object = _UNNAMED,
        raised: type[Exception] | Exception | None = None,
    ) -> Self:
        """See that all that is named here followed, exactly; what isn't named isn't looked at.

        A slot that raised or is interrupted has to be expected to.
        Shape: questions are texts, or some of ``text``, ``to`` and ``choices``; log lines are
        messages, or messages with fields; a pause is any, or its reason, or several.
        Raises: AssertionError, which names what differs.
        """
        problems = [*self.wrong, *self._end_problems(raised, interrupted)]
        done = self.done
        found: list[tuple[str, object, object]] = [
            ("emitted", done.emitted, emitted),
            ("deferred", done.deferred, deferred),
            ("later", done.later, later),
            ("started", done.started, started),
            ("asked", _as_expected(map(_question, done.asked), asked, "text"), asked),
            ("paused", _as_pause(done.paused, paused), _reasons(paused)),
            ("wrote", dict(done.wrote), wrote),
            ("deleted", done.deleted, deleted),
            ("remembered", dict(done.remembered), remembered),
            ("logged", _as_logged(done.logged, logged), logged),
            ("called", self.called, called),
        ]
        for name, was, expected in found:
            problems += _problems(name, was, expected)
        if problems:
            heading = f"{self.slot} took {shown(dict(self.payload))}:"
            raise AssertionError("\n  ".join([heading, *problems])) from self.raised
        return self

    def _end_problems(
        self, raised: type[Exception] | Exception | None, interrupted: object
    ) -> Iterator[str]:
        """Yield what is wrong with the end that it came to."""
        if raised is not None or self.raised is not None:
            yield from _raised_problems(self.raised, raised)
        if interrupted is not _UNNAMED:
            if self.interrupted is None:
                yield f"it was not interrupted, expected by {shown(to_json(interrupted, 'it'))}"
            else:
                yield from _problems("interrupted", [self.interrupted.payload], [interrupted])
        elif self.interrupted is not None:
            yield f"it was interrupted, by {shown(self.interrupted.payload)}; give answers="


def _problems(name: str, found: object, expected: object) -> Iterator[str]:
    if expected is None:
        return
    was, other = to_json(found, name), to_json(expected, name)
    if same_json(was, other):
        return
    yield f"{name}: {shown(was)}"
    yield f"  expected: {shown(other)}"
    first = next(places(was, other, name, "expected"))
    if isinstance(was, list | dict):
        yield f"  first difference: {first}"


def _raised_problems(
    found: Exception | None, expected: type[Exception] | Exception | None
) -> Iterator[str]:
    if isinstance(expected, type):
        if not isinstance(found, expected):
            yield f"raised: {found!r}"
            yield f"  expected: {expected.__name__}"
    elif (type(found), str(found)) != (type(expected), str(expected)):
        yield f"raised: {found!r}"
        yield f"  expected: {expected!r}"


def _question(asked: ev.QuestionAsked) -> dict[str, Json]:
    choices = None if asked.choices is None else list(asked.choices)
    return {"text": asked.text, "to": asked.to, "choices": choices}


def _as_expected(found: Iterator[dict[str, Json]], expected: Any, plain: str) -> list[Json]:
    """Return what was found with as much of each as is expected, in full where nothing is."""
    wanted: list[Any] = list(expected or ())
    shaped = list[Json]()
    for place, each in enumerate(found):
        shape = wanted[place] if place < len(wanted) else None
        if isinstance(shape, str):
            shaped.append(each[plain])
        elif isinstance(shape, Mapping):
            keys = cast("Mapping[str, object]", shape)
            shaped.append({key: each[key] for key in each if key in keys})
        else:
            shaped.append(each)
    return shaped


def _as_logged(found: tuple[tuple[str, Mapping[str, Json]], ...], expected: Any) -> list[Json]:
    wanted: list[Any] = list(expected or ())
    return [
        message if place < len(wanted) and isinstance(wanted[place], str) else (message, fields)
        for place, (message, fields) in enumerate(found)
    ]


def _as_pause(found: tuple[str, ...], expected: bool | str | Sequence[str] | None) -> object:
    return bool(found) if isinstance(expected, bool) else found


def _reasons(expected: bool | str | Sequence[str] | None) -> object:
    return [expected] if isinstance(expected, str) else expected


# Running it.


def _tried(start: Started, notebook: Notebook, fakes: Fakes, answering: Answering) -> Tried:
    """Run the handler, again for each answer that it is given."""
    slot = start.flow.resolve_slot(start.slot)
    answered = dict[str, Answered]()
    while True:
        context = start.context(fakes, notebook, answered)
        done = [NOTHING]
        outcome = _ran(_seen(slot, done.append), context, start.payload)
        asked = context.aside
        if asked is None or not isinstance(outcome, usercode.Stopped):
            break
        answers = answering.found(_interrupted(asked), JOB)
        if not answers:
            break
        answered[asked.id] = _answered(asked, answers[0])
    error = _error(context, outcome)
    return Tried(
        slot=slot.address,
        payload=start.payload,
        done=NOTHING if error else done[-1],
        raised=error,
        interrupted=None if error or asked is None else _interrupted(asked),
        called=tuple(each.name for each in fakes.calls),
        wrong=tuple(_wrong(fakes, answering)),
    )


def _error(context: Context, outcome: usercode.Outcome | usercode.Stopped) -> Exception | None:
    """Return what a handler ended with, if that is an error."""
    if context.lost is not None:
        return context.lost
    if isinstance(outcome, usercode.Raised):
        return outcome.error
    if context.aside is not None and isinstance(outcome, usercode.Returned):
        return InterruptSwallowed(context.activation_id, context.aside.id)
    return None


def _wrong(fakes: Fakes, answering: Answering) -> Iterator[str]:
    """Yield what was given and not enough, or too much."""
    for each in fakes.missing:
        yield f"nothing is given for the effect {each}"
    if unused := fakes.unused:
        yield f"effects: {unused} more are given than were called"
    if unused := answering.unused:
        yield f"answers: {unused} more are given than were asked for"


def _ran(
    slot: Slot, context: Context, payload: Mapping[str, Json]
) -> usercode.Outcome | usercode.Stopped:
    if slot.is_async:
        return run_alone(handled_async(slot, context, payload))
    return handled(slot, context, payload)


def _seen(slot: Slot, see: Callable[[AskedFor], None]) -> Slot:
    """Return a slot of which it is seen in the end what its handler has asked for."""
    handler: Any = slot.function

    def plain(context: Context, **arguments: object) -> None:
        handler(context, **arguments)
        see(asked_for(context))

    async def awaited(context: Context, **arguments: object) -> None:
        await handler(context, **arguments)
        see(asked_for(context))

    return attrs.evolve(slot, function=awaited if slot.is_async else plain)


def _interrupted(asked: Asked) -> ev.Interrupted:
    return asked.recorded(started_at_ms=0, duration_us=0)


def _answered(asked: Asked, answer: object) -> Answered:
    value = to_json(answer, "answer")
    if asked.choices is not None and not any(same_json(value, each) for each in asked.choices):
        raise AssertionError(f"answer {shown(value)} is none of {shown(list(asked.choices))}")
    return Answered(value=value, version=0, interrupt=_interrupted(asked))
