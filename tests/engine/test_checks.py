"""A check runs today's code against a history, and reports what it would do otherwise."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
from eventsourcing.persistence import StoredEvent

from esflow import Answer, Context, Engine, Flow, errors
from esflow.store import Store
from tests.engine.changes import CALLED, EARLY, LATE, STEPS, Change, edited, flow_of
from tests.engine.flows import support
from tests.engine.outside import Outside
from tests.engine.quotes import JOB, quoted, quotes
from tests.engine.world import Gate, Hosts, Threads, check_refusal, held, stored


def at_interrupt(engine: Engine) -> None:
    """Start the job of the examples, which is set aside."""
    state = engine.start("checked", "agent.act", job_id="one")
    assert [each.id for each in state.interrupts] == ["1.1/i0"]


def at_question(engine: Engine) -> None:
    """Carry it on until its first activation has finished."""
    at_interrupt(engine)
    state = engine.resume("one", Answer("yes"))
    assert [each.id for each in state.questions] == ["1.1/q0"]


def at_end(engine: Engine) -> None:
    """Carry it on to its end."""
    at_question(engine)
    assert engine.resume("one", Answer("yes")).status == "completed"


def is_reported(hosts: Hosts, store: Store, change: Change) -> bool:
    """Tell whether a change is the only difference, of which both sides are shown."""
    kind, steps, recorded, now = change
    before, called = stored(store), len(CALLED)
    report = hosts(flow_of(steps)).check("one")
    assert (stored(store), len(CALLED)) == (before, called), "a check changes and calls nothing"
    (found,) = report.differences
    assert (report.ok, report.jobs, found.job_id) == (False, 1, "one")
    assert (found.activation, found.kind) == ("1.1", kind)
    assert found.recorded != found.now
    return recorded in found.recorded and now in found.now


@pytest.mark.parametrize("course", [at_interrupt, at_question, at_end])
@pytest.mark.parametrize("change", EARLY)
def test_a_change_before_the_interrupt_is_reported_once_with_both_sides(
    hosts: Hosts, store: Store, course: Callable[[Engine], None], change: str
) -> None:
    course(hosts(flow_of(STEPS)))
    assert is_reported(hosts, store, EARLY[change])


@pytest.mark.parametrize("course", [at_question, at_end])
@pytest.mark.parametrize("change", LATE)
def test_a_change_behind_the_interrupt_is_reported_once_with_both_sides(
    hosts: Hosts, store: Store, course: Callable[[Engine], None], change: str
) -> None:
    course(hosts(flow_of(STEPS)))
    assert is_reported(hosts, store, LATE[change])


@pytest.mark.parametrize("course", [at_interrupt, at_question, at_end])
def test_unchanged_code_does_what_is_recorded(
    hosts: Hosts, store: Store, course: Callable[[Engine], None]
) -> None:
    course(hosts(flow_of(STEPS)))
    before, called = stored(store), len(CALLED)
    report = hosts(flow_of(STEPS)).check("one")
    assert (report.ok, report.differences, report.jobs) == (True, (), 1)
    assert (stored(store), len(CALLED)) == (before, called)


@pytest.mark.parametrize("course", [at_interrupt, at_question, at_end])
def test_what_comes_behind_an_open_interrupt_is_not_compared(
    hosts: Hosts, course: Callable[[Engine], None]
) -> None:
    course(hosts(flow_of(STEPS)))
    report = hosts(flow_of(edited("log"))).check("one")
    assert report.ok == (course is at_interrupt)


def test_another_target_of_an_emission_is_a_difference(hosts: Hosts) -> None:
    at_question(hosts(flow_of(STEPS)))
    (found,) = hosts(flow_of(STEPS, target="agent.other")).check("one").differences
    assert (found.activation, found.kind) == ("1.1", "emission")
    assert "agent.took" in found.recorded
    assert "agent.other" in found.now


def test_what_is_recorded_of_an_activation_is_no_more_than_its_first_difference(
    hosts: Hosts,
) -> None:
    at_end(hosts(flow_of(STEPS)))
    report = hosts(flow_of({"log": STEPS["log"]}, kind=int)).check("one")
    assert [(each.activation, each.kind) for each in report.differences] == [
        ("1.1", "emission"),
        ("2.3", "payload"),
    ]


def test_a_slot_that_has_gone_is_reported_wherever_it_is_needed(hosts: Hosts) -> None:
    engine = hosts(quotes(Outside()))
    quoted(engine)
    gone = hosts(Flow("quotes"))
    assert [(each.activation, each.kind) for each in gone.check(JOB).differences] == [
        ("1.1", "slot"),
        ("2.1", "slot"),
    ]
    engine.resume(JOB, Answer(0))
    found = [(each.activation, each.kind, each.recorded) for each in gone.check(JOB).differences]
    assert found == [
        ("1.1", "slot", "clerk.begin"),
        ("2.1", "slot", "clerk.offer"),
        ("2.1/q0", "slot", "clerk.decided"),
    ]


def test_work_that_has_not_begun_is_checked_for_slot_and_payload(
    hosts: Hosts, engine: Engine, store: Store
) -> None:
    engine.submit("support", "agent.note", {"line": "x"}, job_id="pending")
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="asking")
    engine.send("asking", "agent.note", {"line": "y"})
    changed = Flow("support")
    agent = changed.routine("agent", outputs=("answered",))

    @agent.slot
    def trigger(ctx: Context, task: str) -> None:
        ctx.shared["task"] = task
        ctx.ask("Which option?", choices=["A", "B"], to="agent.user_input")

    @agent.slot
    def user_input(ctx: Context, answer: str) -> None:
        ctx.emit("answered", text=answer)

    @agent.slot
    def note(ctx: Context, line: int) -> None:
        ctx.log(str(line))

    before = stored(store)
    report = hosts(changed).check()
    assert [(each.job_id, each.activation, each.kind) for each in report.differences] == [
        ("pending", "1.1", "payload"),
        ("asking", "m1", "payload"),
    ]
    assert '"line": "x"' in report.differences[0].recorded
    assert "line" in report.differences[0].now
    assert stored(store) == before


def test_failures_are_not_run_again(hosts: Hosts) -> None:
    runs = list[str]()

    def flow(*, broken: bool) -> Flow:
        made = Flow("mended")

        @made.slot
        def act(ctx: Context) -> None:
            runs.append(ctx.activation_id)
            if broken:
                raise ValueError("no")

        return made

    hosts(flow(broken=True)).start("mended", "act", job_id="one")
    report = hosts(flow(broken=False)).check("one")
    assert (report.ok, report.activations, runs) == (True, 0, ["1.1"])


def test_a_job_that_somebody_drives_can_be_checked(hosts: Hosts, threads: Threads) -> None:
    gate, flow = Gate(), Flow("driven")
    item = flow.routine("item", outputs=("next",))

    @item.slot
    def begin(ctx: Context) -> None:
        ctx.emit("next")

    @item.slot
    def rest(ctx: Context) -> None:
        gate.hold()
        ctx.log("rested")

    flow.connect("item.next", "item.rest")
    engine = hosts(flow)
    with held(threads, gate, lambda: engine.start("driven", "item.begin", job_id="one")) as done:
        report = hosts(flow).check("one")
        assert (report.ok, report.activations) == (True, 2)
        assert done().status == "completed"


def test_all_open_jobs_of_the_flows_that_are_there_are_checked(
    hosts: Hosts, engine: Engine
) -> None:
    for job_id in ("a", "b", "done"):
        engine.start("support", "agent.trigger", {"task": "x"}, job_id=job_id)
    engine.resume("done", Answer("A"))
    quoted(hosts(quotes(Outside())))
    assert engine.check().jobs == 2
    assert hosts(support(), quotes(Outside())).check().jobs == 3
    assert hosts().check() == attrs.evolve(engine.check(), jobs=0, activations=0)


def test_a_flow_that_is_given_takes_the_place_of_the_engines(hosts: Hosts, engine: Engine) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    changed = Flow("support")
    assert hosts().check("one", support()).ok
    assert hosts().check(flow=support()).jobs == 1
    assert not engine.check("one", changed).ok
    assert not engine.check(flow=changed).ok


def test_a_job_whose_flow_is_not_there_is_refused(hosts: Hosts, store: Store) -> None:
    hosts(support()).start("support", "agent.trigger", {"task": "x"}, job_id="one")
    with check_refusal(store, errors.FlowNotFound, "'support'"):
        hosts().check("one")
    with check_refusal(store, errors.FlowNotFound, "'support'"):
        hosts(support()).check("one", quotes(Outside()))
    with check_refusal(store, errors.JobNotFound, "'nobody'"):
        hosts(support()).check("nobody")


def test_a_corrupt_history_is_not_checked(hosts: Hosts) -> None:
    engine = hosts(support())
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    row = engine.store.head("one")
    assert row is not None
    forged = StoredEvent("one", row.version + 1, "JobCompleted:1", b'{"hash":"0"}')
    index = attrs.evolve(row, version=row.version + 1)
    engine.store.append([forged], index, expected=row.version, keep_lease=False)
    with pytest.raises(errors.CorruptHistory):
        engine.check()
    with pytest.raises(errors.CorruptHistory):
        engine.check("one")
    with pytest.raises(errors.CorruptHistory):
        engine.fork("one", row.version + 1)
