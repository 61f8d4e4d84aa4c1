"""Wrongs of what an operator does to a job: updates, leading it elsewhere, cancelling it."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import NOTHING_LOST, REFERENCE, Mutant, Patch, Trial

_UPDATES: Final = "tests/engine/test_updates.py::test_"
_GOTO: Final = "tests/engine/test_goto.py::test_"
_CANCEL: Final = "tests/engine/test_cancel.py::test_"
_UPDATED: Final = '    _refuse_unpaused(fold, "an update")\n'
_LED: Final = '    _refuse_unpaused(fold, f"Goto({goto.slot!r})")\n'
_DROPPED: Final = "    fold.kept, fold.deferrals, fold.questions, fold.gathers = [], {}, {}, {}\n"
_READY_KEPT: Final = "    fold.deferrals, fold.questions, fold.gathers = {}, {}, {}\n"
_IN_FLIGHT: Final = (
    "    return tuple(sorted([*lost, *fold.deferrals, *fold.questions], key=order))\n"
)

_UPDATE_MUTANTS: Final = (
    Mutant(
        name="an update between waves waits for one",
        breaks="Between waves an update applies at once, and the kept wave sees it.",
        patches=(
            Patch(
                "fold.py",
                "    elif fold.members and not is_held_before(fold):\n        _add_update",
                "    elif fold.members or fold.kept:\n        _add_update",
            ),
        ),
        trial=Trial(REFERENCE, examples=10, seed=7),
    ),
    Mutant(
        name="an update of an open wave holds at once",
        breaks="In an open wave an update is seen from the next wave on.",
        patches=(
            Patch(
                "fold.py",
                "    elif fold.members and not is_held_before(fold):\n        _add_update",
                "    elif False:\n        _add_update",
            ),
        ),
        trial=Trial(
            _UPDATES + "an_update_of_an_open_wave_is_its_last_write_and_seen_from_the_next"
        ),
    ),
    Mutant(
        name="an update of an open wave is its first write",
        breaks="In an open wave an update is that wave's last write.",
        patches=(
            Patch("merge.py", "return inside + fold.updates", "return fold.updates + inside"),
        ),
        trial=Trial(
            _UPDATES + "an_update_of_an_open_wave_is_its_last_write_and_seen_from_the_next"
        ),
    ),
    Mutant(
        name="an update sets whatever a key declares",
        breaks="An update changes each key by its declared reducer.",
        patches=(
            Patch(
                "runtime/wishes.py",
                'writes=tuple((key, reducers.get(key, "set"), value)',
                'writes=tuple((key, "set", value)',
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=1),
    ),
    Mutant(
        name="an update that does not apply is recorded",
        breaks="An update that does not apply is refused, and nothing is recorded.",
        patches=(
            Patch(
                "decider.py",
                "    _refuse_unmergeable(fold, [each for each in writes_with(fold, writes) "
                "if each.key in keys])\n",
                "",
            ),
        ),
        trial=Trial(_UPDATES + "an_update_that_does_not_apply_is_refused_as_a_whole"),
    ),
    Mutant(
        name="an update that does not apply to the open wave is recorded",
        breaks="An update is tried on what the open wave has written so far.",
        patches=(
            Patch(
                "decider.py",
                "    _refuse_unmergeable(fold, [each for each in writes_with(fold, writes) "
                "if each.key in keys])\n",
                "    _refuse_unmergeable(fold, writes)\n",
            ),
        ),
        trial=Trial(_UPDATES + "an_update_that_only_the_writes_of_the_open_wave_refuse_is_refused"),
    ),
    Mutant(
        name="a job is updated under its handlers",
        breaks="A job is updated only where it stands still.",
        patches=(Patch("decider.py", _UPDATED, '    _refuse_ended(fold, "an update")\n'),),
        trial=Trial(_UPDATES + "only_a_paused_job_is_updated"),
    ),
    Mutant(
        name="an ended job is updated",
        breaks="An ended job refuses every command.",
        patches=(
            Patch(
                "decider.py",
                "    _refuse_ended(fold, wish)\n    if fold.status is not Status.PAUSED:\n",
                "    if fold.status is Status.RUNNING or fold.status is Status.PENDING:\n",
            ),
        ),
        trial=Trial(_UPDATES + "only_a_paused_job_is_updated"),
    ),
    Mutant(
        name="an update stays though its Continue is refused",
        breaks="Where an update's Continue would be refused, the whole command is.",
        patches=(
            Patch(
                "runtime/calls.py",
                "    steps = (expected, before, *map(deciding, wishes), host.firing(), ",
                (
                    "    for wish in wishes[:-1]:\n"
                    "        host.commit(session, deciding(wish), actor=actor)\n"
                    "    wishes = wishes[-1:]\n"
                    "    steps = (expected, before, *map(deciding, wishes), host.firing(), "
                ),
            ),
        ),
        trial=Trial(_UPDATES + "resuming_with_an_update_does_not_answer"),
    ),
    Mutant(
        name="an update for another version",
        breaks="A command for another version than the last is refused.",
        patches=(Patch("inputs.py", "fold.version != expected:", "fold.version < expected:"),),
        trial=Trial(_UPDATES + "an_update_for_another_version_is_refused"),
    ),
)

_GOTO_MUTANTS: Final = (
    Mutant(
        name="what is dropped names no deferrals",
        breaks="A Goto lists all that it drops: deferrals, too.",
        patches=(Patch("decider.py", "[*lost, *fold.deferrals, *f", "[*lost, *f"),),
        trial=Trial(REFERENCE, examples=12, seed=2),
    ),
    Mutant(
        name="what is dropped names no questions",
        breaks="A Goto lists all that it drops: questions, too.",
        patches=(
            Patch("decider.py", "*fold.deferrals, *fold.asked], key", "*fold.deferrals], key"),
        ),
        trial=Trial(REFERENCE, examples=10, seed=2),
    ),
    Mutant(
        name="what is dropped names no ready work",
        breaks="A Goto lists all that it drops: activations that never ran, too.",
        patches=(Patch("decider.py", "    lost += [each.id for each in fold.ready]\n", ""),),
        trial=Trial(_GOTO + "a_pending_job_that_is_held_can_be_led_elsewhere"),
    ),
    Mutant(
        name="what is dropped names nothing of finished neighbours",
        breaks="A Goto lists all that it drops: what finished neighbours asked for, too.",
        patches=(
            Patch(
                "decider.py",
                "        and not is_finished(each)\n    ]\n    lost +=",
                "        and False\n    ]\n    lost +=",
            ),
        ),
        trial=Trial(_GOTO + "what_finished_neighbours_did_holds_and_leads_nowhere"),
    ),
    Mutant(
        name="what is dropped stands in no order",
        breaks="What a Goto drops is listed by id.",
        patches=(
            Patch(
                "decider.py",
                "    return tuple(sorted([*lost, *fold.deferrals, *fold.asked], key=order))\n",
                "    return (*lost, *fold.asked, *fold.deferrals)\n",
            ),
        ),
        trial=Trial(_GOTO + "a_goto_drops_what_the_program_kept_and_runs_one_slot"),
    ),
    Mutant(
        name="a Goto loses what finished neighbours wrote",
        breaks="The finished neighbours' writes, lines and outputs are merged by a Goto.",
        patches=(
            Patch("waves.py", "            if is_finished(record):\n", "            if False:\n"),
        ),
        trial=Trial(_GOTO + "what_finished_neighbours_did_holds_and_leads_nowhere"),
    ),
    Mutant(
        name="a Goto loses what finished neighbours put out",
        breaks="The finished neighbours' outputs are kept by a Goto.",
        patches=(
            Patch(
                "merge.py",
                "        return not record.targets\n",
                "        return False\n",
            ),
        ),
        trial=Trial(_GOTO + "what_finished_neighbours_did_holds_and_leads_nowhere"),
    ),
    Mutant(
        name="a Goto lets finished neighbours lead on",
        breaks="The finished neighbours' emissions lead nowhere after a Goto.",
        patches=(
            Patch("waves.py", "            if is_finished(record):\n", "            if True:\n"),
            Patch("waves.py", _DROPPED, _READY_KEPT),
        ),
        trial=Trial(_GOTO + "what_finished_neighbours_did_holds_and_leads_nowhere"),
    ),
    Mutant(
        name="a Goto loses the update of an open wave",
        breaks="An update of the open wave is merged by a Goto.",
        patches=(
            Patch(
                "waves.py",
                "_write(fold, writes, fold.merged or {})",
                "_write(fold, [each for each in writes if each.activation], {})",
            ),
        ),
        trial=Trial(_GOTO + "what_finished_neighbours_did_holds_and_leads_nowhere"),
    ),
    Mutant(
        name="a Goto keeps ready work",
        breaks="The wave after a Goto is one activation alone.",
        patches=(Patch("waves.py", _DROPPED, _READY_KEPT),),
        trial=Trial(_GOTO + "a_goto_drops_what_the_program_kept_and_runs_one_slot"),
    ),
    Mutant(
        name="a Goto keeps deferrals",
        breaks="A Goto drops deferrals.",
        patches=(
            Patch(
                "waves.py",
                _DROPPED,
                "    fold.kept, fold.questions, fold.gathers = [], {}, {}\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=2),
    ),
    Mutant(
        name="a Goto keeps questions",
        breaks="A Goto drops open questions.",
        patches=(
            Patch(
                "waves.py",
                _DROPPED,
                "    fold.kept, fold.deferrals, fold.gathers = [], {}, {}\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10, seed=2),
    ),
    Mutant(
        name="a Goto takes messages along",
        breaks="Messages stay, and join the wave after that of a Goto.",
        patches=(
            Patch(
                "waves.py",
                '    keep(fold, Delivery(cause="", slot=dropped.slot, payload=dropped.payload))\n'
                "    _begin(fold)\n",
                '    keep(fold, Delivery(cause="", slot=dropped.slot, payload=dropped.payload))\n'
                "    open_wave(fold)\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=1),
    ),
    Mutant(
        name="a Goto drops messages",
        breaks="A message that was accepted is delivered once, whatever the job is led to.",
        patches=(
            Patch("waves.py", _DROPPED, f"{_DROPPED}    fold.inputs, fold.messages = [], {{}}\n"),
        ),
        trial=Trial(NOTHING_LOST, examples=10, seed=1),
    ),
    Mutant(
        name="a Goto goes past the limit",
        breaks="A wave that would pass the limit isn't begun, a Goto's neither.",
        patches=(
            Patch("waves.py", "    if fold.activations_count >= fold.limit:\n", "    if False:\n"),
        ),
        trial=Trial(_GOTO + "a_goto_beyond_the_limit_fails_the_job"),
    ),
    Mutant(
        name="a running job is led elsewhere",
        breaks="Goto is refused on a job that somebody is running.",
        patches=(Patch("decider.py", _LED, '    _refuse_ended(fold, "Goto")\n'),),
        trial=Trial(_GOTO + "only_a_paused_job_is_led_elsewhere"),
    ),
    Mutant(
        name="a Goto with any payload",
        breaks="A Goto brings a payload that its slot takes.",
        patches=(
            Patch(
                "runtime/wishes.py",
                '    data = checked_payload(command.payload, "payload")\n'
                "    bind(target.signature, target.address, data)\n"
                "    return Goto(",
                '    data = checked_payload(command.payload, "payload")\n    return Goto(',
            ),
        ),
        trial=Trial(_GOTO + "a_payload_that_the_slot_does_not_take_is_refused"),
    ),
)

_CANCEL_MUTANTS: Final = (
    Mutant(
        name="a cancelled job has completed",
        breaks="A cancelled job is shown as cancelled.",
        patches=(
            Patch("fold.py", "fold.ended = Status.CANCELLED", "fold.ended = Status.COMPLETED"),
        ),
        trial=Trial(REFERENCE, examples=12),
    ),
    Mutant(
        name="a late result of a cancelled job is recorded",
        breaks="What a handler does after the cancellation is not recorded.",
        patches=(
            Patch(
                "runtime/runs.py",
                "        if fold.ended is not None or (session",
                "        if (session",
            ),
        ),
        trial=Trial(_CANCEL + "a_late_result_is_not_recorded"),
    ),
    Mutant(
        name="members of a wave start after the cancellation",
        breaks="Nothing of a cancelled job starts.",
        patches=(
            Patch(
                "runtime/steps.py",
                "            if member is not None and fold.ended is None and member.goes:\n",
                "            if member is not None:\n",
            ),
        ),
        trial=Trial(_CANCEL + "no_handler_starts_once_its_job_is_cancelled"),
    ),
    Mutant(
        name="a handler is not told of the cancellation",
        breaks="A running handler can learn that its job was cancelled.",
        patches=(
            Patch(
                "runtime/runs.py",
                "return row is not None and row.status == Status.CANCELLED",
                "return row is not None and row.status == Status.FAILED",
            ),
        ),
        trial=Trial(_CANCEL + "a_running_handler_sees_it_and_nothing_late_is_recorded"),
    ),
    Mutant(
        name="an ended job is cancelled",
        breaks="An ended job refuses every command.",
        patches=(Patch("decider.py", '    _refuse_ended(fold, "a cancellation")\n', ""),),
        trial=Trial(_CANCEL + "an_ended_job_is_not_cancelled"),
    ),
    Mutant(
        name="a cancelled job forgets its messages",
        breaks="Messages that were not delivered are listed by a job that ended.",
        patches=(
            Patch(
                "fold.py",
                "    fold.ended = Status.CANCELLED\n",
                "    fold.ended = Status.CANCELLED\n    fold.messages = {}\n",
            ),
        ),
        trial=Trial(_CANCEL + "messages_that_were_not_delivered_are_listed"),
    ),
    Mutant(
        name="a cancelled job waits for an answer",
        breaks="The index shows no question of a job that has ended.",
        patches=(Patch("replay.py", "may_ask = fold.ended is None and (", "may_ask = ("),),
        trial=Trial(_CANCEL + "a_cancelled_job_waits_for_no_answer"),
    ),
)

MUTANTS: Final = (*_UPDATE_MUTANTS, *_GOTO_MUTANTS, *_CANCEL_MUTANTS)
