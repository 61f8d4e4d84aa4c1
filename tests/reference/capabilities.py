"""What generated examples may hold beyond the plain: each can be left out, and some still are."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Capability: TypeAlias = Literal[
    "interrupts",
    "breakpoints",
    "deadlines",
    "policies",
    "timers",
    "gathers",
    "reducers",
    "children",
    "typed",
]

PLAYED: Final[frozenset[Capability]] = frozenset(
    (
        "interrupts",
        "breakpoints",
        "deadlines",
        "policies",
        "timers",
        "gathers",
        "reducers",
        "children",
    )
)
"""What can be played on an engine, too: flavours hold no more."""
ALL: Final[frozenset[Capability]] = frozenset((*PLAYED, "typed"))
USUAL: Final[frozenset[Capability]] = frozenset(("interrupts", "breakpoints"))
