"""What comes from outside in the property tests, drawn while looking at the course of a job."""

from __future__ import annotations

from typing import Final, Literal

import attrs
from hypothesis import strategies as st

from tests.reference.outcome import Outcome
from tests.reference.program import (
    Answer,
    Cancel,
    Command,
    Continue,
    Goto,
    Json,
    JustUpdate,
    Message,
    Program,
    Reducer,
    Update,
)
from tests.reference.values import FITTING, GROWING, PLAIN, VALUES, payloads_from_outside

_COMMANDS: Final = (
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


def drawn_message(
    draw: st.DrawFn, program: Program, wave: int, moment: Literal["open", "paused"]
) -> Message:
    """Draw a message for a moment; keys are few, so that they come again."""
    return Message(
        wave=wave,
        moment=moment,
        slot=draw(st.sampled_from(_slots(program))),
        payload=draw(payloads_from_outside()),
        key=draw(st.sampled_from((None, None, "k", "k2"))),
    )


def _near(choice: Json) -> Json:
    """Return another value that Python takes for equal to a choice, or that looks like it."""
    if isinstance(choice, bool | float):
        return int(choice)
    return float(choice) if isinstance(choice, int) else f"{choice} "


def drawn_command(draw: st.DrawFn, program: Program, outcome: Outcome) -> Command:
    """Draw a command to a paused job: mostly one that will be accepted."""
    kind = draw(st.sampled_from(_COMMANDS))
    if kind == "wrong":
        known = ("9.9/q0", *outcome.questions, *outcome.answers, *outcome.dropped)
        asked = outcome.questions.get(to := draw(st.sampled_from(known)))
        near = () if asked is None else tuple(map(_near, asked.choices or ()))
        return Answer(to, draw(st.sampled_from((True, "nope", *near))))
    if kind == "goto":
        slots = (*_slots(program), *_slots(program), "r0.nowhere")
        return Goto(draw(st.sampled_from(slots)), draw(payloads_from_outside()))
    if kind == "update":
        return Update(_values(draw, program))
    if kind == "just update":
        return JustUpdate(_values(draw, program))
    if kind == "continue" or not outcome.questions:
        return Continue()
    question = draw(st.sampled_from(tuple(outcome.questions)))
    choices = outcome.questions[question].choices
    return Answer(question, draw(VALUES if choices is None else st.sampled_from(choices)))


def _slots(program: Program) -> tuple[str, ...]:
    """Name all slots of a program."""
    return tuple(f"{it.name}.{slot.name}" for it in program.routines for slot in it.slots)


def _values(draw: st.DrawFn, program: Program) -> dict[str, Json]:
    """Draw what is written to the shared data; now and then it does not apply."""
    keys = st.sampled_from((*PLAIN, *GROWING, *program.reducers))
    values: dict[str, Json] = {}
    for key in draw(st.lists(keys, min_size=1, max_size=2, unique=True)):
        if key in PLAIN or (key in program.reducers and draw(st.integers(0, 2)) == 0):
            values[key] = draw(VALUES)
        else:
            values[key] = draw(FITTING[program.reducers.get(key, _WHOLE[key])])
    return values


def drawn_cancel(draw: st.DrawFn, outcome: Outcome) -> Cancel | None:
    """Draw whether and when a job is cancelled: mostly late, and now and then after its end."""
    often = outcome.status in ("paused", "completed")
    if draw(st.integers(0, 15)) < (10 if often else 14):
        return None
    waves = (outcome.waves, outcome.waves, outcome.waves + 1, max(1, outcome.waves - 1), 1)
    moment: Literal["open", "paused"] = "open"
    if outcome.status == "paused":
        moment = draw(st.sampled_from(("paused", "open")))
    return Cancel(draw(st.sampled_from(waves)), moment)
