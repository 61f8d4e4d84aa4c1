"""esflow's histories: reading, folding, verifying, forking and checking what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks.flows import chain, patient
from benchmarks.programs.making import JOB
from benchmarks.programs.running import Prepared, Program, Taken, Task, copied, made, run
from esflow import Answer, Engine
from esflow_projections.tables import catch_up
from esflow_projections.tables.feeding import page_events

TIMES: Final = 10
"""How often something is done that takes a moment alone."""


def _long(work: Callable[[Engine], int], task: Task) -> Prepared:
    """Look at one job of as many events; the work returns how many it has seen."""
    engine = Engine(f"sqlite:///{made(task, 'long')}", flows=[chain()])
    length = engine.store.position()
    assert abs(length - task.size) <= TIMES, f"{length} events"
    engine.state(JOB, version=TIMES)  # Whatever is loaded at the first need.

    def looked() -> Taken:
        assert (seen := work(engine)) == length, f"{seen} of {length} events"
        return Taken(units=length)

    return looked


def _rows(engine: Engine) -> int:
    return sum(1 for _ in engine.store.read(JOB))


def _replay(engine: Engine) -> int:
    job = engine.state(JOB)
    assert job.status == "completed", f"the job is {job.status}"
    return job.version


def _verify(engine: Engine) -> int:
    report = engine.verify(JOB)
    assert report.ok, report.problems
    return report.events


def _check(engine: Engine) -> int:
    report = engine.check(JOB)
    assert report.ok, report.differences
    assert report.activations, "no activation was run"
    return engine.store.position()


def _diff(engine: Engine) -> int:
    """Compare the middle with the end: one and a half replays."""
    length = engine.store.position()
    changes = engine.diff((JOB, length // 2), JOB)
    assert any(change.path == "/status" for change in changes), "nothing has changed"
    return length


def _resume(task: Task, *, snapshots: bool) -> Prepared:
    """Answer one job on fresh engines, each behind all of its events."""
    url = f"sqlite:///{copied(task, 'behind')}?synchronous={task.synchronous}"
    with Engine(url, flows=[patient()], snapshot_every=0) as engine:
        assert abs(engine.state(JOB).version - task.size) <= TIMES, "another length"
        if not snapshots:
            engine.store.drop_snapshots()
        engine.resume(JOB, Answer("warm"))

    def work() -> Taken:
        for number in range(TIMES):
            with Engine(url, flows=[patient()], snapshot_every=0) as fresh:
                job = fresh.resume(JOB, Answer(str(number)))
                assert job.memory["counter"]["answer"] == str(number), "another answer"
        return Taken(units=TIMES)

    return work


def _fork(task: Task) -> Prepared:
    """Fork a job that waits for an answer at its end: all of its events are copied."""
    url = f"sqlite:///{copied(task, 'behind')}?synchronous={task.synchronous}"
    engine = Engine(url, flows=[patient()], snapshot_every=0)
    length = engine.store.position()
    engine.state(JOB, version=TIMES)  # Whatever is loaded at the first need.

    def work() -> Taken:
        assert engine.fork(JOB, length, new_job_id="fork").status == "paused", "another end"
        return Taken(units=length)

    return work


def _feeding(task: Task) -> Prepared:
    """Feed tables from their beginning, when others have been fed already."""
    with Engine("memory://", flows=[chain()]) as engine:
        engine.start("chain", "counter.step", {"n": 1})
        catch_up(engine.store, str(task.folder / "warm.db"))
    store = Engine(f"sqlite:///{made(task, 'many')}").store

    def work() -> Taken:
        taken = catch_up(store, str(task.folder / "tables.db"))
        assert taken == store.position(), "an event is missing"
        return Taken(units=taken)

    return work


def _feeding_rows(task: Task) -> Prepared:
    """Read the same rows, page by page, and nothing else."""
    store = Engine(f"sqlite:///{made(task, 'many')}").store

    def work() -> Taken:
        position = 0
        while rows := store.read_all(after=position, limit=page_events):
            position = rows[-1].id
        return Taken(units=position)

    return work


PROGRAM: Program = {
    "rows": partial(_long, _rows),
    "replay": partial(_long, _replay),
    "verify": partial(_long, _verify),
    "check": partial(_long, _check),
    "diff": partial(_long, _diff),
    "fork": _fork,
    "resume": partial(_resume, snapshots=True),
    "resume without snapshots": partial(_resume, snapshots=False),
    "feeding": _feeding,
    "feeding rows": _feeding_rows,
}

if __name__ == "__main__":
    run(PROGRAM)
