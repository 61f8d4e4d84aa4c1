"""Effects as a handler makes them: numbered, looked up, called, recorded, and told again.

A scope belongs to one thread or one task, and numbers the effects that are called in it, in the
order of their calls; what is called from elsewhere would get a number by chance, and is refused.
A branch is one more scope of the same run, whose effects carry its name in their ids.

What is awaited
---------------
The effect of an async function is numbered and looked up when it is called, and made when it is
awaited, by whichever task does so: several may be gathered.
It is recorded before its result is used, and no effect is recorded once its handler has ended or
is set aside.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from time import perf_counter_ns
from typing import TYPE_CHECKING, TypeVar, cast, final

import attrs

from esflow import effects, errors, usercode
from esflow.annotations import return_annotation
from esflow.asking import asking_for_result
from esflow.chance import spread
from esflow.effects import Call, call_of
from esflow.events import EffectAttemptFailed, EffectCall, EffectRecorded
from esflow.failpoints import reach
from esflow.graph import is_async, name_problem
from esflow.ids import branch_id, item_id
from esflow.standing import Recorder, Standing
from esflow.usercode import SetAside

if TYPE_CHECKING:  # Loaded by what has a limit.
    from esflow.limits import Limit

Result = TypeVar("Result")


@final
@attrs.define(eq=False, repr=False)
class Trials:
    """The attempts of one effect: which comes next, when, and what the last one came to."""

    _run: Standing
    _call: Call
    _effect_id: str
    attempt: int = attrs.field(init=False)
    again_at_ms: int | None = attrs.field(default=None, init=False)
    error: Exception | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Go on behind the attempts that are recorded."""
        last = self._run.attempts.get(self._effect_id)
        self.attempt = 1 if last is None else last.attempt + 1
        self.again_at_ms = None if last is None else last.again_at_ms

    def became(
        self, outcome: usercode.Outcome, began_ns: int
    ) -> EffectRecorded | EffectAttemptFailed:
        """Return what is to be recorded of the attempt, and go on to the next if there is one.

        Raises: ContextClosed, SetAside, and what the run is lost for, where nothing is.
        """
        call, key = self._call, self._run.key_of(self._effect_id)
        effect, self.error = effects.made(
            call, self._effect_id, key, outcome, began_ns=began_ns, attempt=self.attempt
        )
        self._run.refuse_ended(f"effect({call.name})")
        retry = call.options.retry
        if retry is None or self.error is None or not retry.applies(self.attempt, self.error):
            return effect
        delay_ms = retry.delay_ms(self.attempt, spread())
        self.again_at_ms = self._run.recorder.due_at_ms(delay_ms)
        self.attempt += 1
        return effects.failed_attempt(effect, self.again_at_ms)


def limit_of(call: Call, recorder: Recorder) -> Limit | None:
    """Return how long a call may take, None for as long as it likes."""
    seconds = call.options.timeout_seconds
    if seconds is None:
        return None
    from esflow.limits import Limit

    return Limit(f"effect {call.name}", seconds, recorder.clock)


@final
@attrs.define(eq=False, repr=False)
class Scope:
    """The effects of one thread or task, in the order of their calls."""

    _run: Standing
    _within: str  # What begins the ids of its effects.
    _owner: object  # The thread or task that it belongs to.
    _count: int = attrs.field(default=0, init=False)
    _closed: bool = attrs.field(default=False, init=False)

    def close(self) -> None:
        """Refuse every further call."""
        self._closed = True

    def _use(self, call: str) -> None:
        self._run.refuse_ended(call)
        if self._closed:
            raise errors.ContextClosed(self._run.activation, call)
        self._run.refuse_elsewhere(self._owner, call)

    def effect(self, function: Callable[..., Result], /, *args: object, **kwargs: object) -> Result:
        """Call the outside world once, and return the recorded result at every re-execution.

        Shape: the result has been through the codec, back to the function's return annotation; that
        of an async function is awaited.
        Raises: EffectError, when the function raised; PayloadError, when its result can't be
        recorded; NondeterminismError, when another call is recorded at this place.
        """
        return cast("Result", self._effect(call_of(function, args, kwargs)))

    def now(self) -> datetime:
        """Return the time, in UTC, recorded as an effect."""
        return cast("datetime", self._effect(call_of(self._run.moment, (), {}, "esflow.now")))

    def uuid(self) -> uuid.UUID:
        """Return a random UUID, recorded as an effect."""
        return cast("uuid.UUID", self._effect(call_of(self._run.identifier, (), {}, "esflow.uuid")))

    def random(self) -> float:
        """Return a number from 0 up to 1, recorded as an effect."""
        return cast("float", self._effect(call_of(self._run.number, (), {}, "esflow.random")))

    @property
    def idempotency_key(self) -> str:
        """The key of the next effect (or of the running one), the same at every re-execution."""
        return self._run.key_of(self._run.running or item_id(self._within, "e", self._count))

    def _effect(self, call: Call) -> object:
        self._use(f"effect({call.name})")
        must_await = is_async(call.function)
        if must_await and not self._run.is_async:
            raise errors.PayloadError(f"effect({call.name})", "is async; await it in an async slot")
        effect_id = item_id(self._within, "e", self._count)
        recorded, cause = self._recorded(call, effect_id), None
        self._run.calls.used[effect_id] = None
        self._count += 1
        if must_await:
            coroutine = self._awaited(call, effect_id, recorded)
            self._run.called(effect_id, coroutine)
            return coroutine
        if recorded is None:
            recorded, cause = self._made(call, effect_id)
        return self._told(recorded, call, cause)

    def _told(self, recorded: EffectRecorded, call: Call, cause: Exception | None) -> object:
        try:
            return effects.result_of(recorded, call, cause)
        except (errors.EffectError, errors.PayloadError) as error:
            if recorded.error is not None:
                self._run.told(error, recorded.id)
            raise

    def _recorded(self, call: Call, effect_id: str) -> EffectRecorded | None:
        """Return what is recorded of a call, None where it has to be made."""
        recorded = self._run.recorded.get(effect_id)
        known = recorded or self._run.attempts.get(effect_id)
        difference = known and effects.difference(self._run.activation, known, call)
        if difference is not None:
            self._run.lost = difference
            raise difference
        if recorded is None:
            self._refuse_call(call, effect_id)
        return recorded

    def _refuse_call(self, call: Call, effect_id: str) -> None:
        """Set the handler aside at a call that may not be made, until somebody tells its result."""
        if self._run.recorder.may_call(call.name):
            return
        key = self._run.key_of(effect_id)
        asked_for = EffectCall(function=call.name, digest=call.digest, key=key)
        returns = return_annotation(call.function)
        self._run.aside = asking_for_result(effect_id, asked_for, effects.shown(call), returns)
        raise SetAside

    def _made(self, call: Call, effect_id: str) -> effects.Made:
        """Make a call, as often as it is worth it, and record each time what became of it."""
        trials = Trials(self._run, call, effect_id)
        while True:
            with self._run.recording(call.name):
                if trials.again_at_ms is not None:
                    self._run.recorder.wait(trials.again_at_ms)
                if call.name not in effects.OWN_EFFECTS:
                    self._run.recorder.let_out()
            self._run.refuse_ended(f"effect({call.name})")
            began_ns = perf_counter_ns()
            event = trials.became(self._called(call, effect_id), began_ns)
            with self._run.recording(call.name):
                self._run.recorder.record_effect(event)
            reach("effect.recorded")
            if isinstance(event, EffectRecorded):
                return event, trials.error

    def _called(self, call: Call, effect_id: str) -> usercode.Outcome:
        def here() -> usercode.Outcome:
            with self._run.calling(effect_id):
                return usercode.call(self._run.made_by(call), call.args, call.kwargs)

        limit = limit_of(call, self._run.recorder)
        if limit is None:
            return here()
        from esflow.limits import within

        return within(limit, here)

    async def _awaited(self, call: Call, effect_id: str, recorded: EffectRecorded | None) -> object:
        """Return the result of an async call, which is made by the task that awaits it."""
        cause = None
        with self._run.awaited(effect_id):
            if recorded is None:
                recorded, cause = await self._made_async(call, effect_id)
        return self._told(recorded, call, cause)

    async def _made_async(self, call: Call, effect_id: str) -> effects.Made:
        trials = Trials(self._run, call, effect_id)
        while True:
            try:
                if trials.again_at_ms is not None:
                    await self._run.recorder.wait_async(trials.again_at_ms)
                await self._run.recorder.let_out_async()
                self._run.refuse_ended(f"effect({call.name})")
                began_ns = perf_counter_ns()
                event = trials.became(await self._called_async(call, effect_id), began_ns)
                await self._run.recorder.record_effect_async(event)
            except errors.EsflowError as lost:
                self._run.lost = self._run.lost or lost
                raise
            reach("effect.recorded")
            if isinstance(event, EffectRecorded):
                return event, trials.error

    async def _called_async(self, call: Call, effect_id: str) -> usercode.Outcome:
        async def here() -> object:
            with self._run.calling(effect_id):
                return await self._run.made_by(call)(*call.args, **call.kwargs)

        limit = limit_of(call, self._run.recorder)
        if limit is None:
            outcome = await usercode.awaited(here())
        else:
            from esflow.limits import within_async

            outcome = await within_async(limit, here())
        if isinstance(outcome, usercode.Stopped):
            raise SetAside  # Its handler was, and it asked the context for something.
        return outcome


@final
@attrs.define(eq=False, repr=False)
class Branch:
    """A scope for one of several steps that go on at once, for as long as its block runs."""

    _run: Standing
    _name: str
    _scope: Scope | None = attrs.field(default=None, init=False)

    def __enter__(self) -> Scope:
        """Let the branch belong to the thread or task that enters it.

        Raises: ContextClosed, ReentrantCall, SetAside, and what the run is lost for.
        """
        self._run.refuse_ended(f"branch({self._name!r})")
        run = self._run
        self._scope = Scope(run, branch_id(run.activation, self._name), run.here())
        return self._scope

    def __exit__(self, *_: object) -> None:
        """End the branch."""
        if self._scope is not None:
            self._scope.close()

    async def __aenter__(self) -> Scope:
        """Let the branch belong to the task that enters it.

        Raises: ContextClosed, ReentrantCall, SetAside, and what the run is lost for.
        """
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        """End the branch."""
        self.__exit__()


def new_branch(run: Standing, flow: str, name: str) -> Branch:
    """Return a branch of a run that has none of the name.

    Raises: FlowError, for a name that can't be one, or that is used already; ContextClosed,
    ReentrantCall, SetAside, and what the run is lost for.
    """
    run.refuse_ended(f"branch({name!r})")
    branch = Branch(run, name)
    problem = name_problem("a branch", name)
    if problem is None and run.calls.branches.setdefault(name, branch) is not branch:
        problem = (
            f"branch {name!r} is used twice in activation {run.activation}; give each its name"
        )
    if problem is not None:
        raise errors.FlowError(flow, problem)
    return branch
