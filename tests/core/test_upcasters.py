"""What older schemas had, and had not."""

from __future__ import annotations

import pytest

from esflow.json_values import Misfit
from esflow.upcasters import Data, lift, schemas


@pytest.mark.parametrize("name", ["JobStarted", "JobResumed"])
def test_before_there_were_breakpoints_no_event_had_any(name: str) -> None:
    plain: Data = {"slot": "a.in"}
    assert schemas[name] == 2
    assert lift(name, 1, plain) == plain
    for place in ("before", "after"):
        with pytest.raises(Misfit, match="schema 1 has no breakpoints"):
            lift(name, 1, {**plain, place: ["a.in"]})
        assert lift(name, 2, {**plain, place: ["a.in"]}) == {**plain, place: ["a.in"]}
