"""Where the chance comes from that handlers ask their context for.

It is the machine's, unless a test has planted a seed: then what is drawn at a place is the same in
every run of that test, whatever else was drawn before.
It knows nothing of jobs; a place is any text.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_machine: Final = random.SystemRandom()  # Nobody else's numbers follow from it.

_seed: Final[ContextVar[str | None]] = ContextVar("esflow.chance", default=None)


@contextmanager
def seeded(seed: str) -> Generator[None]:
    """Let what is drawn in this context, and in copies of it, follow from a seed and its place."""
    token = _seed.set(seed)
    try:
        yield
    finally:
        _seed.reset(token)


def spread() -> float:
    """Return a number from 0 up to 1, by which hosts that wait for the same are kept apart."""
    return _machine.random()


def drawn_number(place: str) -> float:
    """Return a number from 0 up to 1."""
    seed = _seed.get()
    if seed is None:
        return spread()
    return _planted(seed, place).random()


def drawn_uuid(place: str) -> uuid.UUID:
    """Return a random UUID."""
    seed = _seed.get()
    if seed is None:
        return uuid.uuid4()
    return uuid.UUID(int=_planted(seed, place).getrandbits(128), version=4)


def _planted(seed: str, place: str) -> random.Random:
    return random.Random(f"{seed}/{place}")  # noqa: S311 - it is to come again
