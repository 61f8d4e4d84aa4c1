"""A question whose time is over is answered with its default, once, whatever the job does then."""

from datetime import timedelta

import pytest

from esflow import Answer, Context, Continue, Engine, Flow, errors
from esflow import events as ev
from esflow.testing import ManualClock
from tests.engine.reminders import reminders
from tests.engine.world import Hosts, count, names


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of the host."""
    return ManualClock()


@pytest.fixture
def engine(hosts: Hosts, clock: ManualClock) -> Engine:
    """Return a host that asks."""
    return hosts(reminders(), clock=clock)


def answers(engine: Engine, job_id: str) -> list[tuple[object, str | None]]:
    """Return what was answered, and by whom."""
    return [
        (each.event.value, each.actor)
        for each in engine.history(job_id)
        if isinstance(each.event, ev.AnswerRecorded)
    ]


def test_the_default_is_the_answer_when_the_time_is_over(
    engine: Engine, clock: ManualClock
) -> None:
    state = engine.start("reminders", "clerk.ask", {"seconds": 60}, job_id="one")
    assert (state.status, state.wakes_at is not None) == ("paused", True)
    clock.advance(59)
    assert engine.run("one") == state
    clock.advance(1)
    state = engine.run("one", actor="user:1")
    assert [each.payload for each in state.outputs] == [{"answer": "no"}]
    assert answers(engine, "one") == [("no", "timer")]
    assert engine.history("one")[-1].actor is None


def test_who_answers_in_time_is_heard_and_nothing_comes_later(
    engine: Engine, clock: ManualClock
) -> None:
    engine.start("reminders", "clerk.ask", {"seconds": 60}, job_id="one")
    assert engine.resume("one", Answer("yes"), actor="user:1").status == "completed"
    clock.advance(60)
    assert engine.run("one").status == "completed"
    assert engine.recover() == []
    assert answers(engine, "one") == [("yes", "user:1")]


def test_who_comes_after_the_default_is_refused_and_told_it(
    engine: Engine, clock: ManualClock
) -> None:
    engine.start("reminders", "clerk.ask", {"seconds": 60}, job_id="one")
    clock.advance(60)
    engine.recover()
    with pytest.raises(errors.AnswerRefused) as caught:
        engine.resume("one", Answer("yes", "1.1/q0"))
    assert caught.value.recorded == "no"


def test_a_default_resumes_a_job_in_full_as_any_answer_does(
    hosts: Hosts, clock: ManualClock
) -> None:
    flow = Flow("full")
    routine = flow.routine("routine", outputs=("late", "out"))

    @routine.slot
    def go(ctx: Context) -> None:
        ctx.defer("late", n=1)
        ctx.emit_after(5, "out", n=2)
        ctx.pause("for tea")
        ctx.ask("Go?", to="routine.on", timeout=timedelta(seconds=10), default=None)

    @routine.slot
    def on(ctx: Context, answer: str | None) -> None:
        ctx.emit("out", answer=answer)

    engine = hosts(flow, clock=clock)
    assert engine.start("full", "routine.go", job_id="one").status == "paused"
    clock.advance(10)
    state = engine.run("one")
    assert state.status == "completed"
    told = [each.payload for each in state.outputs]
    assert told == [{"n": 1}, {"n": 2}, {"answer": None}]
    assert names(engine, "one").index("TimerFired") < names(engine, "one").index("AnswerRecorded")


def test_questions_are_answered_in_the_order_of_their_moments(
    hosts: Hosts, clock: ManualClock
) -> None:
    flow = Flow("several")
    routine = flow.routine("routine", outputs=("out",))

    @routine.slot
    def go(ctx: Context) -> None:
        for seconds in (20, 10, 30):
            ctx.ask("Go?", to="routine.on", timeout=seconds, default=seconds)

    @routine.slot
    def on(ctx: Context, answer: int) -> None:
        ctx.emit("out", answer=answer)

    engine = hosts(flow, clock=clock)
    engine.start("several", "routine.go", job_id="one")
    clock.advance(20)
    state = engine.run("one")
    assert (state.status, state.wave) == ("paused", 2), "what is late together joins one wave"
    assert [value for value, _ in answers(engine, "one")] == [10, 20]
    clock.advance(10)
    assert engine.run("one").status == "completed"
    assert [value for value, _ in answers(engine, "one")] == [10, 20, 30]


def test_the_time_of_a_question_goes_on_while_an_operator_holds_the_job(
    engine: Engine, clock: ManualClock
) -> None:
    engine.start("reminders", "clerk.ask", {"seconds": 60}, job_id="one")
    engine.pause("one", "inspection")
    clock.advance(60)
    state = engine.run("one")
    assert (state.status, answers(engine, "one")) == ("paused", [("no", "timer")])
    assert engine.recover() == [], "nothing is due any more"
    assert [each.payload for each in engine.resume("one").outputs] == [{"answer": "no"}]


def test_a_default_may_come_while_a_job_is_driven_on(hosts: Hosts, clock: ManualClock) -> None:
    flow = Flow("on")
    routine = flow.routine("routine", outputs=("next", "out"))

    @routine.slot
    def go(ctx: Context, left: int) -> None:
        if left == 3:
            ctx.ask("Go?", to="routine.answered", timeout=5, default="late")
        clock.advance(2)
        if left:
            ctx.emit("next", left=left - 1)

    @routine.slot
    def answered(ctx: Context, answer: str) -> None:
        ctx.emit("out", answer=answer, at=ctx.activation_id)

    flow.connect("routine.next", "routine.go")
    engine = hosts(flow, clock=clock)
    assert engine.start("on", "routine.go", {"left": 3}, job_id="one").status == "paused"
    state = engine.resume("one", Continue())
    assert [each.payload for each in state.outputs] == [{"answer": "late", "at": "5.1"}]
    assert answers(engine, "one") == [("late", "timer")]
    assert count(engine, "one", "ExecutionClaimed") == 2


@pytest.mark.parametrize(
    ("options", "path", "problem"),
    [
        ({"timeout": 1}, "ask.default", "is missing"),
        ({"default": "yes"}, "ask.timeout", "is missing"),
        ({"timeout": 1, "default": "maybe"}, "ask.default", "not among the choices"),
        ({"timeout": 1, "default": object()}, "ask.default", "object"),
        ({"timeout": -1, "default": "yes"}, "ask.timeout", "no time"),
        ({"timeout": "1", "default": "yes"}, "ask.timeout", "no time"),
    ],
)
def test_a_deadline_that_can_not_be_is_refused_and_nothing_is_asked(
    hosts: Hosts, options: dict[str, object], path: str, problem: str
) -> None:
    refused: list[errors.PayloadError] = []
    flow = Flow("refusing")

    @flow.slot
    def go(ctx: Context) -> None:
        with pytest.raises(errors.PayloadError, match=problem) as caught:
            ctx.ask("Go?", to="on", choices=["yes", "no"], **options)  # type: ignore[arg-type]  # wrong on purpose
        refused.append(caught.value)

    @flow.slot
    def on(ctx: Context, answer: str) -> None:
        """Hear nothing."""

    assert hosts(flow).start("refusing", "go").status == "completed"
    assert [each.path for each in refused] == [path]


def test_a_default_has_to_be_what_the_slot_takes(hosts: Hosts) -> None:
    flow = Flow("typed")

    @flow.slot
    def go(ctx: Context) -> None:
        with pytest.raises(errors.PayloadError, match="answer"):
            ctx.ask("How many?", to="on", timeout=1, default="many")

    @flow.slot
    def on(ctx: Context, answer: int) -> None:
        """Hear nothing."""

    assert hosts(flow).start("typed", "go").status == "completed"
