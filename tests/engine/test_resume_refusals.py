"""A resume that isn't granted says why and what to do, and leaves every byte as it was."""

from typing import Any

import pytest

from esflow import Answer, Continue, Engine, errors
from esflow.store import Store
from tests.engine.flows import gated, panel
from tests.engine.world import Gate, Hosts, Threads, check_refusal, held


@pytest.fixture
def asked(engine: Engine) -> str:
    """Return a job that waits for A or B."""
    return engine.start("support", "agent.trigger", {"task": "choose"}).job_id


def test_an_ended_job_refuses_every_command(engine: Engine, store: Store, asked: str) -> None:
    engine.resume(asked, Answer("A"))
    for command in (Continue(), Answer("A")):
        with check_refusal(store, errors.JobClosed, asked, "completed", "start a new job"):
            engine.resume(asked, command)


@pytest.mark.parametrize("job_id", ["nobody", "", "a\x00b", "\ud800", "../../etc/passwd", "' OR 1"])
def test_an_unknown_job_is_not_found_whatever_it_is_called(
    engine: Engine, store: Store, asked: str, job_id: str
) -> None:
    calls = (
        lambda: engine.resume(job_id),
        lambda: engine.run(job_id),
        lambda: engine.send(job_id, "agent.note", {"line": "x"}),
        lambda: engine.pause(job_id),
        lambda: engine.state(job_id),
        lambda: engine.history(job_id),
        lambda: next(engine.follow(job_id)),
        lambda: engine.wait(job_id, 0),
        lambda: engine.verify(job_id),
    )
    for call in calls:
        with check_refusal(store, errors.JobNotFound, repr(job_id), "jobs()"):
            call()


def test_an_unknown_question_is_refused_with_the_open_ones(
    engine: Engine, store: Store, asked: str
) -> None:
    with check_refusal(store, errors.InterruptNotFound, "'7.7/q0'", "1.1/q0"):
        engine.resume(asked, Answer("A", to="7.7/q0"))


def test_an_answer_to_a_job_that_asks_nothing_is_refused(engine: Engine, store: Store) -> None:
    job_id = engine.submit("support", "agent.note", {"line": "quiet"})
    with check_refusal(store, errors.InterruptNotFound, job_id, "none", "Continue()"):
        engine.resume(job_id, Answer("A"))


@pytest.mark.parametrize("value", ["C", "a", "", "A "])
def test_an_answer_outside_the_choices_is_refused_with_the_choices(
    engine: Engine, store: Store, asked: str, value: str
) -> None:
    with check_refusal(store, errors.AnswerRefused, repr(value), "['A', 'B']", "one of them"):
        engine.resume(asked, Answer(value))


@pytest.mark.parametrize("value", [1, None, True, ["A"], {"A": "B"}])
def test_an_answer_that_the_slot_does_not_take_is_refused_by_its_path(
    engine: Engine, store: Store, asked: str, value: Any
) -> None:
    with check_refusal(store, errors.PayloadError, "agent.user_input.answer", "expected str"):
        engine.resume(asked, Answer(value))


def test_an_answer_that_is_no_json_is_refused_by_its_path(
    engine: Engine, store: Store, asked: str
) -> None:
    with check_refusal(store, errors.PayloadError, "answer.deep[1]", "nan"):
        engine.resume(asked, Answer({"deep": [0, float("nan")]}))


@pytest.mark.parametrize("to", [None, "1.1/q0"])
@pytest.mark.parametrize("value", ["A", "B"])
def test_a_second_answer_is_told_the_first_and_where_it_stands(
    hosts: Hosts, store: Store, to: str | None, value: str
) -> None:
    engine = hosts(panel())
    job_id = engine.start("panel", "chair.opening").job_id
    state = engine.resume(job_id, Answer("A", to="1.1/q0"))
    recorded = next(
        each.version for each in engine.history(job_id) if each.event.name == "AnswerRecorded"
    )
    engine.resume(job_id, Answer(2))
    assert state.status == "paused"
    if to is None:
        with check_refusal(store, errors.JobClosed, job_id):
            engine.resume(job_id, Answer(value))
        return
    with check_refusal(store, errors.AnswerRefused, "'A'", f"version {recorded}") as caught:
        engine.resume(job_id, Answer(value, to=to))
    assert (caught.value.recorded, caught.value.version) == ("A", recorded)


def test_a_second_answer_that_names_nothing_meets_the_last_answer(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate = Gate()
    flow = gated(gate)
    worker = flow.routine("asker")

    @worker.slot
    def ask(ctx: Any) -> None:
        ctx.ask("Go?", to="asker.go")

    @worker.slot
    def go(ctx: Any, answer: bool) -> None:
        gate.hold()

    engine = hosts(flow)
    job_id = engine.start("gated", "asker.ask").job_id
    with held(threads, gate, lambda: engine.resume(job_id, Answer(value=True))) as released:
        with check_refusal(store, errors.AnswerRefused, "True", "the first answer stands"):
            hosts(flow).resume(job_id, Answer(value=False))
        assert released().status == "completed"


def test_several_open_questions_need_to_be_named(hosts: Hosts, store: Store) -> None:
    engine = hosts(panel())
    job_id = engine.start("panel", "chair.opening").job_id
    with check_refusal(store, errors.AnswerRefused, "1.1/q0", "1.1/q1", "to=id"):
        engine.resume(job_id, Answer(1))


def test_continue_does_not_answer(hosts: Hosts, store: Store) -> None:
    engine = hosts(panel())
    job_id = engine.start("panel", "chair.opening").job_id
    with check_refusal(store, errors.AnswerRequired, "1.1/q0, 1.1/q1", "Answer(value, to=id)"):
        engine.resume(job_id)


@pytest.mark.parametrize("command", [Continue(), Answer("A")])
@pytest.mark.parametrize("expected", [-1, 0, 1, 99])
def test_a_command_for_another_version_is_refused(
    engine: Engine, store: Store, asked: str, command: Continue | Answer, expected: int
) -> None:
    version = engine.state(asked).version
    shown = (f"expected version {expected}", f"found {version}", "decide again")
    with check_refusal(store, errors.VersionConflict, *shown):
        engine.resume(asked, command, expected_version=expected)


def test_a_command_for_this_version_is_granted(engine: Engine, asked: str) -> None:
    version = engine.state(asked).version
    assert engine.resume(asked, Answer("B"), expected_version=version).status == "completed"


def test_a_job_that_is_driven_elsewhere_is_not_paused(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate = Gate()
    first, second = hosts(gated(gate)), hosts(gated(gate))
    start = lambda: first.start("gated", "worker.first", job_id="busy")  # noqa: E731 - one use
    with held(threads, gate, start) as released:
        with check_refusal(store, errors.NotPaused, "busy", "running on host-0", "wait()"):
            second.resume("busy")
        assert released().status == "completed"


def test_a_pending_job_is_run_and_not_resumed(engine: Engine, store: Store) -> None:
    job_id = engine.submit("support", "agent.note", {"line": "later"})
    with check_refusal(store, errors.NotPaused, job_id, "pending", "run()"):
        engine.resume(job_id)


def test_a_flow_that_the_host_does_not_have_is_named(
    hosts: Hosts, engine: Engine, store: Store, asked: str
) -> None:
    other = hosts(panel())
    for command in (Continue(), Answer("A")):
        with check_refusal(store, errors.FlowNotFound, "'support'", "panel", "flows=[...]"):
            other.resume(asked, command)


@pytest.mark.parametrize("command", ["A", None, {"answer": "A"}, Answer])
def test_what_is_no_command_is_refused_by_name(
    engine: Engine, store: Store, asked: str, command: Any
) -> None:
    with check_refusal(store, errors.PayloadError, repr(command), "Answer(value)"):
        engine.resume(asked, command)


@pytest.mark.parametrize("actor", [5, "\ud800", ["me"]])
def test_an_actor_that_is_no_text_is_refused(
    engine: Engine, store: Store, asked: str, actor: Any
) -> None:
    with check_refusal(store, errors.PayloadError, "actor"):
        engine.resume(asked, Answer("A"), actor=actor)
    with check_refusal(store, errors.PayloadError, "actor"):
        engine.send(asked, "agent.note", {"line": "x"}, actor=actor)
    with check_refusal(store, errors.PayloadError, "actor"):
        engine.pause(asked, actor=actor)
    with check_refusal(store, errors.PayloadError, "actor"):
        engine.run(asked, actor=actor)


@pytest.mark.parametrize("to", [[], 7, "9.9/q9"])
def test_an_answer_to_what_is_no_id_is_refused(
    engine: Engine, store: Store, asked: str, to: Any
) -> None:
    with check_refusal(store, errors.InterruptNotFound, str(to)):
        engine.resume(asked, Answer("A", to=to))
