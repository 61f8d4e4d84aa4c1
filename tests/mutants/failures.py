"""Wrongs of failure: attempts that count twice, results that come late, work that is done again."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_ATTEMPTS: Final = "tests/core/test_attempts.py::test_"
_RETRIES: Final = "tests/engine/test_retries.py::test_"
_EFFECTS: Final = "tests/engine/test_retried_effects.py::test_"
_EVERYWHERE: Final = (
    "tests/engine/test_retries_everywhere.py::"
    "test_wherever_a_host_dies_the_job_is_the_same_and_no_attempt_counts_twice"
)
_COMMAND: Final = "tests/engine/test_retry_command.py::test_"
_LATE: Final = "tests/engine/test_timeouts.py::test_"
_ROUTES: Final = "tests/engine/test_routes.py::test_"
_OPTIONS: Final = "tests/engine/test_effect_options.py::test_"

MUTANTS: Final = (
    Mutant(
        name="an attempt that was lost is counted",
        breaks="The number of an attempt counts failures, not executions.",
        patches=(
            Patch(
                "fold.py",
                "    fold.claims += 1\n",
                "    fold.claims += 1\n"
                "    for member in fold.members.values():\n"
                "        member.attempt += member.attempt > 1\n",
            ),
        ),
        trial=Trial(_RETRIES + "an_attempt_whose_host_ended_is_not_counted"),
    ),
    Mutant(
        name="an effect's attempts are counted anew after a crash",
        breaks="After a crash the count of an effect's attempts goes on from the log.",
        patches=(
            Patch(
                "scopes.py",
                "self.attempt = 1 if last is None else last.attempt + 1\n",
                "self.attempt = 1\n",
            ),
        ),
        trial=Trial(_EVERYWHERE, patience_seconds=30),
    ),
    Mutant(
        name="a caught error changes at the next attempt",
        breaks="A recorded error that did not escape is final, at the next attempt too.",
        patches=(
            Patch(
                "fold.py",
                "    elif escaped is not None:\n"
                "        forgotten = {each for each in made if follows(each, escaped)}\n",
                "    elif escaped is not None or True:\n"
                "        forgotten = {\n"
                "            each\n"
                "            for each in made\n"
                "            if each in member.effects and member.effects[each].error\n"
                "        }\n",
            ),
        ),
        trial=Trial(_EFFECTS + "an_error_that_was_caught_stays_what_it_was_at_the_next_attempt"),
    ),
    Mutant(
        name="an error that escaped stays what it was",
        breaks="A new attempt calls again the effect whose error ended the last one.",
        patches=(Patch("fold.py", "    elif escaped is not None:\n", "    elif False:\n"),),
        trial=Trial(_EFFECTS + "the_effect_whose_error_escaped_is_called_again_and_those_after_it"),
    ),
    Mutant(
        name="an error is known by its text",
        breaks="An effect's error has escaped when it is the very object that was raised.",
        patches=(
            Patch(
                "standing.py",
                "for each, effect_id in told if each is error",
                "for each, effect_id in told if str(each) == str(error)",
            ),
        ),
        trial=Trial(
            _EFFECTS + "an_error_of_another_effect_with_the_same_text_is_not_the_one_that_escaped"
        ),
    ),
    Mutant(
        name="effects are forgotten though they are to be reused",
        breaks="A new attempt is given the effects that are recorded.",
        patches=(
            Patch("fold.py", '    if effects == "fresh":\n', '    if effects != "fresher":\n'),
        ),
        trial=Trial(_COMMAND + "effects_are_given_again_or_called_afresh"),
    ),
    Mutant(
        name="a fresh attempt is given what is recorded",
        breaks="A fresh attempt calls every effect anew.",
        patches=(Patch("fold.py", '    if effects == "fresh":\n', "    if False:\n"),),
        trial=Trial(_EFFECTS + "a_fresh_attempt_calls_every_effect_anew"),
    ),
    Mutant(
        name="an old answer approves a fresh plan",
        breaks="An answer belongs to what it was given to.",
        patches=(
            Patch(
                "fold.py",
                "        forgotten = made | set(member.answered)\n",
                "        forgotten = made\n",
            ),
        ),
        trial=Trial(_ATTEMPTS + "a_fresh_attempt_asks_anew_and_is_answered_anew"),
    ),
    Mutant(
        name="a finished neighbour runs again",
        breaks="A retry runs again only what failed.",
        patches=(
            Patch(
                "fold.py",
                "        if member.failure is not None:\n"
                "            _forget(fold, member, member.failure.escaped, event.effects)\n",
                "        if member.settled:\n"
                "            escaped = member.failure and member.failure.escaped\n"
                "            _forget(fold, member, escaped, event.effects)\n",
            ),
        ),
        trial=Trial(
            _COMMAND + "only_what_failed_runs_again_and_interrupts_beside_it_can_be_answered"
        ),
    ),
    Mutant(
        name="a retry has the attempts that were left",
        breaks="A retry by hand has a full budget of attempts.",
        patches=(
            Patch(
                "fold.py",
                "member.failure, member.settled, member.attempt = None, False, 1\n",
                "member.failure, member.settled = None, False\n",
            ),
        ),
        trial=Trial(_COMMAND + "a_retry_has_a_full_budget_of_attempts"),
    ),
    Mutant(
        name="what has not failed is retried",
        breaks="Only a failed job is retried.",
        patches=(
            Patch("decider.py", "    if fold.ended is not Status.FAILED:\n", "    if False:\n"),
        ),
        trial=Trial(_ATTEMPTS + "only_a_failed_job_is_retried"),
    ),
    Mutant(
        name="one key that does not merge keeps another from being mended",
        breaks="An update of a key mends that key.",
        patches=(
            Patch(
                "decider.py",
                "writes_with(fold, writes) if each.key in keys]",
                "writes_with(fold, writes)]",
            ),
        ),
        trial=Trial(
            _ATTEMPTS + "one_update_mends_one_key_though_another_one_does_not_merge_either"
        ),
    ),
    Mutant(
        name="the next attempt does not wait",
        breaks="The next attempt runs when it is due.",
        patches=(
            Patch(
                "consequences.py",
                "for at_ms, item in found if at_ms <= now_ms]\n",
                "for at_ms, item in found]\n",
            ),
        ),
        trial=Trial(_RETRIES + "a_job_waits_for_its_next_attempt_and_holds_nothing"),
    ),
    Mutant(
        name="an attempt is due before the last event",
        breaks="A delay begins with the last event, whatever the clock says.",
        patches=(
            Patch(
                "runtime/session.py",
                "return min(max(last_ms, self.clock.now_ms()) + delay_ms, LAST_MOMENT_MS)",
                "return min(self.clock.now_ms() + delay_ms, LAST_MOMENT_MS + 0 * last_ms)",
            ),
        ),
        trial=Trial(
            _RETRIES + "an_attempt_is_due_after_the_last_event_though_the_clock_was_set_back"
        ),
    ),
    Mutant(
        name="a late effect is recorded",
        breaks="What a handler does when its time is over is refused.",
        patches=(
            Patch(
                "runtime/steps.py",
                "        standing.closed = True\n        run.abandon()\n",
                "        context.effects_used\n",
            ),
        ),
        trial=Trial(_LATE + "an_effect_that_comes_back_behind_its_handler_is_not_recorded"),
    ),
    Mutant(
        name="a late result is accepted",
        breaks="What takes longer than it may has failed, whatever it comes to.",
        patches=(
            Patch(
                "limits.py",
                "    wait_until(limit.clock, end_ms, done)\n",
                "    wait_until(limit.clock, end_ms, done)\n    done.clear()\n    done.wait()\n",
            ),
        ),
        trial=Trial(
            _LATE + "a_handler_that_takes_too_long_fails_and_what_it_does_later_is_refused"
        ),
    ),
    Mutant(
        name="the attempts of an effect are not limited",
        breaks="The last attempt of an effect is its error.",
        patches=(
            Patch(
                "policies.py", "            attempt < self.attempts\n", "            attempt < 8\n"
            ),
        ),
        trial=Trial(_OPTIONS + "the_last_attempt_of_an_effect_is_its_error"),
    ),
    Mutant(
        name="every error is tried again",
        breaks="Only the errors that a policy names are tried again.",
        patches=(Patch("policies.py", "            and isinstance(error, self.on)\n", ""),),
        trial=Trial(_RETRIES + "only_the_errors_that_are_named_are_tried_again"),
    ),
    Mutant(
        name="a routed failure stops",
        breaks="A failure that is routed goes to the output of its routine.",
        patches=(
            Patch(
                "runtime/failures.py",
                "        return _routed(failed, event, flow), attrs.evolve(event, events=1)\n",
                '        return (attrs.evolve(event, outcome="skip"),)\n',
            ),
        ),
        trial=Trial(_ROUTES + "a_failure_is_routed_with_all_that_is_known_of_it"),
    ),
    Mutant(
        name="what ends every host is tried for ever",
        breaks="A worker that claims the same activations five times without progress fails it.",
        patches=(
            Patch("decider.py", "fold.claims >= command.max_claims:\n", "fold.claims < 0:\n"),
        ),
        trial=Trial(_RETRIES + "a_worker_gives_up_what_ended_five_executions"),
    ),
    Mutant(
        name="what gets somewhere is given up",
        breaks="Executions are counted since the job last got anywhere.",
        patches=(
            Patch(
                "fold.py",
                "    member.attempts.pop(event.id, None)\n    fold.claims = 0\n",
                "    member.attempts.pop(event.id, None)\n",
            ),
        ),
        trial=Trial(_ATTEMPTS + "whatever_brings_a_job_forward_begins_the_count_anew"),
    ),
    Mutant(
        name="a cancelled job's effect is tried again",
        breaks="A cancellation ends the waiting for the next attempt.",
        patches=(
            Patch("runtime/runs.py", "        if self.is_cancelled():\n", "        if False:\n"),
        ),
        trial=Trial(_OPTIONS + "a_cancellation_ends_the_waiting"),
    ),
)
