"""How events become state, by example; and that the events stay what they are."""

from __future__ import annotations

import copy
from typing import Any, get_args

import attrs
import pytest

from esflow import events as ev
from esflow.fold import HANDLERS, evolve, fold_events
from esflow.state import Status
from tests.core.scenario import (
    ASKED,
    CLAIMED,
    JOB,
    PAUSED,
    RUNNING,
    answered,
    deferred,
    done,
    emitted,
    failed,
    for_program,
    given,
    message,
    paused,
    released,
    resumed,
    started,
    wants_pause,
    wrote,
)

WIDE = (*RUNNING, *done("1.1", emitted("1.1/o0", "a.in", "b.in", n=1)))


def unchanged(*events: ev.Event) -> dict[str, Any]:
    """Fold events, see that they are still what they were, and return the shared data."""
    before = copy.deepcopy(events)
    shared = given(*events).fold().shared
    assert repr(events) == repr(before)
    return shared


def test_every_event_has_its_handler_and_nothing_else_has() -> None:
    assert set(HANDLERS) == set(get_args(ev.Event))


def test_every_name_is_that_of_its_class() -> None:
    assert [kind.name for kind in get_args(ev.Event)] == [
        kind.__name__ for kind in get_args(ev.Event)
    ]


def test_every_event_counts_one_version() -> None:
    for number in range(len(WIDE)):
        assert fold_events(JOB, WIDE[:number]).version == number


def test_a_claim_is_the_token_of_its_execution() -> None:
    again = attrs.evolve(CLAIMED, host="b", flow_version="2", fingerprint="g")
    fold = given(*RUNNING, again).fold()
    assert (fold.token, fold.host, fold.flow_version, fold.fingerprint) == (3, "b", "2", "g")


# Waves.


def test_emissions_open_the_next_wave_in_activation_order() -> None:
    history = (
        *WIDE,
        *done("2.2", emitted("2.2/o0", "c.in")),
        *done("2.1", emitted("2.1/o0", "d.in", "e.in"), emitted("2.1/o1", "c.in")),
    )
    ready = given(*history).fold().ready
    assert [(each.id, each.slot, each.cause) for each in ready] == [
        ("3.1", "d.in", "2.1/o0"),
        ("3.2", "e.in", "2.1/o0"),
        ("3.3", "c.in", "2.1/o1"),
        ("3.4", "c.in", "2.2/o0"),
    ]


def test_kept_work_stands_before_deferrals_and_these_before_inputs() -> None:
    records = (deferred("1.1/d0", "d.in"), emitted("1.1/o0", "k.in"), wants_pause())
    history = (*RUNNING, message(slot="m.in"), *done("1.1", *records), paused(for_program()))
    kept = given(*history).fold()
    assert [(each.id, each.slot) for each in kept.ready] == [("2.1", "k.in")]
    opened = given(*history, released("1.1/d0"), resumed()).fold()
    assert [(each.id, each.slot, each.cause) for each in opened.ready] == [
        ("2.1", "k.in", "1.1/o0"),
        ("2.2", "d.in", "1.1/d0"),
        ("2.3", "m.in", "m1"),
    ]
    assert opened.messages == {}


def test_a_wave_without_connections_puts_out() -> None:
    fold = given(*RUNNING, *done("1.1", emitted("1.1/o0", n=1))).fold()
    assert [(each.id, each.output, each.activation) for each in fold.outputs] == [
        ("1.1/o0", "out", "1.1")
    ]


def test_a_released_deferral_stands_among_the_outputs_where_its_id_does() -> None:
    records = (deferred("1.1/d0"), emitted("1.1/o0", "a.in"))
    history = (*RUNNING, *done("1.1", *records), *done("2.1", emitted("2.1/o0")))
    fold = given(*history, released("1.1/d0")).fold()
    assert [each.id for each in fold.outputs] == ["1.1/d0", "2.1/o0"]


def test_a_connection_renames_exactly_the_keys_it_names() -> None:
    target = ev.Target(slot="b.in", rename={"x": "y", "y": "x", "absent": "z"})
    emission = ev.Emitted(
        id="1.1/o0", output="out", payload={"x": 1, "y": 2, "w": 3}, targets=(target,)
    )
    (ready,) = given(*RUNNING, *done("1.1", emission)).fold().ready
    assert ready.payload == {"x": 2, "y": 1, "w": 3}


def test_a_renamed_key_takes_the_place_of_one_of_that_name() -> None:
    target = ev.Target(slot="b.in", rename={"x": "y"})
    emission = ev.Emitted(id="1.1/o0", output="out", payload={"x": 1, "y": 2}, targets=(target,))
    (ready,) = given(*RUNNING, *done("1.1", emission)).fold().ready
    assert ready.payload == {"y": 1}


def test_nothing_of_a_wave_holds_before_it_has_closed() -> None:
    records = (wrote("a", "set", 1, "2.1"), ev.Logged(activation="2.1", message="line"))
    fold = given(*WIDE, *done("2.1", *records, emitted("2.1/o0"))).fold()
    assert (fold.shared, fold.log, fold.outputs) == ({}, [], [])


def test_nothing_of_a_wave_with_a_failure_holds() -> None:
    records = (wrote("a", "set", 1, "2.1"), ev.Logged(activation="2.1", message="line"))
    history = (*WIDE, *done("2.1", *records, emitted("2.1/o0")), failed("2.2"))
    fold = given(*history).fold()
    assert (fold.shared, fold.log, fold.outputs, fold.wave) == ({}, [], [], 2)


def test_the_failure_of_a_job_shows_the_traceback_of_its_activation() -> None:
    error = ev.Failure(type="ValueError", message="no")
    fold = given(*RUNNING, failed(), ev.JobFailed(error=error, activation="1.1")).fold()
    assert fold.failure is not None
    assert fold.failure.traceback == "traceback of 1.1"
    assert (fold.failure.type, fold.failure.message, fold.failure.activation) == (
        "ValueError",
        "no",
        "1.1",
    )


def test_the_failure_of_a_job_may_belong_to_no_activation() -> None:
    error = ev.Failure(type="ActivationLimit", message="too many", traceback="t")
    fold = given(*RUNNING, *done(), ev.JobFailed(error=error)).fold()
    assert fold.failure is not None
    assert (fold.failure.traceback, fold.failure.activation) == ("t", None)


def test_effects_are_kept_with_their_activation_until_the_wave_closes() -> None:
    effect = ev.EffectRecorded(id="1.1/e0", function="f", digest="d", key="k", duration_us=1)
    assert given(*RUNNING, effect).fold().members["1.1"].effects == {"1.1/e0": effect}
    assert given(*RUNNING, effect, failed()).fold().members["1.1"].effects == {"1.1/e0": effect}


def test_memory_belongs_to_a_routine() -> None:
    def remembered(key: str, reducer: str, value: ev.Json = None) -> ev.MemoryWritten:
        return ev.MemoryWritten(
            activation="1.1", routine="a", key=key, reducer=reducer, value=value
        )

    records = (remembered("x", "set", 1), remembered("y", "set", [2]), remembered("x", "delete"))
    assert given(*RUNNING, *done("1.1", *records)).fold().memory == {"a": {"y": [2]}}


# Statuses.


@pytest.mark.parametrize(
    ("history", "status"),
    [
        ((started(),), Status.PENDING),
        (RUNNING, Status.RUNNING),
        (ASKED, Status.PAUSED),
        ((*ASKED, answered(), resumed("Answer")), Status.RUNNING),
        ((*PAUSED, resumed()), Status.RUNNING),
        ((*RUNNING, *done()), Status.RUNNING),
        ((*RUNNING, *done(), ev.JobCompleted()), Status.COMPLETED),
    ],
)
def test_a_job_stands_where_its_events_put_it(
    history: tuple[ev.Event, ...], status: Status
) -> None:
    assert given(*history).fold().status is status


# Shared data, and the events that it came from.


def test_writes_of_a_wave_are_merged_in_activation_order() -> None:
    second = done("2.2", wrote("a", "set", "second", "2.2"), wrote("l", "append", 2, "2.2"))
    first = done("2.1", wrote("a", "set", "first", "2.1"), wrote("l", "append", 1, "2.1"))
    assert unchanged(*WIDE, *second, *first) == {"a": "second", "l": [1, 2]}


def test_a_deleted_key_is_absent_for_the_next_write() -> None:
    records = (wrote("l", "set", "text"), wrote("l", "delete"), wrote("l", "append", 1))
    assert unchanged(*RUNNING, *done("1.1", *records)) == {"l": [1]}
    assert unchanged(*RUNNING, *done("1.1", wrote("l", "delete"))) == {}


def test_a_list_that_was_set_and_appended_to_is_not_the_events() -> None:
    records = (wrote("l", "set", [1]), wrote("l", "append", [2]), wrote("l", "extend", [[3]]))
    later = done("2.1", wrote("l", "append", 4, "2.1"), wrote("l", "unique", 5, "2.1"))
    history = (*RUNNING, *done("1.1", *records, emitted("1.1/o0", "a.in")), *later)
    assert unchanged(*history) == {"l": [1, [2], [3], 4, 5]}


def test_a_mapping_that_was_set_and_merged_into_is_not_the_events() -> None:
    records = (wrote("m", "set", {"a": {}}), wrote("m", "merge", {"b": [1]}))
    later = done("2.1", wrote("m", "merge", {"a": 2}, "2.1"))
    history = (*RUNNING, *done("1.1", *records, emitted("1.1/o0", "a.in")), *later)
    assert unchanged(*history) == {"m": {"a": 2, "b": [1]}}


@pytest.mark.parametrize("reducer", ["set", "append", "extend", "merge", "unique", "max"])
def test_a_first_write_is_not_the_events(reducer: str) -> None:
    value: ev.Json = {"k": [1]} if reducer in ("merge", "set", "max") else [[1]]
    more, added = ("merge", {"k": 2}) if isinstance(value, dict) else ("append", 2)
    later = done("2.1", wrote("x", more, added, "2.1"))
    first = done("1.1", wrote("x", reducer, value), emitted("1.1/o0", "a.in"))
    assert unchanged(*RUNNING, *first, *later)["x"] != value


def test_two_keys_written_from_one_value_go_their_own_ways() -> None:
    value = [1]
    records = (wrote("a", "set", value), wrote("b", "set", value), wrote("a", "append", 2))
    assert unchanged(*RUNNING, *done("1.1", *records)) == {"a": [1, 2], "b": [1]}


def test_a_merge_that_fails_changes_nothing() -> None:
    before = done("1.1", wrote("l", "set", [1]), emitted("1.1/o0", "a.in"))
    records = (wrote("l", "append", 2, "2.1"), wrote("n", "set", 1, "2.1"))
    broken = done("2.1", *records, wrote("n", "append", 1, "2.1"))
    fold = given(*RUNNING, *before, *broken).fold()
    assert fold.shared == {"l": [1]}
    assert fold.merge_failure is not None
    assert (fold.merge_failure.activation, fold.merge_failure.key) == ("2.1", "n")
    assert (fold.merge_failure.reducer, fold.wave) == ("append", 2)


@pytest.mark.parametrize(
    ("found", "reducer", "value"),
    [("text", "append", 1), ([], "merge", {}), (2**63 - 1, "add", 1), ({}, "max", 1)],
)
def test_a_write_must_apply_to_what_earlier_waves_left(
    found: ev.Json, reducer: str, value: ev.Json
) -> None:
    first = done("1.1", wrote("x", "set", found), emitted("1.1/o0", "a.in"))
    fold = given(*RUNNING, *first, *done("2.1", wrote("x", reducer, value, "2.1"))).fold()
    assert fold.shared == {"x": found}
    assert fold.merge_failure is not None


def test_a_list_that_grows_is_not_copied_by_every_wave() -> None:
    fold = given(*RUNNING, *done("1.1", wrote("l", "append", 1), emitted("1.1/o0", "a.in"))).fold()
    growing = fold.shared["l"]
    for event in done("2.1", wrote("l", "append", 2, "2.1"), wrote("l", "extend", [3], "2.1")):
        evolve(fold, event)
    assert fold.shared["l"] is growing
    assert growing == [1, 2, 3]
