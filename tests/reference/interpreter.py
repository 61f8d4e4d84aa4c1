"""The reference interpreter: what a program means, written down once more and as plainly as can be.

It knows no store, no events, no hosts and no crashes: it runs a whole job from its first wave to
its end in one call. It imports nothing of the engine, so a mistake would have to be made twice to
go unseen. Where it is slow and the engine is clever, that is on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, assert_never, final

import attrs

from tests.reference.handlers import Activation, Change, Data, HandlerFailed, Item, apply, settle
from tests.reference.outcome import Failure, Outcome, Status
from tests.reference.program import (
    Answer,
    Ask,
    Command,
    Connection,
    Continue,
    Goto,
    Json,
    JustUpdate,
    Message,
    Payload,
    Program,
    Script,
    Update,
    same,
)

# A job in the middle of its life.


@final
@attrs.frozen
class _Input:
    """A message or an answer on its way to the next wave."""

    slot: str
    payload: Payload
    message: str | None = None  # The id, if it is a message.


@final
@attrs.define(kw_only=True)
class _Job:
    """What the rules need to know between two waves."""

    program: Program
    script: Script
    status: Status = "running"
    wave: int = 0
    count: int = 0
    shared: Data = attrs.field(factory=dict[str, Json])
    memory: dict[str, Data] = attrs.field(factory=dict[str, Data])
    log: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    outputs: list[tuple[str, str, Payload]] = attrs.field(factory=list[tuple[str, str, Payload]])
    opened: list[Activation] = attrs.field(factory=list[Activation])
    kept: list[Activation] = attrs.field(factory=list[Activation])
    inputs: list[_Input] = attrs.field(factory=list[_Input])
    deferrals: dict[str, Item] = attrs.field(factory=dict[str, Item])
    released: dict[str, Item] = attrs.field(factory=dict[str, Item])
    questions: dict[str, Ask] = attrs.field(factory=dict[str, Ask])
    answers: dict[str, Json] = attrs.field(factory=dict[str, Json])
    pauses: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    standing: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    messages: list[Message] = attrs.field(factory=list[Message])
    sent: set[tuple[int, str]] = attrs.field(factory=set[tuple[int, str]])
    obeyed: list[Command] = attrs.field(factory=list[Command])
    refusals: list[str] = attrs.field(factory=list[str])
    dropped: list[str] = attrs.field(factory=list[str])
    failure: Failure | None = None


def run(program: Program, script: Script) -> Outcome:
    """Run a job until it ends, or until it is paused and the script has no command left."""
    return _outcome(_ran(program, script))


def obeyed(program: Program, script: Script) -> tuple[Command, ...]:
    """Give those commands of a script that were given and not refused."""
    return tuple(_ran(program, script).obeyed)


def _ran(program: Program, script: Script) -> _Job:
    """Take a job as far as it goes."""
    job = _Job(program=program, script=script)
    commands = iter(script.commands)
    job.kept = _numbered(1, 1, [(program.start, program.payload)])
    _open(job, release=False)
    while job.status == "running" or (job.status == "paused" and _resumed(job, commands)):
        if job.status == "running":
            _drive(job)
    return job


def _drive(job: _Job) -> None:
    """Run the open wave until it is closed, or can not be."""
    _send(job, "open")
    if _cancelled(job, "open"):
        return
    wave = _wave(job)
    for activation in wave:
        memory = job.memory.get(activation.routine, {})
        settle(job.program, job.shared, memory, activation)
    _close(job, wave)


def _resumed(job: _Job, commands: Iterator[Command]) -> bool:
    """Give a paused job its next command, and say whether there was one."""
    _send(job, "paused")
    if _cancelled(job, "paused"):
        return False
    for command in commands:
        _obey(job, command)
        return True
    return False


# Waves.


def _wave(job: _Job) -> list[Activation]:
    """Give the activations of the wave that opened last."""
    return [activation for activation in job.opened if activation.wave == job.wave]


def _open(job: _Job, *, release: bool) -> None:
    """Open the next wave: kept work, released deferrals, outside inputs; or end, or pause."""
    if release:
        _release(job)
    joining = [(given.slot, given.payload) for given in job.inputs]
    if not (job.kept or joining):
        job.status = "paused" if job.questions else "completed"
    elif _begun(job, joining):
        job.inputs = []


def _begun(job: _Job, joining: list[Item]) -> bool:
    """Begin a wave of kept work and what joins it, if the limit allows, and say whether it does."""
    wave = job.kept + _numbered(job.wave + 1, len(job.kept) + 1, joining)
    if job.count + len(wave) > job.program.max_activations:
        # The wave is not begun: what is kept stays ready, messages stay undelivered.
        job.status, job.failure = "failed", Failure("ActivationLimit", None)
        return False
    job.status = "running"
    job.wave += 1
    job.count += len(wave)
    job.opened += wave
    job.kept = []
    return True


def _release(job: _Job) -> None:
    """Make emissions of all deferrals: behind kept work, or out of the job."""
    for deferral, (output, payload) in job.deferrals.items():
        targets = _targets(job.program, output, payload)
        job.kept += _numbered(job.wave + 1, len(job.kept) + 1, targets)
        if not targets:
            job.outputs.append((deferral, output, payload))
    job.released |= job.deferrals
    job.deferrals = {}


def _numbered(wave: int, first: int, joining: list[Item]) -> list[Activation]:
    """Give the next ordinals of a wave to what joins it."""
    return [
        Activation(wave=wave, index=index, slot=slot, payload=payload)
        for index, (slot, payload) in enumerate(joining, first)
    ]


def _targets(program: Program, output: str, payload: Payload) -> list[Item]:
    """Follow an emission through its connections, in connection order."""
    return [
        (connection.slot, _renamed(connection, payload))
        for connection in program.connections
        if connection.output == output
    ]


def _renamed(connection: Connection, payload: Payload) -> Payload:
    """Rename exactly the named keys; a renamed value wins over one that was there."""
    rename = connection.rename
    kept = {key: value for key, value in payload.items() if key not in rename}
    return kept | {rename[key]: value for key, value in payload.items() if key in rename}


def _close(job: _Job, wave: list[Activation]) -> None:
    """Merge a wave that has settled, and open the next one or pause; or fail, and merge nothing."""
    failed = [activation for activation in wave if activation.result == "failed"]
    if failed:
        job.status, job.failure = "failed", Failure(failed[0].failure, failed[0].id)
        return
    shared = dict(job.shared)
    for activation in wave:
        try:
            for change in activation.changes:
                apply(shared, change)
        except HandlerFailed as error:
            job.status, job.failure = "failed", Failure(error.type_name, activation.id)
            return
    job.shared = shared
    joining: list[Item] = []
    for activation in wave:
        joining += _merge(job, activation)
    job.kept = _numbered(job.wave + 1, 1, joining)
    if any(activation.pauses or activation.questions for activation in wave):
        job.status = "paused"
    else:
        _open(job, release=not (job.kept or job.inputs or job.questions))


def _merge(job: _Job, activation: Activation) -> list[Item]:
    """Let everything an activation asked for take effect, and give what its emissions activate."""
    for change in activation.memories:
        apply(job.memory.setdefault(activation.routine, {}), change)
    job.log += [(activation.id, message) for message in activation.log]
    pauses = [(activation.id, reason) for reason in activation.pauses]
    job.pauses += pauses
    job.standing += pauses
    job.deferrals |= {f"{activation.id}/d{n}": it for n, it in enumerate(activation.deferrals)}
    job.questions |= {f"{activation.id}/q{n}": it for n, it in enumerate(activation.questions)}
    joining: list[Item] = []
    for n, (output, payload) in enumerate(activation.emissions):
        targets = _targets(job.program, output, payload)
        joining += targets
        if not targets:
            job.outputs.append((f"{activation.id}/o{n}", output, payload))
    return joining


# From outside.


def _send(job: _Job, moment: Literal["open", "paused"]) -> None:
    """Accept or refuse the messages of this moment, once."""
    if (job.wave, moment) in job.sent:
        return  # A second pause after the same wave.
    job.sent.add((job.wave, moment))
    for message in job.script.messages:
        if (message.wave, message.moment) != (job.wave, moment):
            continue
        earlier = [it for it in job.messages if it.key is not None and it.key == message.key]
        if not earlier:
            job.messages.append(message)
            job.inputs.append(_Input(message.slot, message.payload, f"m{len(job.messages)}"))
        elif message.slot != earlier[0].slot or not same(message.payload, earlier[0].payload):
            job.refusals.append("MessageKeyReused")


def _cancelled(job: _Job, moment: Literal["open", "paused"]) -> bool:
    """Cancel the job if this is the moment: everything stays as it is, and nothing follows."""
    cancel = job.script.cancel
    if cancel is None or (cancel.wave, cancel.moment) != (job.wave, moment):
        return False
    job.status = "cancelled"
    return True


def _obey(job: _Job, command: Command) -> None:
    """Do what a paused job is told, or refuse to."""
    refusal = _refusal(job, command)
    if refusal is not None:
        job.refusals.append(refusal)
        return
    job.obeyed.append(command)
    if not isinstance(command, JustUpdate):
        job.standing = []
    match command:
        case Answer():
            question = job.questions.pop(command.to)
            job.answers[command.to] = command.value
            job.inputs.append(_Input(question.to, {"answer": command.value}))
            _open(job, release=True)
        case Continue():
            _open(job, release=not job.questions)
        case Update(values=values):
            job.shared = _updated(job, values)
            _open(job, release=not job.questions)
        case JustUpdate(values=values):
            job.shared = _updated(job, values)
        case Goto():
            _drop(job)
            _begun(job, [(command.slot, command.payload)])
        case _:
            assert_never(command)


def _refusal(job: _Job, command: Command) -> str | None:
    """Name the error with which a command to a paused job is refused."""
    match command:
        case Answer(to=to) if to in job.answers:
            return "AnswerRefused"
        case Answer(to=to) if to not in job.questions:
            return "InterruptNotFound"
        case Answer():
            choices = job.questions[command.to].choices
            allowed = choices is None or any(same(command.value, it) for it in choices)
            return None if allowed else "AnswerRefused"
        case Update(values=values) | JustUpdate(values=values):
            try:
                _updated(job, values)
            except HandlerFailed as error:
                return error.type_name
            return None if isinstance(command, JustUpdate) else _refusal(job, Continue())
        case Continue():
            idle = not (job.standing or job.kept or job.inputs)
            return "AnswerRequired" if job.questions and idle else None
        case Goto(slot=slot):
            slots = [f"{it.name}.{that.name}" for it in job.program.routines for that in it.slots]
            return None if slot in slots else "SlotNotFound"
        case _:
            assert_never(command)


def _updated(job: _Job, values: Data) -> Data:
    """Give the shared data with values written to it, or fail with ``MergeError``."""
    shared = dict(job.shared)
    for key, value in values.items():
        apply(shared, Change(key, job.program.reducers.get(key, "set"), value))
    return shared


def _drop(job: _Job) -> None:
    """Forget what is in flight, except what was sent from outside and has not arrived yet."""
    job.dropped += [*(it.id for it in job.kept), *job.deferrals, *job.questions]
    job.kept, job.deferrals, job.questions = [], {}, {}


# The end.


def _order(name: str) -> tuple[int, int, str, int]:
    """Give the order of an id: by wave, activation, kind and number."""
    activation, _, item = name.partition("/")
    wave, _, index = activation.partition(".")
    return int(wave), int(index), item[:1], int(item[1:] or 0)


def _outcome(job: _Job) -> Outcome:
    """Show a job to others."""
    known = job.opened + job.kept
    return Outcome(
        status=job.status,
        shared=job.shared,
        memory={routine: data for routine, data in sorted(job.memory.items()) if data},
        log=tuple(job.log),
        outputs=tuple(sorted(job.outputs, key=lambda output: _order(output[0]))),
        activations={it.id: (it.slot, it.payload, it.result) for it in known},
        effects={f"{it.id}/e{n}": made for it in known for n, made in enumerate(it.effects)},
        emissions={
            f"{it.id}/o{n}": emission
            for it in known
            if it.result == "completed"
            for n, emission in enumerate(it.emissions)
        },
        deferrals=job.deferrals,
        released=job.released,
        questions=job.questions,
        answers=job.answers,
        pauses=tuple(job.pauses),
        standing=tuple(job.standing),
        ready=tuple(it.id for it in known if it.result == "ready"),
        failure=job.failure,
        messages={f"m{n}": (it.slot, it.payload) for n, it in enumerate(job.messages, 1)},
        undelivered=tuple(it.message for it in job.inputs if it.message is not None),
        refusals=tuple(job.refusals),
        activations_count=job.count,
        waves=job.wave,
        dropped=tuple(sorted(job.dropped, key=_order)),
    )
