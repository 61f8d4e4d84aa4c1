"""A handler that asks in its middle is set aside, and goes on with the answer as if it had one."""

from enum import Enum
from typing import Any, Literal

import attrs
import pytest

from esflow import Answer, Context, Continue, Engine, Flow, Goto, JobState, Update, errors
from esflow import events as ev
from esflow.store import Store
from tests.engine.outside import Outside, driver
from tests.engine.world import Gate, Hosts, Threads, check_refusal, count, effects, held, names
from tests.stores import OpenStore


class Colour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Plan:
    """A plan."""

    title: str
    steps: tuple[int, ...] = ()


def _start(engine: Engine) -> JobState:
    return engine.start("outside", "agent.act", job_id="one")


def _open(state: JobState) -> list[str]:
    assert state.status == "paused"
    assert [each.kind for each in state.pause] == ["interrupt"] * len(state.interrupts)
    return [each.id for each in state.interrupts]


# One activation.


@pytest.mark.parametrize("questions", [1, 2, 5])
def test_each_answer_runs_the_handler_once_more_and_no_effect_twice(
    hosts: Hosts, questions: int
) -> None:
    world = Outside()

    def call(what: str) -> str:
        world.calls[what] += 1
        return what

    def handler(ctx: Context) -> None:
        world.calls["run"] += 1
        for number in range(questions):
            ctx.effect(call, f"before {number}")
            answer = ctx.interrupt(f"question {number}")
            ctx.log(ctx.effect(call, f"{number} is {answer}"))

    state = _start(driver(hosts, handler))
    for number in range(questions):
        assert _open(state) == [f"1.1/i{number}"]
        assert [each.payload for each in state.interrupts] == [f"question {number}"]
        assert state.log == ()
        state = driver(hosts, handler).resume("one", Answer(number * 10), actor="user:7")
    assert (state.status, world.calls.pop("run")) == ("completed", questions + 1)
    assert [each.message for each in state.log] == [f"{n} is {n * 10}" for n in range(questions)]
    assert set(world.calls.values()) == {1}
    assert len(world.calls) == len(effects(driver(hosts, handler), "one")) == 2 * questions
    answers = [
        each
        for each in driver(hosts, handler).history("one")
        if isinstance(each.event, ev.AnswerRecorded)
    ]
    assert [each.actor for each in answers] == ["user:7"] * questions


def test_a_handler_asks_in_a_loop_until_it_is_told_enough(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        total = 0
        while (more := ctx.interrupt({"total": total}, type=int | None)) is not None:
            total += more
        ctx.shared["total"] = total

    engine = driver(hosts, handler)
    state = _start(engine)
    for value in (3, 4, 5):
        state = engine.resume("one", Answer(value))
    assert [each.payload for each in state.interrupts] == [{"total": 12}]
    state = engine.resume("one", Answer(None))
    assert (state.status, state.shared) == ("completed", {"total": 12})


def test_nothing_that_a_set_aside_run_asked_for_leaks_out(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        ctx.shared["n"] = 1
        ctx.write("total", 1, "add")
        ctx.memory["n"] = 1
        ctx.log("line")
        ctx.emit("out", n=1)
        ctx.defer("out", n=2)
        ctx.pause("tea")
        ctx.interrupt("sure?")

    flow = Flow("outside")
    flow.routine("agent", outputs=("out",)).slot(name="act")(handler)
    engine = hosts(flow)
    state = _start(engine)
    assert (state.shared, state.memory, state.log, state.outputs) == ({}, {}, (), ())
    assert (state.deferrals, state.ready, _open(state)) == ((), (), ["1.1/i0"])
    assert names(engine, "one")[2:] == ["Interrupted", "JobPaused"]
    state = engine.resume("one", Answer(None))
    assert [each.kind for each in state.pause] == ["program"]
    assert (state.shared, state.memory) == ({"n": 1, "total": 1}, {"agent": {"n": 1}})
    assert (len(state.log), len(state.outputs), len(state.deferrals)) == (1, 1, 1)
    assert engine.verify("one").ok


def test_an_answer_is_all_that_a_handler_sees_of_having_been_set_aside(hosts: Hosts) -> None:
    seen: list[tuple[Any, ...]] = []

    def handler(ctx: Context) -> None:
        ctx.shared["n"] = ctx.shared.get("n", 0) + 1
        seen.append((ctx.activation_id, ctx.idempotency_key, ctx.shared["n"], ctx.random()))
        ctx.interrupt("sure?")

    _start(driver(hosts, handler))
    assert driver(hosts, handler).resume("one", Answer(1)).shared == {"n": 1}
    assert len(seen) == 2
    assert seen[0] == seen[1]


ANSWERS: list[tuple[dict[str, Any], object, object]] = [
    ({}, {"a": [1, None]}, {"a": [1, None]}),
    ({"choices": ["A", 1, None]}, 1, 1),
    ({"type": int}, 5, 5),
    ({"type": float}, 5, 5.0),
    ({"type": Colour}, "red", Colour.RED),
    ({"type": Colour}, Colour.BLUE, Colour.BLUE),
    ({"type": Colour, "choices": [Colour.RED]}, "red", Colour.RED),
    ({"type": Literal["yes", "no"]}, "no", "no"),
    ({"type": Plan}, {"title": "t", "steps": [1]}, Plan("t", (1,))),
    ({"type": Plan}, Plan("t"), Plan("t")),
    ({"type": list[Plan] | None}, [Plan("t")], [Plan("t")]),
    ({"type": list[Plan] | None}, None, None),
]


@pytest.mark.parametrize(("options", "answer", "expected"), ANSWERS)
def test_an_answer_is_what_the_type_says_on_every_host(
    hosts: Hosts, options: dict[str, Any], answer: Any, expected: object
) -> None:
    seen: list[object] = []

    def handler(ctx: Context) -> None:
        seen.append(ctx.interrupt("which?", **options))
        ctx.interrupt("again?")

    _start(driver(hosts, handler))
    driver(hosts, handler).resume("one", Answer(answer))
    assert driver(hosts, handler).resume("one", Answer(1)).status == "completed"
    assert seen == [expected, expected]
    assert type(seen[0]) is type(seen[1]) is type(expected)


REFUSED: list[tuple[dict[str, Any], object, tuple[str, ...]]] = [
    ({"choices": ["A", 1]}, True, ("True", "['A', 1]", "one of them")),
    ({"choices": ["A", 1]}, "a", ("'a'", "['A', 1]")),
    ({"type": int}, "5", ("'5' is no integer",)),
    ({"type": int}, True, ("True is no integer",)),
    ({"type": int}, 5.0, ("5.0 is no integer",)),
    ({"type": int | None}, "x", ("'x' is no integer or null",)),
    ({"type": Colour}, "green", ("'green'", "['red', 'blue']")),
    ({"type": Colour, "choices": ["red"]}, "blue", ("'blue'", "['red']")),
    ({"type": Literal["yes", "no"]}, "maybe", ("'maybe'", "['yes', 'no']")),
    ({"type": Plan}, "t", ("'t' is no object",)),
    ({"type": list[Plan]}, {"title": "t"}, ("is no array",)),
]


@pytest.mark.parametrize(("options", "answer", "shown"), REFUSED)
def test_an_answer_that_does_not_fit_is_refused(
    hosts: Hosts, store: Store, options: dict[str, Any], answer: Any, shown: tuple[str, ...]
) -> None:
    engine = driver(hosts, lambda ctx: ctx.log("", got=ctx.interrupt("which?", **options)))
    _start(engine)
    for to in (None, "1.1/i0"):
        with check_refusal(store, errors.AnswerRefused, "1.1/i0", *shown):
            engine.resume("one", Answer(answer, to))


def test_an_answer_that_is_no_json_is_refused_by_its_path(hosts: Hosts, store: Store) -> None:
    engine = driver(hosts, lambda ctx: ctx.log(ctx.interrupt("which?")))
    _start(engine)
    with check_refusal(store, errors.PayloadError, "answer.deep[0]", "nan"):
        engine.resume("one", Answer({"deep": [float("nan")]}))


def test_an_answer_that_only_its_type_refuses_is_used_up_and_asked_for_anew(hosts: Hosts) -> None:
    def handler(ctx: Context) -> None:
        for _ in range(3):
            try:
                ctx.shared["title"] = ctx.interrupt("plan?", type=Plan).title
            except errors.PayloadError as refused:
                ctx.log(str(refused))
            else:
                return

    engine = driver(hosts, handler)
    _start(engine)
    state = engine.resume("one", Answer({"titel": "typo"}))
    assert _open(state) == ["1.1/i1"]
    state = engine.resume("one", Answer({"title": "t"}))
    assert (state.status, state.shared, len(state.log)) == ("completed", {"title": "t"}, 1)
    assert "1.1/i0" in state.log[0].message


@pytest.mark.parametrize("to", [None, "1.1/i0"])
def test_a_second_answer_is_told_the_first_and_where_it_stands(
    hosts: Hosts, store: Store, threads: Threads, to: str | None
) -> None:
    gate = Gate()

    def handler(ctx: Context) -> None:
        ctx.log(ctx.interrupt("sure?"))
        gate.hold()

    engine = driver(hosts, handler)
    version = _start(engine).version + 1
    with held(threads, gate, lambda: engine.resume("one", Answer("yes"))) as released:
        with check_refusal(store, errors.AnswerRefused, "'yes'", f"version {version}") as caught:
            driver(hosts, handler).resume("one", Answer("no", to))
        assert (caught.value.recorded, caught.value.version) == ("yes", version)
        assert [each.message for each in released().log] == ["yes"]


@pytest.mark.parametrize("to", ["1.1/i1", "1.1/q0", "2.1/i0", "1.1"])
def test_an_answer_to_what_was_not_asked_names_what_was(
    hosts: Hosts, store: Store, to: str
) -> None:
    engine = driver(hosts, lambda ctx: ctx.log(ctx.interrupt("sure?")))
    _start(engine)
    with check_refusal(store, errors.InterruptNotFound, repr(to), "1.1/i0"):
        engine.resume("one", Answer("yes", to))


def test_a_job_that_is_listed_says_what_it_asks(hosts: Hosts) -> None:
    engine = driver(hosts, lambda ctx: ctx.log(ctx.interrupt("sure?")))
    _start(engine)
    assert [(each.status, each.question) for each in engine.jobs()] == [("paused", "sure?")]
    assert engine.wait("one", 0).interrupts[0].activation == "1.1"
    engine.resume("one", Answer("yes"))
    assert [each.question for each in engine.jobs()] == [None]


# Other wishes while something is asked.


def test_continue_is_no_answer_and_an_update_that_would_continue_is_refused_whole(
    hosts: Hosts, store: Store
) -> None:
    engine = driver(hosts, lambda ctx: ctx.log(ctx.interrupt("sure?")))
    _start(engine)
    for command in (Continue(), Update({"n": 1})):
        with check_refusal(store, errors.AnswerRequired, "1.1/i0", "Answer(value, to=id)"):
            engine.resume("one", command)
    state = engine.update("one", {"n": 1})
    assert (state.status, state.shared) == ("paused", {})
    assert engine.resume("one", Answer("yes")).shared == {"n": 1}


def test_a_goto_and_a_cancellation_leave_nothing_to_answer(hosts: Hosts, store: Store) -> None:
    def handler(ctx: Context) -> None:
        ctx.interrupt("sure?")

    engine = driver(hosts, handler)
    _start(engine)
    state = engine.resume("one", Goto("agent.act"))
    assert _open(state) == ["2.1/i0"]
    with check_refusal(store, errors.InterruptNotFound, "1.1/i0", "2.1/i0"):
        engine.resume("one", Answer("yes", "1.1/i0"))
    assert (engine.cancel("one").status, engine.jobs()[0].question) == ("cancelled", None)
    with check_refusal(store, errors.JobClosed, "cancelled", "an answer"):
        engine.resume("one", Answer("yes", "2.1/i0"))


def test_an_answer_is_recorded_and_waits_under_an_operators_hold(hosts: Hosts) -> None:
    engine = driver(hosts, lambda ctx: ctx.log(ctx.interrupt("sure?")))
    _start(engine)
    assert [each.kind for each in engine.pause("one").pause] == ["interrupt", "operator"]
    state = engine.resume("one", Answer("yes"))
    assert ([each.kind for each in state.pause], state.log) == (["operator"], ())
    state = driver(hosts, lambda ctx: ctx.log(ctx.interrupt("sure?"))).resume("one")
    assert (state.status, [each.message for each in state.log]) == ("completed", ["yes"])


# Hosts that end in between.


def test_an_answer_outlives_the_host_that_was_to_use_it(hosts: Hosts) -> None:
    world = Outside(interruptions=2)

    def handler(ctx: Context) -> None:
        ctx.effect(world.calls.update, ["effect"])
        answer = ctx.interrupt("sure?")
        world.interrupt()
        ctx.log(answer)

    _start(driver(hosts, handler))
    engine = driver(hosts, handler)
    with pytest.raises(KeyboardInterrupt):
        engine.resume("one", Answer("yes"))
    with pytest.raises(KeyboardInterrupt):
        driver(hosts, handler).run("one")
    state = driver(hosts, handler).run("one")
    assert (state.status, [each.message for each in state.log]) == ("completed", ["yes"])
    assert (world.calls, count(engine, "one", "AnswerRecorded")) == ({"effect": 1}, 1)


def test_snapshots_keep_what_is_asked_and_what_was_answered(open_again: OpenStore) -> None:
    flow = Flow("outside")

    @flow.routine("agent").slot
    def act(ctx: Context) -> None:
        ctx.log(ctx.interrupt("one?") + ctx.interrupt("two?", choices=["b", "c"]))

    state, answers = None, ["a", "b"]
    for _ in range(3):
        with Engine(open_again(), [flow], snapshot_every=1) as engine:
            if state is None:
                state = _start(engine)
            else:
                state = engine.resume("one", Answer(answers.pop(0)), after=["agent.act"])
            assert engine.state("one").as_dict() == state.as_dict()
    assert state is not None
    assert [each.text for each in state.pause] == ["after agent.act"]
    assert [each.message for each in state.log] == ["ab"]
