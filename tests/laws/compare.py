"""Says whether a disturbed run is the undisturbed one, and if not, where they first differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias

import attrs

from esflow import Recorded
from esflow import events as ev
from esflow.stores import open_store
from tests.laws.observe import effects_of
from tests.laws.play import Play
from tests.laws.stripping import stripped
from tests.reference.interpreter import run
from tests.reference.outcome import Outcome, as_text
from tests.reference.program import Program, Script, canonical

_Field: TypeAlias = dict[str, Any] | tuple[Any, ...] | str | int | None


def assert_same_as_undisturbed(disturbed: Play) -> None:
    """Run a play, and compare it with the reference and with an undisturbed play."""
    outcome = disturbed.run()
    assert_undisturbed(disturbed.program, disturbed.script, outcome, disturbed.history())


def assert_undisturbed(
    program: Program, script: Script, outcome: Outcome, history: Sequence[Recorded]
) -> None:
    """Compare what came of a program and a script with the reference and an undisturbed play."""
    assert_same_outcome(outcome, run(program, script))
    undisturbed = Play(program, script, open_store("memory://"))
    undisturbed.run()
    assert_same_history(history, undisturbed.history())


def assert_effects_are_kept(play: Play) -> None:
    """See that each effect is recorded once by whoever calls it, and before it is used."""
    calls = [
        it.event
        for it in play.family()
        if isinstance(it.event, ev.EffectRecorded | ev.EffectAttemptFailed)
    ]
    effects = [it for it in calls if isinstance(it, ev.EffectRecorded)]
    assert set(effects_of(play.history())) <= {effect.id for effect in effects}
    executed, recorded = set(play.world.executions), {call.key for call in calls}
    if play.script.cancel is None:
        assert executed == recorded, "keys differ"
    assert executed >= recorded, "recorded and never executed"
    assert not play.unrecorded, f"used before they were recorded: {play.unrecorded}"
    outcomes = {(it.key, canonical(it.error.message if it.error else it.result)) for it in effects}
    for key, outcome in play.used:
        assert (key, canonical(outcome)) in outcomes, f"{key} is recorded otherwise"
    assert play.world.executions.total() <= play.most_executions


def assert_same_history(history: Sequence[Recorded], undisturbed: Sequence[Recorded]) -> None:
    """Compare two histories without circumstances, and show the first event that differs."""
    assert_same_strips(stripped(history), stripped(undisturbed))


def assert_same_strips(
    found: Mapping[str, Sequence[object]], expected: Mapping[str, Sequence[object]]
) -> None:
    """Compare two histories, activation by activation, and show the first event that differs."""
    for whose in sorted(found.keys() | expected.keys()):
        pairs = zip_longest(found.get(whose, ()), expected.get(whose, ()))
        differing = [pair for pair in pairs if pair[0] != pair[1]]
        assert not differing, (
            f"of {whose or 'the job'} is recorded, and undisturbed: {differing[0]}"
        )


def assert_same_outcome(outcome: Outcome, expected: Outcome) -> None:
    """Compare two outcomes, types of values included, and show the first place that differs."""
    found, wanted = attrs.asdict(outcome), attrs.asdict(expected)
    for name in found:
        for place, value, other in _entries(found[name], wanted[name]):
            same = canonical(value) == canonical(other)
            assert same, f"{name}{place} is {value!r}, and undisturbed {other!r}"
    assert as_text(outcome) == as_text(expected), "the activations stand in another order"


def _entries(found: _Field, wanted: _Field) -> Iterator[tuple[str, Any, Any]]:
    """Yield what stands at each place of two mappings or sequences, then themselves as a whole."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for name in dict.fromkeys([*wanted, *found]):
            yield f"[{name!r}]", found.get(name), wanted.get(name)
    elif isinstance(found, tuple) and isinstance(wanted, tuple):
        for place, (item, other) in enumerate(zip_longest(found, wanted)):
            yield f"[{place}]", item, other
    # What is missing looks like null above, and may be all that differs.
    yield "", found, wanted
