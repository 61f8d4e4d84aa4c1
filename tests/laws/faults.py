"""What befalls hosts, as data, and how they die of it."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import attrs

Kind: TypeAlias = Literal["crash", "pause", "steal", "seize"]


class Crash(BaseException):
    """The host dies here; nothing of esflow may catch it."""


@final
@attrs.frozen
class Fault:
    """What befalls a host when it reaches a fail point for the n-th time, counted from 1."""

    kind: Kind
    at: int
    point: str
