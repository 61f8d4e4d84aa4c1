"""Wrongs of joins and of data that code of the flow merges."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_GATHERS: Final = "tests/core/test_gathers.py::test_"
_JOINS: Final = "tests/engine/test_gathers.py::test_"
_REDUCERS: Final = "tests/engine/test_custom_reducers.py::test_"
_TYPED: Final = "tests/engine/test_typed_data.py::test_"

MUTANTS: Final = (
    Mutant(
        name="a collection is whole one payload early",
        breaks="A slot that gathers a number waits for so many payloads.",
        patches=(
            Patch(
                "waves.py",
                "enough = len(found.waiting) >= found.count",
                "enough = len(found.waiting) >= max(found.count - 1, 1)",
            ),
        ),
        trial=Trial(_JOINS + "a_message_and_an_answer_count_for_a_number"),
    ),
    Mutant(
        name="a join doesn't wait for every connection",
        breaks="A join takes one payload from each of its connections.",
        patches=(
            Patch(
                "waves.py",
                "    if any(name not in first for name in found.among):\n        return {}\n",
                "",
            ),
            Patch(
                "waves.py",
                "{first[name]: None for name in found.among}",
                "{first[name]: None for name in found.among if name in first}",
            ),
        ),
        trial=Trial(_GATHERS + "payloads_of_one_connection_queue_for_the_rounds_to_come"),
    ),
    Mutant(
        name="a join fires again with what it has had",
        breaks="A join starts over when it has been activated.",
        patches=(
            Patch(
                "waves.py",
                "    found.waiting = [each for place, each in enumerate(found.waiting) "
                "if place not in places]\n    if not found.waiting:\n"
                "        del fold.gathers[delivery.slot]\n",
                "",
            ),
        ),
        trial=Trial(
            _JOINS + "a_join_gets_one_payload_by_each_connection_as_often_as_they_are_there"
        ),
    ),
    Mutant(
        name="a join lists what came in the order of arrival",
        breaks="A join lists its payloads in the order of its connections.",
        patches=(
            Patch(
                "waves.py",
                "{first[name]: None for name in found.among}",
                "dict.fromkeys(sorted(first[name] for name in found.among))",
            ),
        ),
        trial=Trial(
            _JOINS + "a_join_gets_one_payload_by_each_connection_as_often_as_they_are_there"
        ),
    ),
    Mutant(
        name="a join stands where its first payload stood",
        breaks="The activation of a join stands where the completing payload stood.",
        patches=(
            Patch(
                "waves.py",
                "def _collect(fold: JobFold, delivery: Delivery, gather: Gather) -> None:\n",
                "def _collect(fold: JobFold, delivery: Delivery, gather: Gather) -> None:\n"
                "    _placed(fold, delivery, gather)\n"
                "    mine = [each for each in fold.kept if each.slot == delivery.slot]\n"
                "    others = [each for each in fold.kept if each.slot != delivery.slot]\n"
                "    fold.kept[:] = [\n"
                "        attrs.evolve(each, id=activation_id(fold.wave + 1, place))\n"
                "        for place, each in enumerate([*mine, *others], start=1)\n"
                "    ]\n\n\n"
                "def _placed(fold: JobFold, delivery: Delivery, gather: Gather) -> None:\n",
            ),
        ),
        trial=Trial(_GATHERS + "the_activation_stands_where_the_payload_stood_that_completed_it"),
    ),
    Mutant(
        name="a message may stand for a connection",
        breaks="Messages are refused by a slot that gathers from each of its connections.",
        patches=(Patch("gathering.py", '    if slot.gather == "all":\n', "    if not slot:\n"),),
        trial=Trial(_JOINS + "what_comes_by_no_connection_is_refused_by_a_join"),
    ),
    Mutant(
        name="an incomplete join is forgotten at the end",
        breaks="A job with nothing left but an incomplete gather fails.",
        patches=(
            Patch(
                "consequences.py",
                "    if fold.gathers:\n        return _incomplete(fold)\n",
                "",
            ),
        ),
        trial=Trial(_JOINS + "a_job_with_an_incomplete_join_fails_and_names_slot_and_connections"),
    ),
    Mutant(
        name="a merge by code is made at replay instead of recorded",
        breaks="What user code computed is recorded as a value.",
        patches=(
            Patch(
                "shared_type.py",
                "    names = {key: _reducer_name(each) for key, each in reducers.items()}\n",
                "    names = {key: _reducer_name(each) for key, each in reducers.items()}\n"
                "    from esflow import reducers as known\n"
                "    for key, each in functions.items():\n"
                "        known.RECORDED[names[key]] = lambda current, value, it=each: (\n"
                "            value if current is known.ABSENT else it(current, value)\n"
                "        )\n",
            ),
        ),
        trial=Trial(_REDUCERS + "what_a_reducer_makes_is_recorded_once_for_the_wave"),
    ),
    Mutant(
        name="a reducer is called for the first write",
        breaks="The first write to an absent key stores the value uncalled.",
        patches=(
            Patch(
                "merging.py",
                "    if current is ABSENT:\n        return copy_json(value)\n",
                "    current = None if current is ABSENT else current\n",
            ),
        ),
        trial=Trial(_REDUCERS + "the_first_write_to_an_absent_key_stores_the_value_uncalled"),
    ),
    Mutant(
        name="a failing merge blames the last write",
        breaks="A failing merge names the activation of the first write that doesn't apply.",
        patches=(
            Patch(
                "merging.py",
                "return _failure(write, str(finding))",
                "return _failure(writes[-1], str(finding))",
            ),
        ),
        trial=Trial(_REDUCERS + "a_reducer_that_raises_fails_the_job_by_its_first_write"),
    ),
    Mutant(
        name="a goto forgets what code makes of what is finished",
        breaks="A goto merges the finished neighbours' writes.",
        patches=(
            Patch(
                "runtime/wishes.py",
                "return (*merged_by_code(flow, fold, writes_of(fold)), *events)",
                "return events",
            ),
        ),
        trial=Trial(_REDUCERS + "a_goto_merges_what_is_finished_before_it_drops_the_rest"),
    ),
    Mutant(
        name="an update skips what the type says",
        breaks="An update goes through the same validation as a write.",
        patches=(
            Patch(
                "runtime/wishes.py",
                '        refuse_untyped(flow.data, key, reducers.get(key, "set"), value)\n',
                "        pass\n",
            ),
        ),
        trial=Trial(_TYPED + "an_update_that_does_not_fit_is_refused"),
    ),
    Mutant(
        name="an update of an open wave is not tried first",
        breaks="An update that doesn't apply is refused, and nothing is recorded.",
        patches=(
            Patch(
                "runtime/wishes.py",
                "        refuse_failing(flow, fold, updates)"
                "  # What comes of them is recorded when it closes.\n",
                "",
            ),
        ),
        trial=Trial(_REDUCERS + "an_update_of_an_open_wave_is_its_last_write"),
    ),
    Mutant(
        name="the class never sees the data as a whole",
        breaks="A validator that refuses the whole fails the merge.",
        patches=(
            Patch(
                "merging.py",
                "    if shared is None or not fold.is_typed:\n",
                "    if shared is None or fold.is_typed:\n",
            ),
        ),
        trial=Trial(_TYPED + "the_class_judges_the_whole_and_not_each_write"),
    ),
    Mutant(
        name="an emission is not held to its types",
        breaks="Emissions on a typed output are checked.",
        patches=(
            Patch(
                "context.py",
                "        self._flow.refuse_misfit(self._slot.routine, output, data)\n",
                "",
            ),
        ),
        trial=Trial(
            "tests/engine/test_typed_outputs.py::"
            "test_what_was_not_declared_fails_the_activation_and_is_not_recorded"
        ),
    ),
)
