"""Wrongs of pauses: who lifts which, what they keep, and when deferrals are released."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import HOLDS, PAUSED, REFERENCE, REFUSED, Mutant, Patch, Trial

_COMMANDS: Final = "tests/core/test_decider_commands.py::test_"
_DUE: Final = "tests/core/test_decider_due.py::test_"
_LIFTED_BY_OPERATOR: Final = 'return (ev.JobResumed(command="Continue", lifted="operator"),)'

MUTANTS: Final = (
    Mutant(
        name="an operator's resume releases deferrals",
        breaks="A Continue that lifts the operator's hold releases nothing.",
        patches=(
            Patch(
                "decider.py",
                _LIFTED_BY_OPERATOR,
                'lifted = ev.JobResumed(command="Continue", lifted="operator")\n'
                "        if fold.program and fold.deferrals:\n"
                "            return (ev.DeferralsReleased(ids=tuple(fold.deferrals)), lifted)\n"
                "        return (lifted,)",
            ),
        ),
        trial=Trial(_COMMANDS + "continue_lifts_the_operators_hold_and_no_other"),
    ),
    Mutant(
        name="an operator's resume lifts the program's pause",
        breaks="A Continue that lifts the operator's hold lifts no other.",
        patches=(
            Patch(
                "decider.py",
                _LIFTED_BY_OPERATOR,
                'lifted = ev.JobResumed(command="Continue", lifted="operator")\n'
                "        if fold.program_paused:\n"
                '            return (lifted, *_resume(fold, "Continue", release=False))\n'
                "        return (lifted,)",
            ),
        ),
        trial=Trial(_COMMANDS + "continue_lifts_the_operators_hold_and_no_other"),
    ),
    Mutant(
        name="an operator's pause loses kept work",
        breaks="An operator's pause is transparent.",
        patches=(
            Patch(
                "fold.py",
                "        fold.operator_paused = True\n",
                "        fold.operator_paused = True\n        fold.kept = []\n",
            ),
        ),
        trial=Trial(PAUSED, examples=10, seed=7),
    ),
    Mutant(
        name="an operator's hold lets work start",
        breaks="While the operator's hold stands, nothing starts.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.ended is not None or fold.operator is not None or fold.halt:\n",
                "    if fold.ended is not None or fold.halt:\n",
            ),
        ),
        trial=Trial(_DUE + "nothing_of_a_held_paused_or_ended_job_may_run"),
    ),
    Mutant(
        name="paused while handlers are running",
        breaks="The pause is recorded when the running activations have settled.",
        patches=(
            Patch(
                "consequences.py",
                "return _operator_pause(fold) if quiet else None",
                "return _operator_pause(fold)",
            ),
        ),
        trial=Trial(HOLDS, examples=10, seed=1),
    ),
    Mutant(
        name="a Continue releases deferrals though something is asked",
        breaks="A Continue while something is asked releases no deferral.",
        patches=(
            Patch(
                "decider.py",
                '    release = "program" in held and not fold.questions\n',
                "    release = True\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10, seed=1),
    ),
    Mutant(
        name="a Continue passes a question by",
        breaks="A Continue with nothing to lift or to run is refused.",
        patches=(
            Patch(
                "decider.py",
                (
                    '    if fold.questions and held == {"question"} and not '
                    "(fold.kept or fold.inputs):\n"
                ),
                "    if False:\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=18, seed=7),
    ),
    Mutant(
        name="an answer releases nothing while others are open",
        breaks="An answer to a question is a full resume.",
        patches=(
            Patch(
                "decider.py",
                "release=_stands_by_itself(fold)",
                "release=len(fold.questions) == 1",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="a job with open questions completes",
        breaks="With other questions open the job is paused again.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.questions:\n        reasons = [",
                "    if fold.questions and False:\n        reasons = [",
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=2),
    ),
    Mutant(
        name="a deferral is lost when a question follows",
        breaks="What is deferred is held until the job resumes.",
        patches=(
            Patch(
                "context.py",
                "        due_at_ms = None if timeout is None else self._run.after_ms(timeout, "
                '"ask.timeout")\n',
                "        due_at_ms = None if timeout is None else self._run.after_ms(timeout, "
                '"ask.timeout")\n'
                "        self._records = [\n"
                "            each for each in self._records "
                "if not isinstance(each, ev.EmissionDeferred)\n"
                "        ]\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="deferrals are released at once where nothing is asked",
        breaks="Without a pause, deferrals are released when nothing else is left.",
        patches=(
            Patch(
                "waves.py",
                "    fold.deferrals[event.id] = event\n",
                "    if fold.questions:\n"
                "        fold.deferrals[event.id] = event\n"
                "    else:\n"
                "        follow(fold, event)\n",
            ),
        ),
        trial=Trial(REFERENCE, asks=False, examples=10),
    ),
    Mutant(
        name="a refused command leaves a trace",
        breaks="Law 9: whatever is refused leaves the log byte for byte unchanged.",
        patches=(
            Patch(
                "runtime/calls.py",
                "            return places.put_into(fold, wish, granted(fold, flow, wish))\n",
                (
                    "            try:\n"
                    "                found = granted(fold, flow, wish)\n"
                    "                return places.put_into(fold, wish, found)\n"
                    "            except VersionConflict:\n"
                    "                raise\n"
                    "            except Exception:\n"
                    "                hold_or_end(host, job_id, "
                    'PauseJob(reason="tried"), "", actor=None)\n'
                    "                raise\n"
                ),
            ),
        ),
        trial=Trial(REFUSED, examples=10, seed=1),
    ),
)
