"""How waves open, settle and close."""

from __future__ import annotations

from typing import final

from tests.reference.changes import Change, Data, HandlerFailed, apply, has_misfit, write
from tests.reference.deliveries import Gathers, Input, joined, numbered, targets
from tests.reference.handlers import Activation, Item, settle
from tests.reference.job import Child, Job, Timer
from tests.reference.outcome import Failure
from tests.reference.policies import MERGED, decide, try_again

# Opening.


def open_wave(job: Job, *, release: bool) -> None:
    """Open the next wave: kept work, released deferrals, outside inputs; or end, or pause."""
    if release:
        _release(job)
    gathers, joining = _joining(job)
    rests = not (job.kept or joining)
    if rests or begin(job, joining):
        job.gathers, job.inputs = gathers, []
    if rests:
        _rest(job)


def _rest(job: Job) -> None:
    """Wait for what may come, or end."""
    if job.questions:
        job.status = "paused"
    elif job.timers or job.open_children:
        job.wait()
    elif job.deferrals:
        open_wave(job, release=True)
    elif job.gathers:
        job.fail(Failure("GatherIncomplete", None))
    else:
        job.status = "completed"


def has_next(job: Job) -> bool:
    """Say whether a wave would open now, of kept work or of what the inputs activate."""
    return bool(job.kept or _joining(job)[1])


def _joining(job: Job) -> tuple[Gathers, list[Item]]:
    """Give the gathers as the inputs would leave them, and what these activate."""
    gathers = {slot: list(queue) for slot, queue in job.gathers.items()}
    return gathers, joined(job.program, gathers, job.inputs)


def is_idle(job: Job) -> bool:
    """Say whether nothing is left but deferrals."""
    left = job.kept or job.inputs or job.questions or job.timers or job.open_children
    return not left


def fire(job: Job) -> bool:
    """Let the timers that are due make their emissions, and say whether there were any."""
    due = job.due_timers
    for name in due:
        timer = job.timers.pop(name)
        found = targets(job.program, timer.output, timer.payload)
        job.inputs += found
        if not found:
            job.outputs.append((name, timer.output, timer.payload))
    job.fired += due
    if due:
        job.firings.append((job.moment, tuple(due)))
    return bool(due)


def begin(job: Job, joining: list[Item]) -> bool:
    """Begin a wave of kept work and what joins it, if the limit allows, and say whether it does."""
    wave = job.kept + numbered(job.wave + 1, len(job.kept) + 1, joining)
    if job.count + len(wave) > job.program.max_activations:
        # The wave is not begun: what is kept stays ready, messages stay undelivered.
        job.fail(Failure("ActivationLimit", None))
        return False
    job.wave += 1
    job.is_open = True
    job.count += len(wave)
    job.opened += wave
    job.kept = []
    hit = [it.id for it in wave if it.slot in (job.breakpoints.before or ())]
    job.hits.extend(("before", name) for name in hit)
    job.status = "running"
    if hit:
        job.pause([("breakpoint", name) for name in hit])
    return True


def _release(job: Job) -> None:
    """Make emissions of all deferrals: behind kept work, or out of the job."""
    for deferral, (output, payload) in job.deferrals.items():
        found = targets(job.program, output, payload)
        activated = joined(job.program, job.gathers, found)
        job.kept += numbered(job.wave + 1, len(job.kept) + 1, activated)
        if not found:
            job.outputs.append((deferral, output, payload))
    job.released |= job.deferrals
    job.deferrals = {}


# Settling.


def run_wave(job: Job) -> None:
    """Run what is ready in the open wave, and close it unless something failed or is set aside."""
    for activation in job.current:
        _attempt(job, activation)
    failed = [activation for activation in job.current if activation.result == "failed"]
    if any(activation.result == "retrying" for activation in job.current):
        job.wait()
    elif failed:
        job.fail(Failure(failed[0].failure, failed[0].id))
    elif job.interrupted:
        job.pause([("interrupt", activation.id) for activation in job.interrupted.values()])
    else:
        _close(job)


def _attempt(job: Job, activation: Activation) -> None:
    """Run a handler that is ready or whose new attempt is due, as often as it may at once."""
    slot = job.program.slot(activation.slot)
    memory = job.memory.get(activation.routine, {})
    while True:
        if activation.result == "retrying" and activation.due_at_ms <= job.now_ms:
            try_again(activation, activation.attempt + 1)
        if activation.result != "ready":
            return
        settle(job.program, job.shared, memory, activation)
        activation.settled_at_ms = job.now_ms
        decide(slot, activation, job.now_ms)
        _start_children(job, activation)


def _start_children(job: Job, activation: Activation) -> None:
    """Start the children of an activation that has completed, though its wave is still open."""
    if activation.result == "completed":
        for n, (start, payload) in enumerate(activation.requests.children):
            job.children[f"{activation.id}/c{n}"] = Child(start, payload)


# Closing.


def _close(job: Job) -> None:
    """Merge a wave that has settled, and open the next one or pause; or fail, and merge nothing."""
    wave = job.current
    failure = merge(job)
    if failure is not None:
        job.fail(failure)
        return
    hit = [it.id for it in wave if it.slot in (job.breakpoints.after or ())]
    job.hits.extend(("after", name) for name in hit)
    asked = any(it.requests.pauses or it.requests.questions for it in wave)
    if hit or asked:
        job.pause([("breakpoint", name) for name in hit])
    else:
        open_wave(job, release=is_idle(job))


def merge(job: Job) -> Failure | None:
    """Close the wave, with everything its completed activations asked for; or say why not."""
    try:
        shared = merged(job)
    except MergeFailed as error:
        job.unmerged = error.key
        return error.failure
    job.shared, job.updates, job.is_open = shared, [], False
    job.replaced = set()
    joining: list[Input] = []
    for activation in job.current:
        if activation.result in MERGED:
            joining += _take(job, activation)
    job.kept = numbered(job.wave + 1, 1, joined(job.program, job.gathers, joining))
    return None


@final
class MergeFailed(Exception):
    """A write of the wave does not apply."""

    def __init__(self, failure: Failure, key: str) -> None:
        super().__init__(failure, key)
        self.failure = failure
        self.key = key


def merged(job: Job) -> Data:
    """Give the shared data with the writes of the wave, updates last; or raise ``MergeFailed``."""
    shared = dict(job.shared)
    broken: MergeFailed | None = None  # By the first write behind which the whole doesn't fit.
    for activation, change in written(job):
        try:
            write(job.program, shared, change)
        except HandlerFailed as error:
            raise MergeFailed(Failure(error.type_name, activation), change.key) from error
        if broken is None and has_misfit(job.program, shared):
            broken = MergeFailed(Failure("MergeError", activation), change.key)
    if broken is not None and has_misfit(job.program, shared):
        raise broken
    return shared


def written(job: Job) -> list[tuple[str | None, Change]]:
    """Give the writes of the wave so far, each with who wrote it, updates last."""
    writes: list[tuple[str | None, Change]] = [
        (activation.id, change)
        for activation in job.current
        if activation.result == "completed"
        for change in activation.requests.changes
        if change.key not in job.replaced
    ]
    return [*writes, *((None, update) for update in job.updates)]


def _take(job: Job, activation: Activation) -> list[Input]:
    """Let everything an activation asked for take effect, and give what its emissions activate."""
    requests = activation.requests
    for change in requests.memories:
        apply(job.memory.setdefault(activation.routine, {}), change)
    job.log += [(activation.id, message) for message in requests.log]
    pauses = [(activation.id, reason) for reason in requests.pauses]
    job.pauses += pauses
    job.standing += pauses
    job.deferrals |= {f"{activation.id}/d{n}": it for n, it in enumerate(requests.deferrals)}
    job.questions |= {f"{activation.id}/q{n}": it for n, it in enumerate(requests.questions)}
    for n, question in enumerate(requests.questions):
        if question.timeout is not None:
            job.deadlines[f"{activation.id}/q{n}"] = (
                activation.settled_at_ms + question.timeout * 1000
            )
    for n, (delay_ms, (output, payload)) in enumerate(requests.timers):
        timer = Timer(activation.settled_at_ms + delay_ms, output, payload)
        job.timers[f"{activation.id}/t{n}"] = timer
    joining: list[Input] = []
    for n, (output, payload) in enumerate(requests.emissions):
        found = targets(job.program, output, payload)
        joining += found
        if not found:
            job.outputs.append((f"{activation.id}/o{n}", output, payload))
    return joining


def connected(job: Job) -> list[str]:
    """Name the emissions of completed activations of the wave that lead to a slot."""
    return [
        f"{activation.id}/o{n}"
        for activation in job.current
        if activation.result in MERGED
        for n, (output, payload) in enumerate(activation.requests.emissions)
        if targets(job.program, output, payload)
    ]
