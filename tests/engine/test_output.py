"""Engines that group their commits: what is seen, when, and what a conflict leaves of a group."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from esflow import Context, Engine, Flow, Recorded
from esflow import events as ev
from esflow.errors import Fenced, PayloadError
from esflow.store import Store
from esflow.testing import ManualClock
from tests.engine.world import (
    PATIENCE_SECONDS,
    Gate,
    Hosts,
    Threads,
    check_refusal,
    count,
    held,
    names,
)

LENGTH: Final = 1_000
_AT: Final = 5
LENGTH_OF_TRAIL: Final = 5


def _nothing(_: int) -> None:
    """Let nothing happen."""


def counting(seen: Callable[[int], None] = _nothing, *, length: int = 20) -> Flow:
    """Return a pure chain that tells of each activation, and logs what comes from outside."""
    flow = Flow("counting")
    routine = flow.routine("counter", outputs=("next", "done"))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        seen(n)
        ctx.log(f"step {n} in {ctx.activation_id}")
        ctx.emit("next" if n < length else "done", n=n + 1)

    @routine.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    flow.connect("counter.next", "counter.step")
    return flow


def start(engine: Engine) -> Any:
    """Start the chain."""
    return engine.start("counting", "counter.step", {"n": 1}, job_id="job")


def appends(engine: Engine) -> int:
    """Count appends, which are told apart by the moment of a clock that moves at each handler."""
    return len({each.recorded_at for each in engine.history("job")})


def once(act: Callable[[], object]) -> Callable[[int], None]:
    """Return what does something at one step, the first time, in a thread outside of the job."""
    done: list[int] = []

    def seen(n: int) -> None:
        if n == _AT and not done:
            done.append(n)
            with ThreadPoolExecutor(1) as outside:
                outside.submit(act).result()

    return seen


@pytest.mark.parametrize("durability", ["", "outputs", "STEP"])
def test_only_two_durabilities_are_known(store: Store, durability: str) -> None:
    with check_refusal(store, PayloadError, "durability", "'step' or 'output'"):
        Engine(store, durability=durability)


def test_a_pure_chain_is_appended_in_a_few_groups(hosts: Hosts) -> None:
    clock = ManualClock()
    flow = counting(lambda _: clock.advance(0.000_001), length=LENGTH)
    ticking = counting(lambda _: clock.advance(0.001), length=LENGTH)

    state = start(hosts(ticking, clock=clock, durability="output"))

    assert state.status == "completed"
    assert appends(hosts(flow)) < LENGTH / 50


def test_every_activation_is_an_append_by_default(hosts: Hosts) -> None:
    clock = ManualClock()

    start(hosts(counting(lambda _: clock.advance(0.001)), clock=clock))

    assert appends(hosts(counting())) > 20


def test_an_effect_finds_everything_before_it_in_the_store(hosts: Hosts, store: Store) -> None:
    flow = Flow("counting")
    routine = flow.routine("counter", outputs=("next",))
    found: list[int] = []

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ctx.log(f"at {ctx.now()}")
        if n == 3:
            ctx.effect(lambda: found.append(count(looking, "job", "ActivationCompleted")))
        elif n:
            ctx.emit("next", n=n + 1)

    flow.connect("counter.next", "counter.step")
    looking = hosts(flow)

    start(hosts(flow, durability="output"))

    assert found == [2]
    assert count(looking, "job", "EffectRecorded") == 4


def test_what_is_reported_is_recorded(hosts: Hosts) -> None:
    reported = start(hosts(counting(), durability="output"))

    assert hosts(counting()).state("job").as_dict() == reported.as_dict()


def test_a_follower_sees_only_what_is_recorded(hosts: Hosts, threads: Threads) -> None:
    looking = hosts(counting())
    followed: list[Recorded] = []

    def follow() -> None:
        for each in looking.follow("job"):
            followed.append(each)
            recorded = looking.history("job")
            assert each.hash == recorded[each.version - 1].hash
            if isinstance(each.event, ev.JobCompleted):
                return

    looking.submit("counting", "counter.step", {"n": 1}, job_id="job")
    following = threads.submit(follow)
    hosts(counting(), durability="output").run("job")
    following.result(60)

    assert [each.version for each in followed] == list(range(1, len(followed) + 1))


def test_an_interrupt_is_seen_while_a_neighbour_goes_on(hosts: Hosts, threads: Threads) -> None:
    gate, flow = Gate(), Flow("counting")
    routine = flow.routine("counter", outputs=("next",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ctx.emit("next", n=0)
        ctx.emit("next", n=1)

    @routine.slot
    def ask(ctx: Context, n: int) -> None:
        ctx.interrupt("sure?") if n else gate.hold()

    def follow() -> None:
        next(each for each in looking.follow("job") if isinstance(each.event, ev.Interrupted))

    flow.connect("counter.next", "counter.ask")
    looking, engine = hosts(flow), hosts(flow, durability="output", clock=ManualClock())

    with held(threads, gate, lambda: start(engine)) as released:
        threads.submit(follow).result(PATIENCE_SECONDS)
        assert [each.id for each in looking.state("job").interrupts] == ["2.2/i0"]
        assert released().status == "paused"


def disturbed(hosts: Hosts, act: Callable[[Engine], object]) -> tuple[Any, Sequence[int]]:
    """Run the chain while something happens elsewhere; return what came of it, and every step."""
    other = hosts(counting())
    ran: list[int] = []
    meanwhile = once(lambda: act(other))

    def seen(n: int) -> None:
        ran.append(n)
        meanwhile(n)

    state = start(hosts(counting(seen), durability="output", clock=ManualClock()))
    return state, ran


def test_a_message_joins_the_wave_behind_the_one_that_is_recorded(hosts: Hosts) -> None:
    state, ran = disturbed(hosts, lambda it: it.send("job", "counter.note", {"line": "hello"}))

    lines = [each.message for each in state.log]
    assert [line for line in lines if "step" in line] == [
        f"step {n} in {n}.1" for n in range(1, 21)
    ]
    assert lines.count("hello") == 1
    assert lines.index("hello") == 2, "it stands in the second wave"
    assert ran[0] == 1
    assert ran.count(1) == 1, "the wave that was open in the store is kept"
    assert ran.count(2) == 2, "the wave that it joined runs again"
    assert state.status == "completed"


def test_a_pause_takes_effect_before_the_job_has_gone_on(hosts: Hosts) -> None:
    state, _ = disturbed(hosts, lambda it: it.pause("job"))

    assert state.status == "paused"
    assert count(hosts(counting()), "job", "ActivationCompleted") == 1
    assert hosts(counting(), durability="output").resume("job").status == "completed"


def test_a_pause_takes_effect_within_the_limit_of_a_group(hosts: Hosts) -> None:
    clock, other = ManualClock(), hosts(counting())
    ran: list[int] = []
    meanwhile = once(lambda: other.pause("job"))

    def seen(n: int) -> None:
        ran.append(n)
        clock.advance(0.04)
        meanwhile(n)

    state = start(hosts(counting(seen, length=500), durability="output", clock=clock))

    assert state.status == "paused"
    assert max(ran) <= _AT + 4


def test_a_cancelled_job_takes_nothing_of_a_group(hosts: Hosts) -> None:
    state, _ = disturbed(hosts, lambda it: it.cancel("job"))

    assert state.status == "cancelled"
    assert names(hosts(counting()), "job")[-1] == "JobCancelled"
    assert count(hosts(counting()), "job", "ActivationCompleted") == 0


def test_what_code_made_and_more_is_added_to_in_a_group_is_recorded_as_it_was(hosts: Hosts) -> None:
    def kept(current: list[int], value: list[int]) -> list[int]:
        return current + value

    flow = Flow("growing", reducers={"steps": kept})

    @flow.slot(outputs=("next",))
    def step(ctx: Context, n: int) -> None:
        if n == 1:
            ctx.write("steps", [n])
        else:
            ctx.write("steps", n, "append")
        if n < LENGTH_OF_TRAIL:
            ctx.emit("next", n=n + 1)

    flow.connect("step", "step")
    done = hosts(flow, durability="output").start("growing", "step", {"n": 1}, job_id="job")
    assert done.shared == {"steps": [*range(1, LENGTH_OF_TRAIL + 1)]}
    assert hosts(flow).state("job") == done


def test_a_handler_learns_that_its_job_was_cancelled(hosts: Hosts) -> None:
    other, told = hosts(counting()), list[bool]()
    cancel = once(lambda: other.cancel("job"))
    flow = Flow("counting")
    routine = flow.routine("counter", outputs=("next",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        if n == _AT:
            cancel(n)
            told.append(ctx.cancelled)
        else:
            ctx.emit("next", n=n + 1)

    flow.connect("counter.next", "counter.step")

    assert start(hosts(flow, durability="output")).status == "cancelled"
    assert told == [True]


def test_another_claim_fences_the_whole_group(hosts: Hosts) -> None:
    with pytest.raises(Fenced):
        disturbed(hosts, lambda it: it.recover(older_than=0))

    history = hosts(counting()).history("job")
    assert {each.host for each in history[2:]} == {"host-0"}
    assert count(hosts(counting()), "job", "ActivationCompleted") == 20


def test_no_effect_is_called_in_a_wave_that_a_message_has_undone(hosts: Hosts) -> None:
    other, called = hosts(counting()), list[str]()
    flow = Flow("counting")
    routine = flow.routine("counter", outputs=("next",))
    meanwhile = once(lambda: other.send("job", "counter.note", {"line": "hello"}))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        meanwhile(n)
        if n == _AT:
            ctx.effect(lambda: called.append(ctx.activation_id))
        else:
            ctx.emit("next", n=n + 1)

    @routine.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    flow.connect("counter.next", "counter.step")

    assert start(hosts(flow, durability="output")).status == "completed"
    assert called == [f"{_AT}.1"]


def test_a_handler_of_a_wave_that_a_message_has_undone_settles_nothing(hosts: Hosts) -> None:
    clock, other = ManualClock(), hosts(counting())
    meanwhile = once(lambda: other.send("job", "counter.note", {"line": "hello"}))
    flow = Flow("counting")
    routine = flow.routine("counter", outputs=("next",))

    @routine.slot
    def step(ctx: Context, n: int) -> None:
        ctx.defer("next", n=n)

    @routine.slot
    def later(ctx: Context, n: int) -> None:
        meanwhile(n + _AT - 1)
        clock.advance(1)
        ctx.log("later")

    @routine.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    flow.connect("counter.next", "counter.later")

    state = start(hosts(flow, durability="output", clock=clock))

    assert [(each.message, each.activation) for each in state.log] == [
        ("hello", "2.1"),
        ("later", "3.1"),
    ]
