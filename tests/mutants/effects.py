"""Wrongs of effects: when they are recorded, how often they run, and what a re-execution gets."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import EFFECTS, Mutant, Patch, Trial

MUTANTS: Final = (
    Mutant(
        name="an effect is used before it is recorded",
        breaks="Law 5: an effect is recorded before the handler goes on.",
        patches=(
            Patch(
                "context.py",
                "            self._recorder.record_effect(effect)\n",
                "            self._records.append(effect)\n",
            ),
        ),
        trial=Trial(EFFECTS),
    ),
    Mutant(
        name="a key of its own for every attempt",
        breaks="The key of an effect is the same across re-executions.",
        patches=(
            Patch(
                "context.py",
                'f"{self._job_id}/{effect_id}" if',
                'f"{self._job_id}/{effect_id}/{self._recorder.session.token}" if',
            ),
        ),
        trial=Trial(EFFECTS, examples=80),
    ),
    Mutant(
        name="a recorded effect is run again",
        breaks="A recorded success is never replaced.",
        patches=(Patch("context.py", "        if recorded is None:\n", "        if True:\n"),),
        trial=Trial(EFFECTS, examples=80),
    ),
    Mutant(
        name="a recorded error is tried again",
        breaks="A recorded error is final too.",
        patches=(
            Patch(
                "context.py",
                "        if recorded is None:\n",
                "        if recorded is None or recorded.error is not None:\n",
            ),
        ),
        trial=Trial(EFFECTS, examples=80),
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
        trial=Trial(EFFECTS, examples=80),
    ),
)
