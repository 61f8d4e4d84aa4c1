"""One execution of an activation's handler, as its driver knows it: what it may see and record.

An execution that nobody waits for any longer, because its time is over, its job led elsewhere or
its host closed, records nothing more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from threading import Event
from typing import TypeAlias, final

import attrs

from esflow import events as ev
from esflow.clock import Clock, wait_until, wait_until_async
from esflow.effects import OWN_EFFECTS
from esflow.errors import ContextClosed, JobClosed, StoreError
from esflow.events import Json
from esflow.flow import Flow, Slot
from esflow.runtime.decisions import Decision, somebody_runs
from esflow.runtime.session import Session
from esflow.state import Activation, JobFold, Member, Status

OffLoop: TypeAlias = Callable[[Callable[[], object]], Awaitable[object]]
"""Does what blocks, away from the loop that waits for it."""


async def at_once(work: Callable[[], object]) -> None:
    """Do what blocks here: the loop is that of one handler alone."""
    work()


@final
@attrs.define(eq=False, repr=False)
class Execution:
    """What the runs of a claimed job have in common, from its claim to its rest."""

    session: Session
    flow: Flow
    flows: Mapping[str, Flow]  # Of the host.
    max_parallel: int
    inside: frozenset[str]  # The jobs whose handlers a handler of it is in.
    off_loop: OffLoop = attrs.field(default=at_once)
    slots: Mapping[str, Slot] = attrs.field(init=False)
    has_code: bool = attrs.field(init=False)  # Of the user's, that a wave may be merged by.

    def __attrs_post_init__(self) -> None:
        """Look up once what every run needs."""
        self.slots = self.flow.slots
        self.has_code = self.flow.data.has_code


@final
@attrs.define(eq=False, repr=False)
class Run:
    """One run of one activation's handler, with the data it may see."""

    execution: Execution
    session: Session
    slot: Slot
    member: Member
    shared: Mapping[str, Json]
    memory: Mapping[str, Json]
    attempt: int  # The member may go on to others.
    place: tuple[int, int]  # Its wave, and how many had been kept when that was opened.
    abandoned: bool = False  # Nobody waits for what it comes to.

    @property
    def activation(self) -> Activation:
        """What it was begun for."""
        return self.member.activation

    @property
    def flows(self) -> Mapping[str, Flow]:
        """The flows of this host, by name."""
        return self.execution.flows

    @property
    def clock(self) -> Clock:
        """The host's clock."""
        return self.session.clock

    def record_effect(self, effect: ev.EffectRecorded | ev.EffectAttemptFailed) -> None:
        """Append an effect, or an attempt of it, to the job's stream.

        Raises: JobClosed, when the job no longer waits for this activation; ContextClosed, when the
        driver doesn't.
        """
        self.session.settle(self._recording(effect))

    def _recording(self, effect: ev.EffectRecorded | ev.EffectAttemptFailed) -> Decision:

        def step(fold: JobFold) -> tuple[ev.Event, ...]:
            if self.abandoned:
                raise ContextClosed(self.activation.id, f"effect {effect.id}")
            if not self.is_awaited(fold):
                raise JobClosed(fold.job_id, fold.status, f"effect {effect.id}")
            # Of a host whose append died behind its commit, other threads may come here again.
            member = fold.members[self.activation.id]
            known = member.effects.get(effect.id) or member.attempts.get(effect.id)
            if known is not None and known.attempt >= effect.attempt:
                raise ContextClosed(self.activation.id, f"effect {effect.id}")
            return (effect,)

        return Decision((step,), somebody_runs, effect.function in OWN_EFFECTS)

    def is_awaited(self, fold: JobFold) -> bool:
        """Tell whether what is done here still counts.

        It doesn't where somebody has ended or led away the job, nor twice.
        """
        session = self.session
        if fold.ended is not None or (session.kept_waves and not session.is_current(*self.place)):
            return False
        member = fold.members.get(self.member.activation.id)
        return member is not None and member.goes and member.attempt == self.attempt

    def let_out(self) -> None:
        """Let all that led here be recorded, because somebody outside is about to see it.

        Raises: JobClosed, when the job no longer waits for this activation.
        """
        self.session.flush()
        if not self.is_awaited(self.session.fold):
            raise JobClosed(self.session.job_id, self.session.fold.status, "an effect")

    async def let_out_async(self) -> None:
        """Do the same off the loop, where anything may have waited."""
        if self.session.is_grouping:
            await self.execution.off_loop(self.let_out)

    async def record_effect_async(self, effect: ev.EffectRecorded | ev.EffectAttemptFailed) -> None:
        """Append an effect, or an attempt of it, without keeping the loop waiting."""
        left = self.session.settle_at_once(self._recording(effect))
        if left is not None:
            await self.execution.off_loop(left)

    def abandon(self) -> None:
        """Let nothing more of it be recorded, and wake what of it waits."""
        self.abandoned = True
        waiting = self.session.waiting
        if waiting.wakes:
            waiting.wake()

    def due_at_ms(self, delay_ms: int) -> int:
        """Return the moment so many milliseconds from now, and from the job's last event."""
        return self.session.due_at_ms(delay_ms)

    def wait(self, at_ms: int) -> None:
        """Return at a moment.

        Raises: ContextClosed, JobClosed, StoreError, as soon as nobody waits for it any longer.
        """
        woken = Event()
        with self.session.waiting.waking(woken.set):
            while self._is_before(at_ms):
                wait_until(self.clock, at_ms, woken)
                woken.clear()  # What happens from here on is seen before it waits again.

    async def wait_async(self, at_ms: int) -> None:
        """Return at a moment, without holding up other tasks.

        Raises: ContextClosed, JobClosed, StoreError, as soon as nobody waits for it any longer.
        """
        import asyncio

        woken = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        with self.session.waiting.waking(wake):
            while self._is_before(at_ms):
                tasks = [
                    asyncio.create_task(wait_until_async(self.clock, at_ms)),
                    asyncio.create_task(woken.wait()),
                ]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                woken.clear()

    def _is_before(self, at_ms: int) -> bool:
        """Tell whether a moment is to come, for a run that somebody waits for.

        Raises: ContextClosed, JobClosed, StoreError.
        """
        if self.abandoned:
            raise ContextClosed(self.activation.id, "the next attempt of an effect")
        if self.session.waiting.left:
            raise StoreError("waiting for the next attempt of an effect", "closed", True)
        if self.is_cancelled():
            self.session.read_again()
            raise JobClosed(self.session.job_id, Status.CANCELLED, "the next attempt of an effect")
        return self.clock.now_ms() < at_ms

    def is_cancelled(self) -> bool:
        """Tell whether somebody has ended the job, or the driver no longer waits for it."""
        if self.abandoned:
            return True
        row = self.session.store.head(self.session.job_id)
        return row is not None and row.status == Status.CANCELLED

    def may_call(self, name: str) -> bool:
        """Tell whether an effect may be called: a fork is told results, unless it is live."""
        forked = self.session.fold.forked
        return forked is None or forked.live or name in OWN_EFFECTS

    def now_ms(self) -> int:
        """Return the host's time."""
        return self.session.clock.now_ms()
