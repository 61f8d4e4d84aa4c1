"""A slot can be tried by itself: given, when, then; or called as the function that it is."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import pytest

from esflow import Context, Flow, errors
from esflow.testing import ManualClock, Tried, asked_for, context, given
from esflow.testing.faking import Effects
from tests.testing import desk
from tests.testing.desk import Price

PRICE = Price(3, datetime(2025, 1, 2, tzinfo=UTC))


def taken() -> Tried:
    return given(desk.desk, shared={"total": 1}, effects={"price": PRICE}).when(
        "clerk.take", {"what": "lamp", "count": 2}
    )


def test_everything_that_a_slot_asks_for_is_seen() -> None:
    taken().then(
        emitted=[("priced", {"amount": 3})],
        deferred=[("told", {"what": "lamp"})],
        asked=[],
        paused=False,
        wrote={"notes": ["lamp"], "total": 7},
        deleted=[],
        remembered={"last": "lamp"},
        logged=["priced lamp"],
        called=["price"],
    ).then(logged=[("priced lamp", {"amount": 3})])


def test_questions_pauses_and_deletions_are_seen() -> None:
    doubted = given(desk.desk, shared={"total": 1}, attempt=2).when("clerk.doubt", {"what": "x"})

    doubted.then(asked=["Really?"], paused=["tried before", "think"], deleted=["total"])
    doubted.then(asked=[{"text": "Really?", "choices": ["yes", "no"]}], paused=True)
    doubted.then(asked=[{"to": "clerk.hear"}], wrote={})
    given(desk.desk, shared={"total": 1}).when("clerk.doubt", {"what": "x"}).then(paused="think")


@pytest.mark.parametrize(
    ("see", "shown"),
    [
        (
            lambda: taken().then(emitted=[("priced", {"amount": 4})]),
            """clerk.take took {"what": "lamp", "count": 2}:
  emitted: [["priced", {"amount": 3}]]
    expected: [["priced", {"amount": 4}]]
    first difference: emitted[0][1].amount is 3, expected 4""",
        ),
        (
            lambda: taken().then(deferred=[], paused=True),
            """clerk.take took {"what": "lamp", "count": 2}:
  deferred: [["told", {"what": "lamp"}]]
    expected: []
    first difference: deferred has 1 entries, expected 0
  paused: false
    expected: true""",
        ),
        (lambda: taken().then(wrote={"total": 7.0}), "wrote.total is 7, expected 7.0"),
        (lambda: taken().then(wrote={}), 'wrote.notes is ["lamp"], expected it is missing'),
        (lambda: taken().then(remembered={"x": 1}), "remembered.x is missing, expected 1"),
        (lambda: taken().then(logged=["x"]), 'logged[0] is "priced lamp", expected "x"'),
        (lambda: taken().then(logged=[]), "logged has 1 entries, expected 0"),
        (lambda: taken().then(asked=["Really?"]), "asked has 0 entries, expected 1"),
        (lambda: taken().then(called=[]), "called has 1 entries, expected 0"),
        (
            lambda: taken().then(raised=ValueError),
            "raised: None\n    expected: ValueError",
        ),
        (lambda: taken().then(interrupted="Now?"), 'it was not interrupted, expected by "Now?"'),
        (
            lambda: (
                given(desk.desk, shared={"total": 1})
                .when("clerk.doubt", {"what": "x"})
                .then(asked=[])
            ),
            '"choices": ["yes", "no"]',
        ),
    ],
)
def test_a_failure_names_what_differs(see: Callable[[], object], shown: str) -> None:
    with pytest.raises(AssertionError) as failure:
        see()

    assert shown in str(failure.value)


def test_effects_come_back_with_what_is_given_by_name_by_function_or_in_order() -> None:
    def half(what: str) -> Price:
        return Price(len(what) // 2)

    ways: list[Effects] = [
        *({"price": half}, {desk.price: half}, {"price": Price(2)}),
        *([{"amount": 2}], [half]),
    ]
    for effects in ways:
        tried = given(desk.desk, effects=effects).when("clerk.take", {"what": "lamp"})
        tried.then(emitted=[("priced", {"amount": 2})])


def test_an_effect_raises_what_is_given() -> None:
    tried = given(desk.desk, effects=[LookupError("nothing")])

    tried.when("clerk.fail", {"what": "lamp"}).then(
        raised=ValueError("no lamp: LookupError"), emitted=[], called=["price"]
    )


def test_an_error_that_nobody_expects_is_a_failure() -> None:
    tried = given(desk.desk, effects=[LookupError()]).when("clerk.fail", {"what": "lamp"})

    with pytest.raises(AssertionError, match=r"raised: ValueError\('no lamp") as failure:
        tried.then(emitted=[])
    assert failure.value.__cause__ is tried.raised
    with pytest.raises(AssertionError, match="expected: KeyError"):
        tried.then(raised=KeyError)
    with pytest.raises(AssertionError, match=r"expected: ValueError\('other'\)"):
        tried.then(raised=ValueError("other"))
    with pytest.raises(AssertionError, match="called has 1 entries, expected 0"):
        tried.then(raised=ValueError, called=[])


def test_an_effect_that_nothing_is_given_for_is_named() -> None:
    tried = given(desk.desk, effects={"other": 1}).when("clerk.take", {"what": "lamp"})

    with pytest.raises(AssertionError, match=r"nothing is given for the effect price\('lamp'\)"):
        tried.then(raised=AssertionError)


def test_what_is_given_in_order_has_to_be_asked_for() -> None:
    tried = given(desk.desk, effects=[PRICE, PRICE, PRICE], answers=["yes"])

    with pytest.raises(AssertionError) as failure:
        tried.when("clerk.take", {"what": "lamp"}).then()
    assert "effects: 2 more are given than were called" in str(failure.value)
    assert "answers: 1 more are given than were asked for" in str(failure.value)


def test_without_any_given_effects_really_run() -> None:
    tried = given(desk.desk).when("clerk.insist", {"fails": []})
    tried.then(logged=["7"], called=["flaky"])

    with pytest.raises(AssertionError, match="lamp has no price here"):
        given(desk.desk).when("clerk.take", {"what": "lamp"}).then()


def test_an_effect_is_tried_again_at_once() -> None:
    given(desk.desk).when("clerk.insist", {"fails": [1, 2]}).then(
        logged=["7"], called=["flaky", "flaky", "flaky"]
    )


def test_interrupts_are_answered_and_no_effect_is_made_again() -> None:
    for answers in (["yes", 5], {"First?": "yes", '{"price": 3}': 5}):
        tried = given(desk.desk, effects=[PRICE], answers=answers).when("clerk.confirm")
        tried.then(emitted=[("priced", {"amount": 5, "first": "yes"})], called=["price"])


def test_an_interrupt_that_nobody_answers_is_seen() -> None:
    waiting = given(desk.desk, effects=[PRICE], answers=["yes"]).when("clerk.confirm")
    waiting.then(interrupted={"price": 3}, emitted=[])
    with pytest.raises(AssertionError, match=r"first difference: interrupted\[0\]\.price is 3"):
        waiting.then(interrupted={"price": 4})

    with pytest.raises(AssertionError, match=r'it was interrupted, by {"price": 3}; give '):
        waiting.then(emitted=[])


def test_an_answer_that_no_job_would_take_is_refused() -> None:
    with pytest.raises(AssertionError, match='answer "maybe" is none of'):
        given(desk.desk, answers=["maybe"]).when("clerk.confirm")
    given(desk.desk, effects=[PRICE], answers=["yes", "five"]).when("clerk.confirm").then(
        raised=errors.PayloadError
    )


def test_a_swallowed_interrupt_is_an_error() -> None:
    given(desk.desk, answers=[]).when("clerk.swallow").then(raised=errors.InterruptSwallowed)


def test_async_slots_are_tried_like_others() -> None:
    given(desk.desk).when("clerk.fetched", {"what": "x"}).then(emitted=[("told", {"what": "X"})])

    async def other(what: str) -> str:
        return f"{what}!"

    def plain(what: str) -> str:
        return f"{what}!"

    ways: list[Effects] = [{"fetch": "x!"}, {"fetch": other}, [plain]]
    for effects in ways:
        tried = given(desk.desk, effects=effects).when("clerk.fetched", {"what": "x"})
        tried.then(emitted=[("told", {"what": "x!"})])


def test_chance_and_time_are_the_same_in_every_test() -> None:
    tried = given(desk.desk).when("clerk.draw")
    drawn = tried.done.remembered["drawn"]
    tried.then(called=[])

    given(desk.desk, effects=[]).when("clerk.draw").then(remembered={"drawn": drawn})
    assert drawn[2] == "2025-01-01T00:00:00+00:00"
    told = {"esflow.random": 0.5}
    assert given(desk.desk, effects=told).when("clerk.draw").done.remembered["drawn"][1] == 0.5


def test_what_comes_later_and_jobs_that_are_started_are_seen() -> None:
    given(desk.desk, others=[desk.other]).when("clerk.hand_on", {"what": "x"}).then(
        emitted=[],
        later=[("told", {"what": "x"})],
        started=[("other", "begin", {"what": "x"})],
    )
    ctx = context(desk.desk, "clerk.hand_on", others=[desk.other])
    desk.hand_on(ctx, "x")
    assert asked_for(ctx).started == (("other", "begin", {"what": "x"}),)
    given(desk.desk).when("clerk.hand_on", {"what": "x"}).then(raised=errors.FlowNotFound)


def test_a_value_that_is_changed_in_place_is_an_error() -> None:
    given(desk.desk, shared={"sums": {"total": 1}}).when("clerk.sum_up").then(
        raised=errors.PayloadError, wrote={}
    )


def test_a_payload_that_a_slot_does_not_take_is_an_error() -> None:
    given(desk.desk).when("clerk.hear", {"answers": "x"}).then(raised=errors.PayloadError)
    with pytest.raises(errors.SlotNotFound):
        given(desk.desk).when("clerk.nowhere")


def test_a_slot_is_called_as_the_function_that_it_is() -> None:
    ctx = context(desk.desk, "clerk.take", shared={"total": 1}, effects={desk.price: PRICE})

    desk.take(ctx, "lamp", 2)

    done = asked_for(ctx)
    assert done.emitted == (("priced", {"amount": 3}),)
    assert done.deferred == (("told", {"what": "lamp"}),)
    assert done.wrote == {"notes": ["lamp"], "total": 7}
    assert done.remembered == {"last": "lamp"}
    assert done.logged == (("priced lamp", {"amount": 3}),)
    assert (ctx.job_id, ctx.activation_id, ctx.attempt) == ("job-1", "1.1", 1)
    assert not ctx.cancelled


def test_a_context_tells_the_time_of_a_clock() -> None:
    clock = ManualClock()
    ctx = context(desk.desk, "clerk.draw", clock=clock)
    clock.advance(60)

    assert ctx.now().minute == 1
    assert ctx.idempotency_key == "job-1/1.1/e1"


async def _awaited() -> None:
    ctx = context(desk.desk, "clerk.fetched", effects={"fetch": "y"})
    await desk.fetched(ctx, "x")
    assert asked_for(ctx).emitted == (("told", {"what": "y"}),)


def test_an_async_slot_is_awaited_as_the_function_that_it_is() -> None:
    asyncio.run(_awaited())
    assert inspect.iscoroutinefunction(desk.fetched)


def test_data_with_a_type_begins_with_its_defaults() -> None:
    @attrs.define
    class Sums:
        total: int = 4

    flow = Flow("typed", shared=Sums)

    @flow.slot
    def add(ctx: Context) -> None:
        ctx.shared.total += 1

    given(flow).when("add").then(wrote={"total": 5})
    given(flow, shared={"total": 6}).when("add").then(wrote={"total": 7})
