"""Wrongs of time and family: what is due, once and in time, and who is told how a job ended."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_LATER: Final = "tests/core/test_later.py::test_"
_TIMERS: Final = "tests/engine/test_timers.py::test_"
_DEADLINES: Final = "tests/engine/test_deadlines.py::test_"
_CHILDREN: Final = "tests/engine/test_children.py::test_"
_WAITING: Final = "tests/engine/test_waiting_jobs.py::test_"
_DYING: Final = "tests/engine/test_dying_families.py::test_a_host_may_die_anywhere"
_DUE: Final = "tests/contract/test_due.py::test_"
_OUTCOME: Final = "    if fold.ended is not None or child is None or child.status is not None:\n"

MUTANTS: Final = (
    Mutant(
        name="a timer fires twice",
        breaks="A timer that has fired is no timer any more.",
        patches=(Patch("fold.py", "fold.timers.pop(each)\n", "fold.timers[each]\n"),),
        trial=Trial(_LATER + "what_has_fired_is_ready_and_fires_no_more"),
    ),
    Mutant(
        name="timers fire while a job is paused",
        breaks="Nothing changes in a paused job without a command, timers included.",
        patches=(
            Patch(
                "consequences.py",
                "fold.operator is not None or fold.status is Status.PAUSED\n",
                "fold.operator is not None\n",
            ),
        ),
        trial=Trial(_LATER + "nothing_fires_while_a_job_is_paused_or_has_ended"),
    ),
    Mutant(
        name="timers fire in the order in which they were set",
        breaks="What is due fires by its moment, then by its id.",
        patches=(Patch("consequences.py", "in sorted(past))\n", "in past)\n"),),
        trial=Trial(_LATER + "all_that_is_due_fires_at_once_by_moment_and_then_by_id"),
    ),
    Mutant(
        name="what was due stays behind at a resumption",
        breaks="Timers that are due while a job is paused join when it resumes.",
        patches=(Patch("runtime/calls.py", "(expected, before, *map", "(expected, *map"),),
        trial=Trial(_TIMERS + "timers_wait_while_a_program_pauses_and_join_what_comes_next"),
    ),
    Mutant(
        name="a default comes late",
        breaks="A question is answered with its default as soon as its time is over.",
        patches=(
            Patch(
                "consequences.py", "and each.due_at_ms <= now_ms\n", "and each.due_at_ms < now_ms\n"
            ),
        ),
        trial=Trial(_DEADLINES + "the_default_is_the_answer_when_the_time_is_over"),
    ),
    Mutant(
        name="a default is recorded twice",
        breaks="A question that is answered has no time any more.",
        patches=(
            Patch(
                "fold.py",
                "question = fold.questions.pop(event.id)\n",
                "question = fold.questions[event.id]\n",
            ),
        ),
        trial=Trial(_DEADLINES + "who_answers_in_time_is_heard_and_nothing_comes_later"),
    ),
    Mutant(
        name="of what is late together one is answered",
        breaks="Questions whose time is over together are one resumption.",
        patches=(
            Patch(
                "decider.py",
                "late = unanswered(fold, command.now_ms)\n",
                "late = unanswered(fold, command.now_ms)[:1]\n",
            ),
        ),
        trial=Trial(_DEADLINES + "questions_are_answered_in_the_order_of_their_moments"),
    ),
    Mutant(
        name="a default is nobody's answer",
        breaks="Who answers in the place of people is the timer.",
        patches=(Patch("runtime/timing.py", 'TIMER: Final = "timer"\n', "TIMER: Final = None\n"),),
        trial=Trial(_DEADLINES + "the_default_is_the_answer_when_the_time_is_over"),
    ),
    Mutant(
        name="a child is started twice",
        breaks="Starting a child is repeated by whoever drives its parent, and then does nothing.",
        patches=(
            Patch(
                "runtime/families.py",
                "    if row is None:\n        request = ",
                "    if row is None or row.status != Status.COMPLETED:\n        request = ",
            ),
            Patch(
                "runtime/families.py",
                "decide(fold, request) if fold.request is None else ())",
                "decide(fold, request))",
            ),
        ),
        trial=Trial(_CHILDREN + "a_child_that_asks_leaves_its_parent_waiting"),
    ),
    Mutant(
        name="an outcome is told twice",
        breaks="How a child ended is recorded once.",
        patches=(
            Patch("decider.py", _OUTCOME, "    if fold.ended is not None or child is None:\n"),
        ),
        trial=Trial(_LATER + "an_outcome_is_taken_once_and_only_of_a_job_that_goes_on"),
    ),
    Mutant(
        name="an ended job is told how its child ended",
        breaks="An outcome for an ended parent is dropped.",
        patches=(
            Patch("decider.py", _OUTCOME, "    if child is None or child.status is not None:\n"),
        ),
        trial=Trial(_LATER + "an_outcome_is_taken_once_and_only_of_a_job_that_goes_on"),
    ),
    Mutant(
        name="a cancelled job leaves its children alone",
        breaks="Cancelling a parent cancels its open children.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.ended is not Status.CANCELLED or not fold.has_family:\n",
                "    if fold.ended is not None or not fold.has_family:\n",
            ),
        ),
        trial=Trial(_CHILDREN + "cancelling_a_parent_cancels_its_open_children"),
    ),
    Mutant(
        name="a deadline has the children of a paused job driven",
        breaks="Whoever asks is reported paused before anybody drives its children.",
        patches=(
            Patch(
                "runtime/agenda.py",
                "        elif fold.status is Status.WAITING:\n",
                "        elif fold.status is Status.WAITING or fold.due_at_ms is not None:\n",
            ),
        ),
        trial=Trial(_CHILDREN + "children_are_started_while_their_parent_is_paused_by_its_program"),
    ),
    Mutant(
        name="a fork drives the children of its origin",
        breaks="In a fork that isn't live, an open child of the origin is nobody's to drive.",
        patches=(
            Patch(
                "state.py",
                "        return self.forked is None or self.forked.live\n",
                "        return True\n",
            ),
        ),
        trial=Trial(_LATER + "a_fork_that_is_not_live_owes_nobody_anything"),
    ),
    Mutant(
        name="a fork of a child speaks for it",
        breaks="A fork is nobody's child.",
        patches=(
            Patch(
                "state.py",
                "None if self.request is None or self.forked is not None else",
                "None if self.request is None else",
            ),
        ),
        trial=Trial(_CHILDREN + "a_fork_of_a_child_tells_nobody"),
    ),
    Mutant(
        name="what is owed is forgotten with its host",
        breaks="A job that owes others something keeps a lease until it is done.",
        patches=(
            Patch(
                "runtime/session.py",
                "holding, keep_lease = is_running or not owing <= self.done, False\n",
                "holding, keep_lease = is_running, False\n",
            ),
        ),
        trial=Trial(_DYING + "[family-recover]", patience_seconds=30.0),
    ),
    Mutant(
        name="a worker sleeps through what is due",
        breaks="A worker sleeps until the next moment in the index.",
        patches=(
            Patch(
                "runtime/worker.py",
                "        return min(moments, default=None)\n",
                "        return None\n",
            ),
        ),
        trial=Trial(_WAITING + "a_worker_wakes_when_something_is_due"),
    ),
    Mutant(
        name="a paused job is looked at for its timers",
        breaks="While a job is paused, only a question's own time goes on.",
        patches=(
            Patch(
                "state.py",
                "        if status is Status.WAITING:\n            return self.wakes_at_ms\n",
                "        if status in (Status.WAITING, Status.PAUSED):\n"
                "            return self.wakes_at_ms\n",
            ),
        ),
        trial=Trial(_LATER + "nothing_fires_while_a_job_is_paused_or_has_ended"),
    ),
    Mutant(
        name="a moment that has gone stays in memory",
        breaks="The index of what is due knows each job's newest moment alone.",
        patches=(
            Patch(
                "stores/memory.py",
                "            del self._due[bisect_left(self._due, (was_ms, job_id))]\n",
                "            pass\n",
            ),
        ),
        trial=Trial(_DUE + "a_moment_moves_and_goes"),
    ),
)
