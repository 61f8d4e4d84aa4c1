"""A job that puts out what it is given."""

from __future__ import annotations

from esflow import Context, Engine, Flow
from esflow.events import Json

echoing = Flow("echoing")


@echoing.slot(outputs=("said",))
def say(ctx: Context, value: object) -> None:
    """Put it out, by way of an effect."""
    ctx.emit("said", value=ctx.effect(_same, value))


def _same(value: object) -> object:
    return value


def echoed(value: Json) -> Json:
    """Return what a job makes of a value."""
    with Engine("memory://", flows=[echoing]) as engine:
        return engine.start("echoing", "say", {"value": value}).outputs[0].payload["value"]
