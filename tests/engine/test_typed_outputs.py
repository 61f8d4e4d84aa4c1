"""What is put on an output is what it declares, whichever way; values come back as they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

import attrs
import pytest

from esflow import Context, Flow, errors
from esflow.store import Store
from tests.engine.world import Hosts, check_refusal


class Priority(Enum):
    """How soon."""

    NOW = "now"
    LATER = "later"


@attrs.frozen
class Task:
    """Something to do, with values of every sort."""

    id: UUID
    due: datetime
    price: Decimal
    effort: timedelta
    priority: Priority = Priority.LATER
    tags: frozenset[str] = frozenset()
    parts: tuple[Task, ...] = ()


PART = Task(UUID(int=7), datetime(2026, 1, 2, tzinfo=UTC), Decimal("1.50"), timedelta(hours=1))
WHOLE = Task(
    UUID(int=8),
    datetime(2026, 1, 3, 4, 5, 6, 789, tzinfo=UTC),
    Decimal("2.00"),
    timedelta(days=1, microseconds=1),
    Priority.NOW,
    frozenset({"b", "a"}),
    (PART,),
)


def make_task(name: str) -> Task:
    """Return a task, as a service does."""
    return attrs.evolve(WHOLE, tags=frozenset({name}))


def passing(seen: list[object]) -> Flow:
    """Return a flow that passes tasks on every way."""
    flow = Flow("passing")
    source = flow.routine("source")
    source.output("task", task=Task, at=datetime)
    source.output("kept", task=Task, at=datetime)

    @source.slot
    def begin(ctx: Context, task: Task) -> None:
        seen.append(task)
        seen.append(ctx.effect(make_task, "made"))
        ctx.emit("task", task=task, at=task.due)
        ctx.defer("kept", task=task, at=task.due)
        ctx.pause()

    @flow.slot
    def take(ctx: Context, task: Task, at: datetime, by: Priority = Priority.NOW) -> None:
        seen.append((task, at, by))

    @flow.slot
    def answer(ctx: Context, answer: Task) -> None:
        seen.append(answer)

    @flow.slot
    def ask(ctx: Context) -> None:
        ctx.ask("Which?", to="answer", choices=[PART, WHOLE])

    flow.connect("source.task", "take")
    flow.connect("source.kept", "take")
    return flow


def test_values_come_back_as_the_annotated_type_by_every_way(hosts: Hosts) -> None:
    seen: list[object] = []
    engine = hosts(passing(seen))
    engine.start("passing", "source.begin", {"task": WHOLE}, job_id="one")
    sent = {"task": PART, "at": PART.due, "by": Priority.LATER}
    engine.send("one", "take", sent)
    other = hosts(passing(seen))
    assert other.resume("one").status == "completed"
    assert seen == [
        WHOLE,
        attrs.evolve(WHOLE, tags=frozenset({"made"})),
        (WHOLE, WHOLE.due, Priority.NOW),
        (WHOLE, WHOLE.due, Priority.NOW),
        (PART, PART.due, Priority.LATER),
    ]


def test_an_answer_comes_back_as_the_annotated_type(hosts: Hosts, store: Store) -> None:
    from esflow import Answer

    seen: list[object] = []
    engine = hosts(passing(seen))
    engine.start("passing", "ask", job_id="one")
    with check_refusal(store, errors.PayloadError, "answer.answer"):
        engine.resume("one", Answer({"id": "x"}))
    assert engine.resume("one", Answer(PART)).status == "completed"
    assert seen == [PART]


wrong: dict[str, tuple[Callable[[Context], None], str]] = {
    "a missing key": (lambda ctx: ctx.emit("n", a=1), "n.b: is missing"),
    "an unknown key": (lambda ctx: ctx.emit("n", a=1, b="x", c=1), "n.c: there is no key 'c'"),
    "another type": (lambda ctx: ctx.emit("n", a="1", b="x"), "n.a: expected int, got '1'"),
    "a deferral": (lambda ctx: ctx.defer("n", a=1, b=None), "n.b: expected str, got None"),
}


@pytest.mark.parametrize("case", wrong)
def test_what_was_not_declared_fails_the_activation_and_is_not_recorded(
    hosts: Hosts, case: str
) -> None:
    act, problem = wrong[case]
    flow = Flow("typed")
    routine = flow.routine("r")
    routine.output("n", a=int, b=str)

    @routine.slot
    def go(ctx: Context) -> None:
        ctx.emit("n", a=1, b="fits")
        act(ctx)

    state = hosts(flow).start("typed", "r")
    assert state.failure is not None
    assert (state.status, state.failure.type) == ("failed", "PayloadError")
    assert problem in state.failure.message
    assert state.outputs == ()


def test_a_handler_may_go_on_after_a_refusal(hosts: Hosts) -> None:
    flow = Flow("typed")
    routine = flow.routine("r")
    routine.output("n", a=int)

    @routine.slot
    def go(ctx: Context) -> None:
        with pytest.raises(errors.PayloadError):
            ctx.emit("n", a="no")
        ctx.emit("n", a=2)

    state = hosts(flow).start("typed", "r")
    assert [(each.id, each.payload) for each in state.outputs] == [("1.1/o0", {"a": 2})]
