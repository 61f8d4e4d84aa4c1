"""A flow whose shared data has a type, with values of many sorts and rules of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs

from esflow import Context, Flow


class Stage(Enum):
    """How far something is."""

    DRAFT = "draft"
    DONE = "done"


@attrs.define
class Note:
    """Something that somebody wrote down."""

    text: str
    by: str = "nobody"


def at_most_nine(_: object, field: Any, value: int) -> None:
    """Refuse what is too much."""
    if value > 9:
        raise ValueError(f"{field.name} is {value}, more than 9")


def stripped(text: str) -> str:
    """Return text without space around it."""
    return text.strip()


@attrs.define
class Paper:
    """What the jobs of these examples share."""

    title: str = attrs.field(default="", converter=stripped)
    count: int = attrs.field(default=0, validator=at_most_nine)
    low: int = 0
    high: int = 5
    stage: Stage = Stage.DRAFT
    price: Decimal = Decimal("1.5")
    notes: list[Note] = attrs.field(factory=list[Note])
    tags: frozenset[str] = frozenset()
    seen_at: datetime | None = None

    def __attrs_post_init__(self) -> None:
        """Keep the order of two fields."""
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")


DEFAULTS: dict[str, Any] = {
    "title": "",
    "count": 0,
    "low": 0,
    "high": 5,
    "stage": "draft",
    "price": "1.5",
    "notes": [],
    "tags": [],
    "seen_at": None,
}


def joined(current: list[Any], value: dict[str, Any]) -> list[Any]:
    """Put a note to the others, unless it is there."""
    return current if value in current else [*current, value]


def paper(*acts: Callable[[Context], None]) -> Flow:
    """Return a flow whose members do these things at once, and one that reports."""
    reducers: dict[str, Any] = {"count": "add", "notes": joined}
    flow = Flow("paper", shared=Paper, reducers=reducers)
    source = flow.routine("source", outputs=("go",))

    @source.slot
    def begin(ctx: Context) -> None:
        for number in range(len(acts)):
            ctx.emit("go", number=number)

    @source.slot
    def wait(ctx: Context) -> None:
        ctx.pause()

    @flow.slot
    def act(ctx: Context, number: int) -> None:
        acts[number](ctx)

    flow.connect("source", "act")
    return flow
