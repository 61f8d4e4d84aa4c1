"""esflow among many paused jobs: what each act costs, and what the crowd adds to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks.flows import asking
from benchmarks.programs.making import name_of
from benchmarks.programs.running import Prepared, Program, Taken, Task, copied, run
from esflow import Answer, Engine

TIMES: Final = 100
"""How often each act is done."""
PAGE: Final = 100
_MIDDLE: Final = 500
"""Behind which job the page in the middle begins."""


def _acts(act: Callable[[Engine, int], None], task: Task) -> Prepared:
    """Do an act again and again on one engine."""
    engine = Engine(_url(task), [asking()], snapshot_every=0)
    act(engine, TIMES)  # Whatever is loaded at the first need.

    def work() -> Taken:
        for number in range(TIMES):
            act(engine, number)
        return Taken(units=TIMES)

    return work


def _url(task: Task) -> str:
    return f"sqlite:///{copied(task, 'crowd')}?synchronous={task.synchronous}"


def _opening(task: Task) -> Prepared:
    """Open the store, look at one job, and close it again."""
    url = _url(task)

    def work() -> Taken:
        for number in range(TIMES):
            with Engine(url, [asking()]) as engine:
                assert engine.state(name_of(number)).status == "paused", "it isn't paused"
        return Taken(units=TIMES)

    return work


def _page(engine: Engine, _: int) -> None:
    assert len(engine.jobs(status="paused", limit=PAGE)) == PAGE, "a page is full"


def _later_page(engine: Engine, _: int) -> None:
    page = engine.jobs(status="paused", limit=PAGE, after=name_of(_MIDDLE))
    assert page[0].job_id == name_of(_MIDDLE + 1), "another page"


def _recover(engine: Engine, _: int) -> None:
    assert engine.recover() == [], "nothing is left to be taken up"


def _answer(engine: Engine, number: int) -> None:
    job = engine.resume(name_of(number), Answer("A"))
    assert [each.message for each in job.log] == ["A"], "another outcome"


PROGRAM: Program = {
    "opening": _opening,
    "page": partial(_acts, _page),
    "later page": partial(_acts, _later_page),
    "recover": partial(_acts, _recover),
    "answer": partial(_acts, _answer),
}

if __name__ == "__main__":
    run(PROGRAM)
