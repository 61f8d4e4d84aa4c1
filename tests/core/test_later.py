"""What becomes due, what is owed to other jobs, and what a fold makes of timers and children."""

import attrs
import pytest

from esflow import events as ev
from esflow.commands import AnswerInTime, FinishChild, FireTimers
from esflow.consequences import overdue, owed, to_cancel, to_start, unanswered
from esflow.state import Status
from tests.core.scenario import (
    HELD,
    HOLD,
    PAUSED,
    RUNNING,
    Given,
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


def timer(item: str, due_at_ms: int, *slots: str) -> ev.TimerSet:
    """Return a timer for slots."""
    targets = tuple(ev.Target(slot=slot) for slot in slots)
    return ev.TimerSet(id=item, output="later", payload={}, due_at_ms=due_at_ms, targets=targets)


def child(item: str = "1.1/c0") -> ev.ChildStarted:
    """Return the start of a child job, whose outcome goes to ``a.then``."""
    return ev.ChildStarted(
        id=item, job_id=f"job/{item}", flow="flow", slot="a.in", payload={}, then="a.then"
    )


def ended(item: str = "1.1/c0", status: str = "completed") -> ev.ChildFinished:
    """Return the end of a child job."""
    return ev.ChildFinished(id=item, status=status)


TIMED = (*RUNNING, *done("1.1", timer("1.1/t0", 20, "a.in"), timer("1.1/t1", 10, "a.in")))
PARENT = (*RUNNING, *done("1.1", child()))
FORKED = ev.JobForked(origin="origin", version=3, live=False)
LIVE = attrs.evolve(FORKED, live=True)


def fired(*ids: str) -> ev.TimerFired:
    """Return a firing."""
    return ev.TimerFired(ids=ids)


# Timers.


def test_a_timer_that_leads_nowhere_puts_out() -> None:
    state = given(*RUNNING, *done("1.1", timer("1.1/t0", 20)), fired("1.1/t0")).fold().face()
    assert [(each.id, each.output, each.activation) for each in state.outputs] == [
        ("1.1/t0", "later", "1.1")
    ]
    assert not state.timers


def test_a_job_that_waits_shows_until_when() -> None:
    state = given(*TIMED).fold().face()
    assert repr(state) == "<JobState job waiting v5 until: 1970-01-01T00:00:00.010000+00:00>"


def test_a_job_with_a_timer_waits_and_knows_until_when() -> None:
    fold = given(*TIMED).fold()
    assert (fold.status, fold.wakes_at_ms, fold.due_at_ms) == (Status.WAITING, 10, 10)
    given(*TIMED).at_rest().then()


def test_all_that_is_due_fires_at_once_by_moment_and_then_by_id() -> None:
    given(*TIMED).when(FireTimers(now_ms=9)).then()
    given(*TIMED).when(FireTimers(now_ms=10)).then(fired("1.1/t1"))
    given(*TIMED).when(FireTimers(now_ms=20)).then(fired("1.1/t1", "1.1/t0"))
    equal = (*RUNNING, *done("1.1", *(timer(f"1.1/t{number}", 5) for number in range(11))))
    assert overdue(given(*equal).fold(), 5)[-2:] == ("1.1/t9", "1.1/t10")


def test_what_has_fired_is_ready_and_fires_no_more() -> None:
    fold = given(*TIMED, fired("1.1/t1")).fold()
    assert [(each.id, each.cause) for each in fold.ready] == [("2.1", "1.1/t1")]
    assert (fold.status, list(fold.timers)) == (Status.RUNNING, ["1.1/t0"])
    assert overdue(fold, 10) == ()


@pytest.mark.parametrize(
    "history",
    [
        (*TIMED, HOLD, HELD),
        (*RUNNING, *done("1.1", timer("1.1/t0", 1), wants_pause()), paused(for_program())),
        (*TIMED, ev.JobCancelled(reason="")),
    ],
)
def test_nothing_fires_while_a_job_is_paused_or_has_ended(history: tuple[ev.Event, ...]) -> None:
    given(*history).when(FireTimers(now_ms=99)).then()
    assert given(*history).fold().due_at_ms is None


def test_what_was_due_joins_a_resumption_under_an_operators_hold_too() -> None:
    waits = (*RUNNING, *done("1.1", timer("1.1/t0", 1, "a.in"), wants_pause()))
    stands = (*waits, paused(for_program()))
    given(*stands).when(FireTimers(now_ms=1, resuming=True)).then(fired("1.1/t0"))
    given(*stands, HOLD, HELD).when(FireTimers(now_ms=1, resuming=True)).then(fired("1.1/t0"))
    given(*stands, HOLD, HELD).when(FireTimers(now_ms=1)).then()
    fold = given(*stands, fired("1.1/t0"), resumed()).fold()
    assert [each.cause for each in fold.ready] == ["1.1/t0"]


def test_a_question_has_its_time_in_every_status_but_ended() -> None:
    timed = asked("1.1/q0", due_at_ms=10, default="no")
    stands = (*RUNNING, *done("1.1", timed, asked("1.1/q1", due_at_ms=5, default=None)))
    fold = given(*stands).fold()
    assert unanswered(fold, 4) == ()
    given(*stands).when(AnswerInTime(now_ms=4)).then()
    assert unanswered(fold, 5) == (asked("1.1/q1", due_at_ms=5, default=None),)
    assert unanswered(fold, 10) == (asked("1.1/q1", due_at_ms=5, default=None), timed)
    held = given(*stands, paused(for_program()), HOLD, HELD).fold()
    assert (held.due_at_ms, len(unanswered(held, 10))) == (5, 2)
    assert unanswered(given(*stands, ev.JobCancelled(reason="")).fold(), 10) == ()
    assert given(*PAUSED).fold().due_at_ms is None


# Children.


def test_a_job_with_an_open_child_waits_without_a_moment() -> None:
    fold = given(*PARENT).fold()
    assert (fold.status, fold.wakes_at_ms, fold.due_at_ms) == (Status.WAITING, None, None)
    given(*PARENT).at_rest().then()


def test_an_outcome_is_taken_once_and_only_of_a_job_that_goes_on() -> None:
    finish = FinishChild(id="1.1/c0", status="completed", outputs=(), failure=None)
    given(*PARENT).when(finish).then(ended())
    given(*PARENT, ended()).when(finish).then()
    given(*PARENT, ev.JobCancelled(reason="")).when(finish).then()
    given(*RUNNING).when(finish).then()


def test_an_outcome_is_a_payload_at_its_slot() -> None:
    failure = ev.Failure(type="ValueError", message="no", traceback="somewhere")
    fold = given(*PARENT, attrs.evolve(ended(status="failed"), failure=failure)).fold()
    (ready,) = fold.ready
    assert (ready.slot, ready.cause) == ("a.then", "1.1/c0")
    assert ready.payload == {
        "job_id": "job/1.1/c0",
        "status": "failed",
        "outputs": [],
        "failure": {"type": "ValueError", "message": "no"},
    }
    assert fold.open_children == []


def owes(*events: ev.Event) -> set[str]:
    """Return what a job owes others."""
    return set(owed(Given(events).fold()))


def test_what_is_owed_to_children_and_parents() -> None:
    assert owes(*RUNNING) == owes(*RUNNING, child()) == set()
    assert owes(*PARENT) == {"1.1/c0"}
    assert owes(*PARENT, ended()) == set()
    assert owes(*PARENT, HOLD, HELD) == set(), "nothing starts while somebody holds the job"
    assert owes(*PARENT, ev.JobCancelled(reason="")) == {"end 1.1/c0"}
    assert owes(*PARENT, ev.JobFailed(error=ev.Failure(type="x", message=""))) == set()
    born = (attrs.evolve(started(), parent=ev.Parent(job_id="other", child="1.1/c7")), RUNNING[1])
    assert owes(*born) == set()
    assert owes(*born, *done(), ev.JobCompleted()) == {"parent"}
    assert owes(*born, FORKED, *done(), ev.JobCompleted()) == set(), "a fork is nobody's child"


def test_a_fork_that_is_not_live_owes_nobody_anything() -> None:
    for events in ((*PARENT, FORKED), (*PARENT, FORKED, ev.JobCancelled(reason=""))):
        fold = given(*events).fold()
        assert (to_start(fold), to_cancel(fold), owed(fold)) == ((), (), frozenset())


def test_a_live_fork_has_children_of_its_own() -> None:
    origins = attrs.evolve(child(), job_id="origin/1.1/c0")
    before = given(*RUNNING, *done("1.1", origins), LIVE).fold()
    assert [each.job_id for each in to_start(before)] == ["job/1.1/c0"]
    wide = (*RUNNING, *done("1.1", emitted("1.1/o0", "a.in", "a.in")))
    theirs = attrs.evolve(child("2.1/c0"), job_id="origin/2.1/c0")
    within = given(*wide, *done("2.1", theirs), LIVE, *done("2.2")).fold()
    assert [each.job_id for each in to_start(within)] == ["job/2.1/c0"]
    assert given(*RUNNING, *done("1.1", origins), FORKED).fold().children["1.1/c0"].job_id == (
        "origin/1.1/c0"
    )
