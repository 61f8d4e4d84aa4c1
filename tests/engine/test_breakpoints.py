"""A job stops before and after the slots that its callers name, and its program can't tell."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from esflow import Answer, Context, Continue, Engine, Flow, Goto, JobState, Update, errors
from esflow import events as ev
from esflow.state import Breakpoints
from esflow.store import Store
from tests.engine.outside import Outside
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    check_refusal,
    count,
    held,
    names,
    stored,
)

STOPS = ("mill.grind", "mill.grow", "mill.bake")


def mill() -> Flow:
    """Return a flow of three waves, the second of them two wide, with a deferral."""
    flow = Flow("mill", reducers={"total": "add"})
    routine = flow.routine("mill", outputs=("flour", "seed", "dough", "later"))

    @routine.slot
    def grind(ctx: Context, number: int = 2) -> None:
        ctx.shared["x"] = ctx.effect(abs, -number)
        ctx.defer("later", number=number)
        ctx.emit("flour", number=number)
        ctx.emit("flour", number=number)

    @routine.slot
    def grow(ctx: Context, number: int) -> None:
        ctx.log("grow", **ctx.shared)
        ctx.write("total", number)
        ctx.emit("dough", number=number)

    @routine.slot
    def bake(ctx: Context, number: int) -> None:
        ctx.log("bake", **ctx.shared)
        ctx.write("total", number)

    @routine.slot
    def ask(ctx: Context) -> None:
        ctx.ask("Which?", to="mill.note")
        ctx.emit("flour", number=1)

    @routine.slot
    def note(ctx: Context, answer: Any) -> None:
        ctx.log("noted", answer=answer)

    flow.connect("mill.flour", "mill.grow")
    flow.connect("mill.dough", "mill.bake")
    flow.connect("mill.later", "mill.bake")
    return flow


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host with the flow of most examples."""
    return hosts(mill())


def _start(engine: Engine, **stops: Any) -> JobState:
    return engine.start("mill", "mill.grind", job_id="one", **stops)


def _stops(state: JobState) -> list[str]:
    assert state.status == "paused"
    assert {each.kind for each in state.pause} == {"breakpoint"}
    return [f"{each.text} {each.activation}" for each in state.pause]


def _log(state: JobState) -> list[str]:
    return [each.message for each in state.log]


# Stopping.


def test_a_job_stops_before_a_slot_and_nothing_of_the_wave_runs(engine: Engine) -> None:
    state = _start(engine, before=["mill.grow"])
    assert _stops(state) == ["before mill.grow 2.1", "before mill.grow 2.2"]
    assert ([each.id for each in state.ready], state.log) == (["2.1", "2.2"], ())
    assert state.breakpoints == Breakpoints(before=("mill.grow",), after=())
    assert engine.resume("one").status == "completed"


def test_a_job_stops_after_a_slot_when_its_wave_has_been_merged(engine: Engine) -> None:
    state = _start(engine, after=["mill.grow"])
    assert _stops(state) == ["after mill.grow 2.1", "after mill.grow 2.2"]
    assert (_log(state), state.shared) == (["grow", "grow"], {"x": 2, "total": 4})
    assert [(each.id, each.slot) for each in state.ready] == [
        ("3.1", "mill.bake"),
        ("3.2", "mill.bake"),
    ]
    assert engine.resume("one").status == "completed"


def test_a_job_that_stops_at_its_first_slot_has_never_been_claimed(
    engine: Engine, store: Store
) -> None:
    state = _start(engine, before=["mill.grind"])
    assert _stops(state) == ["before mill.grind 1.1"]
    assert names(engine, "one") == ["JobStarted", "JobPaused"]
    before = stored(store)
    assert engine.run("one").status == "paused"
    assert engine.recover(older_than=0) == []
    assert _start(engine).status == "paused"
    assert stored(store) == before
    assert engine.resume("one").status == "completed"


def test_a_job_stops_once_at_each_place_and_goes_on_at_each_continue(engine: Engine) -> None:
    state = _start(engine, before=STOPS, after=STOPS)
    found = [_stops(state)]
    while (state := engine.resume("one")).status == "paused":
        found.append(_stops(state))
    assert found == [
        ["before mill.grind 1.1"],
        ["after mill.grind 1.1"],
        ["before mill.grow 2.1", "before mill.grow 2.2"],
        ["after mill.grow 2.1", "after mill.grow 2.2"],
        ["before mill.bake 3.1", "before mill.bake 3.2"],
        ["after mill.bake 3.1", "after mill.bake 3.2"],
        ["before mill.bake 4.1"],
        ["after mill.bake 4.1"],
    ]
    assert engine.verify("one").ok


PLACES: list[dict[str, Any]] = [
    *({place: [slot]} for place in ("before", "after") for slot in STOPS),
    {"before": STOPS, "after": STOPS},
    {"before": dict.fromkeys(STOPS)},  # Any iterable will do.
]


def _happened(engine: Engine, **stops: Any) -> list[object]:
    """Return all that isn't about pauses, in a job that is let go wherever it stops."""
    state = _start(engine, **stops)
    while state.status == "paused":
        state = engine.resume("one")
    assert state.status == "completed"
    events = [
        attrs.asdict(each.event)
        | {"name": each.event.name, "before": (), "after": (), "fingerprint": ""}
        | dict.fromkeys(("started_at_ms", "duration_us"), 0)
        for each in engine.history("one")
        if not isinstance(each.event, ev.JobPaused | ev.JobResumed | ev.ExecutionClaimed)
    ]
    return [events, state.shared, state.log, state.outputs, state.wave]


@pytest.mark.parametrize("stops", PLACES)
def test_a_program_can_not_tell_that_it_was_stopped(hosts: Hosts, stops: dict[str, Any]) -> None:
    with Engine("memory://", [mill()], max_parallel=1) as plain:
        expected = _happened(plain)
    assert _happened(hosts(mill(), max_parallel=1), **stops) == expected


def test_a_job_is_submitted_with_its_breakpoints(hosts: Hosts, threads: Threads) -> None:
    service, worker = hosts(mill()), hosts(mill()).worker()
    future = threads.submit(worker.run)
    try:
        first = service.submit("mill", "mill.grind", before=["mill.grind"])
        assert service.state(first).status == "paused"
        service.submit("mill", "mill.grind", job_id="one", after=["mill.grind"])
        assert _stops(service.wait("one", PATIENCE_SECONDS)) == ["after mill.grind 1.1"]
        assert service.state("one").ready[0].slot == "mill.grow"
        assert _stops(service.state(first)) == ["before mill.grind 1.1"]
    finally:
        worker.stop()
        future.result(PATIENCE_SECONDS)


def test_an_activation_that_runs_again_is_not_stopped_again(hosts: Hosts) -> None:
    world = Outside()
    flow = Flow("fragile")

    @flow.slot
    def act(ctx: Context) -> None:
        world.interrupt()
        ctx.log(ctx.interrupt("sure?"))

    hosts(flow).start("fragile", "act", job_id="one", before=["act"], after=["act"])
    with pytest.raises(KeyboardInterrupt):
        hosts(flow).resume("one")
    state = hosts(flow).run("one")
    assert [each.kind for each in state.pause] == ["interrupt"]
    state = hosts(flow).resume("one", Answer("yes"))
    assert (_stops(state), _log(state)) == (["after act 1.1"], ["yes"])
    assert hosts(flow).resume("one").status == "completed"


def test_breakpoints_are_kept_across_hosts_and_failures_pass_them(hosts: Hosts) -> None:
    flow = Flow("failing")

    @flow.slot
    def act(ctx: Context) -> None:
        raise LookupError("no")

    hosts(flow).start("failing", "act", job_id="one", before=["act"], after=["act"])
    assert hosts().state("one").breakpoints == Breakpoints(before=("act",), after=("act",))
    state = hosts(flow).resume("one")
    assert (state.status, state.pause) == ("failed", ())


# Other wishes at a breakpoint.


def test_an_update_before_a_wave_is_seen_by_it(engine: Engine) -> None:
    _start(engine, before=["mill.grow"])
    state = engine.update("one", {"x": 7})
    assert state.shared == {"x": 7}
    state = engine.resume("one", Update({"x": 8, "total": 10}))
    assert state.log[0].fields == {"x": 8, "total": 10}
    assert state.shared["total"] == 10 + 2 * 5


def test_an_update_behind_a_wave_is_seen_by_the_next(engine: Engine) -> None:
    _start(engine, after=["mill.grind"])
    state = engine.resume("one", Update({"x": 8}))
    assert (state.status, state.log[0].fields) == ("completed", {"x": 8})


def test_a_breakpoint_stands_beside_an_operators_hold(engine: Engine, store: Store) -> None:
    _start(engine, before=["mill.grind"])
    assert [each.kind for each in engine.pause("one").pause] == ["breakpoint", "operator"]
    assert _stops(engine.resume("one")) == ["before mill.grind 1.1"]
    with check_refusal(store, errors.InterruptNotFound, "asks nothing"):
        engine.resume("one", Answer("yes"))
    assert engine.resume("one").status == "completed"


def test_a_goto_leads_a_job_away_from_a_breakpoint(engine: Engine) -> None:
    _start(engine, before=["mill.grind"])
    state = engine.resume("one", Goto("mill.note", {"answer": "led"}))
    assert (state.status, _log(state), state.shared) == ("completed", ["noted"], {})


def test_a_goto_to_a_slot_with_a_breakpoint_stops_before_it(engine: Engine) -> None:
    _start(engine, before=["mill.grind"])
    lead = Goto("mill.note", {"answer": "led"})
    state = engine.resume("one", lead, before=["mill.note"])
    assert _stops(state) == ["before mill.note 2.1"]
    assert _log(engine.resume("one")) == ["noted"]


def test_a_question_is_asked_before_a_breakpoint_is_passed(engine: Engine, store: Store) -> None:
    state = engine.start("mill", "mill.ask", job_id="one", after=["mill.ask"])
    assert [each.kind for each in state.pause] == ["question", "breakpoint"]
    state = engine.resume("one", before=["mill.grow"])
    assert _stops(state) == ["before mill.grow 2.1"]
    state = engine.resume("one", Answer("early"))
    assert (_stops(state)[0], state.questions) == ("before mill.grow 2.1", ())
    with check_refusal(store, errors.AnswerRefused, "'early'"):
        engine.resume("one", Answer("late"))
    assert "noted" in _log(engine.resume("one"))


# Other breakpoints from a resumption on.


def test_a_resumption_replaces_breakpoints_clears_them_or_leaves_them(engine: Engine) -> None:
    _start(engine, before=["mill.grind"], after=["mill.grow"])
    state = engine.resume("one", before=["mill.bake"])
    assert _stops(state)[0] == "after mill.grow 2.1"
    assert state.breakpoints == Breakpoints(before=("mill.bake",), after=("mill.grow",))
    state = engine.resume("one")
    assert _stops(state)[0] == "before mill.bake 3.1"
    state = engine.resume("one", before=[], after=[])
    assert (state.status, state.breakpoints) == ("completed", Breakpoints(before=(), after=()))


@pytest.mark.parametrize("command", [Continue(), Update({"x": 1}), Update({}), Goto("mill.grind")])
def test_every_command_that_resumes_brings_its_breakpoints(
    engine: Engine, command: Continue | Update | Goto
) -> None:
    _start(engine, before=["mill.grind"])
    state = engine.resume("one", command, before=[], after=["mill.grow"])
    assert _stops(state)[0].startswith("after mill.grow")
    assert state.breakpoints == Breakpoints(before=(), after=("mill.grow",))


def test_an_answer_brings_its_breakpoints(engine: Engine) -> None:
    engine.start("mill", "mill.ask", job_id="one", after=["mill.ask"])
    state = engine.resume("one", Answer(1), before=["mill.note"])
    assert _stops(state) == ["before mill.note 2.2"]


def test_breakpoints_given_to_a_resumption_that_lifts_a_hold_are_kept(engine: Engine) -> None:
    engine.submit("mill", "mill.grind", job_id="one")
    engine.pause("one")
    assert _stops(engine.resume("one", after=["mill.grind"])) == ["after mill.grind 1.1"]


@contextmanager
def _running(hosts: Hosts, threads: Threads) -> Generator[tuple[Engine, Callable[[], Any]]]:
    """Have a job run that asked before and is held now; yield another host and what lets it go."""
    gate, flow = Gate(), Flow("asking")
    routine = flow.routine("desk", outputs=("next",))

    @routine.slot
    def ask(ctx: Context) -> None:
        ctx.ask("Which?", to="desk.told")
        ctx.emit("next")

    @routine.slot
    def work(ctx: Context) -> None:
        gate.hold()

    @routine.slot
    def told(ctx: Context, answer: Any) -> None:
        ctx.log(answer)

    flow.connect("desk.next", "desk.work")
    driver, other = hosts(flow), hosts(flow)
    driver.start("asking", "desk.ask", job_id="one")
    with held(threads, gate, lambda: driver.resume("one")) as released:
        yield other, released


def test_breakpoints_given_where_nothing_is_resumed_are_refused(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    with _running(hosts, threads) as (other, released):
        given: list[dict[str, Any]] = [{"before": ["desk.told"]}, {"after": []}]
        for stops in given:
            with check_refusal(store, errors.NotPaused, "one", "running on host-0"):
                other.resume("one", Answer("yes"), **stops)
        other.resume("one", Answer("yes"))
        assert _log(released()) == ["yes"]


def test_breakpoints_given_to_the_takeover_of_a_job_are_refused(hosts: Hosts, store: Store) -> None:
    world, flow = Outside(), Flow("fragile")

    @flow.slot
    def act(ctx: Context) -> None:
        world.interrupt()

    with pytest.raises(KeyboardInterrupt):
        hosts(flow).start("fragile", "act", job_id="one")
    with check_refusal(store, errors.NotPaused, "running"):
        hosts(flow).resume("one", after=["act"])
    assert hosts(flow).resume("one").status == "completed"


# What names no slot.


CALLS: list[Callable[[Engine, dict[str, Any]], object]] = [
    lambda engine, stops: engine.start("mill", "mill.grind", **stops),
    lambda engine, stops: engine.submit("mill", "mill.grind", **stops),
    lambda engine, stops: engine.resume("one", **stops),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_breakpoint_is_one_of_several_slots_of_the_flow(
    engine: Engine, store: Store, call: Callable[[Engine, dict[str, Any]], object], place: str
) -> None:
    _start(engine, before=["mill.grind"])
    with check_refusal(store, errors.SlotNotFound, "'mill.nothing'", "mill.grind"):
        call(engine, {place: ["mill.grind", "mill.nothing"]})
    with check_refusal(store, errors.PayloadError, place, "'mill.grind' is one text", "a list"):
        call(engine, {place: "mill.grind"})


def test_a_slot_is_named_as_its_address_once(hosts: Hosts) -> None:
    flow = Flow("short")

    @flow.routine("only").slot
    def act(ctx: Context) -> None:
        """Do nothing."""

    state = hosts(flow).start("short", "only", before=["only", "only.act", "only"])
    assert (_stops(state), state.breakpoints.before) == (["before only.act 1.1"], ("only.act",))


def test_breakpoints_are_no_part_of_the_request(engine: Engine) -> None:
    _start(engine, before=["mill.grind"])
    assert _start(engine, after=["mill.bake"]).breakpoints.before == ("mill.grind",)
    assert count(engine, "one", "JobStarted") == 1
