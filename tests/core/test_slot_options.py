"""What a slot may say of failures, time and gathering, and what is refused of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from esflow import Retry
from esflow.errors import FlowError, PayloadError
from esflow.events import Gather, Target
from esflow.flow import Flow
from esflow.wiring import wiring_of


class Refused(Exception):
    """What somebody else's service says."""


def call(ctx: object, number: int) -> None: ...
def join(ctx: object, items: list[dict[str, int]]) -> None: ...
def rescue(ctx: object, type: str, message: str, **rest: object) -> None: ...  # noqa: A002 - its key
def no_items(ctx: object, things: list[int]) -> None: ...
def more_than_items(ctx: object, items: list[int], more: int = 0) -> None: ...
def any_items(ctx: object, items: list[int], **rest: object) -> None: ...
def a_pair(ctx: object, items: tuple[int, int]) -> None: ...


RETRY = Retry(attempts=5, delay=timedelta(seconds=2), on=(ValueError, Refused), effects="fresh")


def mended() -> Flow:
    """Return a flow with all of what may be said of slots."""
    flow = Flow("mended")
    worker = flow.routine("worker", outputs=("done", "more"))
    worker.slot(name="call", retry=RETRY, timeout=timedelta(seconds=90), on_error="route")(call)
    worker.slot(name="again", on_error="route")(call)
    flow.slot(name="all", gather="all")(join)
    flow.slot(name="two", gather=2, timeout=1.5, on_error="skip", outputs=("out",))(join)
    flow.slot(rescue)
    for output, slot in (
        ("worker.done", "all"),
        ("worker.done", "two"),
        ("worker.more", "two"),
        ("two", "all"),
        ("worker.error", "rescue"),
    ):
        flow.connect(output, slot)
    return flow


def test_a_slot_says_what_becomes_of_a_failure_and_how_long_it_may_take() -> None:
    slots = mended().slots
    worker, again = slots["worker.call"], slots["worker.again"]
    assert (worker.retry, worker.timeout_seconds, worker.on_error) == (RETRY, 90.0, "route")
    assert (again.retry, again.timeout_seconds, again.on_error) == (None, None, "route")
    assert (slots["two"].gather, slots["two"].timeout_seconds, slots["two"].on_error) == (
        *(2, 1.5, "skip"),
    )
    assert slots["rescue"].on_error == "stop"


def test_routing_slots_of_a_routine_share_an_output_that_its_name_does_not_mean() -> None:
    flow = mended()
    assert flow.routines["worker"].outputs == ("done", "more", "error")
    assert flow.targets("worker", "error") == (Target(slot="rescue"),)
    lone = Flow("lone")
    lone.slot(outputs=("done",), on_error="route")(call)
    lone.slot(rescue)
    lone.connect("call", "rescue", rename={"text": "message"})
    assert [edge.name for edge in lone.connections] == ["call.done"]
    plain = Flow("plain")
    plain.routine("agent", outputs=("done", "error")).slot(call)
    with pytest.raises(FlowError, match="'agent' alone names no output; it has done, error"):
        plain.connect("agent", "agent.call")
    only = Flow("only")
    only.slot(on_error="route")(call)
    only.slot(rescue)
    only.connect("call", "rescue")
    assert [edge.name for edge in only.connections] == ["call.error"]


@pytest.mark.parametrize("frozen", [False, True])
def test_a_target_says_what_its_slot_collects(frozen: bool) -> None:
    flow = mended()
    if frozen:
        flow.freeze()
        flow.freeze()
    among = ("worker.done", "two.out")
    assert flow.targets("worker", "done") == (
        Target(slot="all", gather=Gather(count=2, among=among, connection="worker.done")),
        Target(slot="two", gather=Gather(count=2)),
    )
    assert flow.targets("two", "out") == (
        Target(slot="all", gather=Gather(count=2, among=among, connection="two.out")),
    )


def test_what_a_slot_gathers_may_have_keys_of_any_name() -> None:
    flow = mended()
    flow.slot(outputs=("x",), name="other")(call)
    flow.connect("other", "two", rename={"text": "whatever"})
    assert flow.targets("other", "x")[0].rename == {"text": "whatever"}
    with pytest.raises(FlowError, match="rename has an empty payload key"):
        flow.connect("other", "all", rename={"": "x"})


not_a_retry: Any = 3

wrong: list[tuple[dict[str, Any], Callable[..., object], str]] = [
    ({"retry": not_a_retry}, call, r"slot worker.s: retry=3 is no Retry\(...\)"),
    ({"timeout": 0}, call, "slot worker.s: timeout: 0 s leave no time"),
    ({"timeout": -1}, call, "timeout: -1 is no time"),
    ({"timeout": timedelta(days=9999)}, call, "is no time"),
    ({"timeout": "1"}, call, "timeout: '1' is no time"),
    ({"on_error": "retry"}, call, "on_error='retry'; give 'stop', 'skip' or 'route'"),
    ({"gather": 0}, join, "gather=0; give a number from 1"),
    ({"gather": True}, join, "gather=True; give a number"),
    ({"gather": 10**7}, join, "give a number from 1 to 1000000, or 'all'"),
    ({"gather": "any"}, join, "gather='any'; give"),
    ({"gather": 2}, call, "takes ctx and one parameter: items"),
    ({"gather": 2}, no_items, "takes ctx and one parameter: items"),
    ({"gather": 2}, more_than_items, "takes ctx and one parameter: items"),
    ({"gather": 2}, any_items, "takes ctx and one parameter: items"),
    ({"gather": 2}, a_pair, "items is a list of any length; it expected 2 items"),
]


@pytest.mark.parametrize(("options", "handler", "problem"), wrong)
def test_wrong_options_are_refused_and_the_graph_is_left_as_it_was(
    options: dict[str, Any], handler: Callable[..., object], problem: str
) -> None:
    flow = mended()
    before = flow.definition_bytes()
    with pytest.raises(FlowError, match=problem):
        flow.routines["worker"].slot(name="s", **options)(handler)
    with pytest.raises(FlowError, match=problem.replace("worker.s", "s")):
        flow.slot(name="s", **options)(handler)
    assert flow.definition_bytes() == before


def test_an_output_that_failures_are_routed_to_is_nobody_elses() -> None:
    taken = "output agent.error is that of routed failures; give yours another name"
    flow = Flow("f")
    with pytest.raises(FlowError, match=taken):
        flow.slot(name="agent", outputs=("error",), on_error="route")(call)
    assert not flow.routines
    agent = flow.routine("agent", outputs=("error",))
    with pytest.raises(FlowError, match=taken):
        agent.slot(on_error="route")(call)
    assert not flow.slots


def test_what_only_a_connection_brings_is_missed_when_an_engine_takes_the_flow() -> None:
    routing = Flow("f")
    routing.routine("agent", outputs=("done",)).slot(on_error="route")(call)
    with pytest.raises(FlowError, match=r"slot agent\.call routes its failures to"):
        routing.freeze()
    routing.slot(rescue)
    routing.connect("agent.error", "rescue")
    routing.freeze()
    gathering = Flow("f")
    gathering.slot(gather="all")(join)
    with pytest.raises(FlowError, match="slot join gathers from all its connections; connect"):
        gathering.freeze()
    assert not gathering.frozen


def test_options_are_data_and_make_the_same_flow() -> None:
    flow = mended()
    definition = json.loads(flow.definition_bytes())
    assert definition == flow.definition()
    (worker,) = (each for each in definition["routines"] if each["name"] == "worker")
    assert worker["outputs"] == ["done", "more"]
    assert worker["options"] == {
        "worker.again": {"on_error": "route"},
        "worker.call": {
            "retry": {
                "attempts": 5,
                "delay": 2.0,
                "factor": 2.0,
                "max_delay": 60.0,
                "jitter": 0.1,
                "on": ["ValueError", f"{__name__}.Refused"],
                "effects": "fresh",
            },
            "timeout_seconds": 90.0,
            "on_error": "route",
        },
    }
    handlers = {address: slot.function for address, slot in flow.slots.items()}
    with pytest.raises(FlowError, match=f"errors are missing: {__name__}.Refused; give"):
        Flow.from_definition(definition, handlers)
    again = Flow.from_definition(definition, handlers, errors=(Refused,))
    assert again.definition() == definition
    retry, slots = again.slots["worker.call"].retry, dict(again.slots)
    assert retry == attrs.evolve(RETRY, delay=2.0)
    slots["worker.call"] = attrs.evolve(slots["worker.call"], retry=RETRY)
    assert slots == flow.slots
    assert again.targets("worker", "done") == flow.targets("worker", "done")
    assert again.to_mermaid().count("->") == len(flow.connections)


def test_a_recorded_definition_is_read_without_code() -> None:
    flow = mended()
    wiring = wiring_of(flow.definition())
    assert wiring.fingerprint == flow.fingerprint
    assert wiring.slots["worker.call"].timeout_seconds == 90
    assert list(wiring.slots) == ["all", "rescue", "two", "worker.again", "worker.call"]


def test_options_that_are_no_data_are_refused() -> None:
    definition = mended().definition()
    definition["routines"][2]["options"] = {"two": {"gather": "some"}}
    with pytest.raises(PayloadError, match=r"definition.routines\[2\].options.two.gather"):
        wiring_of(definition)


def test_each_option_has_a_fingerprint_of_its_own() -> None:
    def fingerprint(handler: Callable[..., object], **options: Any) -> str:
        flow = Flow("f")
        flow.slot(name="s", **options)(handler)
        return flow.fingerprint

    prints = [
        fingerprint(join),
        fingerprint(join, retry=Retry()),
        fingerprint(join, retry=Retry(attempts=4)),
        fingerprint(join, retry=Retry(on=(ValueError,))),
        fingerprint(join, timeout=1),
        fingerprint(join, on_error="skip"),
        fingerprint(join, on_error="route"),
        fingerprint(join, gather=1),
        fingerprint(join, gather="all"),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(join, retry=Retry(delay=60)) == fingerprint(
        join, retry=Retry(delay=timedelta(minutes=1))
    )


def test_gathers_and_routes_are_drawn() -> None:
    assert mended().to_mermaid() == (
        "flowchart LR\n"
        '    subgraph r0["worker"]\n'
        '        r0s0["call"]\n'
        '        r0s1["again"]\n'
        "    end\n"
        '    r1["all (gathers all)"]\n'
        '    r2["two (gathers 2)"]\n'
        '    r3["rescue"]\n'
        '    r0 -- "done" --> r1\n'
        '    r0 -- "done" --> r2\n'
        '    r0 -- "more" --> r2\n'
        '    r2 -- "out" --> r1\n'
        '    r0 -. "error" .-> r3\n'
    )


def test_a_definition_of_before_there_were_options_is_read() -> None:
    """What was recorded then had neither options nor types, and its fingerprint is that of now."""
    recorded = {
        "name": "old",
        "version": "1",
        "max_activations": 100,
        "reducers": {"total": "add"},
        "routines": [{"name": "a", "outputs": ["out"], "slots": ["a.go", "a.in"]}],
        "connections": [{"output": "a.out", "slot": "a.in", "rename": {"x": "y"}}],
    }
    flow = wiring_of(recorded)
    assert flow.definition() == recorded
    assert [each.on_error for each in flow.slots.values()] == ["stop", "stop"]
    assert flow.targets("a", "out") == (Target(slot="a.in", rename={"x": "y"}),)
