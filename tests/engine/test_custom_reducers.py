"""Reducers of a flow's own: what they make of writes is recorded, and replayed without them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from esflow import Context, Engine, Flow, Goto, Update, errors
from esflow import events as ev
from esflow.store import Store
from esflow.wiring import wiring_of
from tests.engine.world import Gate, Hosts, Threads, check_refusal, held, names


def longest(current: Any, value: Any) -> Any:
    """Keep the longer of two texts, and fail on what is none."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")  # noqa: TRY004 - as a program does
    return value if len(value) > len(current) else current


def tally(current: dict[str, int], value: str) -> dict[str, int]:
    """Count words."""
    current[value] = current.get(value, 0) + 1  # It is the reducer's own copy.
    return current


def votes(*, by: Callable[[Any, Any], Any] = longest) -> Flow:
    """Return a flow whose members write to one key at once, and one that looks at it."""
    flow = Flow("votes", reducers={"name": by, "count": tally, "total": "add"})
    chair = flow.routine("chair", outputs=("call", "look"))

    @chair.slot
    def open_vote(ctx: Context, names: list[object]) -> None:
        for each in names:
            ctx.emit("call", name=each)

    @chair.slot
    def wait(ctx: Context) -> None:
        ctx.write("name", "kept")
        ctx.emit("look")
        ctx.pause()

    @flow.slot(outputs=("look",))
    def vote(ctx: Context, name: object) -> None:
        ctx.shared["name"] = name
        ctx.write("total", 1)
        ctx.emit("look")

    @flow.slot
    def look(ctx: Context) -> None:
        ctx.log("looked", **ctx.shared)

    flow.connect("chair.call", "vote")
    flow.connect("chair.look", "look")
    flow.connect("vote", "look")
    return flow


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host with the votes."""
    return hosts(votes())


def merges(engine: Engine, job_id: str) -> list[dict[str, Any]]:
    """Return what is recorded of merges."""
    recorded = [each.event for each in engine.history(job_id)]
    return [dict(each.values) for each in recorded if isinstance(each, ev.WaveMerged)]


def test_what_a_reducer_makes_is_recorded_once_for_the_wave(engine: Engine) -> None:
    given = {"names": ["b", "ccc", "aa"]}
    state = engine.start("votes", "chair.open_vote", given, job_id="one")
    assert state.status == "completed"
    assert state.shared == {"name": "ccc", "total": 3}
    assert merges(engine, "one") == [{"name": "ccc"}]
    assert [each.fields for each in state.log] == [{"name": "ccc", "total": 3}] * 3
    recorded = [each.event for each in engine.history("one")]
    written = [each.reducer for each in recorded if isinstance(each, ev.SharedWritten)]
    assert written == ["custom:longest", "add"] * 3


def test_the_merge_stands_in_the_append_that_closes_the_wave(engine: Engine) -> None:
    engine.start("votes", "chair.wait", job_id="one")
    assert names(engine, "one")[-3:] == ["ActivationCompleted", "WaveMerged", "JobPaused"]


def test_a_replay_needs_no_code_and_believes_what_is_recorded(hosts: Hosts, engine: Engine) -> None:
    engine.start("votes", "chair.open_vote", {"names": ["b", "ccc"]}, job_id="one")
    other = hosts(votes(by=tally))
    for host in (other, hosts()):
        assert host.state("one").shared == {"name": "ccc", "total": 2}
    assert engine.verify("one").ok


def test_the_first_write_to_an_absent_key_stores_the_value_uncalled(hosts: Hosts) -> None:
    called: list[object] = []

    def noting(current: Any, value: Any) -> Any:
        called.append((current, value))
        return [current, value]

    flow = Flow("once", reducers={"x": noting})
    seen: list[object] = []

    @flow.slot
    def write(ctx: Context) -> None:
        ctx.shared["x"] = 1
        seen.append((ctx.shared["x"], list(called)))
        ctx.shared["x"] = 2
        seen.append(ctx.shared["x"])
        del ctx.shared["x"]
        ctx.shared["x"] = 3

    state = hosts(flow).start("once", "write")
    assert seen == [(1, []), [1, 2]]
    assert state.shared == {"x": 3}
    assert called == [(1, 2), (1, 2)], "once for the handler's eyes, once for the wave"


def test_what_is_deleted_behind_a_reducer_is_gone(hosts: Hosts) -> None:
    flow = Flow("gone", reducers={"x": longest})

    @flow.slot
    def write(ctx: Context) -> None:
        ctx.shared["x"] = "a"
        ctx.shared["x"] = "bb"
        del ctx.shared["x"]

    engine = hosts(flow)
    assert engine.start("gone", "write", job_id="one").shared == {}
    assert merges(engine, "one") == [{}]


def test_a_handler_sees_what_its_own_writes_make(hosts: Hosts) -> None:
    flow = Flow("own", reducers={"words": tally})
    seen: list[object] = []

    @flow.slot(outputs=("more",))
    def begin(ctx: Context) -> None:
        ctx.write("words", {"a": 1})
        ctx.write("words", "b")
        words = ctx.shared["words"]
        seen.append(words)
        ctx.emit("more")

    @flow.slot
    def more(ctx: Context) -> None:
        ctx.write("words", "a", "custom:tally")
        seen.append(dict(ctx.shared))

    flow.connect("begin", "more")
    state = hosts(flow).start("own", "begin")
    assert seen == [{"a": 1, "b": 1}, {"words": {"a": 2, "b": 1}}]
    assert state.shared == {"words": {"a": 2, "b": 1}}


@pytest.mark.parametrize("name", ["custom:tally", "longest", "custom:longest2"])
def test_only_the_reducer_of_the_key_is_named(hosts: Hosts, name: str) -> None:
    flow = Flow("named", reducers={"x": longest, "y": tally})

    @flow.slot
    def write(ctx: Context) -> None:
        with pytest.raises(errors.FlowError, match=f"unknown reducer '{name}'; use one of set"):
            ctx.write("x", "a", name)

    assert hosts(flow).start("named", "write").status == "completed"


failing: list[tuple[list[object], str, str]] = [
    (["a", 5, "b"], "2.2", "ValueError: 5 is no text"),
    (["a", "b", 5], "2.3", "ValueError"),
]


@pytest.mark.parametrize(("given", "activation", "shown"), failing)
def test_a_reducer_that_raises_fails_the_job_by_its_first_write(
    engine: Engine, given: list[object], activation: str, shown: str
) -> None:
    state = engine.start("votes", "chair.open_vote", {"names": given}, job_id="one")
    failure = state.failure
    assert failure is not None
    assert (state.status, failure.type, failure.key) == ("failed", "MergeError", "name")
    assert (failure.activation, state.shared) == (activation, {})
    assert "reducer 'custom:longest'" in failure.message
    assert shown in failure.message
    assert names(engine, "one")[-2:] == ["ActivationCompleted", "JobFailed"]


def test_a_result_that_can_not_be_recorded_fails_the_job(hosts: Hosts) -> None:
    def odd(current: object, value: object) -> object:
        return object()

    engine = hosts(votes(by=odd))
    state = engine.start("votes", "chair.open_vote", {"names": ["a", "b"]})
    assert state.failure is not None
    assert "made what can't be recorded" in state.failure.message


def test_a_reducer_can_not_act_on_its_own_job(hosts: Hosts) -> None:
    outside = hosts()

    def meddling(current: object, value: object) -> object:
        outside.pause("one", "from within")
        return value

    engine = hosts(votes(by=meddling))
    state = engine.start("votes", "chair.open_vote", {"names": ["a", "b"]}, job_id="one")
    assert state.failure is not None
    assert "ReentrantCall: Engine.pause() was called" in state.failure.message


def test_an_update_goes_by_the_reducer_and_its_result_is_recorded_with_it(
    hosts: Hosts, engine: Engine
) -> None:
    engine.start("votes", "chair.wait", job_id="one")
    before = len(engine.history("one"))
    state = engine.update("one", {"name": "longest", "total": 4})
    assert state.shared == {"name": "longest", "total": 4}
    assert names(engine, "one")[before:] == ["SharedWritten", "SharedWritten", "WaveMerged"]
    assert engine.update("one", {"name": "x"}).shared["name"] == "longest"
    state = hosts(votes()).resume("one", Update({"name": "the longest"}))
    assert (state.status, state.log[-1].fields["name"]) == ("completed", "the longest")


def test_an_update_that_the_reducer_refuses_is_refused(engine: Engine, store: Store) -> None:
    engine.start("votes", "chair.wait", job_id="one")
    with check_refusal(store, errors.MergeError, "'name'", "'custom:longest'", "ValueError"):
        engine.update("one", {"total": 1, "name": 5})
    with check_refusal(store, errors.MergeError, "'name'"):
        engine.resume("one", Update({"name": 5}))


def test_a_host_without_the_code_updates_only_what_needs_none(hosts: Hosts, engine: Engine) -> None:
    engine.start("votes", "chair.wait", job_id="one")
    outside = hosts()
    with check_refusal(outside.store, errors.FlowNotFound, "'votes'", "Engine(flows"):
        outside.update("one", {"name": "more"})
    assert outside.update("one", {"total": 2, "new": 1}).shared == {
        "name": "kept",
        "total": 2,
        "new": 1,
    }


def test_an_update_of_an_open_wave_is_its_last_write(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver = hosts(gated_votes(gate), max_parallel=1)
    start = lambda: driver.start("gated", "begin", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        driver.pause("one")
        released()
    with check_refusal(driver.store, errors.MergeError, "'name'", "ValueError"):
        driver.update("one", {"name": 5})
    assert driver.update("one", {"name": "outside"}).shared == {}
    assert merges(driver, "one") == []
    assert driver.resume("one").shared == {"name": "outside"}
    assert merges(driver, "one") == [{"name": "outside"}]


def gated_votes(gate: Gate, by: Callable[[Any, Any], Any] = longest) -> Flow:
    """Return a flow with a wave of two writers, the first of which can be held."""
    flow = Flow("gated", reducers={"name": by})

    @flow.slot(outputs=("next",))
    def begin(ctx: Context) -> None:
        ctx.emit("next", name="a")
        ctx.emit("next", name="bb")

    @flow.slot(outputs=("done",))
    def write(ctx: Context, name: str) -> None:
        if name == "a":
            gate.hold()
        ctx.shared["name"] = name
        ctx.emit("done")

    flow.connect("begin", "write")
    return flow


def test_a_write_by_a_reducer_that_the_flow_has_lost_does_not_apply(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    driver = hosts(gated_votes(gate), max_parallel=1)
    start = lambda: driver.start("gated", "begin", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        driver.pause("one")
        released()
    driver.update("one", {"name": "x"})
    state = hosts(gated_votes(gate, by=max)).resume("one")
    failure = state.failure
    assert failure is not None
    assert (failure.type, failure.activation) == ("MergeError", None)
    assert "'custom:longest' is none of flow 'gated' any more" in failure.message


def test_a_goto_merges_what_is_finished_before_it_drops_the_rest(
    hosts: Hosts, threads: Threads
) -> None:
    gate = Gate()
    driver = hosts(gated_votes(gate), max_parallel=1)
    start = lambda: driver.start("gated", "begin", job_id="one")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        driver.pause("one")
        assert [each.id for each in released().ready] == ["2.2"]
    driver.update("one", {"name": "out"})
    before = len(driver.history("one"))
    state = driver.resume("one", Goto("write", {"name": "led"}))
    assert names(driver, "one")[before:] == ["WaveMerged", "WorkDropped"]
    assert state.shared == {"name": "out"}
    state = driver.resume("one")
    assert (state.status, state.shared) == ("completed", {"name": "out"})
    assert driver.verify("one").ok


def test_a_fork_begins_at_no_place_between_writes_and_their_merge(
    hosts: Hosts, engine: Engine
) -> None:
    engine.start("votes", "chair.wait", job_id="one")
    engine.update("one", {"name": "longest"})
    recorded = names(engine, "one")
    whole = [place for place, name in enumerate(recorded, 1) if name != "SharedWritten"]
    for version in range(1, len(recorded) + 1):
        fork = hosts(votes()).fork("one", version, new_job_id=f"fork-{version}")
        assert fork.forked_from is not None
        assert fork.forked_from.version <= version
        assert fork.forked_from.version in whole
        assert engine.verify(fork.job_id).ok
    assert engine.state(f"fork-{len(recorded)}").shared == {"name": "longest"}


def test_a_check_reports_a_merge_that_would_come_out_otherwise(hosts: Hosts) -> None:
    def shortest(current: str, value: str) -> str:
        return min(current, value, key=len)

    def refusing(current: str, value: str) -> str:
        raise ValueError(current)

    shortest.__name__ = refusing.__name__ = "longest"
    hosts(votes()).start("votes", "chair.open_vote", {"names": ["aa", "b"]}, job_id="one")
    assert hosts(votes()).check("one").ok
    (found,) = hosts(votes(by=shortest)).check("one").differences
    assert (found.activation, found.kind) == ("2.2", "merge")
    assert (found.recorded, found.now) == ('name "aa"', 'name "b"')
    (found,) = hosts(votes(by=refusing)).check("one").differences
    assert (found.activation, found.kind, found.now) == ("2.2", "merge", "ValueError: aa")


def test_a_reducer_is_part_of_the_definition_by_its_name() -> None:
    flow = votes()
    definition = flow.definition()
    assert definition["reducers"] == {
        "count": "custom:tally",
        "name": "custom:longest",
        "total": "add",
    }
    assert wiring_of(definition).fingerprint == flow.fingerprint
    with pytest.raises(errors.FlowError, match="the function of 'custom:tally' is missing"):
        wiring_of(definition).freeze()
    handlers = {address: slot.function for address, slot in flow.slots.items()}
    functions = {"name": longest, "count": tally}
    again = Flow.from_definition(definition, handlers, reducers=functions)
    again.freeze()
    assert again.fingerprint == flow.fingerprint
    for others in ({"name": tally}, {"other": longest}):
        with pytest.raises(errors.FlowError, match="the definition has other reducers"):
            Flow.from_definition(definition, handlers, reducers=others)


async def waiting(current: object, value: object) -> object:
    """Be no reducer."""
    return value


def one_value(current: object) -> object:
    """Be no reducer."""
    return current


wrong: list[tuple[object, str]] = [
    (waiting, "is no reducer; give a name, or a plain function"),
    (5, "5 is no reducer"),
    (one_value, "reducer one_value can't take the current value and another"),
    (partial(longest), "has no usable name to be recorded by; define it with def"),
    ("longest", "there is no reducer 'longest'"),
]


@pytest.mark.parametrize(("reducer", "problem"), wrong)
def test_what_is_no_reducer_is_refused(reducer: Any, problem: str) -> None:
    with pytest.raises(errors.FlowError, match=f"shared.'x'.: .*{problem}"):
        Flow("f", reducers={"x": reducer})
