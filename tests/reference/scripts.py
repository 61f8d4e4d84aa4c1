"""What comes from outside in the property tests, drawn while looking at the course of a job."""

from __future__ import annotations

from typing import Final

import attrs
from hypothesis import strategies as st

from tests.reference.capabilities import Capability
from tests.reference.interpreter import course, run
from tests.reference.outcome import Outcome, choices_of, moment_of
from tests.reference.program import (
    KEPT,
    Advance,
    Answer,
    Breakpoints,
    Cancel,
    Command,
    Continue,
    Forgetting,
    Goto,
    Json,
    JustUpdate,
    Message,
    Moment,
    Program,
    Reducer,
    RetryJob,
    Script,
    Update,
)
from tests.reference.values import FITTING, GROWING, PLAIN, TYPED, VALUES, payloads_from_outside

_AT_INTERRUPTS: Final[tuple[str, ...]] = (
    *("answer", "wrong", "older", "just update", "continue", "answer", "older", "goto"),
    *("answer", "continue", "wrong", "answer", "update", "older", "wrong", "just update"),
    *("goto", "older", "goto", "answer", "continue", "wrong", "just update"),
)
_AT_BREAKPOINTS: Final[tuple[str, ...]] = (
    *("answer", "continue", "answer", "answer", "goto", "answer", "update", "just update"),
)
_FORGETTING: Final[tuple[Forgetting, ...]] = ("reuse", "fresh")
_MENDED: Final = ("RuntimeError", "EffectError", "PayloadError", "MergeError")
"""The failures that are worth a retry."""

_COMMANDS: Final[tuple[str, ...]] = (
    *("answer", "goto", "just update", "update", "goto", "answer", "wrong"),
    *("answer", "just update", "update", "goto", "just update", "continue"),
)
# What is written to a growing key that declares no reducer, so that later writes still apply.
_WHOLE: Final[dict[str, Reducer]] = {"list": "extend", "sum": "add", "map": "merge", "top": "max"}


def drawn_messages(draw: st.DrawFn, program: Program) -> tuple[Message, ...]:
    """Draw messages for the first waves, and now and then the same one again."""
    waves = draw(st.lists(st.sampled_from((1, 2, 1, 3, 4)), max_size=3))
    messages = [drawn_message(draw, program, wave, "open") for wave in waves]
    if messages and draw(st.integers(0, 2)) == 0:
        again = draw(st.sampled_from(messages))
        messages.append(attrs.evolve(again, wave=again.wave + draw(st.integers(0, 1))))
    return tuple(messages)


def drawn_message(draw: st.DrawFn, program: Program, wave: int, moment: Moment) -> Message:
    """Draw a message for a moment; keys are few, so that they come again."""
    return Message(
        wave=wave,
        moment=moment,
        slot=draw(st.sampled_from((*_slots(program), *_counting(program) * 2))),
        payload=draw(payloads_from_outside()),
        key=draw(st.sampled_from((None, None, "k", "k2"))),
    )


def _near(choice: Json) -> Json:
    """Return another value that Python takes for equal to a choice, or that looks like it."""
    if isinstance(choice, bool | float):
        return int(choice)
    return float(choice) if isinstance(choice, int) else f"{choice} "


def may_be_told(outcome: Outcome, enabled: frozenset[Capability]) -> bool:
    """Say whether a job does what it is told: a failed one too, if retries are in play."""
    retried = "policies" in enabled and outcome.failure is not None
    mended = retried and outcome.failure is not None and outcome.failure.type in _MENDED
    return outcome.status in ("paused", "waiting") or mended


def waits_in_vain(outcome: Outcome) -> bool:
    """Say whether a job waits for nothing but children that nobody tells anything."""
    return moment_of(outcome) == "waiting" and not outcome.timers


def drawn_command(draw: st.DrawFn, program: Program, outcome: Outcome) -> Command:
    """Draw a command to a paused job: mostly one that will be accepted."""
    if outcome.status == "failed":
        return _drawn_retry(draw, program, outcome)
    if outcome.status == "waiting":
        return _drawn_for_waiting(draw, program, outcome)
    waits = any(question.timeout is not None for question in outcome.questions.values())
    kinds = _kinds(outcome)
    time = ("advance",) * (len(kinds) * (8 if outcome.holds else 1) // 3) if waits else ()
    time += ("advance",) * 2 if outcome.timers and not time else ()
    kind = draw(st.sampled_from(time + kinds))
    if kind == "wrong":
        asked = (*outcome.questions, *outcome.interrupts)
        known = ("9.9/q0", *asked, *outcome.answers, *outcome.dropped)
        to = draw(st.sampled_from(known))
        near = tuple(map(_near, choices_of(outcome, to) or ()))
        return Answer(to, draw(st.sampled_from((True, "nope", *near))))
    if kind == "goto":
        slots = (*_slots(program), *_slots(program), "r0.nowhere")
        return Goto(draw(st.sampled_from(slots)), draw(payloads_from_outside()))
    if kind == "update":
        return Update(_values(draw, program))
    if kind == "advance":
        return Advance(draw(st.sampled_from((10, 1, 60, 5))))
    if kind == "just update":
        return JustUpdate(_values(draw, program))
    open_ones = tuple(outcome.interrupts) or tuple(outcome.questions)
    if kind == "older" and outcome.questions:
        open_ones = tuple(outcome.questions)
    if kind == "continue" or not open_ones:
        return Continue()
    to = draw(st.sampled_from(open_ones[::-1]))
    choices = choices_of(outcome, to)
    return Answer(to, draw(VALUES if choices is None else st.sampled_from(choices)))


def _drawn_retry(draw: st.DrawFn, program: Program, outcome: Outcome) -> Command:
    """Draw a retry of a failed job, now and then with an update."""
    effects = draw(st.sampled_from(_FORGETTING))
    merging = outcome.failure is not None and outcome.failure.type == "MergeError"
    if not merging and draw(st.integers(0, 2)) == 0:
        return RetryJob(effects, _values(draw, program))
    mending: dict[str, Json] = {"sum": 1, "list": [], "a": 1}
    if program.is_typed:
        mending = {"count": 1, "names": [], "level": "low"}
    return RetryJob(effects, mending if merging and draw(st.integers(0, 3)) else None)


def _drawn_for_waiting(draw: st.DrawFn, program: Program, outcome: Outcome) -> Command:
    """Draw a command to a job that waits: mostly time."""
    kind = draw(st.sampled_from(("time", "time", "answer", "time", "just update", "refused")))
    if kind == "just update":
        return JustUpdate(_values(draw, program))
    if kind == "refused":
        refused: tuple[Command, ...] = (Continue(), Goto(_slots(program)[0]), Update({"a": 1}))
        return draw(st.sampled_from(refused))
    if kind == "answer" and (outcome.interrupts or outcome.questions):
        return plain_command(attrs.evolve(outcome, status="paused"))
    return Advance(milliseconds=draw(st.sampled_from((1000, 10, 1500, 5000))))


def drawn_breakpoints(draw: st.DrawFn, program: Program, *, often: bool) -> Breakpoints:
    """Draw breakpoints, of either kind or of both; or none."""
    if not often:
        return KEPT
    # The start is where questions and pauses mostly are.
    slots = st.lists(
        st.sampled_from((*_slots(program)[::-1], program.start)), min_size=1, max_size=2
    ).map(lambda drawn: tuple(dict.fromkeys(drawn)))
    kind = draw(st.sampled_from(("after", "both", "before")))
    return Breakpoints(
        before=None if kind == "after" else draw(slots),
        after=None if kind == "before" else draw(slots),
    )


def rebroken(draw: st.DrawFn, program: Program, outcome: Outcome, command: Command) -> Command:
    """Return a command that brings other breakpoints, if it is one that resumes the job."""
    waits = isinstance(command, Answer) and (
        outcome.status == "waiting" or ("/q" in command.to and outcome.holds)
    )
    if isinstance(command, JustUpdate | Advance | RetryJob) or waits:
        return command
    breakpoints = Breakpoints(before=(), after=())
    if draw(st.integers(0, 4)):
        breakpoints = drawn_breakpoints(draw, program, often=True)
    return attrs.evolve(command, breakpoints=breakpoints)


def _kinds(outcome: Outcome) -> tuple[str, ...]:
    """Give what commands to draw from."""
    if outcome.interrupts:
        return _AT_INTERRUPTS + (("older",) * 40 if outcome.questions else ())
    if outcome.questions and outcome.holds:
        return _AT_BREAKPOINTS
    return _COMMANDS + (("continue",) * 8 if outcome.questions and outcome.ready else ())


def plain_command(outcome: Outcome) -> Command:
    """Return what carries a job on: time, an answer, or else a ``Continue``."""
    if outcome.status == "waiting":
        return Advance(60)
    for to in (*outcome.interrupts, *outcome.questions):
        choices = choices_of(outcome, to)
        return Answer(to, True if choices is None else choices[0])
    return Continue()


def _slots(program: Program) -> tuple[str, ...]:
    """Name the slots of a program to which anything may be sent."""
    return tuple(
        f"{it.name}.{slot.name}"
        for it in program.routines
        for slot in it.slots
        if slot.gather is None
    )


def _counting(program: Program) -> tuple[str, ...]:
    """Name the slots at which messages count for a gather."""
    return tuple(
        f"{it.name}.{slot.name}"
        for it in program.routines
        for slot in it.slots
        if isinstance(slot.gather, int)
    )


def _values(draw: st.DrawFn, program: Program) -> dict[str, Json]:
    """Draw what is written to the shared data; now and then it does not apply."""
    if program.is_typed:
        keys_of_whole = st.lists(st.sampled_from(tuple(TYPED)), min_size=1, max_size=2, unique=True)
        return {key: draw(TYPED[key]) for key in draw(keys_of_whole)}
    keys = st.sampled_from((*PLAIN, *GROWING, *program.reducers))
    values: dict[str, Json] = {}
    for key in draw(st.lists(keys, min_size=1, max_size=2, unique=True)):
        if key in PLAIN or (key in program.reducers and draw(st.integers(0, 2)) == 0):
            values[key] = draw(VALUES)
        else:
            values[key] = draw(FITTING.get(program.reducers.get(key, _WHOLE[key]), VALUES))
    return values


def drawn_cancel(draw: st.DrawFn, program: Program, script: Script) -> Cancel | None:
    """Draw whether and when a job is cancelled: mostly late, and now and then after its end."""
    outcome = run(program, script)
    held = [step for step in course(program, script).steps if step.holds]
    if held and draw(st.integers(0, 4)) == 4:
        step = draw(st.sampled_from(held[::-1]))
        return Cancel(step.wave, step.moment)
    often = outcome.status in ("paused", "completed") or bool(outcome.children)
    if draw(st.integers(0, 15)) < (13 if often else 15):
        return None
    waves = (outcome.waves, outcome.waves, outcome.waves + 1, max(1, outcome.waves - 1), 1)
    moment: Moment = "open"
    if outcome.status == "paused" or outcome.children:
        moment = draw(st.sampled_from((moment_of(outcome), "open")))
    return Cancel(draw(st.sampled_from(waves)), moment)
