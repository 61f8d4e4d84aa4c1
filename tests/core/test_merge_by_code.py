"""Writes that need code of the flow: how a job waits for it, and what is recorded of it holds."""

from __future__ import annotations

import attrs
import pytest

from esflow import events as ev
from esflow.commands import RetryJob, UpdateShared
from esflow.consequences import due, runnable
from esflow.events import Json
from esflow.state import JobFold, Status
from tests.core.scenario import (
    CLAIMED,
    HOLD,
    PAUSED,
    RUNNING,
    done,
    emitted,
    given,
    resumed,
    started,
    stopping,
    wrote,
)

MINE = "custom:mine"
WIDE = (*RUNNING, *done("1.1", emitted("1.1/o0", "a.in"), emitted("1.1/o1", "a.in")))
WAITING = (
    *WIDE,
    *done("2.2", wrote("x", MINE, "b", "2.2"), wrote("y", "add", 2, "2.2")),
    *done("2.1", wrote("x", "set", "a", "2.1"), emitted("2.1/o0", "b.in")),
)
"""A job whose second wave has settled, with a write that needs code."""


def merged(**values: Json) -> ev.WaveMerged:
    """Return what code made of a wave's writes."""
    return ev.WaveMerged(values=values)


def updated(key: str, value: Json, reducer: str = MINE) -> ev.SharedWritten:
    """Return a write from outside."""
    return ev.SharedWritten(activation=None, key=key, reducer=reducer, value=value)


def in_short(fold: JobFold) -> tuple[Status, bool, dict[str, Json], list[str]]:
    """Return where a job stands, whether it waits for code, its data and what is ready."""
    return fold.status, fold.waits_for_code, fold.shared, [each.id for each in fold.ready]


def test_a_wave_that_has_settled_waits_for_code_and_owes_nothing_else() -> None:
    fold = given(*WAITING).fold()
    assert in_short(fold) == (Status.RUNNING, True, {}, [])
    assert due(fold, quiet=True) is None
    assert runnable(fold) == ()
    assert fold.wave == 2


def test_what_code_made_holds_as_it_is_told_and_the_rest_follows_from_the_writes() -> None:
    fold = given(*WAITING, merged(x="made")).fold()
    assert in_short(fold) == (Status.RUNNING, False, {"x": "made", "y": 2}, ["3.1"])


def test_a_key_that_nothing_is_told_of_was_deleted() -> None:
    deleting = (
        *RUNNING,
        *done("1.1", wrote("x", MINE, 1), wrote("x", "delete"), wrote("y", "set")),
    )
    assert given(*deleting, merged()).fold().shared == {"y": None}
    behind = (*RUNNING, *done("1.1", wrote("x", "delete"), wrote("x", MINE, 1)))
    assert given(*behind, merged(x=1)).fold().shared == {"x": 1}


def test_a_typed_job_begins_with_its_defaults_and_every_write_needs_code() -> None:
    typed = (attrs.evolve(started(), defaults={"x": 0, "tags": []}), CLAIMED)
    assert given(*typed).fold().shared == {"x": 0, "tags": []}
    events = (*typed, *done("1.1", wrote("x", "add", 2)))
    assert in_short(given(*events).fold())[:3] == (Status.RUNNING, True, {"x": 0, "tags": []})
    assert given(*events, merged()).fold().shared == {"x": 2, "tags": []}
    assert given(*events, merged(tags=["t"])).fold().shared == {"x": 2, "tags": ["t"]}
    idle = given(*typed, *done()).fold()
    assert (idle.waits_for_code, due(idle, quiet=True)) == (False, ev.JobCompleted())


def test_what_is_added_to_defaults_and_to_what_code_made_changes_no_event() -> None:
    more = done("1.1", emitted("1.1/o0", "a.in"), wrote("tags", "append", 1))
    begun = (attrs.evolve(started(), defaults={"tags": []}), CLAIMED, *more, merged(names=[2]))
    again = done("2.1", wrote("tags", "append", 3, "2.1"), wrote("names", "append", 4, "2.1"))
    events = (*begun, *again, merged())
    for _ in range(2):
        assert given(*events).fold().shared == {"tags": [1, 3], "names": [2, 4]}


def test_where_code_merges_some_writes_it_finds_the_first_of_all_that_does_not_apply() -> None:
    refused = (
        *RUNNING,
        *done("1.1", wrote("x", MINE, 1), wrote("y", "set", "t"), wrote("y", "add", 1)),
    )
    fold = given(*refused).fold()
    assert (fold.waits_for_code, due(fold, quiet=True)) == (True, None)


FAILED = ev.JobFailed(error=ev.Failure(type="MergeError", message="no"), activation="2.2", key="x")


def test_a_merge_that_fails_keeps_the_wave_open_and_nothing_waits_any_more() -> None:
    fold = given(*WAITING, FAILED).fold()
    assert in_short(fold) == (Status.FAILED, False, {}, [])
    assert due(fold, quiet=True) is None
    assert list(fold.members) == ["2.1", "2.2"]


def test_an_update_replaces_the_writes_that_failed_and_a_retry_merges_again() -> None:
    failed = given(*WAITING, FAILED)
    failed.when(UpdateShared(writes=(("x", MINE, "c"),))).then(updated("x", "c"))
    failed.when(RetryJob(effects="reuse")).then(ev.JobRetried(effects="reuse"))
    again = given(*failed.events, ev.JobRetried(effects="reuse")).fold()
    assert in_short(again)[:2] == (Status.RUNNING, True)
    mended = given(*failed.events, updated("x", "c"), ev.JobRetried(effects="reuse"))
    assert in_short(mended.fold())[:2] == (Status.RUNNING, True)
    fold = given(*mended.events, merged(x="c")).fold()
    assert in_short(fold) == (Status.RUNNING, False, {"x": "c", "y": 2}, ["3.1"])


def test_a_second_update_of_that_key_follows_the_first() -> None:
    events = (*WAITING, FAILED, updated("x", 1, "set"), updated("x", 2, "add"))
    fold = given(*events, ev.JobRetried(effects="reuse")).fold()
    assert (fold.waits_for_code, fold.shared) == (False, {"x": 3, "y": 2})


def test_an_update_between_waves_waits_for_what_code_makes_of_it() -> None:
    fold = given(*PAUSED, updated("x", "a")).fold()
    assert (fold.shared, len(fold.updates)) == ({}, 1)
    fold = given(*PAUSED, updated("x", "a"), updated("y", 1, "set"), merged(x="A")).fold()
    assert (fold.shared, fold.updates) == ({"x": "A", "y": 1}, [])
    held = (stopping(before=("a.in",)), CLAIMED)
    fold = given(*held, updated("x", "a"), merged(x="A")).fold()
    assert (fold.shared, fold.updates) == ({"x": "A"}, [])


def test_an_update_of_an_open_wave_is_merged_when_that_closes() -> None:
    first, second = WAITING[len(WIDE) : len(WIDE) + 3], WAITING[len(WIDE) + 3 :]
    events = (*WIDE, *first, HOLD, updated("x", "out"))
    fold = given(*events).fold()
    assert (fold.shared, len(fold.updates), fold.waits_for_code) == ({}, 1, False)
    fold = given(*events, resumed(lifted="operator"), *second).fold()
    assert fold.waits_for_code
    assert given(*events, resumed(lifted="operator"), *second, merged(x="o")).fold().shared == {
        "x": "o",
        "y": 2,
    }


def test_a_goto_holds_what_code_made_of_what_is_finished() -> None:
    first = WAITING[len(WIDE) : len(WIDE) + 3]
    dropped = ev.WorkDropped(slot="c.in", payload={}, ids=("2.1",))
    fold = given(*WIDE, *first, HOLD, merged(x="made"), dropped).fold()
    assert fold.shared == {"x": "made", "y": 2}
    assert fold.merged is None
    assert [each.slot for each in fold.ready] == ["c.in"]


@pytest.mark.parametrize("ending", [ev.JobCancelled(reason="enough"), FAILED])
def test_a_job_that_has_ended_waits_for_no_code(ending: ev.Event) -> None:
    fold = given(*WAITING, ending).fold()
    assert (fold.waits_for_code, due(fold, quiet=True)) == (False, None)
