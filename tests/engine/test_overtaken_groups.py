"""What comes from outside while a group waits undoes the waves behind the one in the store."""

from collections.abc import Callable

from esflow import Context, Flow
from esflow.testing import ManualClock
from tests.engine.world import Hosts, Threads


def wide(item: Callable[[Context, int], None], width: int) -> Flow:
    """Return a flow whose second wave has so many members."""
    flow = Flow("wide")
    routine = flow.routine("wide", outputs=("out",))

    @routine.slot
    def spread(ctx: Context) -> None:
        for number in range(width):
            ctx.emit("out", n=number)

    @routine.slot
    def note(ctx: Context, line: str) -> None:
        ctx.log(line)

    routine.slot(name="item")(item)
    flow.connect("wide.out", "wide.item")
    return flow


def test_of_a_wave_that_is_undone_nothing_more_is_started(hosts: Hosts, threads: Threads) -> None:
    ran: list[str] = []

    def item(ctx: Context, n: int) -> None:
        ran.append(ctx.activation_id)
        if len(ran) == 1:
            threads.submit(other.send, "job", "wide.note", {"line": "hello"}).result()
            ctx.effect(len, "abc")

    flow = wide(item, 3)
    other = hosts(flow)
    host = hosts(flow, durability="output", clock=ManualClock(), max_parallel=1)

    assert host.start("wide", "wide.spread", job_id="job").status == "completed"
    assert ran == ["2.1", "2.1", "2.2", "2.3"]
