"""Wrongs of snapshots: those that are believed and shouldn't be, and when they are taken."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_ENGINE: Final = "tests/engine/test_snapshots.py::test_"
_CORE: Final = "tests/core/test_snapshots.py::test_"
_CONTRACT: Final = "tests/contract/test_snapshots.py::test_"
_NEVER_USED: Final = (
    "tests/laws/test_snapshots.py::test_a_snapshot_that_the_log_does_not_bear_out_is_never_used"
)
_WHOLE: Final = (
    "tests/laws/test_snapshots.py::test_from_every_version_a_snapshot_and_the_tail_are_the_whole"
)
_APPENDED: Final = (
    "            append(rows, index, expected=self._recorded, keep_lease=keep_lease)\n"
)
_KNOWN: Final = (
    "        self.token, self._head, self._created_at_ms = token, index.head, index.created_at_ms\n"
)
_CHECKED: Final = "    if row.fold_version != FOLD_VERSION or row.state[:_body_start] != head:\n"

MUTANTS: Final = (
    Mutant(
        name="a stale snapshot is believed",
        breaks="A snapshot of a log that was cut, or went on otherwise, is never used.",
        patches=(
            Patch(
                "replay.py",
                "        if _stands_at(snapshot, next(rows, None)):\n",
                "        next(rows, None)\n        if True:\n",
            ),
        ),
        trial=Trial(f"{_NEVER_USED}[log]"),
    ),
    Mutant(
        name="a snapshot's head is not compared",
        breaks="A snapshot is used only where the log has its hash at its version.",
        patches=(
            Patch(
                "replay.py",
                "        and has_hash(row.state, snapshot.head)\n",
                "",
            ),
        ),
        trial=Trial(f"{_NEVER_USED}[log]"),
    ),
    Mutant(
        name="a snapshot of another fold is believed",
        breaks="A snapshot that another fold made is passed over.",
        patches=(
            Patch(
                "snapshots.py",
                _CHECKED,
                "    if row.state[:_body_start] != head:\n",
            ),
        ),
        trial=Trial(_CORE + "what_another_fold_made_is_refused_though_its_hash_is_right"),
    ),
    Mutant(
        name="a snapshot of another fold is found",
        breaks="A snapshot that another fold made is passed over.",
        patches=(
            Patch(
                "stores/memory.py",
                "            if each.fold_version == fold_version and (upto is None",
                "            if (upto is None",
            ),
        ),
        trial=Trial(_CONTRACT + "those_of_another_fold_version_go"),
    ),
    Mutant(
        name="a damaged snapshot is believed",
        breaks="A snapshot is used only if its bytes are those that were kept.",
        patches=(Patch("snapshots.py", _CHECKED, "    if row.fold_version != FOLD_VERSION:\n"),),
        trial=Trial(_CORE + "every_flipped_byte_is_seen"),
    ),
    Mutant(
        name="a snapshot's hash says not whose it is",
        breaks="A snapshot of another job is never used.",
        patches=(
            Patch(
                "snapshots.py",
                '    place = f"snapshot\\n{genesis(job_id)}\\n',
                '    place = f"snapshot\\n\\n',
            ),
        ),
        trial=Trial(_CORE + "the_hash_is_that_of_the_place_and_the_bytes"),
    ),
    Mutant(
        name="a snapshot is found behind what is asked for",
        breaks="The state at a version is folded from a snapshot at or before it.",
        patches=(
            Patch(
                "stores/memory.py",
                "(upto is None or each.version <= upto)",
                "(upto is None or each.version <= upto + 1)",
            ),
        ),
        trial=Trial(_CONTRACT + "the_newest_at_or_before_a_version_is_found"),
    ),
    Mutant(
        name="the event of the snapshot is folded again",
        breaks="A snapshot and the events behind it fold to what all events fold to.",
        patches=(
            Patch(
                "replay.py",
                "            return _carried_on(snapshot, rows)\n",
                "            again = next(iter(store.read(job_id, after=version - 1, upto=upto)))\n"
                "            event = decode_row(again).event\n"
                "            HANDLERS[type(event)](snapshot.fold, event)\n"
                "            return _carried_on(snapshot, rows)\n",
            ),
        ),
        trial=Trial(_ENGINE + "every_version_is_what_it_is_without_snapshots"),
    ),
    Mutant(
        name="what is behind a snapshot is not checked",
        breaks="What stands behind a snapshot is verified as all is.",
        patches=(
            Patch(
                "replay.py",
                "        stored = take_apart(job_id, version, row.topic, row.state, head)\n",
                "        seen = None if begun.created_at_ms else head\n"
                "        stored = take_apart(job_id, version, row.topic, row.state, seen)\n",
            ),
        ),
        trial=Trial(_ENGINE + "damage_behind_a_snapshot_is_found"),
    ),
    Mutant(
        name="verification trusts a snapshot",
        breaks="The index is made anew from the log alone.",
        patches=(
            Patch(
                "verification.py",
                "read_verified, replay_all\n",
                "read_verified, replay as replay_all\n",
            ),
        ),
        trial=Trial(_ENGINE + "verification_and_the_index_trust_no_snapshot"),
    ),
    Mutant(
        name="a snapshot lacks what was buffered",
        breaks="A snapshot at any version holds all that the fold holds.",
        patches=(Patch("fold_wires.py", '"buffer": _told(fold.buffer)}', '"buffer": _told(())}'),),
        trial=Trial(f"{_WHOLE}[calm-True]"),
    ),
    Mutant(
        name="a snapshot lacks updates of the open wave",
        breaks="A snapshot at any version holds all that the fold holds.",
        patches=(
            Patch(
                "fold_wires.py",
                "to_bytes(_values(JobFold, fold) | {",
                'to_bytes(_values(JobFold, fold) | {"updates": (), ',
            ),
        ),
        trial=Trial(_CORE + "a_fold_comes_back_at_every_version_and_goes_on_from_there"),
    ),
    Mutant(
        name="a snapshot is taken before the append",
        breaks="A snapshot is taken behind the append, of what is recorded.",
        patches=(
            Patch(
                "runtime/session.py",
                _APPENDED,
                f"    {_KNOWN}            self._keep_snapshot(self._recorded)\n{_APPENDED}",
            ),
        ),
        trial=Trial(_ENGINE + "a_snapshot_is_taken_behind_the_append_and_not_within"),
    ),
    Mutant(
        name="a snapshot only where an append ends at a multiple",
        breaks="A snapshot is taken where an append crosses a multiple.",
        patches=(
            Patch(
                "snapshots.py",
                "self.every > 0 and before // self.every != after // self.every",
                "self.every > 0 and before != after and after % self.every == 0",
            ),
        ),
        trial=Trial(_ENGINE + "a_snapshot_is_taken_where_an_append_crosses_a_multiple"),
    ),
    Mutant(
        name="a job at rest is given no snapshot",
        breaks="A job rests with few events behind its last snapshot.",
        patches=(
            Patch(
                "snapshots.py",
                "        return crossed or 0 < self.every // TAIL_SHARE <= tail\n",
                "        return crossed\n",
            ),
        ),
        trial=Trial(_ENGINE + "a_job_that_rests_far_behind_its_last_snapshot_is_given_one"),
    ),
    Mutant(
        name="where the last snapshot stands is forgotten",
        breaks="A job at rest is given a snapshot only far behind its last one.",
        patches=(Patch("replay.py", "        snapshot_version=begun.snapshot_version,\n", ""),),
        trial=Trial(_ENGINE + "a_job_that_rests_far_behind_its_last_snapshot_is_given_one"),
    ),
    Mutant(
        name="all snapshots are kept",
        breaks="The newest few snapshots of a job are kept.",
        patches=(Patch("stores/memory.py", "found[max(0, len(found) - keep) :]", "found"),),
        trial=Trial(_CONTRACT + "the_newest_few_are_kept"),
    ),
    Mutant(
        name="a store without snapshots stops a job",
        breaks="A store that can't keep a snapshot is no reason to stop.",
        patches=(
            Patch(
                "snapshots.py",
                '        warn(fold.job_id, fold.version, f"not taken: {trouble}")\n',
                '        warn(fold.job_id, fold.version, f"not taken: {trouble}")\n        raise\n',
            ),
        ),
        trial=Trial(_ENGINE + "a_store_that_cannot_keep_snapshots_stops_no_job"),
    ),
)
