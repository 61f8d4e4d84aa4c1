"""Wrongs of what is recorded on a loop: who is waited for, and who is told what became of it."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_STORE: Final = "tests/contract/test_at_once.py::test_"
_ENGINE: Final = "tests/engine/test_at_once.py::test_"
_WAKERS: Final = "tests/engine/test_wakers.py::test_"

MUTANTS: Final = (
    Mutant(
        name="an append at once waits for whoever holds the file",
        breaks="What is to be done at once is told busy at once.",
        patches=(
            Patch(
                "stores/sqlite_pool.py",
                "            writer = self._take_hasty()\n",
                "            writer = self._writer or self._take_writer()\n",
            ),
        ),
        trial=Trial(_STORE + "somebody_who_writes_is_not_waited_for"),
    ),
    Mutant(
        name="what can't wait is open across a fork",
        breaks="Nothing of a file is open at the moment of a fork.",
        patches=(
            Patch(
                "stores/sqlite_pool.py",
                "        if self._hasty is not None:\n",
                "        if self._hasty is not None and not self._locked:\n",
            ),
            Patch(
                "stores/sqlite_pool.py",
                "        self._writer = self._hasty = self._used = None\n",
                "        self._writer = None\n",
            ),
        ),
        trial=Trial("tests/contract/test_forks.py::test_nothing_of_a_file_is_open_in_a_child"),
    ),
    Mutant(
        name="nobody writes the log ahead back",
        breaks="Of many appends at once, some are left to who may wait for a checkpoint.",
        patches=(
            Patch(
                "stores/sqlite_pool.py",
                "        if self._in_a_row == _MAX_IN_A_ROW:\n",
                "        if False:\n",
            ),
        ),
        trial=Trial(_STORE + "the_log_ahead_is_written_back_by_those_who_may_wait"),
    ),
    Mutant(
        name="a loop merges by code of the user's",
        breaks="Plain code of the user's is called in a thread.",
        patches=(
            Patch(
                "runtime/async_drive.py",
                "    if not wave.execution.has_code:\n",
                "    if wave.execution:\n",
            ),
        ),
        trial=Trial(
            "tests/engine/test_custom_reducers.py::"
            "test_a_reducer_can_not_act_on_its_own_job[memory-async]"
        ),
    ),
    Mutant(
        name="a loop waits for the disk",
        breaks="Only what syncs nothing is done on the loop.",
        patches=(
            Patch(
                "stores/sqlite.py",
                'self.is_quick = synchronous == "normal"',
                "self.is_quick = True",
            ),
        ),
        trial=Trial(
            "tests/engine/test_lone_handlers.py::test_a_commit_that_takes_long_holds_up_nobody"
        ),
    ),
    Mutant(
        name="a job that is driven on its loop gets no snapshot",
        breaks="What a snapshot is due behind is appended by who may take it.",
        patches=(
            Patch(
                "runtime/session.py",
                " or self.snapshots.is_due(self._recorded, fold.version, 0):\n",
                ":\n",
            ),
        ),
        trial=Trial(_ENGINE + "a_snapshot_is_taken_beside_the_loop"),
    ),
    Mutant(
        name="what would have waited is forgotten",
        breaks="What can't be done at once is done by who may wait.",
        patches=(
            Patch(
                "runtime/session.py",
                "            return None if waits or self._record_at_once() else rest\n",
                "            return None if waits or self._record_at_once() else None\n",
            ),
        ),
        trial=Trial(_ENGINE + "what_is_left_is_done_by_who_may_wait"),
    ),
    Mutant(
        name="who waits is not told of what no longer holds",
        breaks="Whoever waits for a decision is told that another state has no use for it.",
        patches=(
            Patch(
                "runtime/session.py",
                "            decision.is_planned = False\n",
                "            decision.is_planned = True\n",
            ),
        ),
        trial=Trial(_ENGINE + "whose_decision_no_longer_holds_is_told_so_and_nobody_else"),
    ),
    Mutant(
        name="who meets a conflict is told of the decisions of others",
        breaks="That a decision no longer holds is told to nobody but who waits for it.",
        patches=(
            Patch(
                "runtime/session.py",
                "            with suppress(JobClosed, ContextClosed):\n",
                "            with suppress():\n",
            ),
        ),
        trial=Trial(_ENGINE + "whose_decision_no_longer_holds_is_told_so_and_nobody_else"),
    ),
    Mutant(
        name="a conflict that ends a decision is passed over",
        breaks="Whoever meets the end of the job with an append is told so.",
        patches=(
            Patch(
                "runtime/session.py",
                "                is_done = decision.is_planned",
                "                is_done = True",
            ),
        ),
        trial=Trial(_ENGINE + "who_meets_the_end_of_the_job_with_an_append_is_told_so"),
    ),
    Mutant(
        name="a loop makes nothing ready",
        breaks="What a thread is to append is made ready while it wakes up.",
        patches=(
            Patch(
                "runtime/async_drive.py",
                "partial(threads.write, meanwhile=session.prepare)",
                "threads.write",
            ),
        ),
        trial=Trial(_ENGINE + "each_append_that_waits_for_a_disk_is_made_ready_on_the_loop"),
    ),
    Mutant(
        name="what was made ready is made again",
        breaks="What is ready is recorded as it is.",
        patches=(
            Patch(
                "runtime/session.py",
                "self._made or self._made_of(actor)",
                "self._made_of(actor)",
            ),
        ),
        trial=Trial(_ENGINE + "what_is_ready_is_recorded_as_it_is"),
    ),
    Mutant(
        name="what was decided behind what was ready is lost",
        breaks="What is decided later is recorded with what was ready before.",
        patches=(
            Patch(
                "runtime/session.py",
                "        self._events += planned\n        self._made = None\n",
                "        self._events += planned\n",
            ),
        ),
        trial=Trial(_ENGINE + "what_is_decided_behind_what_is_ready_is_recorded_too"),
    ),
    Mutant(
        name="what ends a process takes along what others were told",
        breaks="Of what a loop was told nothing is lost, whoever ends the process.",
        patches=(
            Patch(
                "runtime/wakers.py",
                "                self._ring()\n",
                "                pass\n",
            ),
        ),
        trial=Trial(_WAKERS + "who_ends_the_process_keeps_nobody_else_from_being_told[True]"),
    ),
    Mutant(
        name="a loop is watched for an engine that is closed",
        breaks="An engine that is closed leaves nothing behind in its loop.",
        patches=(
            Patch(
                "runtime/wakers.py",
                "        if self._is_left and not self._expected:\n",
                "        if False:\n",
            ),
        ),
        trial=Trial(_WAKERS + "a_loop_is_watched_until_its_engine_is_closed"),
    ),
    Mutant(
        name="an engine that is closed is told nothing more",
        breaks="What a closed engine waits for yet is told to it.",
        patches=(
            Patch(
                "runtime/wakers.py",
                "        if self._is_left and not self._expected:\n",
                "        if self._is_left:\n",
            ),
        ),
        trial=Trial(_WAKERS + "an_engine_that_is_closed_is_told_what_it_waits_for"),
    ),
    Mutant(
        name="what woke a loop outlives it",
        breaks="Loops that were closed leave no descriptor behind.",
        patches=(
            Patch(
                "runtime/threads.py",
                "                if each.is_closed():\n",
                "                if False:\n",
            ),
        ),
        trial=Trial(_WAKERS + "loops_that_were_closed_leave_nothing_behind"),
    ),
)
