"""A flow that was edited between pause and resume goes on, or says what it lacks."""

from collections.abc import Callable

import pytest

from esflow import Answer, Context, Engine, Flow, Routine, errors
from esflow.store import Store
from tests.engine.world import Hosts, check_refusal, names

SLOTS = ("begin", "asked", "next", "later", "told")


def _begin(ctx: Context, task: str) -> None:
    ctx.emit("out", text=task)
    ctx.defer("late", text=task)
    ctx.ask("Go?", to="worker.asked")


def _asked(ctx: Context, answer: str) -> None:
    ctx.log(f"asked {answer}")


def _next(ctx: Context, text: str) -> None:
    ctx.log(f"next {text}")


def _later(ctx: Context, text: str) -> None:
    ctx.log(f"later {text}")


def _told(ctx: Context, line: str) -> None:
    ctx.log(f"told {line}")


HANDLERS: dict[str, Callable[..., None]] = {
    "begin": _begin,
    "asked": _asked,
    "next": _next,
    "later": _later,
    "told": _told,
}


def _flow(version: str = "1", *, without: str = "", more: str = "") -> Flow:
    flow = Flow("edited", version)
    worker = flow.routine("worker", outputs=("out", "late"))
    for name, handler in HANDLERS.items():
        if name != without:
            worker.slot(name=name)(handler)
    if more:
        _add(flow.routine(more))
    if without != "next":
        flow.connect("worker.out", "worker.next")
    if without != "later":
        flow.connect("worker.late", "worker.later")
    return flow


def _add(routine: Routine) -> None:
    @routine.slot
    def unused(ctx: Context) -> None:
        ctx.log("unused")


@pytest.fixture
def paused(hosts: Hosts) -> str:
    """Return a job with ready work, a deferral, a question and a message."""
    engine = hosts(_flow())
    job_id = engine.start("edited", "worker.begin", {"task": "x"}).job_id
    engine.send(job_id, "worker.told", {"line": "y"})
    return job_id


def test_everything_that_waits_is_delivered(hosts: Hosts, paused: str) -> None:
    state = hosts(_flow()).resume(paused, Answer("yes"))
    assert [each.message for each in state.log] == ["next x", "later x", "told y", "asked yes"]


@pytest.mark.parametrize(
    "edited", [_flow("2"), _flow(more="extra"), _flow("3", without="begin", more="extra")]
)
def test_a_harmless_edit_is_recorded_with_its_fingerprint(
    hosts: Hosts, paused: str, edited: Flow
) -> None:
    engine = hosts(edited)
    old = engine.state(paused).fingerprint
    state = engine.resume(paused, Answer("yes"))
    assert (state.status, state.flow_version) == ("completed", edited.version)
    assert state.fingerprint == edited.fingerprint != old
    definitions = [engine.store.get_definition(each) for each in (old, edited.fingerprint)]
    assert None not in definitions
    claims = [each for each in engine.history(paused) if each.event.name == "ExecutionClaimed"]
    assert [getattr(each.event, "fingerprint", None) for each in claims] == [
        old,
        edited.fingerprint,
    ]


def test_what_is_recorded_goes_where_it_went_when_it_was_recorded(
    hosts: Hosts, paused: str
) -> None:
    rewired = Flow("edited", "2")
    worker = rewired.routine("worker", outputs=("out", "late"))
    for name, handler in HANDLERS.items():
        worker.slot(name=name)(handler)
    rewired.connect("worker.out", "worker.later")
    rewired.connect("worker.late", "worker.next")
    state = hosts(rewired).resume(paused, Answer("yes"))
    assert [each.message for each in state.log] == ["next x", "later x", "told y", "asked yes"]
    assert hosts().state(paused) == state


@pytest.mark.parametrize("missing", ["next", "later", "asked", "told"])
def test_a_slot_that_is_needed_and_gone_is_named(
    hosts: Hosts, store: Store, paused: str, missing: str
) -> None:
    engine = hosts(_flow("2", without=missing))
    shown = (f"worker.{missing}", "'edited'", "deploy a version that has it")
    with check_refusal(store, errors.FlowChanged, *shown) as caught:
        engine.resume(paused, Answer("yes"))
    assert caught.value.missing == (f"worker.{missing}",)
    assert hosts(_flow("3")).resume(paused, Answer("yes")).status == "completed"


def test_every_slot_that_is_gone_is_named(hosts: Hosts, store: Store, paused: str) -> None:
    flow = Flow("edited")
    flow.routine("worker").slot(name="begin")(_begin)
    with check_refusal(store, errors.FlowChanged) as caught:
        hosts(flow).resume(paused, Answer("yes"))
    assert caught.value.missing == ("worker.asked", "worker.later", "worker.next", "worker.told")


@pytest.mark.parametrize("call", [Engine.run, Engine.resume])
def test_a_pending_job_that_lost_its_slot_is_not_begun(
    hosts: Hosts, store: Store, call: Callable[[Engine, str], object]
) -> None:
    job_id = hosts(_flow()).submit("edited", "worker.begin", {"task": "x"})
    engine = hosts(_flow(without="begin"))
    engine.pause(job_id)
    if call is Engine.run:
        assert engine.run(job_id).status == "paused"
        hosts(_flow()).resume(job_id)
        return
    with check_refusal(store, errors.FlowChanged, "worker.begin"):
        call(engine, job_id)


def test_a_submitted_job_that_lost_its_slot_is_refused_by_run_and_left_by_recover(
    hosts: Hosts, store: Store
) -> None:
    job_id = hosts(_flow()).submit("edited", "worker.begin", {"task": "x"})
    engine = hosts(_flow(without="begin"))
    with check_refusal(store, errors.FlowChanged, "worker.begin"):
        engine.run(job_id)
    assert engine.recover() == []
    assert names(engine, job_id) == ["JobStarted"]


def test_a_payload_that_the_edited_slot_does_not_take_is_a_failure(
    hosts: Hosts, paused: str
) -> None:
    flow = Flow("edited", "2")
    worker = flow.routine("worker", outputs=("out", "late"))
    for name in ("begin", "asked", "later", "told"):
        worker.slot(name=name)(HANDLERS[name])

    @worker.slot(name="next")
    def retyped(ctx: Context, text: int) -> None:
        ctx.log(str(text))

    state = hosts(flow).resume(paused, Answer("yes"))
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "PayloadError")
    assert "worker.next.text" in state.failure.message
