"""Wrongs of effects: when they are recorded, how often they run, and what a re-execution gets."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import EFFECTS, Mutant, Patch, Trial

_LOST: Final = "tests/engine/test_lost_attempts.py::test_"
_EFFECTS: Final = "tests/engine/test_effects.py::test_"
_ABANDONED: Final = "tests/engine/test_abandoned_attempts.py::test_"
_MISUSED: Final = "tests/engine/test_misused_contexts.py::test_"
_REENTRANT: Final = "tests/engine/test_reentrant_calls.py::test_"
_CHANGED: Final = _LOST + "a_changed_call_is_refused_with_both_and_nothing_is_recorded"
_MAKE: Final = "            recorded, cause = self._made(call, effect_id)\n"
_MUST_MAKE: Final = "        if recorded is None:\n" + _MAKE
_AWAITED: Final = (
    "        if must_await:\n"
    "            coroutine = self._awaited(call, effect_id, recorded)\n"
    "            self._run.called(effect_id, coroutine)\n"
    "            return coroutine\n"
)
_FUNCTION: Final = "    if recorded.function == call.name:\n"
_ARGUMENTS: Final = 'recorded.digest == call.digest or call.options.arguments == "off"'

MUTANTS: Final = (
    Mutant(
        name="an effect is used before it is recorded",
        breaks="Law 5: an effect is recorded before the handler goes on.",
        patches=(
            Patch(
                "scopes.py",
                "                self._run.recorder.record_effect(event)\n",
                "                pass\n",
            ),
        ),
        trial=Trial(EFFECTS, examples=12, seed=1),
    ),
    Mutant(
        name="a key of its own for every attempt",
        breaks="The key of an effect is the same across re-executions.",
        patches=(
            Patch(
                "standing.py",
                'f"{self.job_id}/{effect_id}" if',
                'f"{self.job_id}/{effect_id}/{self.recorder.session.token}" if',
            ),
        ),
        trial=Trial(EFFECTS, examples=10, seed=1),
    ),
    Mutant(
        name="a recorded effect is run again",
        breaks="A recorded success is never replaced.",
        patches=(Patch("scopes.py", _MUST_MAKE, "        if True:\n" + _MAKE),),
        trial=Trial(EFFECTS, examples=15, seed=8),
    ),
    Mutant(
        name="a recorded error is tried again",
        breaks="A recorded error is final too.",
        patches=(
            Patch(
                "scopes.py",
                _MUST_MAKE,
                "        if recorded is None or recorded.error is not None:\n" + _MAKE,
            ),
        ),
        trial=Trial(_EFFECTS + "a_recorded_error_is_final_and_raised_alike"),
    ),
    Mutant(
        name="a recorded error says something else",
        breaks="The handler that caught a recorded error goes the same way again.",
        patches=(
            Patch(
                "effects.py",
                "raise errors.EffectError(error.type, error.message) from cause",
                'raise errors.EffectError(error.type, error.message if cause else "") from cause',
            ),
        ),
        trial=Trial(_EFFECTS + "a_recorded_error_is_final_and_raised_alike"),
    ),
    Mutant(
        name="calls are not compared",
        breaks="A re-execution whose call differs is refused.",
        patches=(
            Patch("effects.py", _FUNCTION, "    if recorded:\n"),
            Patch("effects.py", _ARGUMENTS, "recorded"),
        ),
        trial=Trial(_CHANGED),
    ),
    Mutant(
        name="arguments are not compared",
        breaks="The arguments of a call are compared with those that are recorded.",
        patches=(Patch("effects.py", _ARGUMENTS, "recorded"),),
        trial=Trial(_CHANGED),
    ),
    Mutant(
        name="functions are not compared",
        breaks="The function of a call is compared with the one that is recorded.",
        patches=(Patch("effects.py", _FUNCTION, "    if recorded:\n"),),
        trial=Trial(_CHANGED),
    ),
    Mutant(
        name="a handler hides that its call has changed",
        breaks="No except in a handler can hide that its call is another.",
        patches=(
            Patch(
                "scopes.py",
                ("            self._run.lost = difference\n            raise difference\n"),
                "            raise difference\n",
            ),
        ),
        trial=Trial(_CHANGED),
    ),
    Mutant(
        name="an effect whose recording was interrupted is used",
        breaks="A result that may not be recorded is never used.",
        patches=(
            Patch(
                "standing.py",
                "        if ending is None or self._run.lost is not None:\n",
                "        if not isinstance(ending, errors.EsflowError):\n",
            ),
        ),
        trial=Trial(
            "tests/engine/test_reviewed.py::"
            "test_an_effect_whose_recording_was_interrupted_is_never_used"
        ),
    ),
    Mutant(
        name="what can't be recorded is no error",
        breaks="A result that can't be recorded is a recorded error, raised alike everywhere.",
        patches=(
            Patch(
                "effects.py",
                "    except errors.PayloadError as error:\n        return None, error\n",
                "    except errors.PayloadError:\n        return None, None\n",
            ),
        ),
        trial=Trial(_EFFECTS + "a_result_that_can_not_be_recorded_is_an_error_that_is"),
    ),
    Mutant(
        name="the first host gets the result as it was returned",
        breaks="A handler receives what has been through the codec, on the first host too.",
        patches=(
            Patch(
                "effects.py",
                "        annotation = return_annotation(call.function)\n",
                "        if effect.duration_us and type(effect.result) is list:\n"
                "            return effect.result\n"
                "        annotation = return_annotation(call.function)\n",
            ),
        ),
        trial=Trial(
            _EFFECTS + "a_result_is_what_its_annotation_says_on_the_first_host_and_on_every_other"
        ),
    ),
    Mutant(
        name="a failed call doesn't count",
        breaks="Effects are numbered in call order, those that failed too.",
        patches=(
            Patch(
                "scopes.py",
                "        self._count += 1\n" + _AWAITED + _MUST_MAKE,
                _AWAITED + _MUST_MAKE + "        self._count += recorded.error is None\n",
            ),
        ),
        trial=Trial(EFFECTS, examples=10, seed=1),
    ),
    Mutant(
        name="a key that is not the next effect's",
        breaks="A context offers the key of its next effect.",
        patches=(
            Patch(
                "standing.py",
                'return f"{self.job_id}/{effect_id}" if',
                'return f"{self.job_id}/{self.activation}" if',
            ),
        ),
        trial=Trial(_EFFECTS + "the_idempotency_key_is_that_of_the_call_at_every_execution"),
    ),
    Mutant(
        name="the time is not recorded",
        breaks="The time that a handler sees is an effect.",
        patches=(
            Patch(
                "scopes.py",
                'self._effect(call_of(self._run.moment, (), {}, "esflow.now"))',
                "self._run.moment()",
            ),
        ),
        trial=Trial(_EFFECTS + "time_ids_and_chance_are_recorded_and_returned_again"),
    ),
    Mutant(
        name="chance is not recorded",
        breaks="The chance that a handler sees is an effect.",
        patches=(
            Patch(
                "scopes.py",
                'self._effect(call_of(self._run.number, (), {}, "esflow.random"))',
                "self._run.number()",
            ),
        ),
        trial=Trial(_EFFECTS + "time_ids_and_chance_are_recorded_and_returned_again"),
    ),
    Mutant(
        name="a context is used after its handler",
        breaks="A context ends with its handler.",
        patches=(
            Patch("context.py", "        self._run.closed = True\n", "        pass\n"),
            Patch("runtime/steps.py", "        standing.closed = True\n", ""),
        ),
        trial=Trial(_MISUSED + "a_context_ends_with_its_handler"),
    ),
    Mutant(
        name="a context is used from another thread",
        breaks="A context belongs to the thread of its handler.",
        patches=(
            Patch("standing.py", "        if self.here() != owner:\n", "        if False:\n"),
        ),
        trial=Trial(_MISUSED + "a_context_belongs_to_the_thread_of_its_handler"),
    ),
    Mutant(
        name="an effect has a context",
        breaks="Inside an effect nothing is asked of the context.",
        patches=(
            Patch(
                "standing.py",
                "        if self.calling_at and self.here() in self.calling_at:\n",
                "        if False:\n",
            ),
        ),
        trial=Trial(_MISUSED + "an_effect_has_no_context"),
    ),
    Mutant(
        name="a handler acts on its own job",
        breaks="A handler that acts on its own job is refused.",
        patches=(
            Patch("runtime/host.py", "        if job_id in inside.get():\n", "        if False:\n"),
        ),
        trial=Trial(_REENTRANT + "acting_on_the_own_job_is_refused_and_the_job_goes_on"),
    ),
    Mutant(
        name="an effect is recorded again behind the commit that its host died at",
        breaks="A recorded success is never replaced, and an attempt is recorded once.",
        patches=(
            Patch(
                "runtime/runs.py",
                "            if known is not None and known.attempt >= effect.attempt:\n",
                "            if False:\n",
            ),
        ),
        trial=Trial(
            _ABANDONED
            + "an_effect_whose_append_ended_the_process_behind_its_commit_is_recorded_once"
        ),
    ),
)
