"""Slots that gather, over every store: joins, collections, who may bring something, and who not."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import attrs
import pytest

from esflow import Answer, Context, Engine, Flow, Goto, errors
from esflow import events as ev
from esflow.store import Store
from tests.engine.world import Hosts, check_refusal


class Grade(enum.Enum):
    """How good something is."""

    GOOD = "good"
    BAD = "bad"


@attrs.frozen(kw_only=True)
class Review:
    """What somebody thinks of something."""

    by: str
    grade: Grade = Grade.GOOD


def reviews() -> Flow:
    """Return a flow in which two reviewers meet in a join, and opinions in a collection of two."""
    flow = Flow("reviews")
    author = flow.routine("author", outputs=("draft", "word"))
    reader = flow.routine("reader", outputs=("read",))
    critic = flow.routine("critic", outputs=("read", "again"))

    @author.slot
    def write(ctx: Context, rounds: int = 1) -> None:
        for number in range(rounds):
            ctx.emit("draft", number=number)

    @author.slot
    def ask(ctx: Context) -> None:
        ctx.emit("word", by="author")
        ctx.ask("And you?", to="collect")

    @author.slot
    def join_by_answer(ctx: Context) -> None:
        ctx.ask("And you?", to="join")

    @reader.slot(name="read")
    def read(ctx: Context, number: int) -> None:
        ctx.emit("read", by=f"reader of {number}")

    @critic.slot(name="look")
    def look(ctx: Context, number: int) -> None:
        ctx.emit("again", number=number)

    @critic.slot(name="read")
    def read_again(ctx: Context, number: int) -> None:
        ctx.emit("read", who=f"critic of {number}", grade=Grade.BAD)

    @flow.slot(gather="all", outputs=("out",))
    def join(ctx: Context, items: list[Review]) -> None:
        ctx.emit("out", told=[f"{each.by}: {each.grade.name}" for each in items])

    @flow.slot(gather=2, outputs=("out",))
    def collect(ctx: Context, items: Sequence[dict[str, str]]) -> None:
        ctx.emit("out", told=[sorted(each.values()) for each in items])

    flow.connect("author.draft", "critic.look")
    flow.connect("author.draft", "reader.read")
    flow.connect("critic.again", "critic.read")
    flow.connect("critic.read", "join", rename={"who": "by"})
    flow.connect("reader.read", "join")
    flow.connect("author.word", "collect")
    return flow


@pytest.fixture
def engine(hosts: Hosts) -> Engine:
    """Return a host with the reviews."""
    return hosts(reviews())


def told(engine: Engine, job_id: str) -> list[object]:
    """Return what the gathering slots of a job got, one after the other."""
    return [each.payload["told"] for each in engine.state(job_id).outputs]


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_join_gets_one_payload_by_each_connection_as_often_as_they_are_there(
    engine: Engine, rounds: int
) -> None:
    state = engine.start("reviews", "author.write", {"rounds": rounds}, job_id="one")
    assert (state.status, state.gathers) == ("completed", ())
    assert told(engine, "one") == [
        [f"critic of {number}: BAD", f"reader of {number}: GOOD"] for number in range(rounds)
    ]
    assert engine.verify("one").ok


def test_an_emission_says_what_its_slot_collects(engine: Engine) -> None:
    engine.start("reviews", "author.write", job_id="one")
    targets = {
        each.event.id: each.event.targets
        for each in engine.history("one")
        if isinstance(each.event, ev.Emitted)
    }
    among = ("critic.read", "reader.read")
    (target,) = targets["2.2/o0"]
    assert target.gather == ev.Gather(count=2, among=among, connection="reader.read")
    (target,) = targets["3.1/o0"]
    assert target.rename == {"who": "by"}
    assert target.gather == ev.Gather(count=2, among=among, connection="critic.read")


def test_a_message_and_an_answer_count_for_a_number(engine: Engine) -> None:
    state = engine.start("reviews", "author.ask", job_id="one")
    assert [len(each.waiting) for each in state.gathers] == [1]
    engine.send("one", "collect", {"by": "post"})
    engine.send("one", "collect", {"by": "mail"})
    state = engine.resume("one", Answer("me"))
    assert state.status == "completed"
    assert told(engine, "one") == [[["author"], ["post"]], [["mail"], ["me"]]]


def test_a_host_without_the_flow_sends_to_a_slot_that_gathers(hosts: Hosts, engine: Engine) -> None:
    engine.start("reviews", "author.ask", job_id="one")
    hosts().send("one", "collect", {"by": "post"})
    engine.resume("one", Answer("me"))
    state = engine.state("one")
    assert (state.status, told(engine, "one")) == ("failed", [[["author"], ["post"]]])
    assert state.failure is not None
    assert state.failure.type == "GatherIncomplete"


def test_what_comes_by_no_connection_is_refused_by_a_join(
    hosts: Hosts, engine: Engine, store: Store
) -> None:
    engine.start("reviews", "author.ask", job_id="one")
    for host in (engine, hosts()):
        with check_refusal(store, errors.PayloadError, "'join'", "a message comes by none"):
            host.send("one", "join", {"by": "post"})
    state = engine.start("reviews", "author.join_by_answer", job_id="two")
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "PayloadError")
    assert "an answer comes by none" in state.failure.message


def test_what_does_not_fit_among_the_items_is_refused(engine: Engine, store: Store) -> None:
    engine.start("reviews", "author.ask", job_id="one")
    with check_refusal(store, errors.PayloadError, "collect.items[0].by"):
        engine.send("one", "collect", {"by": 5})
    with check_refusal(store, errors.PayloadError, "collect.items[0].answer"):
        engine.resume("one", Answer(5))
    assert engine.resume("one", Answer("me")).status == "completed"


def test_who_leads_a_job_to_a_slot_that_gathers_brings_the_list(
    engine: Engine, store: Store
) -> None:
    state = engine.start("reviews", "join", {"items": [{"by": "me"}]}, job_id="one")
    assert (state.status, told(engine, "one")) == ("completed", [["me: GOOD"]])
    engine.start("reviews", "author.ask", job_id="two")
    goto = Goto("collect", {"items": [{"by": "me"}, {"by": "you"}, {"by": "they"}]})
    engine.resume("two", goto)
    assert told(engine, "two") == [[["me"], ["you"], ["they"]]]
    with check_refusal(store, errors.PayloadError, "join.by"):
        engine.start("reviews", "join", {"by": "me"})


def test_a_job_with_an_incomplete_join_fails_and_names_slot_and_connections(hosts: Hosts) -> None:
    flow = Flow("half")
    one, other = flow.routine("one", outputs=("a",)), flow.routine("other", outputs=("b",))

    @one.slot
    def begin(ctx: Context) -> None:
        ctx.emit("a")

    @other.slot
    def never(ctx: Context) -> None:
        ctx.emit("b")

    @flow.slot(gather="all")
    def join(ctx: Context, items: list[object]) -> None:
        ctx.log("joined")

    flow.connect("one.a", "join")
    flow.connect("other.b", "join")
    engine = hosts(flow)
    state = engine.start("half", "one.begin", job_id="one")
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "GatherIncomplete")
    assert "'join' never got what other.b brings" in state.failure.message
    assert [each.missing for each in state.gathers] == [("other.b",)]
    assert engine.jobs()[0].error == f"GatherIncomplete: {state.failure.message}"


def test_a_failure_that_is_routed_joins_what_the_others_brought(hosts: Hosts) -> None:
    flow = Flow("routing")
    source = flow.routine("source", outputs=("go",))
    worker = flow.routine("worker", outputs=("done",))

    @source.slot
    def begin(ctx: Context) -> None:
        for number in range(3):
            ctx.emit("go", number=number)

    @worker.slot(on_error="route")
    def work(ctx: Context, number: int) -> None:
        if number == 1:
            raise ValueError("not one")
        ctx.emit("done", number=number)

    @flow.slot(gather=3, outputs=("out",))
    def collect(ctx: Context, items: list[dict[str, object]]) -> None:
        ctx.emit("out", told=[each.get("number", each.get("message")) for each in items])

    flow.connect("source.go", "worker.work")
    flow.connect("worker.done", "collect")
    flow.connect("worker.error", "collect")
    engine = hosts(flow)
    assert engine.start("routing", "source.begin", job_id="one").status == "completed"
    assert told(engine, "one") == [[0, "not one", 2]]


def test_a_join_survives_a_contributor_that_mends_its_own_failure(hosts: Hosts) -> None:
    flow = Flow("mending")
    source = flow.routine("source", outputs=("go", "other"))
    worker = flow.routine("worker", outputs=("done",))

    @source.slot
    def begin(ctx: Context) -> None:
        ctx.emit("go")
        ctx.emit("other", by="source")

    @worker.slot(on_error="route")
    def work(ctx: Context) -> None:
        raise ValueError("no")

    @worker.slot
    def mend(ctx: Context, message: str, **_: object) -> None:
        ctx.emit("done", by=message)

    @flow.slot(gather="all", outputs=("out",))
    def join(ctx: Context, items: list[dict[str, str]]) -> None:
        ctx.emit("out", told=[each["by"] for each in items])

    flow.connect("source.go", "worker.work")
    flow.connect("worker.error", "worker.mend")
    flow.connect("worker.done", "join")
    flow.connect("source.other", "join")
    engine = hosts(flow)
    assert engine.start("mending", "source.begin", job_id="one").status == "completed"
    assert told(engine, "one") == [["no", "source"]]


def test_a_payload_that_is_no_item_fails_the_activation_and_names_its_place(hosts: Hosts) -> None:
    flow = Flow("odd")

    @flow.slot(outputs=("n",))
    def begin(ctx: Context) -> None:
        ctx.emit("n", by="me")
        ctx.emit("n", bye="me")

    @flow.slot(gather=2)
    def join(ctx: Context, items: list[Review]) -> None:
        ctx.log("joined")

    flow.connect("begin", "join")
    state = hosts(flow).start("odd", "begin")
    assert state.failure is not None
    assert (state.failure.type, state.failure.activation) == ("PayloadError", "2.1")
    assert "join.items[1]" in state.failure.message


def test_a_check_reports_what_is_collected_and_no_longer_fits(hosts: Hosts, store: Store) -> None:
    def flow(kind: type[object], name: str) -> Flow:
        made = Flow("kept")

        @made.slot(outputs=("n",))
        def begin(ctx: Context) -> None:
            ctx.emit("n", x=1)
            ctx.pause()

        def join(ctx: Context, items: object) -> None: ...

        join.__annotations__["items"] = list[kind]  # type: ignore[valid-type]  # made here
        made.slot(name=name, gather=2)(join)
        made.connect("begin", name)
        return made

    engine = hosts(flow(object, "join"))
    engine.start("kept", "begin", job_id="one")
    engine.send("one", "join", {"x": 2})  # Waits beside what is collected.
    assert engine.check("one").ok
    kinds = {
        name: [each.kind for each in hosts(changed).check("one").differences]
        for name, changed in {
            "type": flow(Review, "join"),
            "name": flow(object, "other"),
        }.items()
    }
    assert kinds == {"type": ["payload", "payload"], "name": ["emission", "slot", "slot"]}
