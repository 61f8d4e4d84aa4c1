"""Wrongs of async handlers: branches, effects that are awaited, and callers who are cancelled."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_ASYNC: Final = "tests/engine/test_async.py::test_"
_BRANCHES: Final = "tests/engine/test_branches.py::test_"
_LOOP: Final = "tests/engine/test_async_engine.py::test_"
_THREADS: Final = "tests/engine/test_threads.py::test_"
_LONE: Final = "tests/engine/test_lone_handlers.py::test_"
_ENDED: Final = '        self._run.refuse_ended(f"effect({call.name})")\n'
_RETRIES: Final = "        retry = call.options.retry\n"

MUTANTS: Final = (
    Mutant(
        name="branches share the numbers of their activation",
        breaks="A branch is a scope of its own.",
        patches=(Patch("ids.py", 'return f"{activation}/{name}"', "return activation"),),
        trial=Trial(_BRANCHES + "steps_at_once_have_a_branch_each"),
    ),
    Mutant(
        name="a branch's name is used twice",
        breaks="The effects of a branch are told from those of every other by its name.",
        patches=(
            Patch(
                "scopes.py",
                "run.calls.branches.setdefault(name, branch) is not branch",
                "run.calls.branches.setdefault(name, branch) is None",
            ),
        ),
        trial=Trial(_BRANCHES + "a_branch_has_a_name_of_its_own"),
    ),
    Mutant(
        name="a branch is used after its block",
        breaks="A branch ends with its block.",
        patches=(Patch("scopes.py", "        if self._closed:\n", "        if False:\n"),),
        trial=Trial(_BRANCHES + "a_branch_ends_with_its_block"),
    ),
    Mutant(
        name="gathered effects are numbered when they are awaited",
        breaks="Effects are numbered in the order of their calls.",
        patches=(
            Patch(
                "scopes.py",
                "        self._count += 1\n        if must_await:\n",
                "        self._count += not must_await\n        if must_await:\n",
            ),
        ),
        trial=Trial(_ASYNC + "gathered_effects_are_numbered_in_the_order_of_their_calls"),
    ),
    Mutant(
        name="an effect beside an interrupt is recorded",
        breaks="Nothing is recorded once a handler is set aside.",
        patches=(Patch("scopes.py", _ENDED + _RETRIES, _RETRIES),),
        trial=Trial(_ASYNC + "nothing_is_recorded_while_a_handler_that_is_set_aside_tidies_up"),
    ),
    Mutant(
        name="an effect that is not awaited is passed over",
        breaks="An effect that a handler leaves unawaited fails it.",
        patches=(
            Patch(
                "runtime/handling.py",
                "    if left is not None and isinstance",
                "    if left is False and isinstance",
            ),
        ),
        trial=Trial(_ASYNC + "an_effect_that_is_not_awaited_fails_its_handler"),
    ),
    Mutant(
        name="any task may use a context",
        breaks="A context belongs to the task of its handler.",
        patches=(
            Patch(
                "standing.py",
                "return _current_task() or get_ident()",
                "return get_ident()",
            ),
        ),
        trial=Trial(_BRANCHES + "a_context_belongs_to_the_task_of_its_handler"),
    ),
    Mutant(
        name="a handler whose caller was cancelled goes on recording",
        breaks="Nothing is recorded once the caller is cancelled.",
        patches=(
            Patch("runtime/runs.py", "            if self.abandoned:\n", "            if False:\n"),
        ),
        trial=Trial(_LOOP + "a_plain_handler_is_waited_for_and_told_that_its_caller_was_cancelled"),
    ),
    Mutant(
        name="a cancelled caller keeps its lease",
        breaks="The lease is given back when the caller is cancelled.",
        patches=(
            Patch(
                "runtime/async_drive.py",
                "        await threads.write(partial(host.give_back, session))\n",
                "        pass\n",
            ),
        ),
        trial=Trial(_LOOP + "a_caller_who_is_cancelled_anywhere_leaves_a_job_that_runs_on"),
    ),
    Mutant(
        name="plain handlers hold up the loop",
        breaks="A plain handler runs in a thread, and the loop goes on.",
        patches=(
            Patch(
                "runtime/async_drive.py",
                "        return await threads.attempt(partial(performed, run), run.abandon)\n",
                "        return performed(run)\n",
            ),
        ),
        trial=Trial(_LOOP + "a_plain_handler_is_waited_for_and_told_that_its_caller_was_cancelled"),
    ),
    Mutant(
        name="a wait is cut short",
        breaks="Whoever is cancelled while a thread works is told so when that is done.",
        patches=(
            Patch(
                "waits.py",
                "        return False\n",
                "        self.get_loop().call_soon(self.end, None)\n        return False\n",
            ),
        ),
        trial=Trial(_THREADS + "whoever_is_cancelled_is_told_so_when_the_work_is_done"),
    ),
    Mutant(
        name="a cancellation hides what a commit raised",
        breaks="What a commit raises outranks a cancellation.",
        patches=(
            Patch(
                "runtime/threads.py",
                "            usercode.result_of(done.result())\n            raise\n",
                "            raise\n",
            ),
        ),
        trial=Trial(_THREADS + "what_a_commit_raises_outranks_a_cancellation"),
    ),
    Mutant(
        name="a cancelled handler records while it tidies up",
        breaks="A run is abandoned before its handler is cancelled.",
        patches=(Patch("usercode.py", "        leave()\n", "        pass\n"),),
        trial=Trial(_LONE + "nothing_is_recorded_while_a_cancelled_handler_tidies_up"),
    ),
    Mutant(
        name="a caller stays inside of the job it has driven",
        breaks="Only a handler is inside of its job.",
        patches=(Patch("runtime/steps.py", "        inside.reset(outside)\n", "        pass\n"),),
        trial=Trial(_LONE + "a_handler_and_its_caller_share_no_context_variable"),
    ),
    Mutant(
        name="what ends a process ends the loop",
        breaks="What ends a process comes to the caller, and ends no loop.",
        patches=(
            Patch(
                "usercode.py",
                "    except (KeyboardInterrupt, SystemExit) as ending:\n        outcome = ending\n",
                "    except GeneratorExit as ending:\n        outcome = ending\n",
            ),
        ),
        trial=Trial(_LONE + "what_ends_a_process_comes_to_the_caller_and_ends_no_loop"),
    ),
)
