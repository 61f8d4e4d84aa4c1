"""Wrongs of the log itself: the chain on load, what an append means, what a bundle may hold."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_BUNDLES: Final = "tests/engine/test_bundles.py::test_"
_CHAIN: Final = "tests/core/test_codec_chain.py::test_"
_CODEC: Final = "tests/core/test_codec.py::test_"
_FAULTS: Final = "tests/contract/test_sqlite_faults.py::test_"
_APPEND: Final = "tests/contract/test_append.py::test_"
_INDEX: Final = "tests/contract/test_index.py::test_"
_FIXED: Final = "tests/contract/test_sqlite_immutability.py::test_"
_RACED: Final = "tests/engine/test_reviewed.py::test_"
_MESSAGES: Final = "tests/engine/test_messages.py::test_"
_GOLDEN: Final = "tests/laws/test_golden_histories.py::test_"

_LOG_MUTANTS: Final = (
    Mutant(
        name="a hash is not checked on load",
        breaks="A row that is not the one that was recorded is never read.",
        patches=(
            Patch(
                "codec.py",
                "        if row.hash == sha256(previous.encode() + line + state[_body_start:])"
                ".hexdigest():\n",
                "        if row.hash:\n",
            ),
        ),
        trial=Trial(_CHAIN + "flipping_any_bit_of_any_row_or_topic_is_seen"),
    ),
    Mutant(
        name="a history is read without its chain",
        breaks="Every event of a history is checked against the one before it.",
        patches=(
            Patch(
                "replay.py",
                "        recorded = _decoded(job_id, expected, row, previous)\n",
                "        recorded = _decoded(job_id, expected, row, None)\n",
            ),
        ),
        trial=Trial("tests/engine/test_checks.py::test_a_corrupt_history_is_not_checked"),
    ),
    Mutant(
        name="all jobs' chains begin alike",
        breaks="The first row of a job follows from its id.",
        patches=(
            Patch(
                "codec.py",
                'sha256(b"esflow\\n" + job_id.encode("utf-8", "surrogatepass"))',
                'sha256(b"esflow\\n")',
            ),
        ),
        trial=Trial(_CHAIN + "rows_that_were_dropped_swapped_doubled_or_moved_are_seen"),
    ),
    Mutant(
        name="an unknown event is passed over",
        breaks="What a newer esflow wrote is refused by name, and never skipped.",
        patches=(
            Patch(
                "codec.py",
                "        raise UnknownEvent(job_id, version, topic)\n",
                "        raise CorruptHistory(job_id, version, topic)\n",
            ),
        ),
        trial=Trial(
            _CODEC + "a_newer_schema_with_a_good_hash_is_unknown_and_a_bad_hash_is_corrupt"
        ),
    ),
    Mutant(
        name="an old row is not lifted",
        breaks="A history stays readable: what an older format recorded is lifted.",
        patches=(Patch("codec.py", "    elif topic in _old:\n", "    elif False:\n"),),
        trial=Trial(_GOLDEN + "law_10_a_history_stays_readable"),
    ),
    Mutant(
        name="an append from outside has no nonce",
        breaks="Two callers who wish the same in the same moment append different bytes.",
        patches=(
            Patch(
                "runtime/session.py",
                "        nonce = None if token else drawn_name(4)\n",
                "        nonce = None\n",
            ),
        ),
        trial=Trial(_MESSAGES + "the_same_wish_of_two_callers_is_recorded_in_different_bytes"),
    ),
    Mutant(
        name="every row has the nonce",
        breaks="The first row alone of an append from outside has a nonce.",
        patches=(
            Patch(
                "runtime/session.py",
                "            nonce = None\n",
                "",
            ),
        ),
        trial=Trial(_MESSAGES + "the_same_wish_of_two_callers_is_recorded_in_different_bytes"),
    ),
    Mutant(
        name="an error of the commit means not written",
        breaks="After an error of the commit the outcome is read before anything is decided.",
        patches=(
            Patch(
                "stores/sqlite.py",
                "        if committing and [row.state",
                "        if False and [row.state",
            ),
        ),
        trial=Trial(_FAULTS + "a_commit_that_failed_after_the_fact_counts_as_success"),
    ),
    Mutant(
        name="an error of the commit means written",
        breaks="A failed commit counts as success only if it is found in the log.",
        patches=(
            Patch(
                "stores/sqlite.py",
                "        if committing and [row.state for row in written] == "
                "[row.state for row in rows]:\n"
                "            return written[-1].id\n",
                "        if committing:\n            return found\n",
            ),
        ),
        trial=Trial(_FAULTS + "a_commit_that_failed_before_the_fact_is_an_error"),
    ),
    Mutant(
        name="a commit that nobody sees is called unwritten",
        breaks="A failed commit that nobody sees is called unknown.",
        patches=(
            Patch(
                "stores/sqlite.py",
                "        if committing and not error.retry:\n",
                "        if False:\n",
            ),
        ),
        trial=Trial(_FAULTS + "a_failed_commit_that_nobody_sees_is_not_called_unwritten"),
    ),
    Mutant(
        name="equal bytes of another caller are ours",
        breaks="Two callers with the same bytes are not both told yes.",
        patches=(
            Patch(
                "stores/sqlite.py",
                "        if committing and [row.state",
                "        if [row.state",
            ),
        ),
        trial=Trial(_APPEND + "two_callers_with_equal_bytes_are_not_both_told_yes"),
    ),
    Mutant(
        name="an append after any version",
        breaks="An append after another version than the last is refused.",
        patches=(
            Patch(
                "stores/memory.py",
                "            if found != expected:\n                raise VersionConflict(job_id",
                "            if found < expected:\n                raise VersionConflict(job_id",
            ),
        ),
        trial=Trial(_APPEND + "an_append_after_another_version_than_the_last_is_refused"),
    ),
    Mutant(
        name="half an append is kept",
        breaks="An append that is interrupted leaves all of it or nothing.",
        patches=(
            Patch(
                "stores/memory.py",
                "            self._events.forget(job_id, version)\n",
                "            self._events.forget(job_id, version + 1)\n",
            ),
        ),
        trial=Trial(_APPEND + "an_interrupted_append_is_there_entirely_or_not_at_all"),
    ),
    Mutant(
        name="a damaged index is well",
        breaks="Verification sees what the index and the log don't know alike.",
        patches=(
            Patch(
                "verification.py",
                "    if at_index is None or at_index.head != indexed.head:\n",
                "    if at_index is None:\n",
            ),
        ),
        trial=Trial(_RACED + "verification_sees_what_the_index_has_lost"),
    ),
    Mutant(
        name="an event can be changed",
        breaks="The database refuses to change an event, whichever program asks.",
        patches=(
            Patch(
                "stores/sqlite_schema.py",
                "BEFORE UPDATE ON stored_events",
                "BEFORE UPDATE OF topic ON stored_events",
            ),
        ),
        trial=Trial(_FIXED + "what_is_recorded_stays_as_it_is"),
    ),
)

_BUNDLE_MUTANTS: Final = (
    Mutant(
        name="a bundle's rows are not checked",
        breaks="A bundle is taken in only if every row follows the row before it.",
        patches=(
            Patch(
                "bundle.py",
                "    return decode(job_id, version, version, topic, state, previous)\n",
                "    return decode(job_id, version, version, topic, state, None)\n",
            ),
        ),
        trial=Trial(_BUNDLES + "a_bundle_that_was_changed_is_refused"),
    ),
    Mutant(
        name="a bundle's end is not checked",
        breaks="A bundle is taken in only if it ends where its first line says.",
        patches=(Patch("bundle.py", "    if head != header.head:\n", "    if False:\n"),),
        trial=Trial(_BUNDLES + "a_bundle_that_was_changed_is_refused"),
    ),
    Mutant(
        name="a bundle brings any definition",
        breaks="A definition in a bundle is the one that its fingerprint names.",
        patches=(
            Patch(
                "bundle.py",
                " or fingerprint_of(definition) != fingerprint:\n",
                ":\n",
            ),
        ),
        trial=Trial(_BUNDLES + "a_bundle_that_was_changed_is_refused"),
    ),
    Mutant(
        name="a bundle goes on behind its end",
        breaks="A bundle holds nothing behind its definitions.",
        patches=(Patch("bundle.py", "    if file.read(1):\n", "    if False:\n"),),
        trial=Trial(_BUNDLES + "a_bundle_that_was_changed_is_refused"),
    ),
    Mutant(
        name="a job that can go on is imported under its id",
        breaks="A job that can go on never goes on in two stores under one id.",
        patches=(
            Patch(
                "runtime/calls.py",
                "    if bundle.fold.ended is not None and name is None:\n",
                "    if name is None:\n",
            ),
        ),
        trial=Trial(_BUNDLES + "a_job_that_can_go_on_is_imported_as_a_fork"),
    ),
    Mutant(
        name="an import takes another history for the same",
        breaks="An import never passes for a job with another history.",
        patches=(Patch("bundle.py", "    if replayed.head != header.head:\n", "    if False:\n"),),
        trial=Trial(_BUNDLES + "another_history_under_the_id_is_not_replaced"),
    ),
    Mutant(
        name="a row is read in two ways",
        breaks="A row that two readers could read in two ways is not imported.",
        patches=(Patch("bundle_lines.py", "    if again != state:\n", "    if False:\n"),),
        trial=Trial(_BUNDLES + "a_row_that_can_be_read_in_two_ways_is_refused"),
    ),
    Mutant(
        name="a job that begins twice is imported",
        breaks="A history that cannot have happened is refused, though its chain is right.",
        patches=(
            Patch(
                "bundle.py",
                "    if isinstance(recorded.event, ev.JobStarted) is not (version == 1):\n",
                "    if False:\n",
            ),
        ),
        trial=Trial(_BUNDLES + "a_job_that_begins_twice_is_refused"),
    ),
    Mutant(
        name="an export overwrites what is there",
        breaks="An export overwrites a file only when told.",
        patches=(
            Patch(
                "bundle.py",
                "    if path.is_dir() or (not overwrite and path.exists()):\n",
                "    overwrite = True\n    if path.is_dir():\n",
            ),
        ),
        trial=Trial(_BUNDLES + "an_export_overwrites_only_when_told"),
    ),
    Mutant(
        name="an export of a damaged history",
        breaks="A history that is not what the index knows is not exported.",
        patches=(Patch("bundle.py", "    _refuse_other_end(header, version, previous)\n", ""),),
        trial=Trial(_BUNDLES + "a_history_that_is_not_what_the_index_knows_is_not_exported"),
    ),
)

MUTANTS: Final = (*_LOG_MUTANTS, *_BUNDLE_MUTANTS)
