"""A fork shares a job's history up to a version, goes its own way, and leaves the job as it is."""

from __future__ import annotations

from typing import Any

import pytest

from esflow import Answer, Context, Continue, Engine, Flow, Goto, JobState, Update, errors
from esflow import events as ev
from esflow.state import Origin
from esflow.store import Store
from esflow.verification import rebuild_index
from tests.engine.desk import desk
from tests.engine.flows import gated
from tests.engine.outside import Outside
from tests.engine.quotes import JOB, quoted, quotes
from tests.engine.world import Gate, Hosts, Threads, check_refusal, effects, held, names, stored


def rows(store: Store, job_id: str) -> tuple[object, ...]:
    """Return all that the store has of a job."""
    log = [(row.originator_version, row.topic, row.state) for row in store.read(job_id)]
    return log, store.head(job_id)


@pytest.fixture
def outside() -> Outside:
    """Return what counts the calls of effects."""
    return Outside()


@pytest.fixture
def clerk(hosts: Hosts, outside: Outside) -> Engine:
    """Return a host of the flow with effects, an interrupt and a question."""
    return hosts(quotes(outside))


def test_another_answer_leads_a_fork_elsewhere_and_its_source_nowhere(
    clerk: Engine, store: Store
) -> None:
    quoted(clerk)
    at = clerk.resume(JOB, Answer(0)).version
    clerk.resume(JOB, Answer("yes"))
    before = rows(store, JOB)

    fork = clerk.fork(JOB, at, new_job_id="what-if", command=Answer("no"), live=True, actor="ann")

    assert fork.forked_from == Origin(job_id=JOB, version=at)
    assert fork.outputs[-1].payload == {"answer": "no", "price": 2}
    assert rows(store, JOB) == before
    assert clerk.state(JOB).outputs[-1].payload == {"answer": "yes", "price": 3}
    history = clerk.history("what-if")
    assert [each.actor for each in history if isinstance(each.event, ev.JobForked)] == ["ann"]
    assert [each.actor for each in history if isinstance(each.event, ev.AnswerRecorded)] == [
        None,
        "ann",
    ]
    assert clerk.verify().ok


def test_what_is_recorded_is_not_called_again_and_what_comes_after_it_is(
    clerk: Engine, outside: Outside
) -> None:
    quoted(clerk)
    assert outside.calls == {"tea": 1, "teatea": 1}
    fork = clerk.fork(JOB, 3, live=True)  # Behind the first effect.
    assert (fork.status, outside.calls) == ("paused", {"tea": 1, "teatea": 2})
    assert [each.key for each in effects(clerk, fork.job_id)] == [
        f"{JOB}/1.1/e0",
        f"{fork.job_id}/2.1/e0",
    ]


def test_a_fork_asks_for_the_results_that_it_lacks_and_calls_nothing(
    clerk: Engine, outside: Outside
) -> None:
    quoted(clerk)
    before = outside.calls.copy()
    fork = clerk.fork(JOB, 2)
    (asked,) = fork.interrupts
    assert (asked.id, asked.payload) == (
        "1.1/e0",
        {"effect": "quotes.<locals>.price('tea')"},
    )
    with check_refusal(clerk.store, errors.AnswerRefused, "'dear'", "integer"):
        clerk.resume(fork.job_id, Answer("dear"))
    clerk.resume(fork.job_id, Answer(100, "1.1/e0"))
    state = clerk.resume(fork.job_id, Answer(200, "2.1/e0"))
    assert [each.id for each in state.interrupts] == ["2.1/i0"]
    clerk.resume(fork.job_id, Answer(1))
    clerk.resume(fork.job_id, Answer("yes"))
    done = clerk.resume(fork.job_id, Answer(7))
    assert (done.status, done.shared) == ("completed", {"price": 100, "offer": 199})
    assert done.outputs[-1].payload == {"answer": "yes", "price": 7}
    assert [each.result for each in effects(clerk, fork.job_id)] == [100, 200, 7]
    assert [each.key for each in effects(clerk, fork.job_id)] == [
        f"{fork.job_id}/{each}" for each in ("1.1/e0", "2.1/e0", "3.1/e0")
    ]
    assert outside.calls == before


def test_time_ids_and_chance_are_asked_of_nobody(hosts: Hosts) -> None:
    flow = Flow("dice")

    @flow.slot
    def throw(ctx: Context) -> None:
        ctx.log("thrown", now=ctx.now(), id=ctx.uuid(), chance=ctx.random())

    engine = hosts(flow)
    engine.submit("dice", "throw", job_id="one")
    fork = engine.fork("one", 1)
    assert fork.status == "completed"
    assert engine.state("one").status == "pending"


def test_a_fork_shares_no_memory_with_its_source(clerk: Engine, store: Store) -> None:
    quoted(clerk)
    before, rows_before = clerk.state(JOB), rows(store, JOB)
    fork = clerk.fork(JOB, before.version, command=Answer(2))
    shown: Any = fork.shared
    shown["price"] = "changed"
    shown_memory: Any = fork.memory
    shown_memory["clerk"]["seen"].append("changed")
    clerk.update(fork.job_id, {"price": -1})
    assert clerk.state(fork.job_id).shared["price"] == -1
    assert clerk.state(fork.job_id).memory == {"clerk": {"seen": ["tea"]}}
    assert (clerk.state(JOB), rows(store, JOB)) == (before, rows_before)


@pytest.mark.parametrize(("version", "begins"), [(4, 3), (7, 3), (8, 3), (9, 9)])
def test_a_fork_begins_behind_the_last_whole_append_and_says_so(
    clerk: Engine, version: int, begins: int
) -> None:
    quoted(clerk)
    assert names(clerk, JOB)[8] == "ActivationCompleted"
    fork = clerk.fork(JOB, version, live=True)
    assert fork.forked_from == Origin(job_id=JOB, version=begins)


def test_an_append_of_a_command_is_not_cut_in_two(hosts: Hosts) -> None:
    engine = hosts(desk())
    engine.start("desk", "clerk.begin", job_id="one")
    engine.resume("one", Update({"x": 2, "y": 3}))
    found = names(engine, "one")
    first = found.index("JobPaused") + 2
    last = found.index("JobResumed") + 1
    assert found[first - 1 : last] == [
        "SharedWritten",
        "SharedWritten",
        "DeferralsReleased",
        "JobResumed",
    ]
    begins = [engine.fork("one", each).forked_from for each in range(first - 1, last + 1)]
    assert [each and each.version for each in begins] == [first - 1] * 4 + [last]


def test_the_telling_of_a_result_is_not_cut_in_two(clerk: Engine, outside: Outside) -> None:
    quoted(clerk)
    clerk.fork(JOB, 2, new_job_id="told")
    told = clerk.resume("told", Answer(100))
    found = names(clerk, "told")
    answered = found.index("AnswerRecorded") + 1
    assert found[answered - 1 : answered + 2] == ["AnswerRecorded", "EffectRecorded", "JobResumed"]
    for version in (answered, answered + 1):
        fork = clerk.fork("told", version)
        assert fork.forked_from == Origin(job_id="told", version=answered - 1)
        assert [each.id for each in fork.interrupts] == ["1.1/e0"]
    fork = clerk.fork("told", answered + 2)
    assert (fork.shared, fork.status) == (told.shared, "paused")
    assert outside.calls == {"tea": 1, "teatea": 1}


def test_a_version_within_the_first_append_is_refused(clerk: Engine, store: Store) -> None:
    state = clerk.start(
        "quotes", "clerk.begin", {"article": "tea"}, job_id=JOB, before=["clerk.begin"]
    )
    assert (names(clerk, JOB), state.status) == (["JobStarted", "JobPaused"], "paused")
    with check_refusal(store, errors.VersionConflict, "expected version 1"):
        clerk.fork(JOB, 1)
    fork = clerk.fork(JOB, 2)
    assert (fork.status, fork.pause[0].kind) == ("paused", "breakpoint")
    assert fork.breakpoints.before == ("clerk.begin",)


def test_a_fork_of_a_fork_keeps_the_keys_of_both(clerk: Engine) -> None:
    quoted(clerk)
    child = clerk.fork(JOB, 3, new_job_id="child", live=True)
    clerk.resume("child", Answer(0))
    grandchild = clerk.fork("child", child.version, new_job_id="grandchild", live=True)
    assert grandchild.forked_from == Origin(job_id="child", version=child.version)
    clerk.resume("grandchild", Answer(1))
    done = clerk.resume("grandchild", Answer("no"))
    assert done.status == "completed"
    assert [each.key for each in effects(clerk, "grandchild")] == [
        f"{JOB}/1.1/e0",
        "child/2.1/e0",
        "grandchild/3.1/e0",
    ]
    assert names(clerk, "grandchild").count("JobForked") == 2
    assert clerk.verify().ok


def _ended(engine: Engine, how: str) -> JobState:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    if how == "cancelled":
        return engine.cancel("one", "no")
    return engine.resume("one", Goto("agent.user_input", {"answer": "A"}))


@pytest.mark.parametrize("how", ["cancelled", "completed"])
def test_a_fork_of_an_ended_job_has_ended_and_before_the_end_it_goes_on(
    engine: Engine, store: Store, how: str
) -> None:
    state = _ended(engine, how)
    assert state.status == how
    fork = engine.fork("one", state.version)
    assert (fork.status, fork.outputs) == (how, state.outputs)
    with check_refusal(store, errors.JobClosed):
        engine.resume(fork.job_id)
    with check_refusal(store, errors.JobClosed):
        engine.fork("one", state.version, command=Continue())
    asked = names(engine, "one").index("JobPaused") + 1
    assert engine.fork("one", asked, command=Answer("B")).outputs[0].payload == {"text": "B"}


def test_a_fork_before_a_failure_is_run_by_todays_code(hosts: Hosts) -> None:
    def flow(*, broken: bool) -> Flow:
        made = Flow("mended")

        @made.slot
        def act(ctx: Context) -> None:
            if broken:
                raise ValueError("no")
            ctx.log("well")

        return made

    failed = hosts(flow(broken=True)).start("mended", "act", job_id="one")
    assert failed.status == "failed"
    mended = hosts(flow(broken=False))
    assert mended.fork("one", failed.version).failure == failed.failure
    assert mended.fork("one", 2).status == "completed"


def test_a_fork_of_a_pending_job_is_run_and_the_job_is_not(engine: Engine) -> None:
    engine.submit("support", "agent.note", {"line": "x"}, job_id="one")
    assert engine.fork("one", 1).status == "completed"
    assert engine.state("one").status == "pending"
    assert engine.run("one").status == "completed"


def test_a_fork_of_a_running_job_leaves_it_to_its_host(hosts: Hosts, threads: Threads) -> None:
    gate = Gate()
    driver = hosts(gated(gate))
    free = Gate()
    free.opened.set()
    other = hosts(gated(free))
    with held(
        threads, gate, lambda: driver.start("gated", "worker.first", job_id="one")
    ) as released:
        fork = other.fork("one", 2)
        assert fork.status == "completed"
        assert other.state("one").status == "running"
        assert released().outputs == fork.outputs


def test_a_fork_under_an_operators_hold_is_held_until_somebody_continues(engine: Engine) -> None:
    engine.submit("support", "agent.note", {"line": "x"}, job_id="one")
    held_at = engine.pause("one", "inspection").version
    fork = engine.fork("one", held_at)
    assert (fork.status, fork.pause[0].kind) == ("paused", "operator")
    assert engine.resume(fork.job_id).status == "completed"
    assert engine.fork("one", held_at, command=Continue()).status == "completed"
    assert engine.fork("one", 1).status == "completed"
    assert engine.state("one").status == "paused"


def test_a_host_without_the_flow_records_a_fork_for_somebody_who_has_it(
    hosts: Hosts, engine: Engine, store: Store
) -> None:
    engine.submit("support", "agent.note", {"line": "x"}, job_id="one")
    stranger = hosts()
    fork = stranger.fork("one", 1, new_job_id="two")
    assert (fork.status, fork.version) == ("pending", 2)
    with check_refusal(store, errors.FlowNotFound):
        stranger.fork("one", 1, command=Continue())
    assert engine.run("two").status == "completed"


@pytest.mark.parametrize("version", [-1, 0, 99])
def test_a_version_that_is_not_recorded_can_not_be_forked(
    engine: Engine, store: Store, version: int
) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    with check_refusal(store, errors.VersionConflict, f"expected version {version}"):
        engine.fork("one", version)


def test_an_unknown_job_can_not_be_forked(engine: Engine, store: Store) -> None:
    with check_refusal(store, errors.JobNotFound, "'nobody'"):
        engine.fork("nobody", 1)


def test_an_id_that_is_taken_is_refused(engine: Engine, store: Store) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    engine.fork("one", 1, new_job_id="two")
    for taken in ("one", "two"):
        with check_refusal(store, errors.JobExists, repr(taken), "one@2"):
            engine.fork("one", 2, new_job_id=taken)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (Answer("C"), errors.AnswerRefused),
        (Answer("A", "9.9/q0"), errors.InterruptNotFound),
        (Continue(), errors.AnswerRequired),
        (Goto("nowhere", {}), errors.SlotNotFound),
        (Goto("agent.note", {"other": 1}), errors.PayloadError),
        (Update({"x": {1: 2}}), errors.PayloadError),
        ("Continue", errors.PayloadError),
    ],
)
def test_a_fork_whose_command_is_refused_is_not_recorded(
    engine: Engine, store: Store, command: Any, refusal: type[errors.EsflowError]
) -> None:
    last = engine.start("support", "agent.trigger", {"task": "x"}, job_id="one").version
    with check_refusal(store, refusal):
        engine.fork("one", last, command=command)


@pytest.mark.parametrize("wrong", [{"new_job_id": ""}, {"actor": "x\ud83d"}])
def test_an_id_or_an_actor_that_can_not_be_recorded_is_refused(
    engine: Engine, store: Store, wrong: Any
) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    with check_refusal(store, errors.PayloadError):
        engine.fork("one", 1, **wrong)


def test_a_flow_that_lacks_a_slot_that_the_fork_needs_is_refused(
    hosts: Hosts, engine: Engine, store: Store
) -> None:
    engine.start("support", "agent.trigger", {"task": "x"}, job_id="one")
    changed = Flow("support")
    changed.routine("other").slot(_nothing)
    other = hosts(changed)
    with check_refusal(store, errors.FlowChanged, "agent.trigger"):
        other.fork("one", 1)
    with check_refusal(store, errors.FlowChanged, "agent.user_input"):
        other.fork("one", engine.state("one").version, command=Answer("A"))


def _nothing(ctx: Context) -> None:
    """Do nothing."""


def test_a_handler_can_not_fork_its_own_job(hosts: Hosts) -> None:
    flow, engines = Flow("selfish"), list[Engine]()

    @flow.slot
    def act(ctx: Context) -> None:
        engines[0].fork(ctx.job_id, 1)

    engines.append(hosts(flow))
    state = engines[0].start("selfish", "act", job_id="one")
    assert state.failure is not None
    assert state.failure.type == "ReentrantCall"
    assert [each.job_id for each in engines[0].jobs()] == ["one"]


def test_the_index_knows_of_a_fork_what_the_log_makes_of_it(clerk: Engine, store: Store) -> None:
    quoted(clerk, labels={"team": "a"})
    for version in range(1, clerk.state(JOB).version + 1):
        clerk.fork(JOB, version)
    before = stored(store)
    rebuild_index(store)
    assert stored(store) == before
    assert clerk.verify().ok
    assert len(clerk.jobs(labels={"team": "a"})) == clerk.state(JOB).version + 1


def test_a_fork_goes_on_from_any_host(hosts: Hosts, outside: Outside, clerk: Engine) -> None:
    quoted(clerk)
    fork = clerk.fork(JOB, 2)
    other = hosts(quotes(outside))
    state = other.resume(fork.job_id, Answer(5))
    assert [each.id for each in state.interrupts] == ["2.1/e0"], "it is not live anywhere"
    assert outside.calls == {"tea": 1, "teatea": 1}
