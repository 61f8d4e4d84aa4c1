"""Where chance comes from: that of names, and that which handlers ask their context for.

It is the machine's, unless a test has planted a seed: then what is drawn at a place is the same in
every run of that test, whatever else was drawn before.
It knows nothing of jobs; a place is any text.
`random` is loaded for who asks for a number; `secrets`, which would bring it along, makes of
``os.urandom`` what is made of it here.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

_seed: Final[ContextVar[str | None]] = ContextVar("esflow.chance", default=None)


@contextmanager
def seeded(seed: str) -> Generator[None]:
    """Let what is drawn in this context, and in copies of it, follow from a seed and its place."""
    token = _seed.set(seed)
    try:
        yield
    finally:
        _seed.reset(token)


def drawn_name(count: int) -> str:
    """Return so many bytes in hex, by which a thing is told from all others."""
    return os.urandom(count).hex()


def spread() -> float:
    """Return a number from 0 up to 1, by which hosts that wait for the same are kept apart."""
    from random import SystemRandom

    return SystemRandom().random()  # Nobody else's numbers follow from it.


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


def _planted(seed: str, place: str) -> Random:
    from random import Random

    return Random(f"{seed}/{place}")  # noqa: S311 - it is to come again
