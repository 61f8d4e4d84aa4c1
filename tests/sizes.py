"""How much the trials that take their time try: in `make test`, and in `make test-long`."""

from __future__ import annotations

import os
from typing import Final, final

import attrs
from hypothesis import settings


@final
@attrs.frozen(kw_only=True)
class Sizes:
    """How much is tried."""

    kills: int  # SIGKILLs, at the least.
    raced_jobs: int  # In each race, among two processes and among four.
    flip_stride: int  # Every n-th of all flips.


SHORT: Final = Sizes(kills=1_000, raced_jobs=100, flip_stride=10)
LONG: Final = Sizes(kills=10_000, raced_jobs=1_000, flip_stride=1)


def sizes() -> Sizes:
    """Return the sizes of the Hypothesis profile; commands have none, but ``FAULTS=full``."""
    is_long = settings.get_current_profile_name() == "long" or os.environ.get("FAULTS") == "full"
    return LONG if is_long else SHORT
