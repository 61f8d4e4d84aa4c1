"""``esflow show``: a job as it is, or as it was at a version."""

from __future__ import annotations

from collections.abc import Iterator

import click

from esflow.cli.arguments import json_option, moment_named, opened, store_option
from esflow.cli.printing import print_json
from esflow.moments import moment_of
from esflow.state import JobState
from esflow_projections.plain import moment, printable, shown
from esflow_projections.render import answers_text, reason_text


@click.command()
@click.argument("job", metavar="JOB[@VERSION]")
@store_option
@json_option
def show(*, job: str, store: str, as_json: bool) -> None:
    """Show JOB as it is, or as it was at VERSION.

    The text names what is there and leaves out what is empty; --json has every field of the state.
    """
    with opened(store) as engine:
        address = moment_named(engine, job)
        state = engine.state(address.job_id, version=address.version)
    if as_json:
        print_json(state.as_dict())
        return
    for label, text in _facts(state):
        click.echo(printable(f"{label:<12}{text}".rstrip()))


def _facts(state: JobState) -> Iterator[tuple[str, str]]:
    yield "job", state.job_id
    yield "flow", f"{state.flow} version {printable(state.flow_version)}"
    yield "status", state.status.value
    yield "version", str(state.version)
    for key, value in state.labels.items():
        yield "label", printable(f"{key}={value}")
    if state.wakes_at is not None:
        yield "wakes at", moment(state.wakes_at)
    if state.parent is not None:
        yield "parent", printable(f"{state.parent.job_id} by {state.parent.child}")
    if state.forked_from is not None:
        yield "forked from", f"{state.forked_from.job_id}@{state.forked_from.version}"
    yield from _standing(state)
    yield from _results(state)


def _standing(state: JobState) -> Iterator[tuple[str, str]]:
    """Say what holds the job, what would carry it on, and what is kept for then."""
    for reason in state.pause:
        yield "paused", reason_text(reason)
    for question in state.questions:
        answers = answers_text(question.choices, ())
        yield "question", f"{question.id} {shown(question.text)}{answers} → {question.to}"
    for asked in state.interrupts:
        answers = answers_text(asked.choices, asked.types)
        yield "interrupt", f"{asked.id} {shown(asked.payload)}{answers}"
    for place, slots in (("before", state.breakpoints.before), ("after", state.breakpoints.after)):
        for slot in slots:
            yield "breakpoint", f"{place} {slot}"
    for each in state.ready:
        yield "ready", f"{each.id} {each.slot} with {shown(each.payload)}"
    yield from _held_back(state)


def _held_back(state: JobState) -> Iterator[tuple[str, str]]:
    """Say what will come: by a resumption, in time, from other jobs, from outside."""
    for deferral in state.deferrals:
        yield "deferred", f"{deferral.id} {deferral.output} {shown(deferral.payload)}"
    for timer in state.timers:
        due = moment(moment_of(timer.due_at_ms))
        yield "timer", f"{timer.id} {timer.output} {shown(timer.payload)} at {due}"
    for child in state.children:
        stands = f" {child.status}" if child.status is not None else ""
        yield "child", printable(f"{child.id} {child.job_id} → {child.then}{stands}")
    for message in state.messages:
        yield "message", f"{message.id} to {message.slot} with {shown(message.payload)}"


def _results(state: JobState) -> Iterator[tuple[str, str]]:
    """Say what the job knows, what it put out and how it failed."""
    for key, value in state.shared.items():
        yield "shared", f"{shown(key)} = {shown(value)}"
    for routine, memory in state.memory.items():
        for key, value in memory.items():
            yield "memory", f"of {routine}: {shown(key)} = {shown(value)}"
    for line in state.log:
        fields = f" {shown(line.fields)}" if line.fields else ""
        yield "log", f"{printable(line.message)}{fields}"
    for output in state.outputs:
        yield "output", f"{output.output} {shown(output.payload)}"
    if state.failure is not None:
        where = f" in {state.failure.activation}" if state.failure.activation else ""
        yield "failure", printable(f"{state.failure.type}: {state.failure.message}{where}")
        for text in state.failure.traceback.splitlines():
            yield "", printable(text)
