"""Commands of a script as they are given to a host, and the moments at which they are."""

from __future__ import annotations

from typing import Final, assert_never

from esflow import Answer, Continue, Engine, Goto, JobState, Update, errors
from esflow.commands import ResumeCommand
from tests.reference import program as data

REFUSALS: Final = (
    errors.AnswerRefused,
    errors.AnswerRequired,
    errors.InterruptNotFound,
    errors.MergeError,
    errors.NotPaused,
    errors.PayloadError,
    errors.SlotNotFound,
)


def give(job: str, command: data.Command, engine: Engine) -> JobState:
    """Give a command of the script to a host."""
    match command:
        case data.Continue(breakpoints=stops):
            resume: ResumeCommand = Continue()
        case data.Answer(to=to, value=value, breakpoints=stops):
            resume = Answer(value, to)
        case data.Update(values=values, breakpoints=stops):
            resume = Update(values)
        case data.Goto(slot=slot, payload=payload, breakpoints=stops):
            resume = Goto(slot, payload)
        case data.JustUpdate(values=values):
            return engine.update(job, values)
        case data.Advance() | data.RetryJob():
            raise AssertionError(f"{command} is given elsewhere")
        case _:
            assert_never(command)
    return engine.resume(job, resume, before=stops.before, after=stops.after)


def moment_of(state: JobState) -> data.Moment:
    """Return which beginning of a pause this is."""
    kinds = {reason.kind for reason in state.pause}
    if state.status == "waiting":
        wave = str(state.wave)
        tries = any(each.id.partition(".")[0] == wave for each in state.ready)
        return "retrying" if tries else "waiting"
    if "interrupt" in kinds:
        return "interrupted"
    if any(each.id.partition(".")[0] == str(state.wave) for each in state.ready):
        return "before"  # The wave has opened, and nothing of it has run.
    return "paused"
