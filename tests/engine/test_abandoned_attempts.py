"""What ends a process rather than a call abandons the attempt, and any host goes on."""

from collections import Counter
from threading import Barrier, Event, get_ident

import pytest

from esflow import Context, Flow, Retry, effect, errors, failpoints
from esflow.store import Store
from tests.engine.world import PATIENCE_SECONDS, Gate, Hosts, Threads, effects, held, names, stored

ENDS: list[type[BaseException]] = [KeyboardInterrupt, SystemExit, GeneratorExit]


def _flow(ending: type[BaseException] | None, calls: Counter[str], *, width: int = 1) -> Flow:
    flow = Flow("ending")
    source = flow.routine("source", outputs=("out",))
    member = flow.routine("member", outputs=("done",))
    together = Barrier(width)

    def count(name: str) -> int:
        calls[name] += 1
        return calls[name]

    @source.slot
    def spread(ctx: Context) -> None:
        for number in range(width):
            ctx.emit("out", number=number)

    @member.slot
    def item(ctx: Context, number: int) -> None:
        ctx.shared[f"{number}"] = ctx.effect(count, f"effect {number}")
        ctx.emit("done", number=number)
        if ending is not None:
            together.wait(PATIENCE_SECONDS)
        if ending is not None and number == 0:
            raise ending

    flow.connect("source.out", "member.item")
    return flow


@pytest.mark.parametrize("ending", ENDS)
def test_an_attempt_that_ends_the_process_records_nothing_and_is_run_again(
    hosts: Hosts, store: Store, ending: type[BaseException]
) -> None:
    calls: Counter[str] = Counter()
    first = hosts(_flow(ending, calls))
    with pytest.raises(ending):
        first.start("ending", "source.spread", job_id="one")
    assert names(first, "one")[-1] == "EffectRecorded"
    row = store.head("one")
    assert row is not None
    assert (row.status, row.lease) == ("running", None)
    second = hosts(_flow(None, calls))
    state = second.run("one")
    assert (state.status, state.shared, calls) == ("completed", {"0": 1}, {"effect 0": 1})
    assert [each.payload for each in state.outputs] == [{"number": 0}]
    assert second.verify("one").ok


@pytest.mark.parametrize("ending", ENDS)
def test_the_neighbours_of_an_abandoned_attempt_are_kept(
    hosts: Hosts, store: Store, ending: type[BaseException]
) -> None:
    calls: Counter[str] = Counter()
    first = hosts(_flow(ending, calls, width=3))
    with pytest.raises(ending):
        first.start("ending", "source.spread", job_id="one")
    assert names(first, "one").count("ActivationCompleted") == 3
    assert "ActivationFailed" not in names(first, "one")
    row = store.head("one")
    assert row is not None
    assert (row.status, row.lease) == ("running", None)
    state = hosts(_flow(None, calls, width=3)).run("one")
    assert (state.status, state.shared) == ("completed", {"0": 1, "1": 1, "2": 1})
    assert set(calls.values()) == {1}
    assert [each.payload["number"] for each in state.outputs] == [0, 1, 2]


@pytest.mark.parametrize("ending", ENDS)
def test_an_effect_that_ends_the_process_is_called_again(
    hosts: Hosts, ending: type[BaseException]
) -> None:
    calls: Counter[str] = Counter()
    endings: list[type[BaseException]] = [ending]

    def call() -> int:
        calls["call"] += 1
        if endings:
            raise endings.pop()
        return calls["call"]

    flow = Flow("ending")

    @flow.slot
    def once(ctx: Context) -> None:
        ctx.shared["calls"] = ctx.effect(call)

    engine = hosts(flow)
    with pytest.raises(ending):
        engine.start("ending", "once", job_id="one")
    assert effects(engine, "one") == []
    assert engine.run("one").shared == {"calls": 2}


@pytest.mark.parametrize("fails", [0, 1])
def test_an_effect_whose_append_ended_the_process_behind_its_commit_is_recorded_once(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    calls, dying = Counter[str](), list[int]()
    dead, tried = Event(), Event()
    flow = Flow("ending")
    routine = flow.routine("member", outputs=("out",))

    @effect(name="call", retry=Retry(attempts=2, delay=0.0))
    def call(name: str) -> int:
        calls[name] += 1
        if name == "first" and calls[name] <= fails:
            raise LookupError("once more")
        return calls[name]

    @routine.slot
    def spread(ctx: Context) -> None:
        ctx.emit("out", name="first")
        ctx.emit("out", name="second")

    @routine.slot
    def item(ctx: Context, name: str) -> None:
        if name == "second":
            assert dead.wait(PATIENCE_SECONDS)
        elif not dead.is_set():
            dying.append(get_ident())
        try:
            ctx.shared[name] = ctx.effect(call, name)
        finally:  # Of the first, nobody knows yet that it is over when the second comes.
            (dead if name == "first" else tried).set()
            assert tried.wait(PATIENCE_SECONDS)

    def die(point: str) -> None:
        if point == "append.committed" and get_ident() in dying:
            dying.clear()
            raise KeyboardInterrupt

    flow.connect("member.out", "member.item")
    monkeypatch.setattr(failpoints, "hook", die)
    engine = hosts(flow)

    with pytest.raises(KeyboardInterrupt):
        engine.start("ending", "member.spread", job_id="one")
    state = hosts(flow).run("one")

    assert state.shared == {"first": 1 + fails, "second": calls["second"]}
    assert calls["first"] == 1 + fails
    recorded = Counter(name for name in names(engine, "one") if "Effect" in name)
    assert recorded == Counter(EffectRecorded=2, EffectAttemptFailed=fails)


def _slow(gate: Gate | None) -> Flow:
    flow = Flow("closing")

    @flow.slot
    def slow(ctx: Context) -> None:
        if gate is not None:
            gate.hold()

    return flow


def test_a_closed_engine_gives_back_what_it_still_drives(
    hosts: Hosts, store: Store, threads: Threads
) -> None:
    gate = Gate()
    first = hosts(_slow(gate))
    with held(threads, gate, lambda: first.start("closing", "slow", job_id="one")) as released:
        row = store.head("one")
        assert row is not None
        assert row.lease is not None
        first.close()
        row = store.head("one")
        assert row is not None
        assert row.lease is None
        second = hosts(_slow(None)).run("one")
        with pytest.raises(errors.Fenced, match="follow it with wait"):
            released()
    assert second.status == "completed"


def test_an_attempt_that_is_run_again_on_the_same_engine_begins_anew(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    flow = Flow("again")

    @flow.slot
    def twice(ctx: Context) -> None:
        calls["runs"] += 1
        ctx.log("first line")
        ctx.shared["runs"] = calls["runs"]
        if calls["runs"] == 1:
            raise KeyboardInterrupt

    engine = hosts(flow)
    with pytest.raises(KeyboardInterrupt):
        engine.start("again", "twice", job_id="one")
    state = engine.run("one")
    assert (state.shared, [each.message for each in state.log]) == ({"runs": 2}, ["first line"])


def test_a_job_that_has_nothing_to_do_is_returned_as_it_is(hosts: Hosts, store: Store) -> None:
    calls: Counter[str] = Counter()
    engine = hosts(_flow(None, calls))
    state = engine.start("ending", "source.spread", job_id="one")
    before = stored(store)
    assert engine.run("one") == state
    assert engine.recover() == []
    assert engine.recover(older_than=0) == []
    assert stored(store) == before
