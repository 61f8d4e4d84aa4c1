"""A handler acts on its own job through its context alone; other jobs are free."""

from collections.abc import Callable
from contextvars import ContextVar

import pytest

from esflow import Answer, Context, Engine, Flow, JobState, errors
from tests.engine.world import Hosts, names

Act = Callable[[Engine, str], object]

caller: ContextVar[str] = ContextVar("caller", default="nobody")

ACTS: list[Act] = [
    lambda engine, job: engine.start("own", "own", job_id=job),
    lambda engine, job: engine.submit("own", "own", job_id=job),
    lambda engine, job: engine.resume(job),
    lambda engine, job: engine.resume(job, Answer("x")),
    lambda engine, job: engine.run(job),
    lambda engine, job: engine.send(job, "own", {}),
    lambda engine, job: engine.pause(job),
    lambda engine, job: engine.wait(job, 60),
]

LOOKS: list[Act] = [
    lambda engine, job: engine.state(job),
    lambda engine, job: engine.history(job),
    lambda engine, job: [each for each in engine.jobs() if each.job_id == job],
    lambda engine, job: engine.verify(job),
    lambda engine, job: next(engine.follow(job)),
]


def _who_calls(engine: Engine, job_id: str) -> str:
    return caller.get()


def _own(
    hosts: Hosts, act: Act, found: list[object], *, in_effect: bool = False
) -> tuple[Engine, JobState]:
    flow = Flow("own")
    engines: list[Engine] = []

    def acted(job_id: str) -> None:
        try:
            found.append(act(engines[0], job_id))
        except errors.EsflowError as refused:
            found.append(refused)

    @flow.slot
    def own(ctx: Context) -> None:
        if in_effect:
            ctx.effect(acted, ctx.job_id)
        else:
            acted(ctx.job_id)

    engines.append(hosts(flow))
    return engines[0], engines[0].start("own", "own", job_id="one")


@pytest.mark.parametrize("in_effect", [False, True])
@pytest.mark.parametrize("act", ACTS)
def test_acting_on_the_own_job_is_refused_and_the_job_goes_on(
    hosts: Hosts, act: Act, in_effect: bool
) -> None:
    found: list[object] = []
    engine, state = _own(hosts, act, found, in_effect=in_effect)
    assert [type(each) for each in found] == [errors.ReentrantCall]
    assert "'one'" in str(found[0])
    assert "use the handler's context" in str(found[0])
    assert state.status == "completed"
    effect = ["EffectRecorded"] if in_effect else []
    assert names(engine, "one") == [
        "JobStarted",
        "ExecutionClaimed",
        *effect,
        "ActivationCompleted",
        "JobCompleted",
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_looking_at_the_own_job_is_allowed(hosts: Hosts, look: Act) -> None:
    found: list[object] = []
    _, state = _own(hosts, look, found)
    assert state.status == "completed"
    assert len(found) == 1
    assert not isinstance(found[0], errors.EsflowError)


def _nested(width: int, act: Act, found: list[object]) -> tuple[Flow, list[Engine]]:
    """Return a flow that starts another job, whose wave of that width acts on the first."""
    flow = Flow("own")
    engines: list[Engine] = []
    outer = flow.routine("outer", outputs=("done",))
    inner = flow.routine("inner", outputs=("out",))
    member = flow.routine("member")

    @outer.slot
    def begin(ctx: Context) -> None:
        state = engines[0].start("own", "inner.spread", job_id="two")
        ctx.emit("done", status=state.status.value)

    @inner.slot
    def spread(ctx: Context) -> None:
        for number in range(width):
            ctx.emit("out", number=number)

    @member.slot
    def item(ctx: Context, number: int) -> None:
        try:
            found.append(act(engines[0], "one"))
        except errors.EsflowError as refused:
            found.append(type(refused))

    flow.connect("inner.out", "member.item")
    return flow, engines


@pytest.mark.parametrize("width", [1, 2, 3])
def test_another_job_may_be_started_from_inside_but_does_not_reach_back(
    hosts: Hosts, width: int
) -> None:
    found: list[object] = []
    flow, engines = _nested(width, lambda engine, job: engine.send(job, "member.item", {}), found)
    engines.append(hosts(flow))
    state = engines[0].start("own", "outer.begin", job_id="one")
    assert found == [errors.ReentrantCall] * width
    assert [each.payload for each in state.outputs] == [{"status": "completed"}]
    assert engines[0].state("two").status == "completed"


@pytest.mark.parametrize("width", [1, 3])
def test_handlers_see_the_context_variables_of_whoever_drives_them(
    hosts: Hosts, width: int
) -> None:
    found: list[object] = []
    flow, engines = _nested(width, _who_calls, found)
    engines.append(hosts(flow))
    token = caller.set("somebody")
    try:
        engines[0].start("own", "inner.spread", job_id="two")
    finally:
        caller.reset(token)
    assert found == ["somebody"] * width


def test_a_job_may_be_sent_messages_from_another(hosts: Hosts) -> None:
    flow = Flow("own")
    engines: list[Engine] = []

    @flow.slot
    def tell(ctx: Context) -> None:
        engines[0].send("other", "hear", {"line": f"from {ctx.job_id}"})

    @flow.slot
    def hear(ctx: Context, line: str) -> None:
        ctx.log(line)

    engines.append(hosts(flow))
    engines[0].submit("own", "hear", {"line": "first"}, job_id="other")
    engines[0].start("own", "tell", job_id="one")
    assert [each.message for each in engines[0].run("other").log] == ["first", "from one"]
