"""A flow of one handler that takes steps, and what may become of each step when it is edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from esflow import Context, Flow

Step: TypeAlias = Callable[[Context], object]
Steps: TypeAlias = dict[str, Step]
Change: TypeAlias = tuple[str, Steps, str, str]
"""The kind of the difference, the steps that make it, and what is in both of its sides."""

CALLED: Final = list[str]()
CHOICES: Final = ("yes", "no")


def call(article: str) -> str:
    """Stand for the outside world."""
    CALLED.append(article)
    return article


def other_call(article: str) -> str:
    """Stand for another part of it."""
    return call(article)


def raising(_: Context) -> None:
    """Fail."""
    raise ValueError("sold out")


STEPS: Final[Steps] = {
    "first": lambda ctx: ctx.effect(call, "a"),
    "second": lambda ctx: ctx.effect(call, "b"),
    "chance": lambda ctx: (ctx.now(), ctx.uuid(), ctx.random()),
    "sure": lambda ctx: ctx.interrupt("sure?", choices=CHOICES),
    "emit": lambda ctx: ctx.emit("out", n=1),
    "defer": lambda ctx: ctx.defer("late", n=1),
    "write": lambda ctx: ctx.write("x", 1, "add"),
    "remember": lambda ctx: ctx.memory.update({"m": 1}),
    "log": lambda ctx: ctx.log("line", n=1),
    "pause": lambda ctx: ctx.pause("why"),
    "ask": lambda ctx: ctx.ask("Go?", to="agent.go", choices=CHOICES),
}


def flow_of(steps: Steps, *, target: str = "agent.took", kind: type = str) -> Flow:
    """Return a flow whose first handler takes these steps, one after the other."""
    flow = Flow("checked")
    agent = flow.routine("agent", outputs=("out", "late"))

    @agent.slot
    def act(ctx: Context) -> None:
        for step in steps.values():
            step(ctx)

    def go(ctx: Context, answer: object) -> None:
        ctx.log("went", answer=answer)

    go.__annotations__["answer"] = kind
    agent.slot(go)

    @agent.slot
    def took(ctx: Context, n: int) -> None:
        ctx.log("took", n=n)

    @agent.slot
    def other(ctx: Context, n: int) -> None:
        ctx.log("other", n=n)

    flow.connect("agent.out", target)
    flow.connect("agent.late", "agent.took")
    return flow


def edited(name: str, step: Step | None = None, *, before: str | None = None) -> Steps:
    """Return the steps with one replaced, left out, or put before another."""
    if before is None and step is None:
        return {key: each for key, each in STEPS.items() if key != name}
    if before is None:
        return STEPS | {name: step or STEPS[name]}
    found: Steps = {}
    for key, each in STEPS.items():
        if key == before:
            found[name] = step or STEPS[name]
        if key != name:
            found[key] = each
    return found


EARLY: Final[dict[str, Change]] = {
    "an effect has another name": (
        "effect",
        edited("second", lambda ctx: ctx.effect(other_call, "b")),
        "call (arguments",
        "other_call('b')",
    ),
    "an effect has other arguments": (
        "effect",
        edited("second", lambda ctx: ctx.effect(call, "c")),
        "call (arguments",
        "call('c')",
    ),
    "an effect is added": (
        "effect",
        edited("third", lambda ctx: ctx.effect(call, "c"), before="sure"),
        "",
        "call('c')",
    ),
    "an effect is removed": ("effect", edited("second"), "call (arguments", "esflow.now()"),
    "effects are left unused": ("effect", edited("chance"), "esflow.now (1.1/e2)", "nothing"),
    "effects are reordered": (
        "effect",
        edited("second", before="first"),
        "call (arguments",
        "call('b')",
    ),
    "an interrupt is edited": (
        "interrupt",
        edited("sure", lambda ctx: ctx.interrupt("really?", choices=CHOICES)),
        "sure?",
        "really?",
    ),
    "its choices are edited": (
        "interrupt",
        edited("sure", lambda ctx: ctx.interrupt("sure?", choices=("yes",))),
        "no",
        "sure?",
    ),
    "an interrupt is added": (
        "interrupt",
        edited("before", lambda ctx: ctx.interrupt("first of all?"), before="sure"),
        "sure?",
        "first of all?",
    ),
    "an interrupt is removed": ("interrupt", edited("sure"), "sure?", "nothing"),
    "the handler raises": (
        "failure",
        edited("second", raising),
        "",
        "ValueError: sold out",
    ),
}
LATE: Final[dict[str, Change]] = {
    "an interrupt is added at the end": (
        "interrupt",
        edited("more", lambda ctx: ctx.interrupt("more?"), before="emit"),
        "nothing",
        "more?",
    ),
    "an effect is added at the end": (
        "effect",
        edited("more", lambda ctx: ctx.effect(call, "z"), before="emit"),
        "nothing",
        "call('z')",
    ),
    "an emission is added": (  # In the place of what is recorded there.
        "deferral",
        edited("more", lambda ctx: ctx.emit("out", n=2), before="defer"),
        "EmissionDeferred",
        "Emitted",
    ),
    "an emission is removed": ("emission", edited("emit"), "Emitted", "EmissionDeferred"),
    "an emission has another payload": (
        "emission",
        edited("emit", lambda ctx: ctx.emit("out", n=1.0)),
        '"n": 1}',
        '"n": 1.0}',
    ),
    "a deferral changes": (
        "deferral",
        edited("defer", lambda ctx: ctx.defer("late", n=2)),
        '"n": 1}',
        '"n": 2}',
    ),
    "a write changes": (
        "write",
        edited("write", lambda ctx: ctx.write("x", 1, "max")),
        '"add"',
        '"max"',
    ),
    "the memory changes": (
        "write",
        edited("remember", lambda ctx: ctx.memory.update({"m": 2})),
        '"value": 1',
        '"value": 2',
    ),
    "a log line changes": (
        "log",
        edited("log", lambda ctx: ctx.log("line", n=2)),
        '{"n": 1}',
        '{"n": 2}',
    ),
    "a pause has another reason": (
        "pause",
        edited("pause", lambda ctx: ctx.pause("because")),
        "why",
        "because",
    ),
    "a pause is removed": ("pause", edited("pause"), "PauseRequested", "QuestionAsked"),
    "a question has another text": (
        "question",
        edited("ask", lambda ctx: ctx.ask("Stop?", to="agent.go", choices=CHOICES)),
        "Go?",
        "Stop?",
    ),
    "a question has other choices": (
        "question",
        edited("ask", lambda ctx: ctx.ask("Go?", to="agent.go")),
        '["yes", "no"]',
        "null",
    ),
    "a question is removed": ("question", edited("ask"), "QuestionAsked", "nothing"),
    "something is added behind the last": (
        "log",
        {**STEPS, "more": lambda ctx: ctx.log("more")},
        "nothing",
        "more",
    ),
}
