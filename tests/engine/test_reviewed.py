"""What a reviewer found: each was wrong once."""

from __future__ import annotations

from typing import Any

import pytest

from esflow import Context, Engine, Flow, errors
from esflow.store import Store
from tests.engine.world import Hosts, names


class Unshowable(Exception):
    """An error whose notes can't be read."""

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]  # users may
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "error",
    [SyntaxError("bad", ("file", 1, "x", "text")), Unshowable("no"), errors.PayloadError(3, "x")],  # type: ignore[arg-type]  # users err
)
def test_an_error_that_can_hardly_be_shown_fails_the_job_readably(
    hosts: Hosts, error: Exception
) -> None:
    flow = Flow("odd")

    @flow.slot
    def go(ctx: Context) -> None:
        raise error

    engine = hosts(flow)
    state = engine.start("odd", "go", job_id="one")
    assert state.failure is not None
    assert engine.state("one").failure == state.failure


def test_a_slot_that_a_settled_neighbour_leads_to_is_missed_at_the_claim(
    hosts: Hosts, store: Store
) -> None:
    dying = [True]

    def build(*, whole: bool) -> Flow:
        flow = Flow("edited")
        start = flow.routine("start", outputs=("both",))
        a = flow.routine("a", outputs=("out",))

        @start.slot
        def go(ctx: Context) -> None:
            ctx.emit("both")

        @a.slot(name="in")
        def first(ctx: Context) -> None:
            ctx.emit("out")

        @flow.slot
        def second(ctx: Context) -> None:
            if dying:
                raise KeyboardInterrupt

        flow.connect("start.both", "a.in")
        flow.connect("start.both", "second")
        if whole:

            @flow.slot
            def x(ctx: Context) -> None:
                ctx.log("x")

            flow.connect("a.out", "x")
        return flow

    with pytest.raises(KeyboardInterrupt):
        Engine(store, flows=[build(whole=True)], max_parallel=1).start(
            "edited", "start", job_id="one"
        )
    dying.clear()
    before = [row.state for row in store.read("one")]
    with pytest.raises(errors.FlowChanged, match="x"):
        hosts(build(whole=False)).run("one")
    assert [row.state for row in store.read("one")] == before
    assert hosts(build(whole=True)).run("one").log[0].message == "x"


def test_an_effect_whose_recording_was_interrupted_is_never_used(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = Flow("paying")

    @flow.slot
    def pay(ctx: Context) -> None:
        for _ in range(2):
            try:
                ctx.shared["paid"] = ctx.effect(int)
            except KeyboardInterrupt:
                monkeypatch.undo()

    engine = Engine(store, flows=[flow])

    def interrupted(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    engine.submit("paying", "pay", job_id="one")
    append, calls = type(store).append, list[int]()

    def interrupting(self: Any, *args: Any, **kwargs: Any) -> int:
        calls.append(1)
        return interrupted() if len(calls) == 2 else append(self, *args, **kwargs)

    monkeypatch.setattr(type(store), "append", interrupting)
    with pytest.raises(errors.ContextClosed):
        engine.run("one")
    assert names(engine, "one") == ["JobStarted", "ExecutionClaimed"]
    assert engine.run("one").shared == {"paid": 0}


def test_what_a_report_holds_is_not_the_wiring_of_the_flow(hosts: Hosts) -> None:
    flow = Flow("wired")
    routine = flow.routine("go", outputs=("o",))

    @routine.slot
    def go(ctx: Context) -> None:
        ctx.defer("o", a=1)
        ctx.pause()

    @flow.slot
    def end(ctx: Context, b: int) -> None:
        ctx.log(str(b))

    flow.connect("go.o", "end", rename={"a": "b"})
    engine = hosts(flow)
    rename: Any = engine.start("wired", "go", job_id="one").deferrals[0].targets[0].rename
    rename["a"] = "hacked"
    engine.start("wired", "go", job_id="two")
    assert engine.resume("two").log[0].message == "1"
