"""The graph: what may be declared, what is refused by name, and what it is as data."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esflow.errors import FlowError, PayloadError, SlotNotFound
from esflow.events import Target
from esflow.flow import Flow, Routine
from esflow.graph import Slot, max_name
from esflow.payloads import signature_of


def trigger(ctx: object, task: str) -> None: ...
def user_input(ctx: object, answer: str) -> None: ...
def archive(ctx: object, text: str, **rest: object) -> None: ...
def plain(ctx: object) -> None: ...


def support() -> Flow:
    flow = Flow("support", version="2")
    agent = flow.routine("agent", outputs=("answered", "asked"))
    agent.slot(trigger)
    agent.slot(name="reply")(user_input)
    flow.slot(archive)
    flow.slot(outputs=("done",))(plain)
    flow.connect("agent.answered", "archive")
    flow.connect("agent.answered", "agent.reply", rename={"text": "answer"})
    flow.connect("plain", "archive.archive")
    return flow


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(FlowError) as caught:
        act()
    return str(caught.value)


def test_a_slot_returns_the_function_unchanged() -> None:
    flow = Flow("f")
    routine = flow.routine("r")
    assert routine.slot(trigger) is trigger
    assert routine.slot(name="again")(trigger) is trigger
    assert flow.slot(archive) is archive
    assert flow.slot(outputs=("x",))(plain) is plain


def test_slots_have_addresses() -> None:
    flow = support()
    assert list(flow.slots) == ["agent.trigger", "agent.reply", "archive", "plain"]
    slot = flow.slots["agent.reply"]
    assert (slot.address, slot.routine, slot.function) == ("agent.reply", "agent", user_input)
    assert slot.signature.parameters == ("answer",)
    assert list(flow.routines) == ["agent", "archive", "plain"]
    assert flow.routines["plain"].outputs == ("done",)
    assert (
        repr(flow) == "<Flow support version 2 slots: agent.trigger, agent.reply, archive, plain>"
    )
    assert repr(flow.routines["agent"]) == "<Routine agent outputs: answered, asked>"


def test_a_lone_slot_has_two_spellings_everywhere() -> None:
    flow = support()
    assert flow.resolve_slot("archive") is flow.resolve_slot("archive.archive")
    assert flow.resolve_slot("agent.trigger").function is trigger
    only = Flow("f")
    only.routine("r").slot(trigger)
    assert only.resolve_slot("r") is only.resolve_slot("r.trigger")


@pytest.mark.parametrize(
    "name", ["", "agent", "nobody", "agent.nothing", "archive.other", "archive.archive.x", "agent."]
)
def test_an_unknown_slot_is_not_found_and_the_others_are_listed(name: str) -> None:
    with pytest.raises(SlotNotFound) as caught:
        support().resolve_slot(name)
    assert caught.value.slot == name
    assert caught.value.known == ("agent.trigger", "agent.reply", "archive", "plain")


def test_targets_come_in_the_order_of_the_connections() -> None:
    flow = support()
    assert flow.targets("agent", "answered") == (
        Target(slot="archive"),
        Target(slot="agent.reply", rename={"text": "answer"}),
    )
    assert flow.targets("agent", "asked") == ()
    assert flow.targets("plain", "done") == (Target(slot="archive"),)
    assert [edge.target.slot for edge in flow.connections] == ["archive", "agent.reply", "archive"]


not_callable: Any = 3
nameless: Callable[[object], None] = lambda _: None  # noqa: E731 - its name is "<lambda>"


wrong: list[tuple[Callable[[Flow], object], str]] = [
    (lambda f: f.routine("agent"), "routine 'agent' is declared twice"),
    (lambda f: f.slot(archive), "routine 'archive' is declared twice"),
    (lambda f: f.routines["agent"].slot(trigger), "slot 'agent.trigger' is declared twice"),
    (lambda f: f.routine("r", ("x", "x")), "routine 'r' has output 'x' twice"),
    (lambda f: f.routine("r", "xyz"), r"write outputs=\('xyz',\)"),
    (lambda f: f.routine("r", ("a.b",)), "'a.b' is no name for an output of r"),
    (lambda f: f.connect("plain", "archive"), "plain.done -> archive is connected twice"),
    (
        lambda f: f.connect("agnt.answered", "archive"),
        "no routine 'agnt'; did you mean 'agent'",
    ),
    (lambda f: f.connect("zzz", "archive"), "no routine 'zzz'; there is agent, archive, plain"),
    (
        lambda f: f.connect("agent.answerd", "plain"),
        "no output of agent 'answerd'; did you mean",
    ),
    (
        lambda f: f.connect("agent", "plain"),
        "'agent' alone names no output; it has answered, ask",
    ),
    (lambda f: f.connect("archive", "plain"), "'archive' alone names no output; it has none"),
    (
        lambda f: f.connect("plain", "agent"),
        "'agent' alone names no slot; it has agent.trigger, ",
    ),
    (
        lambda f: f.connect("plain", "agent.triger"),
        "no slot 'agent.triger'; did you mean 'agent.t",
    ),
    (lambda f: f.connect("plain", "agnt.trigger"), "no routine 'agnt'; did you mean 'agent'"),
    (
        lambda f: f.connect("plain", "agent.trigger", rename={"a": "tsk"}),
        "plain.done -> agent.trigger: rename: there is no parameter 'tsk'; did you mean 'task'",
    ),
    (lambda f: f.connect("plain", "agent.trigger", rename={"": "task"}), "empty payload key"),
    (
        lambda f: f.connect("plain", "agent.trigger", rename={"a": "task", "b": "task"}),
        "rename gives parameter 'task' twice",
    ),
    (
        lambda f: f.connect("agent.asked", "archive", rename={"a": "ctx"}),
        "there is no parameter 'ctx'",
    ),
    (lambda f: f.targets("agent", "answerd"), "no output of agent 'answerd'; did you mean"),
    (lambda f: f.targets("agent", "zzz"), "no output of agent 'zzz'; there is answered, asked"),
    (lambda f: f.targets("nobody", "x"), "there is no routine 'nobody'"),
    (lambda f: f.slot(not_callable), "3 can't be called; a slot is a function"),
    (lambda f: f.slot(nameless), "has no usable name; give it one"),
    (
        lambda f: f.routines["agent"].slot(name="a b")(plain),
        "'a b' is no name for a slot of agent",
    ),
    (lambda f: f.routines["agent"].slot(nameless), "has no usable name"),
    (lambda f: f.slot(no_context), "takes no context"),
]


@pytest.mark.parametrize(("act", "problem"), wrong)
def test_a_wrong_graph_is_refused_and_left_as_it_was(
    act: Callable[[Flow], object], problem: str
) -> None:
    flow = support()
    before = flow.definition_bytes()
    with pytest.raises(FlowError, match=problem):
        act(flow)
    assert flow.definition_bytes() == before


def no_context() -> None: ...


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"version": ""}, "version '' is no line"),
        ({"version": "a\nb"}, "is no line"),
        ({"version": "x" * (max_name + 1)}, "is no line"),
        ({"version": 1}, "version 1 is no line"),
        ({"max_activations": 0}, "max_activations=0 is no whole number from 1"),
        ({"max_activations": True}, "max_activations=True"),
        ({"max_activations": 2**63}, "is no whole number"),
        (
            {"reducers": {"total": "sum"}},
            r"shared\['total'\]: there is no reducer 'sum'; there is set",
        ),
        ({"reducers": {"total": "appendd"}}, "did you mean 'append'"),
    ],
)
def test_a_wrong_flow_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(FlowError, match=problem):
        Flow("f", **options)


bad_names = ["", "a.b", "a/b", "../a", "1a", "-a", "a b", "a\n", "a\x00", "é", "x" * 101, None, 5]


@pytest.mark.parametrize("name", bad_names)
def test_names_are_like_identifiers(name: Any) -> None:
    assert "is no name for a flow" in refusal(lambda: Flow(name))
    assert "is no name for a routine" in refusal(lambda: Flow("f").routine(name))
    assert "is no name for an output" in refusal(lambda: Flow("f").routine("r", (name,)))
    assert Flow("a-b_C9").routine("x" * max_name, ("_out",)).name == "x" * max_name


async def asynchronous(ctx: object) -> None: ...
async def asynchronous_generator(ctx: object) -> Any:
    yield 1


def generator(ctx: object) -> Any:
    yield 1


class AsyncCall:
    """A callable whose call is async."""

    async def __call__(self, ctx: object) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("handler", "is_async"), [(asynchronous, True), (AsyncCall(), True), (type, False)]
)
def test_a_slot_knows_whether_its_handler_is_awaited(handler: Any, *, is_async: bool) -> None:
    slot = Slot("r.s", "r", handler, signature_of(asynchronous, "f"))
    assert slot.is_async is is_async


@pytest.mark.parametrize("handler", [generator, asynchronous_generator])
def test_a_generator_is_refused_because_its_body_would_never_run(handler: Any) -> None:
    assert "is a generator" in refusal(lambda: Flow("f").slot(handler))


def test_a_frozen_flow_refuses_every_declaration() -> None:
    flow = support()
    agent = flow.routines["agent"]
    before = (flow.frozen, flow.fingerprint, flow.definition_bytes())
    flow.freeze()
    acts: list[Callable[[], object]] = [
        lambda: flow.routine("more"),
        lambda: flow.slot(trigger),
        lambda: agent.slot(plain),
        lambda: flow.connect("agent.asked", "plain"),
    ]
    for act in acts:
        assert "comes too late" in refusal(act)
    assert before == (False, flow.fingerprint, flow.definition_bytes())
    assert flow.frozen


def handlers(flow: Flow) -> dict[str, Callable[..., object]]:
    return {address: slot.function for address, slot in flow.slots.items()}


def test_a_definition_is_json_and_makes_the_same_flow() -> None:
    flow = support()
    definition = json.loads(flow.definition_bytes())
    assert definition == flow.definition()
    again = Flow.from_definition(definition, routines=handlers(flow))
    assert again.fingerprint == flow.fingerprint
    assert again.definition() == definition
    assert again.to_mermaid().count("-->") == 3
    assert handlers(again) == handlers(flow)
    assert again.targets("agent", "answered") == flow.targets("agent", "answered")


damages: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda d: d.clear(), "definition.name: is missing"),
    (lambda d: d.update(more=1), "has fields that Definition lacks: 'more'"),
    (lambda d: d.update(name="a.b"), "'a.b' is no name for a flow"),
    (lambda d: d.update(routines=1), "definition.routines: expected"),
    (lambda d: d["reducers"].update(x="y"), "there is no reducer 'y'"),
    (lambda d: d["routines"][0]["slots"].append("other.x"), "handlers are missing for other.x"),
    (lambda d: d["routines"][1]["slots"].clear(), "handlers are given for no slot: archive"),
    (lambda d: d["routines"][0]["slots"].append("archive"), "slot 'archive' is no slot of agent"),
    (lambda d: d["routines"].append(d["routines"][0]), "declared twice"),
    (lambda d: d["connections"].append(d["connections"][0]), "connected twice"),
    (lambda d: d["connections"][0].update(output="x.y"), "there is no routine 'x'"),
]


@pytest.mark.parametrize(("damage", "message"), damages)
def test_a_damaged_definition_is_refused(
    damage: Callable[[dict[str, Any]], object], message: str
) -> None:
    definition = support().definition()
    damage(definition)
    with pytest.raises((FlowError, PayloadError), match=message):
        Flow.from_definition(definition, routines=handlers(support()))


def changed(act: Callable[[Flow], object]) -> str:
    flow = support()
    act(flow)
    return flow.fingerprint


def test_the_fingerprint_changes_with_the_graph_and_not_with_handlers() -> None:
    def declare(task: Callable[..., object], order: tuple[str, ...]) -> str:
        flow = Flow("f", reducers=dict.fromkeys(order, "add"))
        for name in order:
            flow.routine(name, outputs=order).slot(name="s")(task)
        flow.connect("a.a", "b.s")
        flow.connect("b.a", "b.s")
        return flow.fingerprint

    assert declare(trigger, ("a", "b")) == declare(plain, ("b", "a"))
    prints = [
        support().fingerprint,
        changed(lambda f: f.routine("more")),
        changed(lambda f: f.slot(trigger)),
        changed(lambda f: f.routines["agent"].slot(plain)),
        changed(lambda f: f.connect("agent.asked", "plain")),
        changed(lambda f: f.connect("agent.asked", "archive", rename={"a": "text"})),
        Flow("support").fingerprint,
        Flow("support", version="2").fingerprint,
        Flow("support", max_activations=5).fingerprint,
        Flow("support", reducers={"a": "add"}).fingerprint,
    ]
    assert len(set(prints)) == len(prints)
    assert all(len(fingerprint) == 64 for fingerprint in prints)


def test_the_fingerprint_of_a_flow_is_the_same_for_ever() -> None:
    assert (
        support().fingerprint == "dbbc91e1bd1a4dc3103d80bbf9885b2dedc0a25b8b899d95e66aa9bc40d6c8eb"
    )


def test_a_flow_is_drawn() -> None:
    flow = support()
    flow.routine("end")
    assert flow.to_mermaid() == (
        "flowchart LR\n"
        '    subgraph r0["agent"]\n'
        '        r0s0["trigger"]\n'
        '        r0s1["reply"]\n'
        "    end\n"
        '    r1["archive"]\n'
        '    r2["plain"]\n'
        '    subgraph r3["end"]\n'
        "    end\n"
        '    r0 -- "answered" --> r1\n'
        '    r0 -- "answered" --> r0s1\n'
        '    r2 -- "done" --> r1\n'
    )


names = st.from_regex(r"[a-z]{1,3}", fullmatch=True)


@given(
    st.dictionaries(
        names, st.tuples(st.sets(names, max_size=2), st.sets(names, max_size=2)), max_size=4
    ),
    st.lists(st.tuples(names, names, names, names), max_size=6),
)
def test_any_graph_survives_its_definition(
    routines: dict[str, tuple[set[str], set[str]]], edges: list[tuple[str, str, str, str]]
) -> None:
    flow = Flow("f")
    for name, (outputs, slots) in routines.items():
        routine: Routine = flow.routine(name, sorted(outputs))
        for slot in slots:
            routine.slot(name=slot)(archive)
    for start, output, end, slot in edges:
        with suppress(FlowError):  # Most ends of random edges don't exist.
            flow.connect(f"{start}.{output}", f"{end}.{slot}", rename={output: slot})
    again = Flow.from_definition(json.loads(flow.definition_bytes()), handlers(flow))
    assert again.fingerprint == flow.fingerprint
    assert again.to_mermaid().count("-->") == len(flow.connections)
