"""What a handler may do.

A context belongs to one run of one handler, in that handler's thread.
What the handler asks for is gathered here and recorded as a whole when it returns; an effect alone
is recorded at once, see `esflow.scopes`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, KeysView, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast, final

import attrs

from esflow import errors
from esflow import events as ev
from esflow.asking import Asked, answer_to, asking, question_to
from esflow.children import started_child
from esflow.events import Json
from esflow.flow import Flow, Slot
from esflow.ids import item_id
from esflow.inputs import checked_text
from esflow.merging import reduced
from esflow.payloads import payload_json, structure
from esflow.reducers import BUILT_IN, RECORDED, reduce
from esflow.scopes import Branch, Scope, new_branch
from esflow.shared_type import refuse_untyped
from esflow.standing import Standing
from esflow.state import Answered
from esflow.usercode import SetAside

if TYPE_CHECKING:  # Loaded by the handlers that use the data.
    from esflow.shared_data import DataView, Rules

Result = TypeVar("Result")


@final
class Context:
    """A handler's access to its job."""

    def __init__(  # noqa: PLR0917 - every step makes one, and by keyword it takes a half longer
        self,
        flow: Flow,
        slot: Slot,
        run: Standing,
        answered: Mapping[str, Answered],
        shared: Mapping[str, Json],
        memory: Mapping[str, Json],
        attempt: int = 1,
    ) -> None:
        self._flow = flow
        self._slot = slot
        self._run = run
        self._id = run.activation
        self._attempt = attempt
        self._answered = answered
        self._use = run.use
        self._effects: Scope | None = None  # Made for who makes some.
        self._records: list[ev.Event] = []
        self._counts: dict[str, int] = {}  # Of what it has made, by kind.
        self._shared = shared
        self._memory = memory
        self._views: dict[str, DataView] = {}  # Made when they are asked for: most are not.

    def emit(self, output: str, /, **payload: object) -> None:
        """Put a payload on an output of this routine.

        Raises: FlowError, for an unknown output; PayloadError, for what can't be recorded.
        """
        self._use("emit({!r})", output)
        targets, data = self._put_on(output, payload)
        self._records.append(ev.Emitted(self._next("o"), output, data, targets))

    def defer(self, output: str, /, **payload: object) -> None:
        """Hold an emission back until the job resumes from a pause of its program.

        Raises: FlowError, for an unknown output; PayloadError, for what can't be recorded.
        """
        self._use("defer({!r})", output)
        targets, data = self._put_on(output, payload)
        self._records.append(
            ev.EmissionDeferred(id=self._next("d"), output=output, payload=data, targets=targets)
        )

    def emit_after(self, delay: float | timedelta, output: str, /, **payload: object) -> None:
        """Put a payload on an output of this routine when some time has gone by.

        Units: seconds, or a timedelta, from now on.
        Raises: FlowError, for an unknown output; PayloadError, for what can't be recorded.
        """
        self._use("emit_after({!r})", output)
        targets, data = self._put_on(output, payload)
        due = self._run.after_ms(delay, "emit_after.delay")
        timer = self._next("t")
        self._records.append(
            ev.TimerSet(id=timer, output=output, payload=data, due_at_ms=due, targets=targets)
        )

    def pause(self, reason: str = "") -> None:
        """Let the job stand still when this wave has settled."""
        self._use("pause()")
        text = checked_text(reason, "pause.reason")
        self._records.append(ev.PauseRequested(kind="program", reason=text, activation=self._id))

    def ask(
        self,
        text: str,
        *,
        to: str,
        choices: Sequence[object] | None = None,
        timeout: float | timedelta | None = None,
        default: object = attrs.NOTHING,
    ) -> None:
        """Ask a question, pause, and have the answer delivered to a slot as ``answer``.

        If nobody has answered in time, the default is the answer; the one needs the other.
        Units: the timeout is in seconds, or a timedelta, from now on.
        Raises: SlotNotFound; PayloadError, for what can't be recorded, asked or answered.
        """
        self._use("ask()")
        question = question_to(self._flow.resolve_slot(to), text, choices, timeout, default)
        due_at_ms = None if timeout is None else self._run.after_ms(timeout, "ask.timeout")
        self._records.append(attrs.evolve(question, id=self._next("q"), due_at_ms=due_at_ms))

    def start(
        self,
        flow: str | Flow,
        slot: str,
        payload: Mapping[str, object] = MappingProxyType({}),
        *,
        then: str,
    ) -> str:
        """Start a job of its own, and have its outcome delivered to a slot of this flow.

        Shape: its id; however it ends, ``job_id``, ``status``, ``outputs`` and ``failure`` come.
        Raises: FlowNotFound, for a flow that this host lacks; SlotNotFound; PayloadError, for what
        can't be recorded, or a slot that doesn't take what comes to it.
        """
        self._use("start()")
        child = started_child(
            item_id(self._id, "c", self._counts.get("c", 0)),
            self._run.job_id,
            flow=flow if isinstance(flow, str) else flow.name,
            flows=self._run.recorder.flows,
            slot=slot,
            payload=payload,
            then=self._flow.resolve_slot(then),
        )
        self._next("c")  # One that is refused above is none.
        self._records.append(child)
        return child.job_id

    def interrupt(
        self,
        payload: object,
        *,
        choices: Sequence[object] | None = None,
        type: object = None,  # noqa: A002 - the contract's name
    ) -> Any:
        """Ask in the middle of the handler, and return the answer.

        The handler is set aside here, and runs again from its start once somebody has answered:
        its recorded effects and earlier answers are returned then, not asked for again.
        Shape: the answer is one of the ``choices``, if there are any, read as the ``type``.
        Raises: PayloadError, for what can't be recorded; NondeterminismError, when the recorded
        answer was given to another question.
        """
        self._use("interrupt()")
        asked = asking(item_id(self._id, "i", self.interrupts_used), payload, choices, type)
        if asked.id not in self._answered:
            self._run.aside = asked
            raise SetAside
        self._next("i")  # An answer that is refused below is used up like any other.
        try:
            return answer_to(asked, self._answered[asked.id], type)
        except errors.NondeterminismError as difference:
            self._run.lost = difference
            raise

    def effect(self, function: Callable[..., Result], /, *args: object, **kwargs: object) -> Result:
        """Call the outside world once, and return the recorded result at every re-execution.

        Shape: the result has been through the codec, back to the function's return annotation; that
        of an async function is to be awaited.
        Raises: EffectError, when the function raised; PayloadError, when its result can't be
        recorded; NondeterminismError, when another call is recorded at this place.
        """
        return self._scope.effect(function, *args, **kwargs)

    def branch(self, name: str) -> Branch:
        """Return a scope for one of several steps that go on at once, as a context manager.

        Shape: ``async with`` in a task, ``with`` in a thread; what is entered belongs to the task
        or thread that enters it, and has ``effect``, ``now``, ``uuid``, ``random`` and
        ``idempotency_key``.
        Raises: FlowError, for a name that can't be one, or that this activation has used.
        """
        return new_branch(self._run, self._flow.name, name)

    def now(self) -> datetime:
        """Return the time, in UTC, recorded as an effect."""
        return self._scope.now()

    def uuid(self) -> uuid.UUID:
        """Return a random UUID, recorded as an effect."""
        return self._scope.uuid()

    def random(self) -> float:
        """Return a number from 0 up to 1, recorded as an effect."""
        return self._scope.random()

    @property
    def shared(self) -> DataView:
        """The data of the whole job."""
        return self._view("shared", self._shared, self._shared_rules)

    @property
    def memory(self) -> DataView:
        """The data of this routine within the job."""
        return self._view("memory", self._memory, self._memory_rules)

    def write(self, key: str, value: object, reducer: str | None = None) -> None:
        """Write to the shared data by a reducer, the key's declared one by default."""
        self.shared.write(key, value, reducer)

    def get(self, key: str, type: type[Result]) -> Result:  # noqa: A002 - the contract's name
        """Return a value of the shared data as a type.

        Raises: KeyError, when it is absent; PayloadError, when it doesn't fit.
        """
        read = partial(structure, annotation=type, path=f"shared[{key!r}]")
        return cast("Result", self.shared.read_as(key, read))

    def log(self, message: str, **fields: object) -> None:
        """Add a line to the shared log of the job."""
        self._use("log()")
        text = checked_text(message, "log.message")
        data = payload_json(fields, "log")
        self._records.append(ev.Logged(activation=self._id, message=text, fields=data))

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self._run.job_id

    @property
    def activation_id(self) -> str:
        """The id of this activation, the same at every re-execution."""
        return self._id

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1; it counts failures, not executions."""
        return self._attempt

    @property
    def idempotency_key(self) -> str:
        """The key of the next effect (or of the running one), the same at every re-execution."""
        return self._scope.idempotency_key

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled the job: nothing of this run will be recorded then.

        It is looked up in the store each time, so that a long handler can stop in good order.
        """
        return self._run.recorder.is_cancelled()

    # For the driver.

    def move_here(self) -> None:
        """Belong to the thread or task that this is called in: the handler's."""
        self._run.owner = self._run.here()

    def close(self) -> None:
        """End the context: whatever is called from now on is refused."""
        self._run.closed = True

    async def close_async(self) -> str | None:
        """End the context and the effects that are still going; return what of them was left."""
        return await self._run.close_async()

    def records(self) -> tuple[ev.Event, ...]:
        """Return what the handler asked for, in the order of its calls.

        Raises: PayloadError, when a value was read and changed in place.
        """
        for view in self._views.values():
            view.refuse_lost_changes()
        return tuple(self._records)

    @property
    def effects_used(self) -> KeysView[str]:
        """The ids of the effects that the handler has asked for."""
        return self._run.calls.used.keys()

    @property
    def interrupts_used(self) -> int:
        """How many answers to interrupts the handler has been given."""
        return self._counts.get("i", 0)

    @property
    def aside(self) -> Asked | None:
        """What set this run aside, if anything did."""
        return self._run.aside

    @property
    def lost(self) -> errors.EsflowError | None:
        """Why this run may not settle, if it may not."""
        return self._run.lost

    # Within.

    @property
    def _scope(self) -> Scope:
        if self._effects is None:
            self._effects = Scope(self._run, self._id, self._run.owner)
        return self._effects

    def _put_on(
        self, output: str, payload: Mapping[str, object]
    ) -> tuple[tuple[ev.Target, ...], dict[str, Json]]:
        """Return where a payload on an output goes, and the payload as it is recorded."""
        targets = self._flow.targets(self._slot.routine, output)
        data = payload_json(payload, output)
        self._flow.refuse_misfit(self._slot.routine, output, data)
        return targets, data

    def _next(self, kind: str) -> str:
        number = self._counts.get(kind, 0)
        self._counts[kind] = number + 1
        return item_id(self._id, kind, number)

    def _view(
        self, name: str, data: Mapping[str, Json], rules: Callable[[type[Rules]], Rules]
    ) -> DataView:
        if name not in self._views:
            view, rules_of = _views()
            self._views[name] = view(name, data, rules(rules_of))
        return self._views[name]

    def _shared_rules(self, rules: type[Rules]) -> Rules:
        shared = self._flow.data.shared
        return rules(
            name_of=self._reducer_of,
            refuse=partial(refuse_untyped, self._flow.data),
            reduce=partial(reduced, self._flow),
            record=self._write_shared,
            use=self._use,
            keys=None if shared is None else shared.keys,
        )

    def _memory_rules(self, rules: type[Rules]) -> Rules:
        return rules(
            name_of=lambda _, reducer: reducer or "set",
            refuse=lambda _key, _reducer, _value: None,
            reduce=lambda _, reducer, current, value: reduce(reducer, current, value),
            record=self._write_memory,
            use=self._use,
        )

    def _reducer_of(self, key: str, reducer: str | None) -> str:
        """Return the reducer of a write: the declared one, a built-in one, or a deletion."""
        declared = self._flow.reducers.get(key, "set")
        if reducer is None or reducer == declared or reducer in RECORDED:
            return reducer or declared
        problem = f"unknown reducer {reducer!r}; use one of {', '.join(BUILT_IN)}"
        raise errors.FlowError(self._flow.name, problem)

    def _write_shared(self, key: str, reducer: str, value: Json) -> None:
        self._records.append(
            ev.SharedWritten(activation=self._id, key=key, reducer=reducer, value=value)
        )

    def _write_memory(self, key: str, reducer: str, value: Json) -> None:
        written = ev.MemoryWritten(
            activation=self._id, routine=self._slot.routine, key=key, reducer=reducer, value=value
        )
        self._records.append(written)


@cache
def _views() -> tuple[type[DataView], type[Rules]]:
    """Import what shows the data at the first need, and once: each import is a call."""
    from esflow.shared_data import DataView, Rules

    return DataView, Rules
