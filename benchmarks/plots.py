"""Pictures of what was measured: plain SVG, and nothing that a browser would have to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from math import floor, log10
from typing import Final, TypeAlias

from benchmarks import words
from benchmarks.results import Comparison

BARS: Final = (
    "chain",
    "chain-normal",
    "effects",
    "effects-normal",
    "peers",
    "peers-normal",
    "jobs",
    "answers",
    "start",
)
"""The suites whose ratios are shown as bars, at the largest size."""
LINES: Final = ("growing", "resume", "replay", "crowd")
"""The suites whose costs are shown over their sizes."""

Line: TypeAlias = tuple[str, list[tuple[float, float]]]
Place: TypeAlias = Callable[[float, float], tuple[float, float]]

_WIDTH: Final = 900
_LEFT: Final = 330
_RIGHT: Final = 130
_STEP: Final = 28
_TOP: Final = 44
_HEIGHT: Final = 300
_COLOURS: Final = ("#4269d0", "#d08a00", "#c0392b", "#3a8a5f", "#7d4bb3", "#555555")


def picture(comparison: Comparison) -> str | None:
    """Return the picture of a suite, None for one that has none."""
    if comparison.name in BARS:
        return _bars(comparison)
    return _lines(comparison) if comparison.name in LINES else None


def _bars(comparison: Comparison) -> str:
    """Draw the ratio of each row to the first, with its extremes, on a logarithmic scale."""
    rows = [row for label in comparison.labels if (row := comparison.row(label))]
    left = min(1.0, *(row.low for row in rows)) / 1.2
    right = max(row.high for row in rows) * 1.1

    def place(ratio: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * _share(ratio, left, right)

    parts: list[str] = []
    for number, row in enumerate(rows):
        y = _TOP + number * _STEP
        colour = _COLOURS[0] if row.label.startswith("esflow") else _COLOURS[5]
        begin, end = sorted((place(1), place(row.ratio)))
        width = max(end - begin, 2)
        parts += [
            _text(_LEFT - 10, y + 13, row.label, "end"),
            f'<rect x="{begin:.1f}" y="{y}" width="{width:.1f}" height="18" fill="{colour}"/>',
            _stroke(place(row.low), y + 9, place(row.high), y + 9),
            _text(_WIDTH - _RIGHT + 10, y + 13, words.times(row.ratio)),
        ]
    bottom = _TOP + len(rows) * _STEP
    parts.append(_stroke(place(1), _TOP - 6, place(1), bottom))
    size = max(comparison.sizes)
    title = f"{comparison.title}: {size:,} {comparison.units}, times the first row"
    return _drawn(title, bottom + 10, parts)


def _lines(comparison: Comparison) -> str:
    """Draw what a unit costs over the size, both on logarithmic scales."""
    series = list(_series(comparison))
    xs = [x for _, points in series for x, _ in points]
    ys = [y for _, points in series for _, y in points]
    bottom = _TOP + _HEIGHT

    def place(x: float, y: float) -> tuple[float, float]:
        across = _share(x, min(xs), max(xs)) * (_WIDTH - 120 - _LEFT)
        up = _share(y, min(ys) / 1.5, max(ys) * 1.5) * _HEIGHT
        return 90 + across, bottom - up

    parts = [*_axes(comparison.sizes, ys, place)]
    for number, (label, points) in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        at = _TOP + 20 + number * 24
        edge = _WIDTH - _LEFT + 20
        parts += [
            f'<polyline points="{placed}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<rect x="{edge}" y="{at - 10}" width="12" height="12" fill="{colour}"/>',
            _text(edge + 18, at, label),
        ]
    return _drawn(f"{comparison.title}: each, by {comparison.units}", bottom + 34, parts)


def _series(comparison: Comparison) -> Iterator[Line]:
    for label in comparison.labels:
        rows = [row for row in comparison.rows if row.label == label]
        yield label, [(row.size, row.microseconds) for row in rows]


def _axes(sizes: Sequence[int], ys: Sequence[float], place: Place) -> Iterator[str]:
    lowest = min(ys) / 1.5
    for size in sizes:
        x, y = place(size, lowest)
        yield _stroke(x, y, x, y + 5)
        yield _text(x, y + 20, f"{size:,}", "middle")
    smallest = min(sizes)
    for power in range(floor(log10(lowest)) + 1, floor(log10(max(ys) * 1.5)) + 1):
        x, y = place(smallest, 10.0**power)
        yield _stroke(x - 5, y, x, y)
        yield _text(x - 10, y + 4, words.time(10.0**power), "end")


def _share(number: float, least: float, most: float) -> float:
    """Return where a number is between two others, by their logarithms."""
    return log10(number / least) / log10(most / least)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _stroke(x: float, y: float, to_x: float, to_y: float) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" '
        'stroke="black" stroke-width="1.5"/>'
    )


def _drawn(title: str, height: float, parts: Iterable[str]) -> str:
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        'font-family="sans-serif" font-size="13">'
    )
    ground = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([opening, ground, _text(10, 22, title), *parts, "</svg>", ""])
