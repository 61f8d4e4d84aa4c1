"""What a handler sees of shared data and of memory is that of its wave's opening."""

from esflow import Context, Flow
from tests.engine.world import Hosts


def _letters() -> Flow:
    flow = Flow("letters")
    writer = flow.routine("writer", outputs=("out",))
    first, second = flow.routine("first"), flow.routine("second")

    @writer.slot
    def begin(ctx: Context) -> None:
        ctx.shared["draft"] = "old"
        ctx.memory["pen"] = "blue"
        ctx.emit("out")

    @first.slot(name="in")
    def strike(ctx: Context) -> None:
        ctx.log("first", seen=ctx.shared.get("draft"), pen=ctx.memory.get("pen"))
        ctx.shared["draft"] = "new"
        ctx.memory["pen"] = "red"

    @second.slot(name="in")
    def look(ctx: Context) -> None:
        ctx.log("second", seen=ctx.shared.get("draft"), pen=ctx.memory.get("pen"))

    flow.connect("writer.out", "first.in")
    flow.connect("writer.out", "second.in")
    return flow


def test_neighbours_do_not_see_what_each_other_write(hosts: Hosts) -> None:
    state = hosts(_letters(), max_parallel=1).start("letters", "writer.begin")
    assert [each.fields["seen"] for each in state.log] == ["old", "old"]
    assert state.shared == {"draft": "new"}


def test_routines_do_not_see_the_memory_of_each_other(hosts: Hosts) -> None:
    state = hosts(_letters(), max_parallel=1).start("letters", "writer.begin")
    assert [each.fields["pen"] for each in state.log] == [None, None]
    assert state.memory == {"writer": {"pen": "blue"}, "first": {"pen": "red"}}
