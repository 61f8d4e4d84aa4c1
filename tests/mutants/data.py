"""Wrongs of data: payloads, shared data, memory, and what JSON may make of a value."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import REFERENCE, SELF_CONTAINED, Mutant, Patch, Trial

_MISUSED: Final = "tests/engine/test_misused_contexts.py::test_"
_REDUCERS: Final = "tests/core/test_reducers.py::test_"
_PAYLOADS: Final = "tests/core/test_payloads.py::test_"
_FOLD: Final = "tests/core/test_fold.py::test_"
_MERGES: Final = "tests/core/test_merge_by_code.py::test_"
_SEEN: Final = "tests/engine/test_seen_data.py::test_"

MUTANTS: Final = (
    Mutant(
        name="a whole float becomes an integer",
        breaks="What is recorded comes back as the same value, its type included.",
        patches=(
            Patch(
                "payloads.py",
                "        if isfinite(value):\n            return value\n",
                "        if isfinite(value):\n"
                "            return int(value) if value.is_integer() else value\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=2),
    ),
    Mutant(
        name="true becomes 1",
        breaks="What is recorded comes back as the same value, its type included.",
        patches=(
            Patch(
                "payloads.py",
                "    if value is None or kind is bool:\n        return value\n",
                "    if value is None or kind is bool:\n"
                "        return None if value is None else int(value)\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10),
    ),
    Mutant(
        name="a renaming drops the other keys",
        breaks="A rename renames exactly those keys and keeps the rest.",
        patches=(Patch("waves.py", "return rest | {rename[key]", "return {rename[key]"),),
        trial=Trial(REFERENCE, examples=10, seed=1),
    ),
    Mutant(
        name="the first write wins",
        breaks="Of several writes the last in activation order wins.",
        patches=(
            Patch(
                "reducers.py",
                "def _set(_: Json, value: Json) -> Json:\n    return owned(value)\n",
                "def _set(current: Json, value: Json) -> Json:\n"
                "    return owned(value) if current is ABSENT else current\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=1),
    ),
    Mutant(
        name="a deleted key is null",
        breaks="del records a deletion.",
        patches=(
            Patch(
                "reducers.py",
                "def _delete(_current: Json, _value: Json) -> Json:\n    return ABSENT\n",
                "def _delete(_current: Json, _value: Json) -> Json:\n    return None\n",
            ),
        ),
        trial=Trial(_FOLD + "a_deleted_key_is_absent_for_the_next_write"),
    ),
    Mutant(
        name="a handler doesn't see its own writes",
        breaks="A handler sees its own writes.",
        patches=(
            Patch(
                "shared_data.py",
                "return self._own[key] if key in self._own else self._base.get(key, ABSENT)",
                "return self._base.get(key, ABSENT)",
            ),
        ),
        trial=Trial(REFERENCE, "loop", examples=10, seed=7),
    ),
    Mutant(
        name="routines share their memory",
        breaks="Memory is that of one routine.",
        patches=(
            Patch(
                "runtime/steps.py",
                "                memory = fold.memory.get(slot.routine, {})\n",
                "                memory = {}\n"
                "                for each in fold.memory.values():\n"
                "                    memory |= each\n",
            ),
        ),
        trial=Trial(_SEEN + "routines_do_not_see_the_memory_of_each_other"),
    ),
    Mutant(
        name="a write that doesn't apply is passed over",
        breaks="A wave with a write that doesn't apply fails, and nothing of it holds.",
        patches=(
            Patch(
                "waves.py",
                "fold.merge_failure = rehearse(fold.shared, writes)\n",
                "fold.merge_failure = None\n",
            ),
            Patch(
                "merge.py",
                "    value = reduce(write.reducer, data.get(write.key, ABSENT), write.value)\n",
                "    try:\n"
                "        value = reduce(write.reducer, data.get(write.key, ABSENT), write.value)\n"
                "    except DoesNotApply:\n"
                "        return\n",
            ),
        ),
        trial=Trial(REFERENCE, "conflict", examples=10),
    ),
    Mutant(
        name="a state needs its flow",
        breaks="Law 2: folding needs no user code and no flow.",
        patches=(
            Patch(
                "runtime/looking.py",
                "    fold = replay(host.store, findable_id(job_id), upto=version).fold\n",
                "    fold = replay(host.store, findable_id(job_id), upto=version).fold\n"
                "    host.flow(fold.flow)\n",
            ),
        ),
        trial=Trial(SELF_CONTAINED, examples=10),
    ),
    Mutant(
        name="what a key declares is ignored",
        breaks="A write goes by the reducer that its key declares.",
        patches=(
            Patch(
                "context.py",
                'declared = self._flow.reducers.get(key, "set")',
                'declared = "set"',
            ),
        ),
        trial=Trial(
            "tests/engine/test_reducers.py::test_a_write_goes_by_the_reducer_that_its_key_declares"
        ),
    ),
    Mutant(
        name="memory is that of the first activation",
        breaks="Of several writes to a memory the last in activation order wins.",
        patches=(
            Patch(
                "waves.py",
                "    put(fold.memory.setdefault(event.routine, {}), event)\n",
                "    if event.key not in fold.memory.setdefault(event.routine, {}):\n"
                "        put(fold.memory[event.routine], event)\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=12, seed=5),
    ),
    Mutant(
        name="unique is what Python says",
        breaks="Whether a value is there already is told by its JSON, types included.",
        patches=(
            Patch(
                "reducers.py",
                "    if not any(same_json(value, each) for each in found):\n",
                "    if value not in found:\n",
            ),
        ),
        trial=Trial(_REDUCERS + "a_write_that_fits"),
    ),
    Mutant(
        name="the largest is the smallest",
        breaks="max keeps the largest value.",
        patches=(Patch("reducers.py", '"max": _extreme(max)', '"max": _extreme(min)'),),
        trial=Trial(_REDUCERS + "a_write_that_fits"),
    ),
    Mutant(
        name="numbers grow beyond 64 bits",
        breaks="What can't be recorded is no result of a reducer.",
        patches=(
            Patch(
                "reducers.py",
                "not -max_integer - 1 <= total <= max_integer",
                "not -max_integer - 1 <= total <= max_integer * 2",
            ),
        ),
        trial=Trial(_REDUCERS + "a_write_that_does_not_fit_says_why"),
    ),
    Mutant(
        name="a write changes the event that holds it",
        breaks="Folding changes no event.",
        patches=(
            Patch(
                "reducers.py",
                "    return value.copy() if kind is list or kind is dict else value\n",
                "    return value\n",
            ),
        ),
        trial=Trial(
            "tests/core/test_fold.py::test_a_list_that_was_set_and_appended_to_is_not_the_events"
        ),
    ),
    Mutant(
        name="a lost write is passed over",
        breaks="A value that was read and changed in place, and not written back, is an error.",
        patches=(
            Patch(
                "context.py",
                "        for view in self._views.values():\n"
                "            view.refuse_lost_changes()\n",
                "",
            ),
        ),
        trial=Trial(_MISUSED + "data_that_is_changed_in_place_is_refused_by_its_key"),
    ),
    Mutant(
        name="a value that is read is the wave's own",
        breaks="What a handler reads is a copy.",
        patches=(
            Patch(
                "shared_data.py", "        handed = copy_json(value)\n", "        handed = value\n"
            ),
        ),
        trial=Trial(_MISUSED + "data_that_is_changed_in_place_is_refused_by_its_key"),
    ),
    Mutant(
        name="a NaN is recorded",
        breaks="What JSON can't hold is refused at the call that introduced it, by its path.",
        patches=(
            Patch("payloads.py", "        if isfinite(value):\n", "        if value != 1.5:\n"),
        ),
        trial=Trial(_PAYLOADS + "every_refusal_names_the_path_to_what_is_refused"),
    ),
    Mutant(
        name="a renamed key is kept under both names",
        breaks="A rename renames exactly those keys.",
        patches=(
            Patch(
                "waves.py",
                "    rest = {key: value for key, value in payload.items() if key not in rename}\n",
                "    rest = dict(payload)\n",
            ),
        ),
        trial=Trial(REFERENCE, examples=10, seed=1),
    ),
    Mutant(
        name="the defaults of a job grow with its data",
        breaks="Folding changes no event, so that folding again says the same.",
        patches=(Patch("fold.py", "all_owned(event.defaults or {})", "event.defaults or {}"),),
        trial=Trial(_MERGES + "what_is_added_to_defaults_and_to_what_code_made_changes_no_event"),
    ),
    Mutant(
        name="what code made grows with what is written behind it",
        breaks="Folding changes no event, so that folding again says the same.",
        patches=(Patch("merge.py", "data.update(all_owned(merged))", "data.update(merged)"),),
        trial=Trial(_MERGES + "what_is_added_to_defaults_and_to_what_code_made_changes_no_event"),
    ),
)
