"""Wrongs of forks, differences and checks: what they change, call, cut and overlook."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_FORKS: Final = "tests/engine/test_forks.py::test_"
_CHECKS: Final = "tests/engine/test_checks.py::test_"
_DIFFS: Final = "tests/engine/test_diffs.py::test_"
_EARLY: Final = _CHECKS + "a_change_before_the_interrupt_is_reported_once_with_both_sides"

MUTANTS: Final = (
    Mutant(
        name="a fork is its source",
        breaks="A fork shares no memory with its source.",
        patches=(
            Patch(
                "runtime/calls.py",
                '    session = host.loaded(fork_id, "fork()")\n',
                '    session = host.loaded(job_id, "fork()")\n',
            ),
        ),
        trial=Trial(_FORKS + "a_fork_of_a_pending_job_is_run_and_the_job_is_not"),
    ),
    Mutant(
        name="a command for a fork is given to its source",
        breaks="A fork shares no memory with its source.",
        patches=(
            Patch(
                "runtime/calls.py",
                "            host, fork_id, command, ",
                "            host, job_id, command, ",
            ),
        ),
        trial=Trial(_FORKS + "a_fork_shares_no_memory_with_its_source"),
    ),
    Mutant(
        name="a fork repeats recorded effects",
        breaks="Effects that are recorded before a fork are not repeated in it.",
        patches=(
            Patch(
                "runtime/steps.py",
                "    effects, attempts, activation = member.effects, ",
                "    effects, attempts, activation = "
                "{} if run.session.fold.forked else member.effects, ",
            ),
        ),
        trial=Trial(_FORKS + "what_is_recorded_is_not_called_again_and_what_comes_after_it_is"),
    ),
    Mutant(
        name="a fork calls the world outside",
        breaks="Effects of a fork run only if it is live.",
        patches=(Patch("runtime/runs.py", "forked is None or forked.live or", "True or"),),
        trial=Trial(_FORKS + "a_fork_asks_for_the_results_that_it_lacks_and_calls_nothing"),
    ),
    Mutant(
        name="a fork asks for the time",
        breaks="Time, ids and chance are always run.",
        patches=(Patch("runtime/runs.py", " or name in OWN_EFFECTS", ""),),
        trial=Trial(_FORKS + "time_ids_and_chance_are_asked_of_nobody"),
    ),
    Mutant(
        name="a fork cuts an activation in two",
        breaks="A fork begins behind a whole append.",
        patches=(Patch("runtime/forking.py", "if not (within or ", "if not ("),),
        trial=Trial(_FORKS + "a_fork_begins_behind_the_last_whole_append_and_says_so"),
    ),
    Mutant(
        name="a fork cuts a command in two",
        breaks="A fork begins behind a whole append.",
        patches=(
            Patch(
                "runtime/forking.py",
                "            return isinstance(event, SharedWritten)\n",
                "            return False\n",
            ),
        ),
        trial=Trial(_FORKS + "an_append_of_a_command_is_not_cut_in_two"),
    ),
    Mutant(
        name="a fork cuts the telling of a result in two",
        breaks="A fork begins behind a whole append.",
        patches=(Patch("runtime/forking.py", "and event.id == following.id", "and False"),),
        trial=Trial(_FORKS + "the_telling_of_a_result_is_not_cut_in_two"),
    ),
    Mutant(
        name="a fork doesn't say where it begins",
        breaks="A fork rounds down to the last whole append, and says so.",
        patches=(
            Patch(
                "runtime/forking.py",
                "JobForked(origin=job_id, version=len(shared), live=live)",
                "JobForked(origin=job_id, version=version, live=live)",
            ),
        ),
        trial=Trial(_FORKS + "a_fork_begins_behind_the_last_whole_append_and_says_so"),
    ),
    Mutant(
        name="a fork is recorded before its command is refused",
        breaks="Whatever is refused leaves the log unchanged.",
        patches=(
            Patch(
                "runtime/forking.py",
                "    wishes = () if command is None else ",
                "    wishes = () if command else ",
            ),
        ),
        trial=Trial(_FORKS + "a_fork_whose_command_is_refused_is_not_recorded"),
    ),
    Mutant(
        name="a fork that today's flow can't carry on is recorded",
        breaks="Whatever is refused leaves the log unchanged.",
        patches=(Patch("runtime/forking.py", "        if missing:\n", "        if False:\n"),),
        trial=Trial(_FORKS + "a_flow_that_lacks_a_slot_that_the_fork_needs_is_refused"),
    ),
    Mutant(
        name="a check appends",
        breaks="A check appends nothing.",
        patches=(
            Patch(
                "runtime/calls.py",
                "    flows = host.flows if flow is None else {flow.name: flow}\n",
                "    flows = host.flows if flow is None else {flow.name: flow}\n"
                "    if job_id is not None and host.head(job_id).status == 'paused':\n"
                "        host.commit(\n"
                "            host.loaded(job_id, 'check()'),\n"
                "            lambda fold: decide(fold, PauseJob(reason='')),\n"
                "            actor=None,\n"
                "        )\n",
            ),
        ),
        trial=Trial(_CHECKS + "unchanged_code_does_what_is_recorded"),
    ),
    Mutant(
        name="a check calls the world outside",
        breaks="A check calls nothing outside.",
        patches=(
            Patch(
                "runtime/checking.py",
                "        return False\n\n\ndef check_jobs",
                "        return True\n\n\ndef check_jobs",
            ),
        ),
        trial=Trial(_EARLY),
    ),
    Mutant(
        name="a check overlooks effects that are left unused",
        breaks="A check reports effects that are left unused.",
        patches=(
            Patch(
                "runtime/checking.py",
                "        if effect.id not in run.effects_used:\n",
                "        if False:\n",
            ),
        ),
        trial=Trial(_EARLY),
    ),
    Mutant(
        name="a check overlooks effects that a set-aside run leaves unused",
        breaks="A check compares a set-aside run up to its open interrupt.",
        patches=(
            Patch(
                "runtime/checking.py",
                "    return _unused(run, member)\n",
                "    return None\n",
            ),
        ),
        trial=Trial(_EARLY),
    ),
    Mutant(
        name="a check overlooks answers that are left unused",
        breaks="A check reports an interrupt that is gone.",
        patches=(
            Patch(
                "runtime/checking.py",
                "in interrupts[run.interrupts_used :]",
                "in interrupts[:0]",
            ),
        ),
        trial=Trial(_EARLY),
    ),
    Mutant(
        name="a check runs failures again",
        breaks="Failures are not run again.",
        patches=(
            Patch(
                "runtime/checking.py",
                "        if isinstance(event, ev.ActivationCompleted):\n",
                "        if isinstance(event, ev.ActivationCompleted | ev.ActivationFailed):\n",
            ),
        ),
        trial=Trial(_CHECKS + "failures_are_not_run_again"),
    ),
    Mutant(
        name="a pointer is not escaped",
        breaks="Paths of a patch are JSON Pointers.",
        patches=(Patch("patches.py", '.replace("~", "~0")', ""),),
        trial=Trial(_DIFFS + "paths_are_json_pointers"),
    ),
    Mutant(
        name="a list is taken apart from its beginning",
        breaks="A patch is done in its order.",
        patches=(
            Patch(
                "patches.py",
                "range(len(before) - end - 1, start + common - 1, -1)",
                "range(start + common, len(before) - end)",
            ),
        ),
        trial=Trial(_DIFFS + "a_patch_turns_the_first_value_into_the_second"),
    ),
)
