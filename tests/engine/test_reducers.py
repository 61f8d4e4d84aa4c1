"""Reducers: which one a write goes by, and which write fails the wave if it doesn't apply."""

import pytest

from esflow import Context, Flow
from esflow import events as ev
from tests.engine.test_custom_reducers import longest
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


@pytest.mark.parametrize("first", ["name", "total"])
def test_the_first_write_that_does_not_apply_fails_the_job_whoever_merges_it(
    hosts: Hosts, first: str
) -> None:
    flow = Flow("both", reducers={"name": longest, "total": "add"})

    @flow.slot
    def write(ctx: Context) -> None:
        ctx.write("name", "a text", "set")
        ctx.write("total", "a text", "set")
        for key in sorted(("name", "total"), key=lambda each: each != first):
            ctx.write(key, 1)

    failed = hosts(flow).start("both", "write").failure
    assert failed is not None
    assert failed.message.startswith(f"shared['{first}']")
