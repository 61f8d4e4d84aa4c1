"""Values that are easily spoilt on the way, and the names of those that can't be recorded at all.

Integers here fit 53 bits and one, or stand inside of something: no ``PlusOne`` and no ``add`` may
bring them beyond 64. Minus zero stands inside too, since nobody says whether it is unique by zero.
"""

from __future__ import annotations

from typing import Final

from tests.reference.program import Json, canonical


def _nested(levels: int, *, in_lists: bool) -> Json:
    """Return containers inside each other."""
    value: Json = 0
    for _ in range(levels):
        value = [value] if in_lists else {"": value}
    return value


ODD_KEYS: Final = ("", "$type", "1.1", "__class__", "a\nb", "output", "payload", "self", "größe")
AWKWARD: Final[tuple[Json, ...]] = (
    2**53 + 1,
    -(2**53) - 1,
    [2**63 - 1, -(2**63)],
    [-0.0],
    1e308,
    5e-324,
    1e16,
    0.1 + 0.2,
    float(2**53),
    "",
    "\x00",
    "a\u2028b\u0085",
    "e\u0301 \u202e 😀",
    '\\ud800"}',
    "2026-03-29T02:30:00+01:00",
    "1.1/e0",
    "m1",
    "NaN",
    "1e3",
    {"": ""},
    {"$type": "JobFailed", "__class__": "os.system"},
    {"job_id": "job", "id": "1.1", "hash": None, "data": {}},
    {"b": 1, "a": 1.0, "B": True},
    {"e\u0301": 1, "é": 2},
    [[], {}, [None], [[1, 1.0, True, "1"]]],
    _nested(40, in_lists=True),
    _nested(40, in_lists=False),
)
REFUSED: Final = (
    *("nan", "infinity", "huge integer", "surrogate", "surrogate key", "number key"),
    *("deep", "cycle", "object", "text subclass"),
)
_TEXTS: Final = frozenset(map(canonical, AWKWARD))


def is_awkward(value: Json) -> bool:
    """Say whether a value is one of the awkward ones."""
    return canonical(value) in _TEXTS
