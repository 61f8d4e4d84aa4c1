"""What older schemas had, and had not."""

from __future__ import annotations

import pytest

from esflow.json_values import Misfit
from esflow.upcasters import Data, lift, schemas

LATER: dict[tuple[str, int], tuple[str, ...]] = {
    ("ActivationCompleted", 2): ("attempt",),
    ("ActivationFailed", 2): ("attempt", "outcome", "escaped", "again_at_ms", "effects", "events"),
    ("EffectRecorded", 2): ("attempt",),
    ("JobFailed", 1): ("key",),
    ("JobResumed", 1): ("before", "after"),
    ("JobStarted", 1): ("before", "after"),
    ("JobStarted", 2): ("defaults", "parent"),
    ("MessageReceived", 1): ("gather",),
    ("QuestionAsked", 1): ("due_at_ms", "default", "gather"),
}
"""What an event has had since the schema after this one, and not before."""
ADDED: dict[str, Data] = {"ActivationFailed": {"outcome": "stop"}}
"""What takes the place of what an older schema didn't say."""


@pytest.mark.parametrize(("name", "schema"), LATER)
def test_an_older_schema_has_nothing_of_what_came_later(name: str, schema: int) -> None:
    plain: Data = {"id": "a"}
    assert lift(name, schema, plain) == plain | ADDED.get(name, {})
    for field in LATER[name, schema]:
        with pytest.raises(Misfit, match=f"an older schema has no {field}"):
            lift(name, schema, {**plain, field: 1})
        assert lift(name, schemas[name], {**plain, field: 1}) == {**plain, field: 1}


@pytest.mark.parametrize("name", ["Emitted", "EmissionDeferred"])
def test_an_older_target_does_not_gather(name: str) -> None:
    plain: Data = {"targets": [{"slot": "a.in"}, None]}
    assert lift(name, 1, plain) == plain
    with pytest.raises(Misfit, match="an older schema has no gather"):
        lift(name, 1, {"targets": [{"slot": "a.in", "gather": None}]})
