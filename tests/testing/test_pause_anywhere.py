"""A check that a job may be stopped anywhere passes for sound flows, and finds what is planted."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from esflow import Context, Flow, errors
from esflow.events import QuestionAsked
from esflow.testing import Stop, check_pause_anywhere
from esflow.testing.answering import Answers, Asked
from tests.testing import flows
from tests.testing.flows import Bank, complete


def test_a_sound_flow_comes_to_the_same_wherever_it_is_stopped() -> None:
    report = check_pause_anywhere(
        flows.support(), "agent.trigger", {"task": "x"}, answers=["A", "yes"]
    )

    assert report.boundaries > 10
    assert report.schedules == report.compared == 4 * report.boundaries


def by_text(asked: Asked) -> object:
    return "A" if isinstance(asked, QuestionAsked) else "yes"


@pytest.mark.parametrize(
    "answers",
    [
        ["A", "yes"],
        {"Which option?": "A", '{"sure": "A"}': "yes"},
        by_text,
    ],
    ids=["in order", "by text", "by a function"],
)
def test_answers_are_given_in_order_or_by_text_or_by_a_function(answers: Answers) -> None:
    schedules = [(Stop("crash before", 7),), (Stop("crash after", 9),)]

    report = check_pause_anywhere(
        flows.support(), "agent.trigger", {"task": "x"}, answers=answers, schedules=schedules
    )

    assert report.compared == 2


def test_an_unanswered_question_is_named() -> None:
    with pytest.raises(AssertionError, match=r"nobody answers question 1\.1/q0, 'Which option\?'"):
        check_pause_anywhere(flows.support(), "agent.trigger", {"task": "x"})
    with pytest.raises(AssertionError, match=r"nobody answers interrupt 2\.1/i0, {'sure': 'B'}"):
        check_pause_anywhere(flows.support(), "agent.trigger", {"task": "x"}, answers=["B"])


@pytest.mark.parametrize(
    ("flow", "slot", "payload", "found"),
    [
        (flows.counting_in_a_global, "number", {}, "payload.number is 2, undisturbed 1"),
        (flows.counting_in_a_closure, "number", {}, "payload.number is 2, undisturbed 1"),
        (flows.asking_the_clock, "stamp", {}, "SharedWritten: value is"),
        (flows.remembering_in_a_global, "desk.note", {"text": "x"}, "KeyError"),
        (
            flows.remembering_in_a_function,
            "desk.note",
            {"text": "x"},
            'message is "nothing", undisturbed "x"',
        ),
        (flows.throwing_dice, "throw", {}, "EffectRecorded 1.1/e1: digest is"),
    ],
)
def test_a_planted_bug_is_found(
    flow: Callable[[], Flow], slot: str, payload: dict[str, object], found: str
) -> None:
    with pytest.raises(AssertionError) as failure:
        check_pause_anywhere(flow(), slot, payload)

    assert found in str(failure.value)


def test_an_effect_that_changes_when_a_handler_runs_again_is_found_by_its_error() -> None:
    flow = Flow("dice")
    sides = random.Random(7)

    @flow.slot
    def throw(ctx: Context) -> None:
        number = sides.random()
        ctx.effect(complete, f"first {number}")
        ctx.log(ctx.effect(complete, "second"))

    with pytest.raises(AssertionError, match=r"runs again in the same process\n.*digest"):
        check_pause_anywhere(flow, "throw")

    def fresh() -> Flow:
        flow = Flow("dice")
        calls = list[str]()

        @flow.slot
        def throw(ctx: Context) -> None:
            calls.append("one")
            ctx.effect(complete, f"call {len(calls)}")
            ctx.log("done")

        return flow

    # A flow that is made anew for each host remembers nothing: only its own run does.
    assert check_pause_anywhere(fresh, "throw").boundaries == 3


def test_a_history_that_the_handler_does_not_follow_is_an_error_of_the_schedule() -> None:
    with pytest.raises(AssertionError) as failure:
        check_pause_anywhere(
            flows.changing, "pay", world=Bank, schedules=[(Stop("crash before", 3),)]
        )

    assert "it ended with an error" in str(failure.value)
    assert "complete('first of " in str(failure.value)


def test_what_is_there_only_once_is_named() -> None:
    with pytest.raises(AssertionError) as failure:
        check_pause_anywhere(flows.settling_otherwise, "desk.take", world=Bank)

    assert 'Emitted", "id": "1.1/o1", "output": "passed", "payload"' in str(failure.value)


def test_calls_that_are_no_effects_are_found_by_what_the_outside_has_seen() -> None:
    def payments(bank: Bank) -> object:
        return bank.payments

    report = check_pause_anywhere(
        flows.soundly_paying, "pay", {"what": "rent"}, world=Bank, seen=payments
    )
    assert report.compared == report.schedules

    with pytest.raises(AssertionError, match=r"the outside has seen \['rent', 'rent'\]") as failure:
        check_pause_anywhere(
            flows.directly_paying, "pay", {"what": "rent"}, world=Bank, seen=payments
        )
    assert "crash before append 3" in str(failure.value)


def test_what_came_to_the_outside_is_asked_of_what_stands_for_it() -> None:
    with pytest.raises(TypeError, match="give both"):
        check_pause_anywhere(flows.support(), "agent.trigger", seen=len)


def test_attempts_wait_for_a_clock_that_does_not_keep_anybody_waiting() -> None:
    report = check_pause_anywhere(flows.retrying, "settle", {"what": "rent"}, world=Bank)

    assert report.compared > report.schedules // 2


def test_a_lost_effect_that_comes_back_with_something_else_is_not_compared() -> None:
    def numbering(bank: Bank) -> Flow:
        flow = Flow("numbers")

        def number() -> int:
            return len(bank.pay("number")) + len(bank.payments)

        @flow.slot
        def take(ctx: Context) -> None:
            ctx.log(f"took {ctx.effect(number)}")

        return flow

    report = check_pause_anywhere(numbering, "take", world=Bank)

    assert report.compared == report.schedules - 1


def test_a_fake_that_remembers_the_last_run_is_told_apart_from_a_stop() -> None:
    replies = iter(["one", "two", "three"])
    flow = Flow("replies")

    @flow.slot
    def take(ctx: Context) -> None:
        ctx.log(ctx.effect(lambda: next(replies)))

    with pytest.raises(AssertionError, match="then let world= make the fakes"):
        check_pause_anywhere(flow, "take")


def test_a_failing_schedule_can_be_had_again() -> None:
    with pytest.raises(AssertionError) as failure:
        check_pause_anywhere(flows.remembering_in_a_global(), "desk.note", {"text": "x"})
    assert "schedules=[(Stop(how='crash before', at=4),)]" in str(failure.value)

    with pytest.raises(AssertionError) as again:
        check_pause_anywhere(
            flows.remembering_in_a_global(),
            "desk.note",
            {"text": "x"},
            schedules=[(Stop(how="crash before", at=4),)],
        )
    assert str(again.value) == str(failure.value)


def test_several_stops_befall_one_run() -> None:
    schedule = (
        Stop("crash before", 2),
        Stop("pause", 3),
        Stop("steal", 5),
        Stop("crash after", 7),
        Stop("steal", 99),
    )

    report = check_pause_anywhere(
        flows.support(),
        "agent.trigger",
        {"task": "x"},
        answers=["A", "yes"],
        schedules=[schedule, (), (Stop("steal", 1), Stop("crash before", 3))],
    )

    assert report.compared == 3


def test_more_schedules_than_wanted_are_thinned_out_evenly() -> None:
    report = check_pause_anywhere(
        flows.support(), "agent.trigger", {"task": "x"}, answers=["A", "yes"], max_schedules=9
    )

    assert report.schedules == 9


def test_a_flow_that_fails_fails_alike_wherever_it_is_stopped() -> None:
    flow = Flow("failing")

    @flow.slot
    def fail(ctx: Context) -> None:
        ctx.effect(complete, "x")
        raise ValueError("broken")

    assert check_pause_anywhere(flow, "fail").compared > 0


def test_timers_deadlines_and_jobs_of_other_flows_are_stopped_too() -> None:
    parent, child = flows.waiting()
    answers = {"Sure?": "yes", "How to make a?": "fast", "How to make b?": "well"}

    report = check_pause_anywhere(
        parent, "desk.take", {"items": ["a", "b"]}, answers=answers, others=[child]
    )

    assert report.compared == report.schedules > 50


def test_a_difference_in_a_job_that_was_started_is_found() -> None:
    parent, child = flows.waiting()
    numbers = iter(range(1000))

    @child.slot
    def number(ctx: Context, item: str) -> None:
        ctx.log(f"{item} {next(numbers)}")

    starter = Flow("starter")

    @starter.slot
    def begin(ctx: Context) -> None:
        ctx.start(child, "number", {"item": "x"}, then="end")

    @starter.slot
    def end(ctx: Context, job_id: str, **rest: object) -> None:
        ctx.log(job_id)

    with pytest.raises(AssertionError, match=r"job job/1.1/c0, activation 1.1 \(number\)"):
        check_pause_anywhere(starter, "begin", others=[child, parent])


def test_async_handlers_are_checked_like_others() -> None:
    flow = Flow("async")

    async def fetch(what: str) -> str:
        return what.upper()

    @flow.slot(outputs=("got",))
    async def get(ctx: Context) -> None:
        ctx.emit("got", text=await ctx.effect(fetch, "x"))

    assert check_pause_anywhere(flow, "get").compared > 0


def test_what_the_engine_refuses_is_refused() -> None:
    with pytest.raises(errors.SlotNotFound):
        check_pause_anywhere(flows.support(), "agent.nowhere")
    with pytest.raises(errors.AnswerRefused):
        check_pause_anywhere(flows.support(), "agent.trigger", {"task": "x"}, answers=["C"])


def test_handlers_remember_afterwards_what_they_did_before() -> None:
    flows.SEEN["text"] = "before"
    with pytest.raises(AssertionError):
        check_pause_anywhere(flows.counting_in_a_global(), "number")
    schedules = [(Stop("pause", 1),)]
    check_pause_anywhere(
        flows.remembering_in_a_global(), "desk.note", {"text": "x"}, schedules=schedules
    )

    assert flows.counted == 0
    assert flows.SEEN.pop("text") == "before"
