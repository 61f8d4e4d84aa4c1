"""What generated examples may hold beyond the plain: each can be left out, and some still are."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

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

ALL: Final[frozenset[Capability]] = frozenset(get_args(Capability))
USUAL: Final[frozenset[Capability]] = frozenset(("interrupts", "breakpoints"))
"""What examples of every flavour may hold."""
