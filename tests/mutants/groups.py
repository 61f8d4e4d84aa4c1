"""Wrongs of grouped commits: what is kept back too long, and what outlives a conflict."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_OUTPUT: Final = "tests/engine/test_output.py::test_"
_OVERTAKEN: Final = "tests/engine/test_overtaken_groups.py::test_"
_ENDED: Final = "tests/engine/test_ended_groups.py::test_"

MUTANTS: Final = (
    Mutant(
        name="a conflict loses a part of the group",
        breaks="Settled activations of the wave that is open in the store are kept.",
        patches=(
            Patch(
                "runtime/session.py",
                "        for decision in group:\n",
                "        for decision in group[1:]:\n",
            ),
        ),
        trial=Trial(_OUTPUT + "a_message_joins_the_wave_behind_the_one_that_is_recorded"),
    ),
    Mutant(
        name="work of later waves outlives a conflict",
        breaks="What waited of later waves is discarded and done again.",
        patches=(
            Patch(
                "runtime/session.py",
                "        return len(kept) == since or all(each == wave for each in kept[since:])\n",
                "        return wave >= 0 or len(kept) == since\n",
            ),
        ),
        trial=Trial(_OUTPUT + "a_handler_of_a_wave_that_a_message_has_undone_settles_nothing"),
    ),
    Mutant(
        name="an effect is called before the flush",
        breaks="Everything before an effect is durable when its function is called.",
        patches=(
            Patch(
                "runtime/runs.py",
                "        self.session.flush()\n        if not self.is_awaited",
                "        if not self.is_awaited",
            ),
        ),
        trial=Trial(_OUTPUT + "an_effect_finds_everything_before_it_in_the_store"),
    ),
    Mutant(
        name="a group has no limit",
        breaks="A group that has waited for long is recorded with the next commit.",
        patches=(
            Patch(
                "runtime/session.py",
                "            and 0 <= self.clock.now_ms() - self._waits_since_ms < max_group_ms\n",
                "",
            ),
            Patch(
                "runtime/session.py",
                "            and len(self._events) < max_group_events\n",
                "",
            ),
        ),
        trial=Trial(_OUTPUT + "a_pause_takes_effect_within_the_limit_of_a_group"),
    ),
    Mutant(
        name="every commit may wait",
        breaks='Grouping is for durability="output"; by default each activation is committed.',
        patches=(
            Patch(
                "runtime/session.py",
                "                if decision.may_wait and self.is_grouping and ",
                "                if decision.may_wait and ",
            ),
            Patch(
                "runtime/session.py",
                "        if self.is_grouping and not self._group:\n",
                "        if not self._group:\n",
            ),
        ),
        trial=Trial(_OUTPUT + "every_activation_is_an_append_by_default"),
    ),
    Mutant(
        name="what ends an execution in a wave of one takes the group with it",
        breaks="What is decided before an error ends the execution is recorded.",
        patches=(
            Patch("runtime/drive.py", "            outcome = ending\n", "            raise\n"),
        ),
        trial=Trial(_ENDED + "what_led_to_a_change_of_code_is_recorded"),
    ),
    Mutant(
        name="of a wave that is undone the rest starts",
        breaks="Of a wave that what came from outside has undone, nothing more is started.",
        patches=(
            Patch(
                "runtime/steps.py",
                "(session.kept_waves and not session.is_current(self._number, self._since))",
                "False",
            ),
        ),
        trial=Trial(_OVERTAKEN + "of_a_wave_that_is_undone_nothing_more_is_started"),
    ),
    Mutant(
        name="a slot that is missed takes the group with it",
        breaks="What is decided before a wave that can't be opened is recorded.",
        patches=(
            Patch(
                "runtime/steps.py",
                "    count = len(ready)\n",
                "    if changed:\n        raise changed\n    count = len(ready)\n",
            ),
        ),
        trial=Trial(_ENDED + "what_led_to_a_slot_that_is_missed_is_recorded"),
    ),
    Mutant(
        name="what asks a person waits for its neighbours",
        breaks="An interrupt is recorded as soon as its handler is set aside.",
        patches=(
            Patch(
                "runtime/steps.py",
                "may_wait = type(outcome[-1]) is not ev.Interrupted",
                "may_wait = True",
            ),
        ),
        trial=Trial(_OUTPUT + "an_interrupt_is_seen_while_a_neighbour_goes_on"),
    ),
)
