"""A scatter chart with named points, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

__all__ = ["Point", "scatter_svg", "ticks"]

_WIDTH, _HEIGHT = 460, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 18, 16, 46
_LETTER: Final = 6.9
"""Width of an average letter of a label, in pixels, on the generous side."""
_LINE: Final = 14


@dataclass(frozen=True, slots=True)
class Point:
    """One model."""

    x: float
    y: float
    label: str
    kind: str = "trained"
    """Floors and models without training get marks of another shape."""


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers that cover a range.

    Example:
        >>> ticks(27.4, 44.0), ticks(0.0, 0.0)
        ([25.0, 30.0, 35.0, 40.0, 45.0], [0.0, 0.25])
    """
    span = (high - low) or 1.0
    raw = span / max(count - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(index * step, 10) for index in range(first, last + 1)]


def scatter_svg(points: Sequence[Point], *, x_title: str, y_title: str) -> str:
    """Return the chart; colours come from the style sheet of the page.

    Args:
        points: at least one.
        x_title: with the unit.
        y_title: with the unit.
    """
    x_ticks = ticks(0.0, max(point.x for point in points))
    y_ticks = ticks(min(point.y for point in points), max(point.y for point in points))
    x_of = _Scale(x_ticks, _LEFT, _WIDTH - _RIGHT)
    y_of = _Scale(y_ticks, _HEIGHT - _BOTTOM, _TOP)
    words = "; ".join(f"{point.label} {point.x:.4g} {x_title}, {point.y:.2f}" for point in points)
    label = escape(f"{y_title} against {x_title}: {words}", {'"': "&quot;"})
    parts = [f'<svg class="scatter" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">']
    for tick in y_ticks:
        y = y_of(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x_ticks:
        x = x_of(tick)
        below = _HEIGHT - _BOTTOM + 18
        parts.append(f'<text class="tick" x="{x:.1f}" y="{below}" text-anchor="middle">{tick:g}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text class="axis" x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_title)}</text>')
    centre = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'transform="translate(13 {centre}) rotate(-90)"'
    parts.append(f'<text class="axis" {turned} text-anchor="middle">{escape(y_title)}</text>')
    places = [(x_of(point.x), y_of(point.y)) for point in points]
    for point, (x, y) in zip(points, places, strict=True):
        parts.append(_mark(point, x, y))
    for point, (x, y, anchor) in zip(points, _labels(points, places), strict=True):
        parts.append(f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(point.label)}</text>')
    return "\n".join([*parts, "</svg>"])


class _Scale:
    """A linear map from the range of some ticks to pixels."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low, self._span = values[0], values[-1] - values[0]
        self._start, self._length = start, end - start

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) / self._span * self._length


def _mark(point: Point, x: float, y: float) -> str:
    title = f"<title>{escape(f'{point.label}: {point.x:.4g}, {point.y:.2f}')}</title>"
    if point.kind == "floor":
        return f'<rect class="mark floor" x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10">{title}</rect>'
    if point.kind == "training-free":
        path = f"M{x:.1f} {y - 7:.1f} l6.5 7 l-6.5 7 l-6.5 -7 z"
        return f'<path class="mark free" d="{path}">{title}</path>'
    return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="6">{title}</circle>'


def _labels(points: Sequence[Point], places: Sequence[tuple[float, float]]) -> list[tuple[float, float, str]]:
    """Put each label beside, above or below its point, where it covers least."""
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in places]
    found = []
    for point, (x, y) in zip(points, places, strict=True):
        width = len(point.label) * _LETTER
        candidates = [
            (x + 11, y + 4, "start", x + 11),
            (x - 11, y + 4, "end", x - 11 - width),
            (x, y - 11, "middle", x - width / 2),
            (x, y + 20, "middle", x - width / 2),
            (x + 9, y - 9, "start", x + 9),
            (x + 9, y + 17, "start", x + 9),
        ]

        def cost(candidate: tuple[float, float, str, float], width: float = width) -> float:
            _, bottom, _, left = candidate
            box = (left, bottom - _LINE + 3, left + width, bottom + 3)
            outside = max(0.0, _LEFT - box[0]) + max(0.0, box[2] - _WIDTH + 2) + max(0.0, 2 - box[1])
            return 30 * outside + sum(_shared(box, other) for other in taken)

        text_x, text_y, anchor, left = min(candidates, key=cost)
        taken.append((left, text_y - _LINE + 3, left + width, text_y + 3))
        found.append((text_x, text_y, anchor))
    return found


def _shared(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
