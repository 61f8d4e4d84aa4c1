"""Tables as Markdown, and numbers as they stand in them: three digits, which is all they are worth.

It knows nothing of what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, log10
from typing import Final

NONE: Final = "none"
_SIZES: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_NUMBER_WORDS: Final = 2
_TIMES: Final = (
    (31_557_600, "years"),
    (86_400, "days"),
    (3600, "h"),
    (60, "min"),
    (1, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
)


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a column of numbers stands to the right.

    Shape: a number begins with a digit and has one unit at most; more words are text.
    """
    cells = list(rows)
    rule = [
        "---:" if all(map(_is_number, column)) else "---" for column in zip(*cells, strict=True)
    ]
    lines = [_line(columns), f"|{'|'.join(rule)}|\n", *map(_line, cells)]
    return "".join(lines)


def number(value: float) -> str:
    """Return a number with three digits that count: ``0.0123``, ``1.50``, ``12,300``."""
    if value == 0:
        return "0"
    digits = 2 - floor(log10(abs(value)))
    rounded = round(value, digits)
    return f"{rounded:,.{max(0, digits)}f}"


def size(count: float) -> str:
    """Return bytes in the greatest unit that they fill."""
    unit = min(len(_SIZES) - 1, max(0, floor(log10(count) / 3)))
    return f"{number(count / 1000**unit)} {_SIZES[unit]}"


def duration(seconds: float) -> str:
    """Return a time in the greatest unit that it fills."""
    length, unit = next((each for each in _TIMES if seconds >= each[0]), _TIMES[-1])
    return f"{number(seconds / length)} {unit}"


def share(part: float) -> str:
    """Return a part of 1 in percent."""
    return f"{number(part * 100)} %"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _is_number(cell: str) -> bool:
    return cell == NONE or (cell[:1].isdigit() and len(cell.split()) <= _NUMBER_WORDS)
