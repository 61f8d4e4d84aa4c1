"""Wrongs of waves: their order, their ids, their limit, and what of them is merged."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import (
    ENTIRELY,
    ONE_ORDER,
    PAUSED,
    REFERENCE,
    Mutant,
    Patch,
    Trial,
)

# No wrong: the members of a wave may be started in any order. Alone, they are started in theirs.
LAST_FIRST: Final = Patch(
    "runtime/steps.py",
    "            activation = self._waiting.popleft()\n",
    "            activation = (\n"
    "                self._waiting.pop() if self.width > 1 else self._waiting.popleft()\n"
    "            )\n",
)

_FOLD: Final = "tests/core/test_fold.py::test_"
_IDS: Final = "tests/core/test_ids.py::test_"
_DUE: Final = "tests/core/test_decider_due.py::test_"
_RAISING: Final = "tests/engine/test_raising_handlers.py::test_"
_SEEN: Final = "tests/engine/test_seen_data.py::test_"
_SETTLED: Final = (
    "        return self._commit(partial(record, Decision("
    "(step, self._firing), quiet, may_wait)))\n"
)

MUTANTS: Final = (
    Mutant(
        name="an activation in two transactions",
        breaks="Law 4: everything that an activation asked for and its settling are one append.",
        patches=(
            Patch(
                "runtime/steps.py",
                _SETTLED,
                "        *asked_for, settled = outcome\n"
                "        outcome = tuple(asked_for)\n"
                "        self.session.settle(Decision((step,), quiet, may_wait=True))\n"
                f"        outcome = (settled,)\n{_SETTLED}",
            ),
        ),
        trial=Trial(ENTIRELY, "loop", examples=12),
    ),
    Mutant(
        name="a failed run leaks what it asked for",
        breaks="Law 4: nothing that a failed handler asked for is recorded.",
        patches=(
            Patch(
                "runtime/steps.py",
                "    return _concluded(run, standing, outcome, started_at_ms, began_ns)\n\n\ndef",
                "    settled = _concluded(run, standing, outcome, started_at_ms, began_ns)\n"
                "    failed = isinstance(outcome, usercode.Raised)\n"
                "    return (*context._records, *settled) if failed else settled\n\n\ndef",
            ),
        ),
        trial=Trial(ENTIRELY, "failure", examples=10),
    ),
    Mutant(
        name="ids restart after a resume",
        breaks="Ids are ordinals of the whole job.",
        patches=(
            Patch(
                "fold.py",
                (
                    "        fold.program, fold.program_paused = (), False\n"
                    '        if event.command != "Goto":'
                ),
                (
                    "        fold.wave = 0\n"
                    "        fold.program, fold.program_paused = (), False\n"
                    '        if event.command != "Goto":'
                ),
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="released outputs stand last",
        breaks="Everything ordered in a state is ordered by id.",
        patches=(
            Patch(
                "waves.py",
                "bisect.insort(fold.outputs, output, key=lambda each: order(each.id))",
                "fold.outputs.append(output)",
            ),
        ),
        trial=Trial(REFERENCE, examples=21, seed=1),
    ),
    Mutant(
        name="a second target is dropped",
        breaks="Emissions follow all of their connections, in connection order.",
        patches=(
            Patch(
                "waves.py",
                "    for target in emission.targets:\n",
                "    for target in emission.targets[:1]:\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10, seed=1),
    ),
    Mutant(
        name="kept work behind inputs",
        breaks="Kept work stands before outside inputs in the wave that opens.",
        patches=(
            Patch(
                "waves.py",
                "        for delivery in fold.inputs:\n            keep(fold, delivery)\n",
                "        earlier, fold.kept = fold.kept, []\n"
                "        for each in [*fold.inputs, *earlier]:\n"
                "            cause, slot, payload = each.cause, each.slot, each.payload\n"
                "            given = Delivery(cause=cause, slot=slot, payload=payload)\n"
                "            keep(fold, given)\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="released deferrals behind inputs",
        breaks="Released deferrals stand before outside inputs in the wave that opens.",
        patches=(
            Patch(
                "waves.py",
                "        if target.gather is None:\n",
                "        if not isinstance(emission, ev.Emitted):\n"
                "            fold.inputs.append(_delivery(emission, target))\n"
                "        elif target.gather is None:\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="the next wave opens in spite of a pause",
        breaks="Unless its program paused the job, the next wave opens.",
        patches=(
            Patch(
                "waves.py",
                (
                    "    fold.program = tuple(held)\n"
                    "    if not fold.program:\n"
                    "        open_wave(fold)\n"
                ),
                "    fold.program = tuple(held)\n    open_wave(fold)\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="a neighbour's writes are seen",
        breaks="The shared data of a wave is that of its opening.",
        patches=(
            Patch(
                "runtime/steps.py",
                "member, fold.shared, memory,",
                "member, dict(fold.shared)\n"
                "            | {\n"
                "                each.key: each.value\n"
                "                for neighbour in fold.members.values()\n"
                "                for each in neighbour.records\n"
                '                if isinstance(each, ev.SharedWritten) and each.reducer == "set"\n'
                "            }, memory,",
            ),
        ),
        trial=Trial(_SEEN + "neighbours_do_not_see_what_each_other_write"),
    ),
    Mutant(
        name="merged in the order of completion",
        breaks="A wave is merged in activation order, whichever member finished first.",
        patches=(
            LAST_FIRST,
            Patch(
                "fold.py",
                "    member.settled = True\n",
                "    member.settled = True\n"
                "    fold.members[member.activation.id] = "
                "fold.members.pop(member.activation.id)\n",
            ),
        ),
        trial=Trial(ONE_ORDER, examples=10, seed=1),
    ),
    Mutant(
        name="logged in the order of completion",
        breaks="The log of a job is in activation order.",
        patches=(
            LAST_FIRST,
            Patch(
                "fold.py",
                "    ev.Logged: _buffered,",
                "    ev.Logged: lambda fold, event: fold.log.append(event),",
            ),
        ),
        trial=Trial(PAUSED, examples=10),
    ),
    Mutant(
        name="a failed wave is merged",
        breaks="Nothing of a wave with a failure in it is merged.",
        patches=(
            Patch(
                "waves.py",
                "        if each.failure is not None or each.again_at_ms is not None:\n",
                "        if each.again_at_ms is not None:\n",
            ),
        ),
        trial=Trial(REFERENCE, "failure", examples=10),
    ),
    Mutant(
        name="the last failure is the job's",
        breaks="The failure of a job is the first in activation order.",
        patches=(Patch("consequences.py", "failures[0]", "failures[-1]"),),
        trial=Trial(REFERENCE, "failure", examples=15, seed=6),
    ),
    Mutant(
        name="a failure cuts its neighbours off",
        breaks="A failure lets the neighbours settle.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.going:\n",
                "    if fold.going and all(each.failure is None for each in "
                "fold.members.values()):\n",
            ),
        ),
        trial=Trial(REFERENCE, "failure", examples=10, seed=1),
    ),
    Mutant(
        name="the limit is one too low",
        breaks="A wave that would pass the limit isn't begun; one that meets it is.",
        patches=(Patch("waves.py", "> fold.limit:", ">= fold.limit:"),),
        trial=Trial(REFERENCE, "loop", examples=10, seed=5),
    ),
    Mutant(
        name="re-executions count",
        breaks="Re-executions don't count against the limit.",
        patches=(
            Patch(
                "fold.py",
                "    fold.host = event.host\n",
                "    fold.host = event.host\n    fold.activations_count += fold.wave > 1\n",
            ),
        ),
        trial=Trial(PAUSED, "loop", examples=12, seed=1),
    ),
    Mutant(
        name="things of all kinds are counted together",
        breaks="What an activation makes is numbered from 0 per kind, in call order.",
        patches=(
            Patch(
                "context.py",
                "        number = self._counts.get(kind, 0)\n",
                "        number = sum(self._counts.values())\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="ids sort as text",
        breaks="Ids sort by number.",
        patches=(
            Patch(
                "ids.py",
                "    return int(wave), int(index), thing[:1], branch, int(thing[1:] or 0)\n",
                "    return len(wave), len(index), item, branch, 0\n",
            ),
        ),
        trial=Trial(_IDS + "the_order_of_an_id_is_what_it_was_made_from"),
    ),
    Mutant(
        name="a settling counts itself",
        breaks="The last event of an activation says how many precede it.",
        patches=(Patch("runtime/steps.py", " len(records), ", " len(records) + 1, "),),
        trial=Trial(ENTIRELY, examples=10),
    ),
    Mutant(
        name="a failed merge names no activation",
        breaks="A failed merge names the activation of the first write that doesn't apply.",
        patches=(Patch("merge.py", "activation=write.activation,", "activation=None,"),),
        trial=Trial(REFERENCE, "conflict", examples=10),
    ),
    Mutant(
        name="a failed merge names the last write",
        breaks="A failed merge names the first write that doesn't apply.",
        patches=(
            Patch(
                "merge.py",
                "    for write in writes:\n        if write.key not in outlines:\n",
                "    for write in reversed(list(writes)):\n        if write.key not in outlines:\n",
            ),
        ),
        trial=Trial(_DUE + "a_write_that_does_not_apply_fails_the_job"),
    ),
    Mutant(
        name="a failure shows no traceback",
        breaks="The failure of a job shows the traceback of its activation.",
        patches=(
            Patch(
                "fold.py",
                "failure.error.traceback if failure is not None else event.error.traceback",
                "event.error.traceback",
            ),
        ),
        trial=Trial(_FOLD + "the_failure_of_a_job_shows_the_traceback_of_its_activation"),
    ),
    Mutant(
        name="a failed activation is not recorded",
        breaks="Each activation that failed has its record, with the error's text.",
        patches=(
            Patch(
                "runtime/failures.py",
                "error=usercode.failure_of(failed.error, with_traceback=True),",
                "error=attrs.evolve(usercode.failure_of(failed.error, with_traceback=True), "
                'message="failed"),',
            ),
        ),
        trial=Trial(_RAISING + "an_error_is_recorded_with_its_type_text_and_traceback"),
    ),
    Mutant(
        name="a wave counts as one",
        breaks="Every activation counts against the limit.",
        patches=(
            Patch(
                "waves.py",
                "    fold.activations_count += len(members)\n",
                "    fold.activations_count += 1\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="kept work is counted without what came from outside",
        breaks="What comes from outside counts against the limit.",
        patches=(Patch("waves.py", " + len(fold.kept) > fold.limit:", " + kept > fold.limit:"),),
        trial=Trial(_DUE + "a_wave_that_would_pass_the_limit_is_not_begun"),
    ),
    Mutant(
        name="a job past its limit goes on",
        breaks="A job whose next wave would pass the limit fails.",
        patches=(Patch("consequences.py", "    if fold.over_limit:\n", "    if False:\n"),),
        trial=Trial(REFERENCE, "loop", examples=10),
    ),
    Mutant(
        name="what leads nowhere is dropped",
        breaks="An emission on an output that nothing is connected to is an output of the job.",
        patches=(Patch("waves.py", "        put_out(fold, emission)\n", "        pass\n"),),
        trial=Trial(REFERENCE, examples=10),
    ),
)
