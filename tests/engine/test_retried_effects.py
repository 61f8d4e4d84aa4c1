"""Which recorded effects and answers the next attempt of a slot is given."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Never

import pytest

from esflow import Answer, Context, Engine, Retry, errors
from esflow import events as ev
from tests.engine.test_retries import failures, one
from tests.engine.world import Hosts


def effect_ids(engine: Engine, job_id: str = "one") -> list[str]:
    """Return the ids of the effects that are recorded of a job, in their order."""
    recorded = [each.event for each in engine.history(job_id)]
    return [each.id for each in recorded if isinstance(each, ev.EffectRecorded)]


def counted(calls: Counter[str], name: str, *, fails: int = 0) -> Callable[[], int]:
    """Return what is called as an effect, and fails so many times."""

    def call() -> int:
        calls[name] += 1
        if calls[name] <= fails:
            raise LookupError(f"{name} {calls[name]}")
        return calls[name]

    return call


def test_effects_are_reused_by_the_next_attempt(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        result = ctx.effect(counted(calls, "first"))
        if ctx.attempt == 1:
            raise ValueError
        ctx.shared["result"] = result

    engine = hosts(one(act))
    state = engine.start("one", "agent.act", job_id="one")
    assert (state.shared, calls, effect_ids(engine)) == ({"result": 1}, {"first": 1}, ["1.1/e0"])


def test_the_effect_whose_error_escaped_is_called_again_and_those_after_it(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        before = ctx.effect(counted(calls, "before"))
        kept: errors.EffectError | None = None
        try:
            ctx.effect(counted(calls, "held", fails=1))
        except errors.EffectError as error:
            kept = error
        after = ctx.effect(counted(calls, "after"))
        if kept is not None:
            raise kept
        ctx.shared["seen"] = [before, after]

    engine = hosts(one(act))
    state = engine.start("one", "agent.act", job_id="one")
    assert state.shared == {"seen": [1, 2]}
    assert calls == {"before": 1, "held": 2, "after": 2}
    assert [each.escaped for each in failures(engine)] == ["1.1/e1"]
    assert effect_ids(engine) == ["1.1/e0", "1.1/e1", "1.1/e2", "1.1/e1", "1.1/e2"]


def test_an_error_that_was_caught_stays_what_it_was_at_the_next_attempt(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()
    seen: list[str] = []

    def act(ctx: Context) -> None:
        try:
            ctx.effect(counted(calls, "caught", fails=1))
        except errors.EffectError as error:
            seen.append(str(error))
        if ctx.attempt == 1:
            raise ValueError

    engine = hosts(one(act))
    assert engine.start("one", "agent.act", job_id="one").status == "completed"
    assert (seen, calls) == (["LookupError: caught 1"] * 2, {"caught": 1})


def test_an_error_of_another_effect_with_the_same_text_is_not_the_one_that_escaped(
    hosts: Hosts,
) -> None:
    calls: Counter[str] = Counter()

    def fail() -> Never:
        calls["fail"] += 1
        raise LookupError("same")

    def act(ctx: Context) -> None:
        with pytest.raises(errors.EffectError):
            ctx.effect(fail)
        raise errors.EffectError("LookupError", "same")

    engine = hosts(one(act))
    assert engine.start("one", "agent.act", job_id="one").status == "failed"
    assert calls["fail"] == 1
    assert [each.escaped for each in failures(engine)] == [None] * 3


def test_a_result_that_can_not_be_recorded_is_asked_for_again(hosts: Hosts) -> None:
    answers: list[Any] = [float("nan"), 1.5]

    def act(ctx: Context) -> None:
        ctx.shared["answer"] = ctx.effect(lambda: answers.pop(0))

    state = hosts(one(act)).start("one", "agent.act", job_id="one")
    assert state.shared == {"answer": 1.5}


def test_a_fresh_attempt_calls_every_effect_anew(hosts: Hosts) -> None:
    calls: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        ctx.shared["result"] = ctx.effect(counted(calls, "asked"))
        if ctx.attempt == 1:
            raise ValueError

    engine = hosts(one(act, Retry(delay=0, effects="fresh")))
    assert engine.start("one", "agent.act", job_id="one").shared == {"result": 2}
    assert [each.effects for each in failures(engine)] == ["fresh"]


def test_keys_stay_the_same_across_attempts(hosts: Hosts) -> None:
    keys: list[str] = []

    def act(ctx: Context) -> None:
        def call() -> None:
            keys.append(ctx.idempotency_key)
            if len(keys) == 1:
                raise LookupError

        ctx.effect(call)

    hosts(one(act)).start("one", "agent.act", job_id="one")
    assert keys == ["one/1.1/e0"] * 2


def test_an_answer_is_kept_for_the_next_attempt_and_asked_for_anew_by_a_fresh_one(
    hosts: Hosts,
) -> None:
    plans: Counter[str] = Counter()

    def act(ctx: Context) -> None:
        plan = ctx.effect(counted(plans, "plan"))
        answer = ctx.interrupt({"plan": plan})
        if ctx.attempt == 1:
            raise ValueError
        ctx.shared["answer"] = answer

    engine = hosts(one(act))
    engine.start("one", "agent.act", job_id="reused")
    state = engine.resume("reused", Answer("yes"))
    assert (state.status, state.shared) == ("completed", {"answer": "yes"})
    fresh = hosts(one(act, Retry(delay=0, effects="fresh")))
    fresh.start("one", "agent.act", job_id="fresh")
    state = fresh.resume("fresh", Answer("old"))
    assert (state.status, [each.payload for each in state.interrupts]) == (
        "paused",
        [{"plan": 3}],
    )
    state = fresh.resume("fresh", Answer("new"))
    assert (state.status, state.shared) == ("completed", {"answer": "new"})
