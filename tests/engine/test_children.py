"""Jobs that handlers start: driven with their parents, told of once, and cancelled with them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from esflow import Answer, Context, Engine, Flow, Status, errors
from esflow import events as ev
from esflow.store import JobQuery, Store
from esflow.stores.memory import MemoryStore
from esflow.testing import ManualClock
from tests.engine.reminders import chain, family
from tests.engine.world import PATIENCE_SECONDS, Gate, Hosts, Threads, count, held, names


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host that knows the family."""
    return hosts(family(), clock=ManualClock())


def begin(engine: Engine, *slots: str, job_id: str = "one") -> Any:
    """Start a job that starts jobs at these slots, and return its state."""
    return engine.start("family", "home.begin", {"children": list(slots)}, job_id=job_id)


def heard(state: Any) -> list[tuple[str, str]]:
    """Return which children a job has heard of, and how they ended."""
    return [(each.payload["child"], each.payload["status"]) for each in state.outputs]


def test_the_outcome_of_a_child_comes_to_its_slot(engine: Engine) -> None:
    state = begin(engine, "work", "fail")
    assert state.status == "completed"
    assert [each.payload for each in state.outputs] == [
        {
            "child": "one/1.1/c0",
            "status": "completed",
            "outputs": [{"worked": 4}],
            "failure": None,
        },
        {"child": "one/1.1/c1", "status": "failed", "outputs": [], "failure": "child 4"},
    ]


def test_parent_and_child_know_each_other(engine: Engine) -> None:
    state = begin(engine, "work")
    (child,) = state.children
    assert (child.id, child.job_id, child.status) == ("1.1/c0", "one/1.1/c0", "completed")
    parent = engine.state(child.job_id).parent
    assert parent == ev.Parent(job_id="one", child="1.1/c0")
    assert state.parent is None
    assert names(engine, "one") == [
        *("JobStarted", "ExecutionClaimed", "ChildStarted", "ActivationCompleted"),
        *("ChildFinished", "ExecutionClaimed", "Emitted", "ActivationCompleted", "JobCompleted"),
    ]
    assert names(engine, child.job_id)[0] == "JobStarted"


def test_a_child_that_asks_leaves_its_parent_waiting(engine: Engine, store: Store) -> None:
    state = begin(engine, "ask", "work")
    assert state.status == "waiting"
    assert heard(state) == [("one/1.1/c1", "completed")]
    assert engine.state("one/1.1/c0").status == "paused"
    assert list(store.jobs(JobQuery(leased=True))) == []
    assert engine.run("one") == state
    assert engine.recover() == []
    assert engine.resume("one/1.1/c0", Answer("fine")).status == "completed"
    state = engine.state("one")
    assert (state.status, heard(state)[1]) == ("completed", ("one/1.1/c0", "completed"))


def test_a_child_that_waits_leaves_its_parent_waiting(hosts: Hosts) -> None:
    clock = ManualClock()
    engine = hosts(family(), clock=clock)
    assert begin(engine, "sleep").status == "waiting"
    clock.advance(60)
    state = engine.run("one")
    assert (state.status, heard(state)) == ("completed", [("one/1.1/c0", "completed")])


def test_families_may_have_several_generations(engine: Engine) -> None:
    state = begin(engine, "grow", "work")
    assert (state.status, len(heard(state))) == ("completed", 2)
    assert {each.job_id for each in engine.jobs()} == {
        *("one", "one/1.1/c0", "one/1.1/c1"),
        *("one/1.1/c0/1.1/c0", "one/1.1/c0/1.1/c1"),
    }


def test_a_chain_of_a_thousand_is_driven_and_cancelled_without_recursion() -> None:
    clock, store = ManualClock(), MemoryStore()
    with Engine(store, [chain(delay=60)], clock=clock) as engine:
        for job_id in ("one", "two"):
            engine.start("chain", "link.nest", {"depth": 1000}, job_id=job_id)
        assert engine.cancel("one").status == "cancelled"
        clock.advance(60)
        assert engine.run("two").status == "completed"
        jobs = engine.health().jobs
        assert (jobs[Status.CANCELLED], jobs[Status.COMPLETED]) == (1001, 1001)
        assert list(store.jobs(JobQuery(leased=True))) == []


def test_cancelling_a_parent_cancels_its_open_children(engine: Engine, store: Store) -> None:
    begin(engine, "ask", "work", "sleep")
    assert engine.cancel("one", "enough").status == "cancelled"
    assert [engine.state(f"one/1.1/c{number}").status for number in range(3)] == [
        *("cancelled", "completed", "cancelled"),
    ]
    assert list(store.jobs(JobQuery(leased=True))) == []


def test_a_parent_that_fails_leaves_its_children_alone(hosts: Hosts) -> None:
    flow = family()
    flow.slot(_careless(flow))
    engine = hosts(flow, clock=ManualClock())
    state = engine.start("family", "careless", job_id="one")
    assert state.status == "failed"
    (child,) = engine.jobs(status=["pending", "paused"])
    engine.run(child.job_id)
    before = engine.history("one")
    assert engine.resume(child.job_id, Answer("x")).status == "completed"
    assert engine.history("one") == before, "the outcome for an ended job is dropped"


def _careless(flow: Flow) -> Callable[[Context], None]:
    def careless(ctx: Context) -> None:
        ctx.start(flow, "home.ask", {"number": 1}, then="home.hear")
        ctx.start(flow, "home.work", {"number": 1}, then="careless_hear")

    @flow.slot
    def careless_hear(
        ctx: Context, job_id: str, status: str, outputs: object, failure: object
    ) -> None:
        raise ValueError("no")

    return careless


def test_a_cancelled_child_is_told_too(engine: Engine) -> None:
    begin(engine, "ask")
    engine.cancel("one/1.1/c0")
    assert engine.state("one").status == "running", "somebody has to drive it"
    assert heard(engine.run("one")) == [("one/1.1/c0", "cancelled")]


@pytest.mark.parametrize("deadline", [{}, {"timeout": 60, "default": "no"}])
def test_children_are_started_while_their_parent_is_paused_by_its_program(
    hosts: Hosts, deadline: Mapping[str, Any]
) -> None:
    flow = family()

    @flow.slot
    def both(ctx: Context) -> None:
        ctx.start("family", "home.work", {"number": 1}, then="home.hear")
        ctx.ask("Well?", to="home.answered", **deadline)

    engine = hosts(flow, clock=ManualClock())
    assert engine.start("family", "both", job_id="one").status == "paused"
    assert engine.state("one/1.1/c0").status == "pending"
    state = engine.resume("one", Answer("yes"))
    assert (state.status, len(state.outputs)) == ("completed", 2)


def test_a_held_parent_starts_no_children_before_it_goes_on(hosts: Hosts, threads: Threads) -> None:
    flow, gate = family(), Gate()

    @flow.slot
    def go(ctx: Context) -> None:
        gate.hold()
        ctx.start("family", "home.work", {"number": 1}, then="home.hear")

    engine, other = hosts(flow, clock=ManualClock()), hosts(flow, clock=ManualClock())
    with held(threads, gate, lambda: engine.start("family", "go", job_id="one")) as go_on:
        other.pause("one", "inspection")
        assert go_on().status == "paused"
    with pytest.raises(errors.JobNotFound):
        engine.state("one/1.1/c0")
    state = engine.resume("one")
    assert (state.status, heard(state)) == ("completed", [("one/1.1/c0", "completed")])


def test_a_worker_drives_parents_and_children(hosts: Hosts, threads: Threads) -> None:
    engine, other = hosts(family()), hosts(family())
    worker = other.worker()
    running = threads.submit(worker.run)
    job_id = engine.submit("family", "home.begin", {"children": ["work"] * 5 + ["grow"]})
    state = engine.wait(job_id, PATIENCE_SECONDS)
    worker.stop()
    running.result(PATIENCE_SECONDS)
    assert (state.status, len(heard(state))) == ("completed", 6)
    assert count(engine, job_id, "ChildFinished") == 6


def test_children_of_another_flow_are_run_by_a_host_that_has_it(hosts: Hosts) -> None:
    other = Flow("other")

    @other.slot
    def work(ctx: Context) -> None:
        ctx.log("worked")

    flow = family()

    @flow.slot
    def abroad(ctx: Context) -> None:
        ctx.start(other, "work", then="home.hear")
        ctx.pause("until the flow is gone")

    both, poor = hosts(flow, other), hosts(flow)
    both.start("family", "abroad", job_id="one", before=["abroad"])
    assert both.resume("one", before=[]).status == "paused"
    assert poor.resume("one").status == "waiting"
    assert both.state("one/1.1/c0").status == "pending"
    hosts(other).worker().run(once=True)
    assert both.state("one/1.1/c0").status == "completed"
    assert heard(poor.run("one")) == [("one/1.1/c0", "completed")]


def _child_of(ctx: Context, **change: Any) -> None:
    given: dict[str, Any] = {
        "flow": "family",
        "slot": "home.work",
        "payload": {"number": 1},
        "then": "home.hear",
    }
    ctx.start(**(given | change))


@pytest.mark.parametrize(
    ("change", "refusal", "text"),
    [
        ({"flow": "nowhere"}, errors.FlowNotFound, "nowhere"),
        ({"slot": "home.nowhere"}, errors.SlotNotFound, "home.nowhere"),
        ({"then": "home.nowhere"}, errors.SlotNotFound, "home.nowhere"),
        ({"payload": {}}, errors.PayloadError, "number"),
        ({"payload": {"number": "one"}}, errors.PayloadError, "number"),
        ({"payload": {"number": object()}}, errors.PayloadError, "object"),
        ({"payload": 1}, errors.PayloadError, "payload"),
        ({"then": "home.note"}, errors.PayloadError, "takes no job_id, status, outputs, failure"),
        ({"then": "picky"}, errors.PayloadError, "needs more"),
    ],
)
def test_what_can_be_no_child_is_refused_and_nothing_is_started(
    hosts: Hosts, change: dict[str, Any], refusal: type[errors.EsflowError], text: str
) -> None:
    flow, refused = family(), list[errors.EsflowError]()

    @flow.slot
    def go(ctx: Context) -> None:
        with pytest.raises(refusal) as caught:
            _child_of(ctx, **change)
        refused.append(caught.value)

    @flow.slot
    def picky(ctx: Context, more: int, **outcome: object) -> None:
        """Hear nothing."""

    engine = hosts(flow)
    assert engine.start("family", "go", job_id="one").status == "completed"
    assert text in str(refused[0])
    assert [each.job_id for each in engine.jobs()] == ["one"]


def test_an_id_that_somebody_has_taken_is_no_child(engine: Engine) -> None:
    engine.start("family", "home.ask", {"number": 1}, job_id="one/1.1/c0")
    state = begin(engine, "work")
    assert state.status == "completed"
    assert heard(state) == [("one/1.1/c0", "failed")]
    assert "one/1.1/c0" in state.outputs[0].payload["failure"]
    assert engine.state("one/1.1/c0").status == "paused"


def test_a_fork_that_is_not_live_drives_nobodys_children(engine: Engine) -> None:
    begin(engine, "ask")
    version = engine.state("one").version
    fork = engine.fork("one", version, new_job_id="fork")
    assert (fork.status, fork.children[0].job_id) == ("waiting", "one/1.1/c0")
    engine.resume("one/1.1/c0", Answer("fine"))
    assert engine.state("one").status == "completed"
    assert engine.run("fork") == fork
    engine.cancel("fork")
    first = engine.fork("one", 1, new_job_id="first")
    assert (first.status, first.children[0].job_id) == ("waiting", "first/1.1/c0")
    with pytest.raises(errors.JobNotFound):
        engine.state("first/1.1/c0")


def test_a_live_fork_has_children_of_its_own(engine: Engine) -> None:
    begin(engine, "ask")
    version = engine.state("one").version
    fork = engine.fork("one", version, new_job_id="fork", live=True)
    assert fork.children[0].job_id == "fork/1.1/c0"
    assert engine.resume("fork/1.1/c0", Answer("well")).status == "completed"
    assert heard(engine.state("fork")) == [("fork/1.1/c0", "completed")]
    assert engine.state("one").status == "waiting"
    engine.cancel("one")
    assert engine.state("one/1.1/c0").status == "cancelled"


def test_what_was_started_before_a_fork_is_no_difference_to_its_code(engine: Engine) -> None:
    begin(engine, "ask")
    for origin, name in (("one", "fork"), ("fork", "another")):
        engine.fork(origin, engine.state(origin).version, new_job_id=name, live=True)
        engine.run(name)
        assert engine.check(name).differences == ()


def test_a_fork_of_a_child_tells_nobody(engine: Engine) -> None:
    begin(engine, "ask")
    child = engine.state("one/1.1/c0")
    fork = engine.fork("one/1.1/c0", child.version, new_job_id="fork", command=Answer("x"))
    assert (fork.status, fork.parent) == ("completed", None)
    assert engine.state("one").status == "waiting"


def test_a_child_and_its_parent_check_out(engine: Engine) -> None:
    begin(engine, "work", "ask")
    report = engine.check()
    assert (report.ok, report.jobs) == (True, 2)
    assert engine.verify().ok
