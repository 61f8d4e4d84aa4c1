"""What a mutant is, as data: a wrong done to a copy of esflow, and the law that must notice."""

from __future__ import annotations

from typing import Final, final

import attrs

REFERENCE: Final = "test_an_undisturbed_run_is_that_of_the_reference"
TRUTH: Final = "test_law_1_the_log_is_the_truth"
SELF_CONTAINED: Final = "test_law_2_the_log_is_self_contained"
APPEND_ONLY: Final = "test_law_3_the_log_is_append_only"
ENTIRELY: Final = "test_law_4_an_activation_happens_entirely_or_not_at_all"
EFFECTS: Final = "test_law_5_effects_are_recorded_before_they_are_used"
ONE_ORDER: Final = "test_law_6_there_is_one_order"
PAUSED: Final = "test_law_7_pausing_anywhere_equals_never_having_paused"
ONE_WRITER: Final = "test_law_8_there_is_one_writer"
NOTHING_LOST: Final = "test_law_9_nothing_is_lost_and_nothing_is_doubled"
REFUSED: Final = "test_law_9_what_is_refused_leaves_the_log_as_it_was"
HOLDS: Final = "test_law_7_nothing_starts_while_an_operator_holds_the_job"


@final
@attrs.frozen
class Trial:
    """One run of a law: on which kind of flow, and on how many of them at most.

    Shape: a law without generated flows is run as it is, whatever stands here; so is a test
    elsewhere, which is named as pytest names it.
    """

    law: str
    flavour: str = "calm"
    asks: bool = True
    examples: int = 40  # Some times as many as it takes, see `tests.mutants.aim`.
    seed: int = 0
    patience_seconds: float = 3.0  # Of a test elsewhere, with what will never come.

    @property
    def is_example(self) -> bool:
        """Whether it is a test elsewhere, and not a law on generated flows."""
        return "::" in self.law

    def __str__(self) -> str:
        """Name it, and what it is run on."""
        if self.is_example:
            return self.law
        asks = "asking" if self.asks else "unasking"
        flows = f"{self.examples} {self.flavour}, {asks} flows"
        return f"{self.law} on at most {flows} of seed {self.seed}"


@final
@attrs.frozen
class Patch:
    """A text of one file of esflow that stands there exactly once, and what replaces it."""

    file: str  # Below the package's folder.
    old: str
    new: str


@final
@attrs.frozen(kw_only=True)
class Mutant:
    """A wrong, the sentence that it breaks, and the law that must fail on it."""

    name: str
    breaks: str
    patches: tuple[Patch, ...]
    trial: Trial
