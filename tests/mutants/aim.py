"""Finds where mutants are killed soonest: ``python -m tests.mutants.aim NAME…``, all without one.

A change of the generator moves every example, and so what a trial's seed comes upon.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import attrs

from tests.mutants.copies import Server, compiled, mutate
from tests.mutants.judge import KILLED
from tests.mutants.mutant import Mutant, Trial
from tests.mutants.test_mutants import MUTANTS

SEEDS: Final = 12
SOON: Final = 4  # Examples: nothing better is looked for.


def soonest(server: Server, origin: Path, mutant: Mutant) -> tuple[int, Trial]:
    """Return how few examples kill a mutant, and the trial that needs them; 0 where none does."""
    found, best = 0, mutant.trial
    with TemporaryDirectory() as folder:
        mutate(origin, Path(folder), mutant.patches)
        for seed in range(SEEDS):
            # With as many as the trial has: what Hypothesis draws first depends on how many follow.
            trial = attrs.evolve(mutant.trial, seed=seed)
            verdict = server.judge(Path(folder), trial)
            took = max(verdict.examples, 1)
            if verdict.code == KILLED and (not found or took < found):
                found, best = took, trial
            if 0 < found <= SOON:
                break
    return found, best


def main() -> None:
    """Print a line for each mutant that is judged on generated flows."""
    names = frozenset(sys.argv[1:])
    server = Server.started()
    with TemporaryDirectory() as folder:
        origin = compiled(Path(folder))
        for mutant in MUTANTS:
            if not mutant.trial.is_example and (not names or mutant.name in names):
                found, trial = soonest(server, origin, mutant)
                sys.stdout.write(f"{mutant.name}: seed {trial.seed}, {found or 'no'} examples\n")
                sys.stdout.flush()
    server.close()


if __name__ == "__main__":
    main()
