"""How a document writes what was measured."""

from __future__ import annotations

from typing import Final

_TENTHS: Final = 10
_WHOLE: Final = 100


def time(microseconds: float) -> str:
    """Write a time in the unit that suits it."""
    for scale, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= scale:
            return f"{digits(microseconds / scale)} {unit}"
    return f"{digits(microseconds)} µs"


def times(ratio: float) -> str:
    """Write a ratio."""
    return f"{digits(ratio)} ×"  # noqa: RUF001 - the sign, as documents write it


def spread(low: float, high: float) -> str:
    """Write the extremes of a ratio."""
    return f"{digits(low)}–{digits(high)}"  # noqa: RUF001 - a range, as documents write it


def digits(number: float) -> str:
    """Write a number with no more digits than it is good for."""
    if number >= _WHOLE:
        return f"{number:,.0f}"
    if number >= _TENTHS:
        return f"{number:.1f}"
    return f"{number:.2f}" if number >= 1 / _TENTHS else f"{number:.3f}"


def listed(sizes: tuple[int, ...]) -> str:
    """Write sizes one after the other."""
    *first, last = (f"{size:,}" for size in sizes)
    return f"{', '.join(first)} and {last}" if first else last
