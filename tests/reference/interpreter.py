"""The reference interpreter: what a program means, written down once more and as plainly as can be.

It knows no store, no events, no hosts and no crashes: it runs a whole job from its first wave to
its end in one call. It imports nothing of the engine, so a mistake would have to be made twice to
go unseen. Where it is slow and the engine is clever, that is on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import attrs

from tests.reference.children import cancel_children, drive_children
from tests.reference.deliveries import Input, numbered
from tests.reference.job import Expiry, Hit, Job, Step, outcome_of
from tests.reference.outcome import Outcome
from tests.reference.plain import whole_at_start
from tests.reference.program import Command, Program, RetryJob, Script, same
from tests.reference.resumption import expire, obey, retry_job, wake
from tests.reference.waves import fire, open_wave, run_wave


@final
@attrs.frozen
class Course:
    """What happened on the way that leaves few traces in a job."""

    steps: tuple[Step, ...]  # The commands, refused or obeyed.
    hits: tuple[Hit, ...]  # Of breakpoints.
    expired: tuple[Expiry, ...]  # Deadlines of questions.
    fired: tuple[Expiry, ...]  # Timers.
    retried: tuple[RetryJob, ...]  # Retries of the job that were not refused.


def run(program: Program, script: Script) -> Outcome:
    """Run a job until it ends, or until it is paused and the script has no command left."""
    return outcome_of(_ran(program, script))


def course(program: Program, script: Script) -> Course:
    """Give the commands that were given, the breakpoints that were hit, and the deadlines."""
    job = _ran(program, script)
    return Course(
        tuple(job.steps),
        tuple(job.hits),
        tuple(job.expired),
        tuple(job.firings),
        tuple(job.retried),
    )


def obeyed(program: Program, script: Script) -> tuple[Command, ...]:
    """Give those commands of a script that were given and not refused."""
    steps = _ran(program, script).steps
    return tuple(step.command for step in steps if step.refusal is None)


def _ran(program: Program, script: Script) -> Job:
    """Take a job as far as it goes."""
    job = Job(program=program, script=script, breakpoints=script.breakpoints)
    job.shared = whole_at_start() if program.is_typed else {}
    commands = iter(script.commands)
    job.kept = numbered(1, 1, [(program.start, program.payload)])
    open_wave(job, release=False)
    while job.status == "running" or _resumed(job, commands):
        if job.status == "running":
            _drive(job)
    return job


def _drive(job: Job) -> None:
    """Run the open wave until it is closed, or can not be."""
    fire(job)
    _send(job)
    if not _cancelled(job):
        run_wave(job)


def _resumed(job: Job, commands: Iterator[Command]) -> bool:
    """Let happen what is due, or give the next command, and say whether there was any."""
    if job.status == "failed":
        return _retried(job, next(commands, None))
    if job.status not in ("paused", "waiting"):
        return False
    if _moved_by_itself(job):
        return True
    _send(job)
    if job.moment == "open":
        return True  # A message ended the waiting.
    if _cancelled(job):
        return False
    for command in commands:
        if not isinstance(command, RetryJob):
            obey(job, command)
        return True
    return False


def _moved_by_itself(job: Job) -> bool:
    """Let happen what is due, or else what children do, and say whether anything was."""
    if job.status == "paused":
        return expire(job)
    return wake(job) or drive_children(job, run)


def _retried(job: Job, command: Command | None) -> bool:
    """Give a failed job the next command, if that is what it is for."""
    return isinstance(command, RetryJob) and retry_job(job, command)


def _send(job: Job) -> None:
    """Accept or refuse the messages of this moment, once."""
    now = (job.wave, job.moment)
    if now in job.sent:
        return  # A second pause in or after the same wave.
    job.sent.add(now)
    for message in job.script.messages:
        if (message.wave, message.moment) != now:
            continue
        earlier = [it for it in job.messages if it.key is not None and it.key == message.key]
        if not earlier:
            job.messages.append(message)
            job.inputs.append(Input(message.slot, message.payload, f"m{len(job.messages)}"))
            if job.moment == "waiting":
                open_wave(job, release=False)  # What comes behind it joins the wave after.
        elif message.slot != earlier[0].slot or not same(message.payload, earlier[0].payload):
            job.refusals.append("MessageKeyReused")


def _cancelled(job: Job) -> bool:
    """Cancel the job if this is the moment: everything stays as it is, and nothing follows."""
    cancel = job.script.cancel
    if cancel is None or (cancel.wave, cancel.moment) != (job.wave, job.moment):
        return False
    job.status = "cancelled"
    cancel_children(job)
    return True
