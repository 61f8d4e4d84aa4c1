"""Examples in which the engine and the reference once differed, each in its smallest form."""

from __future__ import annotations

from esflow.stores import open_store
from tests.laws.compare import assert_same_as_undisturbed
from tests.laws.play import Play
from tests.reference.histories import emit, program, to
from tests.reference.program import (
    Answer,
    Ask,
    Breakpoints,
    Command,
    Continue,
    Defer,
    Program,
    Script,
)


def assert_same(made: Program, *commands: Command) -> None:
    """Compare the engine with the reference."""
    script = Script(commands=commands)
    assert_same_as_undisturbed(Play(made, script, open_store("memory://")))


def test_an_answer_to_an_older_question_at_a_breakpoint_with_work_left_releases_nothing() -> None:
    made = program(
        {"a": (Defer("on", {}), Ask("?", "c.in"), emit()), "b": (emit(),), "c": ()},
        *(to("a", "b"), to("a.on", "c"), to("b", "c")),
    )
    stops = Breakpoints(after=("b.in",))

    assert_same(made, Continue(breakpoints=stops), Answer("1.1/q0", 5))


def test_an_answer_to_an_older_question_at_a_breakpoint_with_nothing_left_releases() -> None:
    made = program(
        {"a": (Defer("on", {}), Ask("?", "c.in"), emit()), "b": (), "c": ()},
        *(to("a", "b"), to("a.on", "c")),
    )
    stops = Breakpoints(after=("b.in",))

    assert_same(made, Continue(breakpoints=stops), Answer("1.1/q0", 5))
