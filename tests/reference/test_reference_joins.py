"""Where joins, retries of a job and breakpoints meet, against histories worked out by hand."""

from __future__ import annotations

from typing import Final

import attrs
import pytest

from tests.reference.histories import ONE, emit, message, program, slots_of, to
from tests.reference.interpreter import course, run
from tests.reference.outcome import Failure, Outcome, as_text
from tests.reference.program import (
    KEPT,
    Answer,
    Ask,
    Breakpoints,
    Command,
    Connection,
    Constant,
    Continue,
    Defer,
    Emit,
    Fail,
    FlakyEffect,
    FromPayload,
    Log,
    Message,
    Operation,
    Pause,
    Program,
    RetryJob,
    Script,
)

HELD: Final = Breakpoints(after=("a.in",))
WAYS: Final = pytest.mark.parametrize("breakpoints", [KEPT, HELD], ids=["without", "with"])


def joining(number: int, *operations: Operation) -> Program:
    """Make a start whose ``on`` leads to ``g``, which gathers so many, and ``out`` to ``b``."""
    made = program(
        {"a": operations, "b": (emit(x=Constant("b")),), "g": (Log("g", FromPayload("items")),)},
        Connection("a.on", "g.in"),
        to("a", "b"),
        to("b", "g"),
    )
    first, second, gather = made.routines
    gather = attrs.evolve(gather, slots=(attrs.evolve(gather.slots[0], gather=number),))
    return attrs.evolve(made, routines=(first, second, gather))


def on(value: str) -> Emit:
    """Emit on ``on``."""
    return Emit("on", {"x": Constant(value)})


def deferred(value: str) -> Defer:
    """Defer on ``on``."""
    return Defer("on", {"x": Constant(value)})


def carried(
    made: Program, breakpoints: Breakpoints, *commands: Command, messages: tuple[Message, ...] = ()
) -> Outcome:
    """Run a program, past its breakpoint where it has one."""
    first = (Continue(),) if breakpoints == HELD else ()
    script = Script(messages=messages, commands=(*first, *commands), breakpoints=breakpoints)
    return run(made, script)


def gathered(outcome: Outcome) -> list[list[object]]:
    """Give what was gathered, in the order of the activations."""
    found: list[list[object]] = []
    for slot, payload, _ in outcome.activations.values():
        items = payload.get("items")
        if slot == "g.in" and isinstance(items, list):
            found.append([it.get("x") for it in items if isinstance(it, dict)])
    return found


# Arrival at a join: Readings 79 and 89.


@WAYS
def test_emissions_arrive_before_what_is_released_when_nothing_is_left(
    breakpoints: Breakpoints,
) -> None:
    outcome = carried(joining(2, deferred("held"), on("emitted")), breakpoints)
    assert gathered(outcome) == [["emitted", "held"]]
    assert (outcome.status, slots_of(outcome)) == ("completed", {"1.1": "a", "2.1": "g"})


@WAYS
def test_what_a_resume_releases_arrives_before_what_came_from_outside(
    breakpoints: Breakpoints,
) -> None:
    made = joining(3, deferred("held"), on("emitted"), Pause(""))
    more = (Continue(),) if breakpoints == KEPT else ()  # One ends both pauses.
    outcome = carried(made, breakpoints, *more, messages=(message(1, "g", x="sent"),))
    assert gathered(outcome) == [["emitted", "held", "sent"]]


@WAYS
def test_a_message_arrives_before_what_is_released_only_behind_it(
    breakpoints: Breakpoints,
) -> None:
    made = joining(3, deferred("held"), on("emitted"))
    outcome = carried(made, breakpoints, messages=(message(1, "g", x="sent"),))
    assert gathered(outcome) == [["emitted", "sent", "held"]]
    assert outcome.status == "completed"


def test_a_join_that_a_breakpoint_holds_has_taken_the_emissions_and_nothing_else() -> None:
    made = joining(2, deferred("held"), on("emitted"))
    script = Script(messages=(message(1, "g", x="sent"),), breakpoints=HELD)
    outcome = run(made, script)
    assert (outcome.status, outcome.holds) == ("paused", (("breakpoint", "1.1"),))
    assert (outcome.gathers, outcome.undelivered) == ({"g.in": ({"x": "emitted"},)}, ("m1",))
    assert (list(outcome.deferrals), outcome.ready) == (["1.1/d0"], ())


def test_a_join_that_the_closing_wave_completes_is_kept_work_behind_a_breakpoint() -> None:
    script = Script(breakpoints=HELD)
    outcome = run(joining(2, on("one"), emit(), on("two")), script)
    assert (outcome.ready, outcome.gathers) == (("2.1", "2.2"), {})
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "g"}


def test_an_answer_at_a_breakpoint_resumes_in_full_where_inputs_would_open_no_wave() -> None:
    # The message only goes into the join, so that the job stands by its question here as well.
    made = program(
        {"a": (Ask("?", "d.in"), Defer("on", {}), emit()), "b": (), "d": (Log("d", ONE),), "g": ()},
        to("a", "b"),
        to("a.on", "d"),
    )
    routines = tuple(
        attrs.evolve(it, slots=(attrs.evolve(it.slots[0], gather=2),)) if it.name == "g" else it
        for it in made.routines
    )
    made = attrs.evolve(made, routines=routines)
    answered = (Continue(), Answer("1.1/q0", 7))
    sent = (message(2, "g", x=1),)
    held = Script(messages=sent, commands=answered, breakpoints=Breakpoints(after=("b.in",)))
    outcome = run(made, held)
    free = run(made, Script(messages=sent, commands=answered))
    assert slots_of(free) == {"1.1": "a", "2.1": "b", "3.1": "d", "3.2": "d"}
    assert as_text(outcome) == as_text(free)


# Retries of a job: Readings 90 to 92.


def failing_beside(*operations: Operation, limit: int = 60) -> Program:
    """Make a wave of ``b``, which fails at first, and ``c``."""
    flaky = FlakyEffect(name="model", failures=1, message="busy", result=7, caught=False)
    return program(
        {"a": (emit(),), "b": (flaky,), "c": (*operations, emit()), "d": ()},
        to("a", "b"),
        to("a", "c"),
        to("c", "d"),
        limit=limit,
    )


def test_a_retried_wave_is_not_held_before_it_again() -> None:
    script = Script(
        commands=(Continue(), RetryJob()), breakpoints=Breakpoints(before=("b.in", "c.in"))
    )
    held = run(failing_beside(), attrs.evolve(script, commands=()))
    assert (held.ready, held.holds) == (
        ("2.1", "2.2"),
        (("breakpoint", "2.1"), ("breakpoint", "2.2")),
    )
    failed = run(failing_beside(), attrs.evolve(script, commands=(Continue(),)))
    assert (failed.status, failed.ready, failed.holds) == ("failed", (), ())
    assert [result for _, _, result in failed.activations.values()] == [
        *("completed", "failed", "completed")
    ]
    assert run(failing_beside(), script).status == "completed"
    assert course(failing_beside(), script).hits == (("before", "2.1"), ("before", "2.2"))


def test_a_retried_wave_is_held_behind_it_once_it_has_closed() -> None:
    script = Script(commands=(RetryJob(),), breakpoints=Breakpoints(after=("c.in",)))
    failed = run(failing_beside(), attrs.evolve(script, commands=()))
    assert (failed.status, failed.holds) == ("failed", ())
    held = run(failing_beside(), script)
    assert (held.status, held.holds, held.ready) == ("paused", (("breakpoint", "2.2"),), ("3.1",))


def test_a_limit_that_is_met_behind_a_breakpoint_leaves_the_kept_work_ready() -> None:
    made = failing_beside(limit=3)
    breakpoints = Breakpoints(after=("c.in",))
    commands = (RetryJob(), Continue(), RetryJob(), RetryJob("fresh"))
    outcome = run(made, Script(commands=commands, breakpoints=breakpoints))
    assert (outcome.status, outcome.failure) == ("failed", Failure("ActivationLimit", None))
    assert (outcome.ready, outcome.activations["3.1"][2]) == (("3.1",), "ready")
    assert (outcome.activations_count, outcome.waves, outcome.holds) == (3, 2, ())


def test_a_failed_wave_has_nothing_ready_whatever_held_it_before() -> None:
    made = program({"a": (emit(), emit()), "b": (Fail(""),)}, to("a", "b"))
    script = Script(commands=(Continue(),), breakpoints=Breakpoints(before=("b.in",)))
    outcome = run(made, script)
    assert [result for _, _, result in outcome.activations.values()] == [
        *("completed", "failed", "failed")
    ]
    assert (outcome.ready, outcome.failure) == ((), Failure("RuntimeError", "2.1"))
