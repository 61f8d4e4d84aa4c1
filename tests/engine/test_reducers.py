"""A handler's write goes by the reducer that its key declares, unless it names another."""

from esflow import Context, Flow
from esflow import events as ev
from tests.engine.world import Hosts


def test_a_write_goes_by_the_reducer_that_its_key_declares(hosts: Hosts) -> None:
    flow = Flow("tally", reducers={"total": "add", "seen": "append"})
    seen: list[object] = []

    @flow.slot
    def count(ctx: Context) -> None:
        ctx.shared["total"] = 2
        ctx.write("total", 3)
        ctx.write("seen", "a")
        ctx.shared["seen"] = "b"
        seen.append(dict(ctx.shared))
        ctx.write("total", 1, "max")
        ctx.shared["plain"] = [1]

    engine = hosts(flow)
    state = engine.start("tally", "count", job_id="one")
    assert seen == [{"total": 5, "seen": ["a", "b"]}]
    assert state.shared == {"total": 5, "seen": ["a", "b"], "plain": [1]}
    written = [each.event for each in engine.history("one")]
    assert [each.reducer for each in written if isinstance(each, ev.SharedWritten)] == [
        *("add", "add", "append", "append", "max", "set"),
    ]
