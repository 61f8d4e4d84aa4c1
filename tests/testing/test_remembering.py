"""What handlers remember outside of the log can be put back to what it was, and nothing else is."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, final

import attrs

from esflow.testing.remembering import memory_of

inner: Final[list[int]] = [1]
outer: Final[dict[str, Any]] = {"inner": inner, "texts": ["a"]}
cycle: Final[list[Any]] = []
cycle.append(cycle)
outbox: Final[list[str]] = []
rate: int = 1


def send(text: str) -> None:
    """Stand for the outside: it remembers what came to it."""
    outbox.append(text)


def handler() -> None:
    """Change all that it can reach."""
    global rate  # noqa: PLW0603 - it is the bug
    rate += 1
    inner.append(2)
    outer["texts"].append("b")
    outer["more"] = cycle
    cycle.append(3)
    send("x")


def test_names_and_containers_are_put_back_and_stay_the_same_objects() -> None:
    memory = memory_of([handler])
    texts = outer["texts"]
    handler()

    memory.put_back(frozenset())

    assert rate == 1
    assert (inner, outer) == ([1], {"inner": [1], "texts": ["a"]})
    assert outer["inner"] is inner
    assert outer["texts"] is texts
    assert (len(cycle), cycle[0] is cycle) == (1, True)
    assert outbox == []


def test_what_only_effects_use_is_left_alone() -> None:
    memory = memory_of([handler])
    handler()

    memory.put_back(frozenset({"send"}))

    assert (rate, outbox) == (1, ["x"])
    outbox.clear()


@final
class Desk:
    """An object, such as tests stand in with for the outside."""

    def __init__(self) -> None:
        self.papers: list[str] = []

    def handle(self, kept: list[str]) -> None:
        """Keep something."""
        self.papers.append("one")
        kept.append("one")


def test_closures_are_put_back_and_objects_are_not() -> None:
    count, desk = 0, Desk()
    kinds = (Counter("a"), deque([1]), bytearray(b"x"), {1}, {"a": 1})

    def count_up() -> None:
        nonlocal count
        count += 1
        desk.papers.append("two")
        kinds[0].update("a")
        kinds[1].append(2)
        kinds[2].extend(b"y")
        kinds[3].add(2)
        kinds[4].clear()

    memory = memory_of([count_up])
    count_up()
    memory.put_back(frozenset())

    assert count == 0
    assert kinds == (Counter("a"), deque([1]), bytearray(b"x"), {1}, {"a": 1})
    assert desk.papers == ["two"]


def test_handlers_of_every_kind_are_looked_into() -> None:
    kept = list[str]()
    desk = Desk()

    def keep(_: object) -> None:
        kept.append("two")

    handlers: list[Callable[..., object]] = [desk.handle, partial(keep, 1), print, attrs.has]
    memory = memory_of(handlers)
    keep(1)
    desk.handle([])
    memory.put_back(frozenset())

    assert kept == []
    assert desk.papers == ["one"]


def test_a_name_that_is_not_there_yet_is_passed_over() -> None:
    def later() -> int:
        return number

    memory = memory_of([later])
    number = 1
    memory.put_back(frozenset())

    assert later() == number == 1
