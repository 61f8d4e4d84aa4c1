"""Wrongs of an operator's hold and of Continue: what each lifts, when, and who may say it."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import REFERENCE, Mutant, Patch, Trial

_HOLD: Final = "tests/engine/test_operator_pause.py::test_"
_REFUSALS: Final = "tests/engine/test_resume_refusals.py::test_"
_REVIEWED: Final = "tests/engine/test_reviewed.py::test_"
_LAPSED: Final = (
    "tests/engine/test_leases.py::test_a_pause_is_recorded_in_place_of_a_host_that_has_gone"
)
_CONTINUES: Final = "tests/core/test_decider_commands.py::test_"
_DUE: Final = "tests/core/test_decider_due.py::test_"

MUTANTS: Final = (
    Mutant(
        name="an answer lifts the operator's hold",
        breaks="Only a Continue lifts an operator's hold.",
        patches=(
            Patch(
                "fold.py",
                (
                    "        fold.program, fold.program_paused = (), False\n"
                    '        if event.command != "Goto":'
                ),
                (
                    "        fold.operator, fold.operator_paused = None, False\n"
                    "        fold.program, fold.program_paused = (), False\n"
                    '        if event.command != "Goto":'
                ),
            ),
        ),
        trial=Trial(_HOLD + "an_answer_is_recorded_and_waits_while_the_hold_stands"),
    ),
    Mutant(
        name="an answer is refused under a hold",
        breaks="While an operator's hold stands, answers are recorded and wait.",
        patches=(
            Patch(
                "decider.py",
                "    recorded = ev.AnswerRecorded(id=asked.id, value=answer.value)\n",
                (
                    "    recorded = ev.AnswerRecorded(id=asked.id, value=answer.value)\n"
                    "    if fold.operator is not None:\n"
                    "        raise errors.NotPaused(fold.job_id, fold.status, fold.host)\n"
                ),
            ),
        ),
        trial=Trial(_HOLD + "an_answer_is_recorded_and_waits_while_the_hold_stands"),
    ),
    Mutant(
        name="a message is refused under a hold",
        breaks="While an operator's hold stands, messages are recorded and wait.",
        patches=(
            Patch(
                "decider.py",
                '    _refuse_ended(fold, f"a message to {command.slot!r}")\n',
                '    _refuse_ended(fold, f"a message to {command.slot!r}")\n'
                "    if fold.operator is not None:\n"
                "        raise errors.NotPaused(fold.job_id, fold.status, fold.host)\n",
            ),
        ),
        trial=Trial(_CONTINUES + "every_unended_job_takes_messages"),
    ),
    Mutant(
        name="a pending job is not held at once",
        breaks="A pause of a job that nobody drives is recorded with its request.",
        patches=(
            Patch(
                "runtime/host.py",
                "actor=checked_actor(actor), quiet=lambda: self._is_quiet(session.job_id)\n",
                "actor=checked_actor(actor), quiet=lambda: False\n",
            ),
        ),
        trial=Trial(_HOLD + "a_pending_job_is_paused_at_once_and_begun_by_continue"),
    ),
    Mutant(
        name="a paused job is not held",
        breaks="The operator's hold is recorded in every status that is no end.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.program:\n        return _operator_pause(fold)\n",
                "    if fold.program:\n        return None\n",
            ),
        ),
        trial=Trial(_HOLD + "the_hold_stands_beside_that_of_the_program"),
    ),
    Mutant(
        name="a job is held twice",
        breaks="A second pause while the first stands is the first.",
        patches=(
            Patch(
                "decider.py",
                "    if fold.operator is not None:\n        return ()\n"
                "    return (ev.PauseRequested(",
                "    return (ev.PauseRequested(",
            ),
        ),
        trial=Trial(_HOLD + "a_second_pause_is_the_first"),
    ),
    Mutant(
        name="an ended job is held",
        breaks="An ended job refuses every command.",
        patches=(Patch("decider.py", '    _refuse_ended(fold, "a pause")\n', ""),),
        trial=Trial(_HOLD + "an_ended_job_is_not_paused"),
    ),
    Mutant(
        name="a pause cannot be withdrawn",
        breaks="A Continue before the pause is recorded withdraws the request.",
        patches=(
            Patch(
                "decider.py",
                '    _refuse_ended(fold, "Continue()")\n    if fold.operator is not None:\n',
                '    _refuse_ended(fold, "Continue()")\n    if fold.operator_paused:\n',
            ),
        ),
        trial=Trial(_HOLD + "a_pause_that_is_withdrawn_in_time_stops_nothing"),
    ),
    Mutant(
        name="a withdrawn pause is recorded all the same",
        breaks="A pause that was withdrawn in time stops nothing.",
        patches=(
            Patch(
                "fold.py",
                "        fold.operator = None\n        fold.operator_paused = False\n",
                "        fold.operator = None if fold.operator_paused else fold.operator\n"
                "        fold.operator_paused = False\n",
            ),
        ),
        trial=Trial(_HOLD + "a_pause_that_is_withdrawn_in_time_stops_nothing"),
    ),
    Mutant(
        name="a Continue lifts a hold that its caller didn't see",
        breaks="A Continue lifts the pause that its caller saw; when another came, it is refused.",
        patches=(
            Patch(
                "runtime/calls.py",
                "                if fold.status is Status.PAUSED and seen != _standing(fold):\n",
                "                if False:\n",
            ),
        ),
        trial=Trial(_REVIEWED + "a_second_continue_lifts_no_more_than_its_caller_saw"),
    ),
    Mutant(
        name="a job that is driven is continued",
        breaks="A Continue of a job that somebody is running is refused.",
        patches=(
            Patch(
                "decider.py",
                "    if not fold.program_paused:\n        raise errors.NotPaused(",
                "    if not fold.program_paused:\n        return ()\n"
                "    if False:\n        raise errors.NotPaused(",
            ),
        ),
        trial=Trial(_REFUSALS + "a_job_that_is_driven_elsewhere_is_not_paused"),
    ),
    Mutant(
        name="an ended job is continued",
        breaks="An ended job refuses every command.",
        patches=(Patch("decider.py", '    _refuse_ended(fold, "Continue()")\n', ""),),
        trial=Trial(_REFUSALS + "an_ended_job_refuses_every_command"),
    ),
    Mutant(
        name="a Continue keeps back what was kept while something is asked",
        breaks="A Continue while something is asked runs kept work.",
        patches=(
            Patch(
                "decider.py",
                (
                    '    if fold.questions and held == {"question"} and not '
                    "(fold.kept or fold.inputs):\n"
                ),
                '    if fold.questions and held == {"question"} and not fold.inputs:\n',
            ),
        ),
        trial=Trial(_CONTINUES + "continue_runs_what_there_is_while_something_is_asked"),
    ),
    Mutant(
        name="a Continue keeps back what came while something is asked",
        breaks="A Continue while something is asked runs what came from outside.",
        patches=(
            Patch(
                "decider.py",
                (
                    '    if fold.questions and held == {"question"} and not '
                    "(fold.kept or fold.inputs):\n"
                ),
                '    if fold.questions and held == {"question"} and not fold.kept:\n',
            ),
        ),
        trial=Trial(_CONTINUES + "continue_runs_what_there_is_while_something_is_asked"),
    ),
    Mutant(
        name="a Continue leaves a pause of the program while something is asked",
        breaks="A Continue while something is asked lifts what the program asked for by a pause.",
        patches=(
            Patch(
                "decider.py",
                (
                    '    if fold.questions and held == {"question"} and not '
                    "(fold.kept or fold.inputs):\n"
                ),
                "    if fold.questions and not (fold.kept or fold.inputs):\n",
            ),
        ),
        trial=Trial(_CONTINUES + "continue_releases_nothing_while_something_is_asked"),
    ),
    Mutant(
        name="a required answer is not named",
        breaks="A Continue that is refused for want of an answer names what is open.",
        patches=(
            Patch(
                "decider.py",
                "raise errors.AnswerRequired(fold.job_id, tuple(fold.questions))",
                "raise errors.AnswerRequired(fold.job_id, ())",
            ),
        ),
        trial=Trial(_REFUSALS + "continue_does_not_answer"),
    ),
    Mutant(
        name="a held job runs",
        breaks="A job that an operator holds is shown as paused.",
        patches=(
            Patch(
                "state.py",
                (
                    "        if self.operator_paused or self.halt_paused:\n"
                    "            return Status.PAUSED\n"
                ),
                (
                    "        if (self.operator_paused and not self.going) or self.halt_paused:\n"
                    "            return Status.PAUSED\n"
                ),
            ),
        ),
        trial=Trial(_HOLD + "what_runs_finishes_and_nothing_more_starts"),
    ),
    Mutant(
        name="a claim in spite of a hold",
        breaks="While the operator's hold stands, nobody takes the job over.",
        patches=(Patch("decider.py", "    if not is_to_claim(fold):\n", "    if fold.ended:\n"),),
        trial=Trial(_CONTINUES + "a_job_with_nothing_to_run_is_not_claimed"),
    ),
    Mutant(
        name="a pause that is left to a host that has gone",
        breaks="Whoever takes a held job over records its pause in place of a host that has gone.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.ended is None and fold.going and _operator_pause(fold) is not None:\n"
                "        return True\n",
                "",
            ),
        ),
        trial=Trial(_LAPSED),
    ),
    Mutant(
        name="a pause that waits for a host that was taken the job from",
        breaks="Whoever takes a held job over reports it paused.",
        patches=(
            Patch(
                "runtime/decisions.py",
                "            quiet = quiet or fold.token != token\n",
                "",
            ),
        ),
        trial=Trial(_LAPSED),
    ),
    Mutant(
        name="deferrals are released last first",
        breaks="Deferrals are released in their order.",
        patches=(
            Patch(
                "decider.py",
                "    return (ev.DeferralsReleased(ids=tuple(fold.deferrals)), resumed)\n",
                "    return (ev.DeferralsReleased(ids=tuple(reversed(fold.deferrals))), resumed)\n",
            ),
        ),
        trial=Trial(_CONTINUES + "continue_releases_deferrals_in_their_order"),
    ),
    Mutant(
        name="deferrals of an idle job are released last first",
        breaks="Deferrals are released in their order, where no pause holds them, too.",
        patches=(
            Patch(
                "consequences.py",
                "        return ev.DeferralsReleased(ids=tuple(fold.deferrals))\n",
                "        return ev.DeferralsReleased(ids=tuple(reversed(fold.deferrals)))\n",
            ),
        ),
        trial=Trial(_DUE + "deferrals_are_released_when_a_program_that_never_paused_is_done"),
    ),
    Mutant(
        name="deferrals are released before questions are answered",
        breaks="A job that is paused again for its open questions releases no deferral.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.questions:\n        reasons = [",
                "    if fold.deferrals:\n"
                "        return ev.DeferralsReleased(ids=tuple(fold.deferrals))\n"
                "    if fold.questions:\n        reasons = [",
            ),
        ),
        trial=Trial(_DUE + "an_idle_job_with_a_question_open_is_paused_again"),
    ),
    Mutant(
        name="kept work runs last first after a resume",
        breaks="What a pause kept runs in its order.",
        patches=(
            Patch(
                "fold.py",
                (
                    "        fold.program, fold.program_paused = (), False\n"
                    '        if event.command != "Goto":'
                ),
                (
                    "        fold.kept.reverse()\n"
                    "        fold.program, fold.program_paused = (), False\n"
                    '        if event.command != "Goto":'
                ),
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="one pause of several is recorded",
        breaks="Several requests to pause in one wave are all recorded.",
        patches=(
            Patch(
                "consequences.py",
                "        return ev.JobPaused(reasons=fold.program)\n",
                "        return ev.JobPaused(reasons=fold.program[:1])\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10, seed=7),
    ),
)
