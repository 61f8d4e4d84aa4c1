"""Flows with one bug planted in each, of the kinds that a stop brings to light, and sound ones."""

from __future__ import annotations

import itertools
import random
import time
from typing import Final, final

import attrs

from esflow import Context, Flow, Retry, effect

SEEN: Final[dict[str, str]] = {}
counted: int = 0


def complete(prompt: str) -> str:
    """Stand in for a model."""
    return prompt.upper()


def support() -> Flow:
    """Return a sound flow: it plans, asks, is interrupted, and fans out."""
    flow = Flow("support")
    agent = flow.routine("agent", outputs=("answered",))

    @agent.slot
    def trigger(ctx: Context, task: str) -> None:
        ctx.shared["plan"] = ctx.effect(complete, f"Plan: {task}")
        ctx.memory["drawn"] = [str(ctx.uuid()), ctx.random(), ctx.now()]
        ctx.ask("Which option?", choices=["A", "B"], to="agent.user_input")

    @agent.slot
    def user_input(ctx: Context, answer: str) -> None:
        sure = ctx.interrupt({"sure": answer}, choices=["yes", "no"])
        for number in range(2):
            ctx.emit("answered", text=ctx.effect(complete, f"Do {answer} {number}, {sure}"))

    @flow.slot
    def archive(ctx: Context, text: str) -> None:
        ctx.log(f"archived {text}")
        ctx.write("archived", 1, "add")

    flow.connect("agent.answered", "archive")
    return flow


def counting_in_a_global() -> Flow:
    """Return a flow whose handler counts in a global of its module."""
    flow = Flow("numbers")

    @flow.slot(outputs=("numbered",))
    def number(ctx: Context) -> None:
        global counted  # noqa: PLW0603 - it is the bug
        counted += 1
        ctx.emit("numbered", number=counted)

    return flow


def counting_in_a_closure() -> Flow:
    """Return a flow whose handler takes numbers from an object of its own."""
    flow = Flow("numbers")
    numbers = itertools.count(1)

    @flow.slot(outputs=("numbered",))
    def number(ctx: Context) -> None:
        ctx.emit("numbered", number=next(numbers))

    return flow


def remembering_in_a_global() -> Flow:
    """Return a flow of which one handler reads in a global what another one put there."""
    flow = Flow("notes")
    desk = flow.routine("desk", outputs=("noted",))

    @desk.slot
    def note(ctx: Context, text: str) -> None:
        SEEN["text"] = ctx.effect(complete, text)
        ctx.emit("noted")

    @flow.slot
    def tell(ctx: Context) -> None:
        ctx.log(SEEN["text"])

    flow.connect("desk.noted", "tell")
    return flow


def remembering_in_a_function() -> Flow:
    """Return a flow that remembers between handlers in what a function of its module uses."""
    flow = Flow("notes")
    desk = flow.routine("desk", outputs=("noted",))

    @desk.slot
    def note(ctx: Context, text: str) -> None:
        _keep(text)
        ctx.emit("noted")

    @flow.slot
    def tell(ctx: Context) -> None:
        ctx.log(_kept())

    flow.connect("desk.noted", "tell")
    return flow


def _keep(text: str) -> None:
    SEEN["kept"] = text


def _kept() -> str:
    return SEEN.get("kept", "nothing")


def asking_the_clock() -> Flow:
    """Return a flow whose handler reads the time by itself."""
    flow = Flow("clock")

    @flow.slot
    def stamp(ctx: Context) -> None:
        ctx.shared["at"] = time.time_ns()

    return flow


def throwing_dice() -> Flow:
    """Return a flow whose handler throws dice of its own, between two effects."""
    flow = Flow("dice")

    @flow.slot
    def throw(ctx: Context) -> None:
        first = ctx.effect(complete, "first")
        second = ctx.effect(complete, f"{first} {random.random()}")
        ctx.log(second)

    return flow


@final
@attrs.define
class Bank:
    """A bank that stands for the outside: it keeps what it was asked for."""

    payments: list[str] = attrs.field(factory=list[str])

    def pay(self, what: str) -> str:
        """Pay, and return a receipt."""
        self.payments.append(what)
        return f"paid {what}"


def paying(bank: Bank, *, directly: bool) -> Flow:
    """Return a flow that pays, as an effect or directly, and then calls somebody."""
    flow = Flow("payments")

    @flow.slot
    def pay(ctx: Context, what: str) -> None:
        if directly:
            bank.pay(what)
        else:
            ctx.effect(bank.pay, what)
        ctx.log(ctx.effect(complete, "thanks"))

    return flow


def directly_paying(bank: Bank) -> Flow:
    """Return a flow that calls the bank without an effect."""
    return paying(bank, directly=True)


def soundly_paying(bank: Bank) -> Flow:
    """Return a flow that calls the bank as an effect."""
    return paying(bank, directly=False)


def retrying(bank: Bank) -> Flow:
    """Return a flow whose effect and whose handler fail at first, and are tried again."""
    flow = Flow("retries")

    @effect(retry=Retry(attempts=3, delay=60.0))
    def pay(what: str) -> str:
        bank.payments.append(what)
        if len(bank.payments) % 2:
            raise ConnectionError("busy")
        return what

    @flow.slot(retry=Retry(attempts=2, delay=3600.0, on=(LookupError,)))
    def settle(ctx: Context, what: str) -> None:
        ctx.log(ctx.effect(pay, what))
        if ctx.attempt == 1:
            raise LookupError("not yet")

    return flow


def changing(bank: Bank) -> Flow:
    """Return a flow whose second run of a handler calls an effect with something else."""
    flow = Flow("changing")

    @flow.slot
    def pay(ctx: Context) -> None:
        bank.payments.append("seen")
        ctx.effect(complete, f"first of {len(bank.payments)}")
        ctx.log(ctx.effect(complete, "second"))

    return flow


def settling_otherwise(bank: Bank) -> Flow:
    """Return a flow that emits more when it runs for the second time."""
    flow = Flow("more")
    desk = flow.routine("desk", outputs=("passed",))

    @desk.slot
    def take(ctx: Context) -> None:
        bank.payments.append("seen")
        for number in range(len(bank.payments)):
            ctx.emit("passed", number=number)

    @flow.slot
    def end(ctx: Context, number: int) -> None:
        ctx.log(f"{number}")

    flow.connect("desk.passed", "end")
    return flow


def waiting() -> tuple[Flow, Flow]:
    """Return a flow that waits for a moment and for jobs of another flow, and that flow."""
    parent, child = Flow("parent"), Flow("child")
    desk = parent.routine("desk", outputs=("reminded",))

    @desk.slot
    def take(ctx: Context, items: list[str]) -> None:
        ctx.emit_after(3600, "reminded", of=items[0])
        ctx.ask("Sure?", to="desk.decided", timeout=600, default="no")
        for item in items:
            ctx.start("child", "work", {"item": item}, then="desk.collect")

    @desk.slot
    def decided(ctx: Context, answer: str) -> None:
        ctx.log(f"decided {answer}")

    @desk.slot
    def collect(ctx: Context, job_id: str, status: str, outputs: object, failure: object) -> None:
        ctx.log(f"{job_id} {status}", outputs=outputs, failure=failure)

    @parent.slot
    def remind(ctx: Context, of: str) -> None:
        ctx.log(f"remember {of}")

    parent.connect("desk.reminded", "remind")

    @child.slot(outputs=("made",))
    def work(ctx: Context, item: str) -> None:
        made = ctx.effect(complete, item)
        ctx.emit("made", item=made, how=ctx.interrupt(f"How to make {item}?"))

    return parent, child
