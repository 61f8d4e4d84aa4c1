"""A flow whose slots do everything that a slot can be tried for."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, final

import attrs

from esflow import Context, Flow, Retry, effect, errors


@final
@attrs.frozen
class Price:
    """What an effect returns, as a class."""

    amount: int
    at: datetime | None = None


def price(what: str) -> Price:
    """Stand for a call to the outside that no test may make."""
    raise AssertionError(f"{what} has no price here")


async def fetch(what: str) -> str:
    """Stand for a call to the outside that is awaited."""
    return what.upper()


@effect(retry=Retry(attempts=3, delay=60.0))
def flaky(fails: list[int]) -> int:
    """Fail at first."""
    if fails:
        raise ConnectionError(fails.pop())
    return 7


class Sums(TypedDict):
    """What a slot remembers."""

    total: int


desk = Flow("desk", reducers={"notes": "append"})
_clerk = desk.routine("clerk", outputs=("priced", "told"))


@_clerk.slot
def take(ctx: Context, what: str, count: int = 1) -> None:
    """Ask for a price, and pass it on."""
    found = ctx.effect(price, what)
    ctx.shared["notes"] = what
    ctx.write("total", found.amount * count, "add")
    ctx.memory["last"] = what
    ctx.log(f"priced {what}", amount=found.amount)
    ctx.emit("priced", amount=found.amount)
    ctx.defer("told", what=what)


@_clerk.slot
def doubt(ctx: Context, what: str) -> None:
    """Ask for help in every way there is."""
    if ctx.attempt > 1:
        ctx.pause("tried before")
    ctx.pause("think")
    ctx.ask("Really?", choices=["yes", "no"], to="clerk.hear")
    del ctx.shared["total"]
    ctx.emit("told", what=what)


@_clerk.slot
def hear(ctx: Context, answer: str) -> None:
    """Take an answer."""
    ctx.log(answer)


@_clerk.slot
def confirm(ctx: Context) -> None:
    """Make an effect between two interrupts."""
    first = ctx.interrupt("First?", choices=["yes", "no"])
    found = ctx.effect(price, "lamp")
    second = ctx.interrupt({"price": found.amount}, type=int)
    ctx.emit("priced", amount=second, first=first)


@_clerk.slot
def swallow(ctx: Context) -> None:
    """Keep an interrupt from taking the handler off the stack."""
    try:
        ctx.interrupt("Now?")
    except BaseException:  # noqa: BLE001 - it is what the test is about
        ctx.job_id.upper()


@_clerk.slot
def fail(ctx: Context, what: str) -> None:
    """Catch the error of an effect, and raise another one."""
    try:
        ctx.effect(price, what)
    except errors.EffectError as error:
        raise ValueError(f"no {what}: {error.type}") from error


@_clerk.slot
async def fetched(ctx: Context, what: str) -> None:
    """Await an effect."""
    ctx.emit("told", what=await ctx.effect(fetch, what))


@_clerk.slot
def draw(ctx: Context) -> None:
    """Ask for chance, and for the time."""
    ctx.memory["drawn"] = [str(ctx.uuid()), ctx.random(), ctx.now()]


@_clerk.slot
def insist(ctx: Context, fails: list[int]) -> None:
    """Call something that fails at first."""
    ctx.log(str(ctx.effect(flaky, fails)))


@_clerk.slot
def sum_up(ctx: Context) -> None:
    """Change in place what was read."""
    sums: Sums = ctx.shared["sums"]
    sums["total"] += 1


other = Flow("other")


@other.slot
def begin(ctx: Context, what: str) -> None:
    """Be a slot to start at."""
    ctx.log(what)


@_clerk.slot
def hand_on(ctx: Context, what: str) -> None:
    """Emit something later, and let another job do it until then."""
    ctx.emit_after(60, "told", what=what)
    ctx.start("other", "begin", {"what": what}, then="clerk.collect")


@_clerk.slot
def collect(ctx: Context, job_id: str, **rest: object) -> None:
    """Take what came of it."""
    ctx.log(job_id, **rest)
