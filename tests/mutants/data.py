"""Wrongs of data: payloads, shared data, memory, and what JSON may make of a value."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import REFERENCE, SELF_CONTAINED, Mutant, Patch, Trial

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
        trial=Trial(REFERENCE),
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
        trial=Trial(REFERENCE),
    ),
    Mutant(
        name="a renaming drops the other keys",
        breaks="A rename renames exactly those keys and keeps the rest.",
        patches=(Patch("fold.py", "return rest | {rename[key]", "return {rename[key]"),),
        trial=Trial(REFERENCE),
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
        trial=Trial(REFERENCE, examples=200),
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
        trial=Trial(REFERENCE, examples=200),
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
        trial=Trial(REFERENCE, "loop", examples=80),
    ),
    Mutant(
        name="routines share their memory",
        breaks="Memory is that of one routine.",
        patches=(
            Patch(
                "runtime/drive.py",
                "memory=fold.memory.get(routine, {}),",
                "memory={key: it for each in fold.memory.values() for key, it in each.items()},",
            ),
        ),
        trial=Trial(REFERENCE, "loop", examples=80),
    ),
    Mutant(
        name="a write that doesn't apply is passed over",
        breaks="A wave with a write that doesn't apply fails, and nothing of it holds.",
        patches=(
            Patch(
                "fold.py",
                "    fold.merge_failure = rehearse(fold.shared, writes_of(fold))\n",
                "    fold.merge_failure = None\n",
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
        trial=Trial(REFERENCE, "conflict"),
    ),
    Mutant(
        name="a state needs its flow",
        breaks="Law 2: folding needs no user code and no flow.",
        patches=(
            Patch(
                "engine.py",
                "        fold = replay(self._store, findable_id(job_id), upto=version).fold\n",
                "        fold = replay(self._store, findable_id(job_id), upto=version).fold\n"
                "        self._host.flow(fold.flow)\n",
            ),
        ),
        trial=Trial(SELF_CONTAINED, examples=1),
    ),
)
