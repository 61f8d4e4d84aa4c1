"""Every refusal of esflow, flat: each shows the values that caused it and says what to do next.

It knows nothing of the rest of the library, save how values show.
Values are positional, so that an error survives the trip between processes.

An error's fields are written as attrs would have them, and type checkers take them for that.
But attrs would compile a method for each class while `import esflow` waits, 0.2 ms for every one
of them, and an error is rarely made: `EsflowError` does for all what is wanted of them.
"""

from __future__ import annotations

from typing import Any, ClassVar, dataclass_transform, final

from esflow.values import listed


@dataclass_transform(eq_default=False, frozen_default=True)
class EsflowError(Exception):
    """Something esflow refuses to do; nothing was recorded unless the error says so."""

    says: ClassVar[str] = ""  # Its text, with its values as ``{self.name}``.
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.__match_args__ = tuple(cls.__annotations__)  # type: ignore[misc]  # mypy gives its own

    def __init__(self, *given: Any, **named: Any) -> None:
        """Take the values in the order of their fields, or by name."""
        names = self.__match_args__
        if names:
            each = dict(zip(names, given, strict=False)) | named
            fit = len(each) == len(given) + len(named) and each.keys() <= set(names)
            assert fit, f"{type(self).__name__} takes {listed(names)}"
            vars(self).update(each)
            given = tuple([getattr(self, name) for name in names])
        self.args = given  # OSError, which some are as well, would keep two of them.

    def __str__(self) -> str:
        return self.says.format(self=self)

    def __repr__(self) -> str:
        if not self.__match_args__:
            return super().__repr__()
        each = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__qualname__}({each})"


@final
class JobNotFound(EsflowError):
    """No stream has this id."""

    job: str
    says = "no job {self.job!r} in this store; list what there is with jobs()"


@final
class JobExists(EsflowError):
    """The id belongs to a job that was started with another request."""

    job: str
    field: str
    recorded: Any
    given: Any
    says = (
        "job {self.job!r} exists with {self.field} {self.recorded!r:.200}, not "
        "{self.given!r:.200}; choose another job_id, or send the request it was started with"
    )


@final
class JobClosed(EsflowError):
    """The job has ended and takes nothing more."""

    job: str
    status: str
    wish: str
    says = "job {self.job!r} is {self.status} and refuses {self.wish}; start a new job"


@final
class FlowNotFound(EsflowError):
    """This engine was not given the flow that the job needs."""

    flow: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        what = f"flow {self.flow!r} is not registered (registered: {listed(self.known)})"
        return f"{what}; pass it in Engine(flows=[...])"


@final
class FlowError(EsflowError):
    """The graph is wrong as it was declared."""

    flow: str
    problem: str
    says = "flow {self.flow!r}: {self.problem}"


@final
class FlowChanged(EsflowError):
    """Today's flow lacks what the recorded job still needs."""

    job: str
    flow: str
    missing: tuple[str, ...]

    def __str__(self) -> str:
        what = f"job {self.job!r} still needs {listed(self.missing)}"
        return f"{what}, which flow {self.flow!r} no longer has; deploy a version that has it"


@final
class SlotNotFound(EsflowError):
    """The flow has no such slot."""

    flow: str
    slot: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"flow {self.flow!r} has no slot {self.slot!r}; it has {listed(self.known)}"


@final
class PayloadError(EsflowError):
    """A value can't be recorded, or doesn't fit the slot that it goes to."""

    path: str
    problem: str
    says = "{self.path}: {self.problem}"


@final
class MergeError(EsflowError):
    """A write doesn't apply to the value that it meets."""

    key: str
    reducer: str
    problem: str
    says = (
        "shared[{self.key!r}]: reducer {self.reducer!r} {self.problem}; "
        "write a value that fits, or choose another reducer"
    )


@final
class AnswerRefused(EsflowError):
    """The answer doesn't fit, is not the first, or doesn't say which question it is for."""

    job: str
    question: str
    problem: str
    recorded: Any = None
    version: int | None = None
    says = "job {self.job!r}, question {self.question}: {self.problem}"


@final
class AnswerRequired(EsflowError):
    """Only an answer can carry this job on."""

    job: str
    questions: tuple[str, ...]

    def __str__(self) -> str:
        what = f"job {self.job!r} waits for an answer to {listed(self.questions)}"
        return f"{what}; resume it with Answer(value, to=id)"


@final
class InterruptNotFound(EsflowError):
    """No question or interrupt of this job has this id."""

    job: str
    id: str
    open: tuple[str, ...]

    def __str__(self) -> str:
        where = f" under id {self.id!r}" if self.id else ""
        advice = "answer one of these" if self.open else "carry it on with Continue() or run()"
        return f"job {self.job!r} asks nothing{where}; open: {listed(self.open)}; {advice}"


@final
class InterruptSwallowed(EsflowError):
    """A handler went on, or raised, after an interrupt had set it aside."""

    activation: str
    interrupt: str
    says = (
        "activation {self.activation}: interrupt {self.interrupt} set the handler aside, and the "
        "handler kept that from its caller; let BaseException pass (catch Exception instead)"
    )


@final
class NotPaused(EsflowError):
    """Only a paused job resumes, and only a failed one is retried."""

    job: str
    status: str
    host: str | None = None
    wanted: str = "paused"

    def __str__(self) -> str:
        if self.wanted == "failed":
            return f"job {self.job!r} is {self.status}, not failed; only what failed is retried"
        if self.status == "paused":  # By something that the command doesn't lift.
            what = f"job {self.job!r} stays paused, and breakpoints are set where it is resumed"
            return f"{what}; leave them out here, or give them to the command that resumes it"
        where = f" on {self.host}" if self.host else ""
        advice = "wait for it with wait(), or drive it with run() if its host has gone"
        return f"job {self.job!r} is {self.status}{where}, not {self.wanted}; {advice}"


@final
class MessageKeyReused(EsflowError):
    """The key belongs to a message with another slot or payload."""

    job: str
    key: str
    version: int
    says = (
        "job {self.job!r} recorded another message under key {self.key!r} at version "
        "{self.version}; use a new key for a new message"
    )


@final
class EffectError(EsflowError):
    """A recorded effect failed; it fails alike at every re-execution."""

    type: str
    message: str
    says = "{self.type}: {self.message}"


@final
class ConcurrentEffects(EsflowError):
    """A context is used by one thread or task: that of its handler."""

    activation: str
    call: str
    says = (
        "activation {self.activation}: {self.call} was called from another thread or task than the "
        "handler's, so its order would be chance; give it a branch of its own: ctx.branch(name)"
    )


@final
class ContextClosed(EsflowError):
    """A context ends with its handler, and a branch with its block."""

    activation: str
    call: str
    says = (
        "activation {self.activation}: {self.call} was called after its handler or its branch "
        "ended and recorded nothing; keep the context inside the handler"
    )


@final
class ReentrantCall(EsflowError):
    """A handler or an effect acted on its own job behind its context's back."""

    job: str
    call: str
    says = (
        "{self.call} was called on job {self.job!r} from inside it; return from the effect "
        "first, or use the handler's context"
    )


@final
class ActivationTimeout(EsflowError, TimeoutError):
    """A handler or an effect took longer than it may; what it comes to is refused."""

    what: str
    seconds: float
    says = "{self.what} took more than {self.seconds} s; give it more time, or let it be retried"


@final
class ActivationLimit(EsflowError):
    """The job would pass the number of activations that it was started with."""

    job: str
    limit: int
    says = (
        "job {self.job!r} would pass its limit of {self.limit} activations; look for a "
        "cycle that never ends, or raise Flow(max_activations=...)"
    )


@final
class GatherIncomplete(EsflowError):
    """Nothing is left to do, but a slot still waits for payloads."""

    job: str
    slot: str
    missing: str
    says = "job {self.job!r}: {self.slot!r} never got {self.missing}; route what may fail into it"


@final
class NondeterminismError(EsflowError):
    """A re-executed handler called or asked something else than what is recorded."""

    activation: str
    effect: str
    recorded: str
    now: str
    says = (
        "activation {self.activation}: {self.effect} is recorded as {self.recorded} but the "
        "handler now calls {self.now}; deploy the code that the job was running"
    )


@final
class VersionConflict(EsflowError):
    """Another host appended first."""

    job: str
    expected: int
    found: int
    says = "job {self.job!r}: expected version {self.expected}, found {self.found}; decide again"


@final
class Fenced(EsflowError):
    """Another execution has claimed the job; this one has stopped."""

    job: str
    token: int
    found: int
    host: str
    says = (
        "job {self.job!r}: the execution with token {self.token} lost it to token "
        "{self.found} on {self.host}; follow it with wait()"
    )


@final
class WaitTimeout(EsflowError, TimeoutError):
    """The job is still going; only the waiting has ended."""

    job: str
    status: str
    timeout_seconds: float
    says = "job {self.job!r} is still {self.status} after {self.timeout_seconds} s; wait again"


@final
class CorruptHistory(EsflowError):
    """The stored bytes are not those that were recorded."""

    job: str
    version: int
    problem: str
    says = (
        "job {self.job!r}, version {self.version}: {self.problem}; restore this stream from "
        "a backup, other jobs are not concerned"
    )


@final
class UnknownEvent(EsflowError):
    """An event was written by a newer esflow."""

    job: str
    version: int
    name: str
    says = (
        "job {self.job!r}, version {self.version}: this esflow does not know {self.name!r}; "
        "upgrade before you touch this job"
    )


@final
class StoreError(EsflowError):
    """The store could not do what it was asked."""

    doing: str
    problem: str
    retry: bool

    def __str__(self) -> str:
        advice = "try again" if self.retry else "mend the store first"
        return f"{self.doing}: {self.problem}; {advice}"
