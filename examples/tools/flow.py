"""The agent as a graph: a loop between a model and its tools.

::

    task ──> think ── answered ─────────────────────> out of the job
               ├───── harmless ──> use ── used ──┐
               └───── dangerous ─> risk ─ used ──┤
               ┌─────────────────────────────────┘
               └> think

The conversation is shared data, to which every turn appends.
Whoever carries the job on, on whichever host, finds all of it there, and each call's result in the
record: a tool that was used is not used again.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, final

import attrs

from esflow import Context, Flow, errors


@final
@attrs.frozen
class Message:
    """What somebody said: the user, or a tool by its name."""

    by: str
    text: str


@final
@attrs.frozen
class Call:
    """A tool that the model wants to be used."""

    tool: str
    arguments: Mapping[str, str] = attrs.field(factory=dict[str, str])


@final
@attrs.frozen
class Turn:
    """What the model says: a call, or its answer when there is none."""

    text: str
    call: Call | None = None


class Model(Protocol):
    """Something that goes on with a conversation."""

    def choose(self, conversation: list[Message], *, key: str) -> Turn:
        """Return the next turn; calls with one ``key`` are one call to who recognizes such keys."""
        ...


@final
@attrs.frozen
class Tool:
    """Something that the agent may use; one that has a ``preview`` is dangerous."""

    run: Callable[..., str]
    preview: Callable[..., str] | None = None  # Takes the same arguments and changes nothing.


def build(model: Model, tools: Mapping[str, Tool], *, asks: bool = True) -> Flow:
    """Draw the graph around a model and its tools.

    Without ``asks`` nothing is asked before a dangerous tool is used: whoever starts the job sets
    a breakpoint before ``agent.risk``.
    """
    flow = Flow("tools", version="1", reducers={"conversation": "append"}, max_activations=100)
    agent = flow.routine("agent", outputs=("harmless", "dangerous", "used", "answered"))

    @agent.slot
    def think(ctx: Context, text: str, by: str = "user") -> None:
        ctx.shared["conversation"] = Message(by, text)
        conversation = ctx.get("conversation", list[Message])
        turn = ctx.effect(model.choose, conversation, key=ctx.idempotency_key)
        if turn.call is None:
            ctx.emit("answered", text=turn.text)
        elif is_dangerous(tools, turn.call):
            ctx.emit("dangerous", call=turn.call)
        else:
            ctx.emit("harmless", call=turn.call)

    @agent.slot
    def use(ctx: Context, call: Call) -> None:
        ctx.emit("used", by=call.tool, text=result(ctx, tools, call))

    @agent.slot
    def risk(ctx: Context, call: Call) -> None:
        if asks and not is_allowed(ctx, tools[call.tool], call):
            ctx.emit("used", by=call.tool, text="refused: a person has denied this")
            return
        ctx.emit("used", by=call.tool, text=result(ctx, tools, call))

    flow.connect("agent.harmless", "agent.use")
    flow.connect("agent.dangerous", "agent.risk")
    flow.connect("agent.used", "agent.think")
    return flow


def is_dangerous(tools: Mapping[str, Tool], call: Call) -> bool:
    """Tell whether a call needs permission."""
    tool = tools.get(call.tool)
    return tool is not None and tool.preview is not None


def is_allowed(ctx: Context, tool: Tool, call: Call) -> bool:
    """Show a person what a dangerous call would do, and wait for the permission."""
    assert tool.preview is not None, "only a dangerous tool is asked for"
    try:
        preview = ctx.effect(tool.preview, **call.arguments)
    except errors.EffectError as failed:
        preview = f"it will fail: {failed.message}"
    question = {"tool": call.tool, "arguments": call.arguments, "preview": preview}
    return bool(ctx.interrupt(question, choices=["allow", "deny"]) == "allow")


def result(ctx: Context, tools: Mapping[str, Tool], call: Call) -> str:
    """Use a tool; what goes wrong with it is something that the model is told."""
    tool = tools.get(call.tool)
    if tool is None:
        return f"error: there is no tool {call.tool}; there are {', '.join(sorted(tools))}"
    try:
        return ctx.effect(tool.run, **call.arguments)
    except errors.EffectError as failed:
        return f"error: {failed.message}"
