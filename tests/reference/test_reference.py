"""Waves, failure, merging and memory, against histories that were worked out by hand."""

from __future__ import annotations

import pytest

from tests.reference.histories import ONE, after, emit, message, program, slots_of, to
from tests.reference.outcome import Failure
from tests.reference.program import (
    Ask,
    Constant,
    Continue,
    Defer,
    Delete,
    Effect,
    Emit,
    Fail,
    FailingEffect,
    Forget,
    FromMemory,
    FromShared,
    Json,
    LastResult,
    Log,
    Operation,
    Pause,
    PlusOne,
    Reducer,
    Refused,
    Remember,
    Write,
)

# Rules 1 and 2: ids and order.


def test_outputs_are_ordered_by_id_and_not_by_the_moment_of_their_release() -> None:
    outcome = after(
        program(
            {"a": (Defer("on", {}), emit()), "b": (Emit("on", {}),)},
            to("a", "b"),
        )
    )
    assert [name for name, _, _ in outcome.outputs] == ["1.1/d0", "2.1/o0"]


def test_ids_sort_by_number_and_not_by_letter() -> None:
    many: tuple[Operation, ...] = tuple(Emit("on", {}) for _ in range(11))
    outcome = after(program({"a": many}))
    assert [name for name, _, _ in outcome.outputs][-2:] == ["1.1/o9", "1.1/o10"]


def test_items_are_numbered_per_kind_in_call_order() -> None:
    outcome = after(program({"a": (Effect("f", 1), emit(), Effect("g", 2.0), Defer("on", {}))}))
    assert outcome.effects == {"1.1/e0": ("f", "result", 1), "1.1/e1": ("g", "result", 2.0)}
    assert list(outcome.emissions) == ["1.1/o0"]
    assert list(outcome.released) == ["1.1/d0"]


# Rule 4: waves.


def test_a_wave_follows_emissions_in_activation_order_then_call_then_connection_order() -> None:
    outcome = after(
        program(
            {"a": (emit(), Emit("on", {})), "b": (), "c": (), "d": ()},
            to("a", "c"),
            to("a.on", "d"),
            to("a", "b"),
        )
    )
    assert slots_of(outcome) == {"1.1": "a", "2.1": "c", "2.2": "b", "2.3": "d"}


def test_a_wave_sees_the_data_of_its_opening_and_its_own_writes_only() -> None:
    outcome = after(
        program(
            {
                "a": (emit(),),
                "b": (Write("k", ONE), Log("b", FromShared("k"))),
                "c": (Log("c", FromShared("k", "none")), emit()),
                "d": (Log("d", FromShared("k")),),
            },
            to("a", "b"),
            to("a", "c"),
            to("c", "d"),
        )
    )
    assert outcome.log == (("2.1", "b: 1"), ("2.2", 'c: "none"'), ("3.1", "d: 1"))


def test_the_last_write_in_activation_order_wins() -> None:
    outcome = after(
        program(
            {"a": (emit(),), "b": (Write("k", Constant("b")),), "c": (Write("k", Constant("c")),)},
            to("a", "c"),
            to("a", "b"),
        )
    )
    assert outcome.shared == {"k": "b"}


def test_a_program_pause_keeps_the_next_wave_ready_with_its_ids() -> None:
    outcome = after(program({"a": (emit(x=ONE), Pause("why")), "b": ()}, to("a", "b")))
    assert (outcome.status, outcome.ready, outcome.waves) == ("paused", ("2.1",), 1)
    assert outcome.activations["2.1"] == ("b.in", {"x": 1}, "ready")
    assert outcome.standing == (("1.1", "why"),)


def test_what_joins_at_the_opening_is_numbered_behind_kept_work() -> None:
    made = program(
        {"a": (Defer("on", {}), emit(), Pause("")), "b": (), "c": (), "d": ()},
        to("a", "b"),
        to("a.on", "c"),
    )
    outcome = after(made, Continue(), messages=(message(1, "d"),))
    assert slots_of(outcome) == {"1.1": "a", "2.1": "b", "2.2": "c", "2.3": "d"}
    assert outcome.status == "completed"


def test_an_unconnected_emission_is_an_output_of_the_job() -> None:
    outcome = after(program({"a": (emit(x=ONE),)}))
    assert outcome.outputs == (("1.1/o0", "a.out", {"x": 1}),)
    assert outcome.activations_count == 1


# Rule 6: failure.


def test_failure_is_the_first_in_activation_order_and_neighbours_settle() -> None:
    outcome = after(
        program(
            {
                "a": (Write("k", ONE), emit()),
                "b": (Log("b", ONE), Write("k", Constant(2)), emit()),
                "c": (Effect("f", 1), Fail("c")),
                "d": (FailingEffect("g", "no", caught=False),),
            },
            to("a", "b"),
            to("a", "c"),
            to("a", "d"),
        )
    )
    assert outcome.failure == Failure("RuntimeError", "2.2")
    assert [result for _, _, result in outcome.activations.values()] == [
        "completed",
        "completed",
        "failed",
        "failed",
    ]
    assert (outcome.shared, outcome.log, outcome.outputs) == ({"k": 1}, (), ())
    assert outcome.effects == {"2.2/e0": ("f", "result", 1), "2.3/e0": ("g", "error", "no")}
    assert list(outcome.emissions) == ["1.1/o0", "2.1/o0"]


def test_a_failure_wins_over_a_pause_and_a_question_of_the_same_wave() -> None:
    outcome = after(
        program(
            {
                "a": (emit(),),
                "b": (Pause(""), Ask("?", "a.in"), Defer("out", {})),
                "c": (Fail(""),),
            },
            to("a", "b"),
            to("a", "c"),
        ),
        Continue(),
    )
    assert outcome.status == "failed"
    assert (outcome.pauses, outcome.questions, outcome.deferrals) == ((), {}, {})


def test_a_refused_payload_leaves_a_line_or_fails_the_handler() -> None:
    caught = after(program({"a": (Refused("emit", "nan"), emit())}))
    assert caught.log == (("1.1", 'refused: "emit"'),)
    assert list(caught.emissions) == ["1.1/o0"]
    uncaught = after(program({"a": (Refused("log", "cycle", caught=False), emit())}))
    assert uncaught.failure == Failure("PayloadError", "1.1")
    assert (uncaught.log, uncaught.emissions) == ((), {})


def test_an_uncaught_effect_error_fails_and_a_caught_one_does_not() -> None:
    caught = after(program({"a": (FailingEffect("f", "no", caught=True), Log("", LastResult()))}))
    assert (caught.status, caught.log) == ("completed", (("1.1", ': "no"'),))
    uncaught = after(program({"a": (FailingEffect("f", "no", caught=False),)}))
    assert uncaught.failure == Failure("EffectError", "1.1")
    assert caught.effects == uncaught.effects == {"1.1/e0": ("f", "error", "no")}


def test_a_message_accepted_in_a_wave_that_fails_stays_undelivered() -> None:
    outcome = after(program({"a": (Fail(""),)}), messages=(message(1, "a", x=1),))
    assert outcome.messages == {"m1": ("a.in", {"x": 1})}
    assert outcome.undelivered == ("m1",)


# Rule 7: the merge.


@pytest.mark.parametrize(
    ("reducer", "written", "merged"),
    [
        ("append", [1, [2]], [1, [2]]),
        ("extend", [[1], [2, 3]], [1, 2, 3]),
        ("unique", [1, True, 1.0, 1, [1], [True]], [1, True, 1.0, [1], [True]]),
        ("merge", [{"a": {"b": 1}}, {"a": {"c": 2}}], {"a": {"c": 2}}),
        ("add", [1, 2.5], 3.5),
        ("max", [1, 2.5, 2], 2.5),
        ("max", ["a", "b"], "b"),
        ("max", [1, 1.0], 1),
        ("min", [3, 2.5, 4], 2.5),
        ("set", [1, None], None),
    ],
)
def test_a_reducer_folds_the_writes_from_its_empty_value(
    reducer: Reducer, written: list[Json], merged: Json
) -> None:
    writes: tuple[Operation, ...] = tuple(Write("k", Constant(it), reducer) for it in written)
    outcome = after(program({"a": writes}))
    assert repr(outcome.shared["k"]) == repr(merged)  # Types too.


@pytest.mark.parametrize(
    ("found", "reducer", "value"),
    [
        ("x", "add", 1),
        (1, "add", True),
        (1, "append", 1),
        ([], "extend", "abc"),
        ({}, "merge", []),
        ([], "merge", {}),
        (1, "max", "a"),
        (True, "max", 1),
        ([1], "max", [2]),
        ([], "add", []),
        (None, "unique", 1),
    ],
)
def test_a_write_that_does_not_apply_is_a_merge_error(
    found: Json, reducer: Reducer, value: Json
) -> None:
    outcome = after(
        program({"a": (Write("k", Constant(found)), Write("k", Constant(value), reducer))})
    )
    assert outcome.failure == Failure("MergeError", "1.1")


def test_a_merge_error_names_the_first_write_that_does_not_apply_and_merges_nothing() -> None:
    outcome = after(
        program(
            {
                "a": (emit(),),
                "b": (Write("k", Constant("x")), Log("", ONE), Ask("?", "a.in"), Emit("on", {})),
                "c": (Write("k", ONE, "add"),),
                "d": (Write("k", Constant([]), "extend"),),
            },
            to("a", "b"),
            to("a", "c"),
            to("a", "d"),
        ),
    )
    assert outcome.failure == Failure("MergeError", "2.2")
    assert [result for _, _, result in outcome.activations.values()] == ["completed"] * 4
    assert (outcome.shared, outcome.log, outcome.questions, outcome.outputs) == ({}, (), {}, ())


def test_a_write_may_apply_to_a_neighbours_write_and_not_to_the_opening() -> None:
    made = program(
        {
            "a": (Write("k", Constant("x")), emit()),
            "b": (Write("k", Constant(0)),),
            "c": (Write("k", ONE, "add"),),
        },
        to("a", "b"),
        to("a", "c"),
    )
    assert after(made).shared == {"k": 1}


def test_a_handler_that_reads_its_own_impossible_write_fails_itself() -> None:
    outcome = after(
        program(
            {"a": (Write("k", Constant("x")), Write("k", ONE, "add"), Log("", FromShared("k")))}
        )
    )
    assert outcome.failure == Failure("MergeError", "1.1")
    assert outcome.activations["1.1"][2] == "failed"


def test_a_declared_reducer_holds_where_the_write_names_none() -> None:
    made = program({"a": (Write("k", ONE), Write("k", ONE), Write("j", ONE, "append"))})
    assert after(made).shared == {"k": 1, "j": [1]}
    declared = program(
        {"a": (Write("k", ONE), Write("k", ONE), Write("j", ONE, "set"))},
        reducers={"k": "add", "j": "append"},
    )
    assert after(declared).shared == {"k": 2, "j": 1}


# Rule 8: memory and deletion.


def test_memory_belongs_to_the_routine_and_the_last_in_activation_order_wins() -> None:
    count = Remember("n", PlusOne(FromMemory("n", 0)))
    outcome = after(
        program(
            {"a": (emit(), emit()), "b": (count, count, Log("", FromMemory("n"))), "c": ()},
            to("a", "b"),
        )
    )
    assert outcome.log == (("2.1", ": 2"), ("2.2", ": 2"))
    assert outcome.memory == {"b": {"n": 2}}


def test_deletions_are_merged_in_order_and_absent_keys_leave_none() -> None:
    outcome = after(
        program(
            {
                "a": (Write("k", ONE), Remember("m", ONE), Forget("m"), emit()),
                "b": (Delete("k"), Log("", FromShared("k", "gone")), Delete("k")),
                "c": (Write("j", ONE),),
                "d": (Delete("j"),),
            },
            to("a", "b"),
            to("a", "c"),
            to("a", "d"),
        )
    )
    assert outcome.log == (("2.1", ': "gone"'),)
    assert outcome.shared == {"j": 1}  # ``d`` never saw it, so it deleted nothing.
    assert outcome.memory == {}
