"""What may befall a host in the middle of a job, and flows to try it on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

import pytest
from hypothesis import strategies as st

from esflow.failpoints import POINTS
from tests.laws.faults import Fault
from tests.reference.generator import FLAVOURS, enabled_in

# Inside a transaction nobody else can act: only death comes there.
OUTSIDE: Final = tuple(each for each in POINTS if each not in ("append.inserted", "append.indexed"))

crashes: Final = st.builds(Fault, st.just("crash"), st.integers(1, 15), st.sampled_from(POINTS))
pauses: Final = st.builds(Fault, st.just("pause"), st.integers(1, 15), st.sampled_from(OUTSIDE))
steals: Final = st.builds(Fault, st.just("steal"), st.integers(1, 15), st.sampled_from(OUTSIDE))
seizures: Final = st.builds(Fault, st.just("seize"), st.integers(1, 15), st.sampled_from(OUTSIDE))
schedules: Final = st.lists(crashes | pauses | steals | seizures, min_size=1, max_size=6)

FLAVOURS_ALONE: Final = tuple(each for each in FLAVOURS if "children" not in enabled_in(each))


def _each(flavours: Sequence[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("flavour", "asks"), list(product(flavours, (True, False))))


every_flavour: Final = _each(FLAVOURS)
"""Runs a law on each kind of flow by itself, because one long run of the generator clusters."""
each_flavour: Final = pytest.mark.parametrize(
    ("flavour", "asks"), [(name, number % 2 == 0) for number, name in enumerate(FLAVOURS)]
)
"""Does so with questions in every other kind: for what has little to do with them."""
every_flavour_alone: Final = _each(FLAVOURS_ALONE)
"""Does so on flows that start no children.

A fork begins children of its own when it is carried on, so their ends may join other waves than
those of its source did, and to one that is not live none come.
"""
every_sound_flavour: Final = _each([each for each in FLAVOURS_ALONE if each != "governed"])
"""Leaves out the flows in which nearly every job fails somewhere."""
