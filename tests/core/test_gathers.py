"""Slots that gather: when a collection is whole, what its activation gets, and where it stands."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import attrs
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from esflow import events as ev
from esflow.commands import Goto, SendMessage
from esflow.consequences import needed_slots
from esflow.events import Gather, Json
from esflow.state import JobFold
from tests.core.scenario import (
    CLAIMED,
    RUNNING,
    answered,
    asked,
    done,
    emitted,
    for_program,
    given,
    paused,
    resumed,
    started,
    wants_pause,
)

AMONG = ("a.x", "a.y", "a.z")
TWO = Gather(count=2)


def to_all(item: str, connection: str, **payload: Json) -> ev.Emitted:
    """Return an emission that comes to a slot by one of its connections."""
    gather = Gather(count=len(AMONG), among=AMONG, connection=connection)
    return _gathered(emitted(item, "join.in", **payload), gather)


def to_two(item: str, *, slot: str = "join.in", **payload: Json) -> ev.Emitted:
    """Return an emission to a slot that collects two."""
    return _gathered(emitted(item, slot, **payload), TWO)


def _gathered(event: ev.Emitted, gather: Gather) -> ev.Emitted:
    (target,) = event.targets
    return attrs.evolve(event, targets=(attrs.evolve(target, gather=gather),))


def ready(fold: JobFold) -> list[tuple[str, str, Any]]:
    """Return what is to run: ids, slots and what they get."""
    return [(each.id, each.slot, dict(each.payload)) for each in fold.ready]


def letters(fold: JobFold) -> list[list[str]]:
    """Return the letters that the ready activations have gathered."""
    return [[each["l"] for each in found.payload["items"]] for found in fold.ready]


@pytest.mark.parametrize("order", list(permutations(AMONG)))
def test_one_by_each_connection_is_listed_in_their_order_whichever_came_first(
    order: tuple[str, ...],
) -> None:
    records = [to_all(f"1.1/o{place}", each, l=each) for place, each in enumerate(order)]
    fold = given(*RUNNING, *done("1.1", *records)).fold()
    items = [{"l": "a.x"}, {"l": "a.y"}, {"l": "a.z"}]
    assert ready(fold) == [("2.1", "join.in", {"items": items})]
    assert fold.members["2.1"].activation.cause == "1.1/o2"
    assert not fold.gathers


@pytest.mark.parametrize("order", list(permutations(AMONG)))
def test_what_comes_wave_by_wave_is_kept_until_the_last(order: tuple[str, ...]) -> None:
    first, second, third = order
    events = [
        *(*RUNNING, *done("1.1", to_all("1.1/o0", first, l=first), emitted("1.1/o1", "b.in"))),
        *done("2.1", to_all("2.1/o0", second, l=second), emitted("2.1/o1", "b.in")),
    ]
    fold = given(*events).fold()
    assert [slot for _, slot, _ in ready(fold)] == ["b.in"]
    (found,) = fold.face().gathers
    assert (found.slot, found.count, found.among) == ("join.in", 3, AMONG)
    assert [(each.cause, each.connection) for each in found.waiting] == [
        ("1.1/o0", first),
        ("2.1/o0", second),
    ]
    assert found.missing == (third,)
    fold = given(*events, *done("3.1", to_all("3.1/o0", third, l=third))).fold()
    assert letters(fold) == [["a.x", "a.y", "a.z"]]
    assert not fold.gathers


def test_payloads_of_one_connection_queue_for_the_rounds_to_come() -> None:
    came = ["a.x", "a.x", "a.y", "a.z", "a.y", "a.z", "a.z"]
    records = [to_all(f"1.1/o{place}", each, l=f"{each}{place}") for place, each in enumerate(came)]
    fold = given(*RUNNING, *done("1.1", *records)).fold()
    assert letters(fold) == [["a.x0", "a.y2", "a.z3"], ["a.x1", "a.y4", "a.z5"]]
    (found,) = fold.face().gathers
    assert [each.payload for each in found.waiting] == [{"l": "a.z6"}]
    assert found.missing == ("a.x", "a.y")


@over(st.lists(st.sampled_from(AMONG), max_size=24))
def test_every_round_takes_the_oldest_of_each_connection(came: list[str]) -> None:
    records = [to_all(f"1.1/o{place}", each, l=f"{each}{place}") for place, each in enumerate(came)]
    fold = given(*RUNNING, *done("1.1", *records)).fold()
    queues = {
        name: [f"{each}{place}" for place, each in enumerate(came) if each == name]
        for name in AMONG
    }
    rounds = [list(each) for each in zip(*queues.values(), strict=False)]
    assert letters(fold) == rounds
    left = [each.payload["l"] for found in fold.face().gathers for each in found.waiting]
    assert set(left) == {each for queue in queues.values() for each in queue[len(rounds) :]}
    assert bool(left) == bool(fold.gathers)


def test_the_activation_stands_where_the_payload_stood_that_completed_it() -> None:
    records = [
        to_two("1.1/o0", l="a"),
        emitted("1.1/o1", "b.in"),
        to_two("1.1/o2", l="b"),
        emitted("1.1/o3", "c.in"),
        to_two("1.1/o4", l="c"),
    ]
    fold = given(*RUNNING, *done("1.1", *records)).fold()
    assert ready(fold) == [
        ("2.1", "b.in", {}),
        ("2.2", "join.in", {"items": [{"l": "a"}, {"l": "b"}]}),
        ("2.3", "c.in", {}),
    ]
    (found,) = fold.face().gathers
    assert ([each.payload for each in found.waiting], found.missing) == ([{"l": "c"}], ())


def test_a_number_collects_in_activation_order_whichever_settled_first() -> None:
    wide = (*RUNNING, *done("1.1", *(emitted(f"1.1/o{n}", "b.in") for n in range(4))))
    settling = [done(f"2.{n}", to_two(f"2.{n}/o0", l=str(n))) for n in (3, 1, 4, 2)]
    fold = given(*wide, *(event for events in settling for event in events)).fold()
    assert letters(fold) == [["1", "2"], ["3", "4"]]


def test_slots_collect_apart_and_a_renaming_comes_first() -> None:
    one, other = to_two("1.1/o0", l="a"), to_two("1.1/o1", slot="other.in", l="b")
    renamed = attrs.evolve(one.targets[0], rename={"l": "m"})
    fold = given(
        *RUNNING,
        *done("1.1", attrs.evolve(one, targets=(renamed,)), other, to_two("1.1/o2", l="c")),
    ).fold()
    assert ready(fold) == [("2.1", "join.in", {"items": [{"m": "a"}, {"l": "c"}]})]
    assert list(fold.gathers) == ["other.in"]


def test_messages_and_answers_count_for_a_number() -> None:
    question = asked("1.1/q0", "join.in", gather=TWO)
    told = ev.MessageReceived(id="m1", slot="join.in", payload={"l": "m"}, gather=TWO)
    before = (*RUNNING, *done("1.1", question, to_two("1.1/o0", l="e")))
    fold = given(*before, *_ended(before), answered(), told, resumed()).fold()
    items = [{"l": "e"}, {"answer": "yes"}]
    assert ready(fold) == [("2.1", "join.in", {"items": items})]
    (found,) = fold.face().gathers
    assert [(each.cause, each.payload) for each in found.waiting] == [("m1", {"l": "m"})]
    assert not fold.messages


def test_a_wish_to_send_says_what_its_slot_collects() -> None:
    command = SendMessage(slot="join.in", payload={"l": "m"}, key=None, gather=TWO)
    message = ev.MessageReceived(id="m1", slot="join.in", payload={"l": "m"}, gather=TWO)
    given(*RUNNING).when(command).then(message)


def test_a_childs_outcome_counts_for_a_number() -> None:
    child = ev.ChildStarted(
        id="1.1/c0", job_id="job/1.1/c0", flow="f", slot="s", payload={}, then="join.in", gather=TWO
    )
    finished = ev.ChildFinished(id="1.1/c0", status="completed")
    fold = given(*RUNNING, *done("1.1", child, to_two("1.1/o0", l="e")), finished).fold()
    ((_, slot, payload),) = ready(fold)
    assert slot == "join.in"
    assert [each.get("status", each.get("l")) for each in payload["items"]] == ["e", "completed"]


def test_a_job_with_nothing_left_but_an_incomplete_gather_fails_by_name() -> None:
    one = given(*RUNNING, *done("1.1", to_all("1.1/o0", "a.y", l="y")))
    failure = ev.Failure(
        type="GatherIncomplete",
        message="job 'job': 'join.in' never got what a.x, a.z brings; route what may fail into it",
    )
    one.at_rest().then(ev.JobFailed(error=failure))
    few = given(*RUNNING, *done("1.1", to_two("1.1/o0", l="y"))).at_rest().outcome
    assert isinstance(few, tuple)
    (ended,) = few
    assert isinstance(ended, ev.JobFailed)
    assert "'join.in' never got 2 payloads, only 1" in ended.error.message
    assert given(*one.events, ended).fold().face().gathers


def test_a_pause_keeps_what_is_collected_and_its_slot_is_still_needed() -> None:
    events = (*RUNNING, *done("1.1", to_two("1.1/o0", l="a"), wants_pause()))
    fold = given(*events, paused(for_program())).fold()
    assert fold.status == "paused"
    assert list(fold.gathers) == ["join.in"]
    assert needed_slots(fold) == {"join.in"}


def test_a_goto_drops_what_is_collected_by_its_cause() -> None:
    events = (*RUNNING, *done("1.1", to_two("1.1/o0", l="a"), wants_pause()), paused(for_program()))
    dropped = ev.WorkDropped(slot="b.in", payload={}, ids=("1.1/o0",))
    given(*events).when(Goto("b.in")).then(resumed("Goto"), dropped)
    assert not given(*events, resumed("Goto"), dropped).fold().gathers


def test_a_wave_beyond_the_limit_leaves_what_came_from_outside_uncollected() -> None:
    told = ev.MessageReceived(id="m1", slot="join.in", payload={"l": "m"}, gather=TWO)
    events = (started(limit=1), CLAIMED, told, *done("1.1", to_two("1.1/o0", l="a")))
    fold = given(*events).fold()
    assert fold.over_limit
    (found,) = fold.face().gathers
    assert [each.cause for each in found.waiting] == ["1.1/o0"]
    assert list(fold.messages) == ["m1"]
    retried = given(*events, *_ended(events), ev.JobRetried(effects="reuse")).fold()
    assert (retried.over_limit, list(retried.messages)) == (True, ["m1"])


def test_a_retry_brings_an_incomplete_gather_nothing_and_fails_again() -> None:
    events = (*RUNNING, *done("1.1", to_two("1.1/o0", l="a")))
    end = _ended(events)
    retried = given(*events, *end, ev.JobRetried(effects="reuse"))
    assert retried.fold().status == "running"
    retried.at_rest().then(*end)


def _ended(events: tuple[ev.Event, ...]) -> tuple[ev.Event, ...]:
    outcome = given(*events).at_rest().outcome
    assert isinstance(outcome, tuple)
    return outcome
