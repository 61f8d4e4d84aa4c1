"""A flow that puts whatever it is given wherever a job can hold data."""

from __future__ import annotations

from typing import Any

from esflow import Answer, Context, Engine, Flow


def catcher() -> Flow:
    """Return a flow whose every kind of record holds the value of its payload."""
    flow = Flow("catcher")
    catch = flow.routine("catch", outputs=("out", "late"))

    @catch.slot
    def begin(ctx: Context, value: Any, text: str) -> None:
        ctx.shared["value"] = value
        ctx.shared[text] = [value, {text: value}]
        ctx.memory[text] = value
        ctx.log(text, value=value)
        ctx.effect(_returned, value)
        ctx.emit("out", value=value)
        ctx.defer("late", value=value)
        ctx.ask(text, choices=["yes", text], to="catch.end")

    @catch.slot
    def end(ctx: Context, answer: str) -> None:
        ctx.emit("out", answer=answer, value=ctx.shared["value"])

    return flow


def _returned(value: Any) -> Any:
    return value


def fill(engine: Engine, number: int, job_id: str, text: str, value: Any) -> None:
    """Put a text and a value everywhere in a job, and leave it asking."""
    engine.start(
        *("catcher", "catch.begin", {"value": value, "text": text}),
        job_id=job_id,
        actor=text,
        labels={text: text, "number": f"{number}"},
    )
    engine.send(job_id, "catch.end", {"answer": text}, key=text, actor=text)


def answer(engine: Engine, job_id: str, text: str) -> Any:
    """Answer with the text, and return what came out."""
    return engine.resume(job_id, Answer(text), actor=text)
