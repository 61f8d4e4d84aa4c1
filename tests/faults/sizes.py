"""How much is tried in each size, and from which seed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from typing import Final, final

import attrs

MEMORY: Final = "/dev/shm"


@final
@attrs.frozen
class Sizes:
    """How much is tried."""

    stride: int  # Every n-th fault; prime to the 14 of a call, so that every kind is met.
    images: int  # Of power cuts, for each setting.
    carry_on_every: int
    seed: int


def sizes(environment: Mapping[str, str]) -> Sizes:
    """Return the sizes that an environment asks for: ``FAULTS=full``, and ``SEED=…`` to repeat."""
    if environment.get("FAULTS") == "full":
        seed = int(environment.get("SEED", secrets.randbits(32)))
        return Sizes(stride=1, images=20_000, carry_on_every=100, seed=seed)
    return Sizes(stride=23, images=600, carry_on_every=30, seed=int(environment.get("SEED", "1")))


def fast_folder() -> str | None:
    """Return where an fsync costs nothing, None where nowhere is known.

    What is on the disk after a cut is computed here, so the disk itself need not be real.
    """
    return MEMORY if os.access(MEMORY, os.W_OK) else None
