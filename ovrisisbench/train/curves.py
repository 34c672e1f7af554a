"""The curves of a training as one SVG picture: loss, learning rate, and mIoU on the test split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["curves_svg", "smoothed"]

Points = Sequence[tuple[float, float]]

_WIDTH: Final = 720
_PANEL: Final = 170
_LEFT, _RIGHT, _TOP, _BELOW = 70, 20, 34, 26
_MOST_POINTS: Final = 600

_STYLE: Final = """\
  <style>
    .panel { fill: #ffffff; stroke: #d0d7de }
    .axis { stroke: #d0d7de }
    .raw { fill: none; stroke: #b6d4fe }
    .line { fill: none; stroke: #0969da; stroke-width: 2 }
    .dot { fill: #0969da }
    text { fill: #1f2328; font: 12px system-ui, sans-serif }
    .title { font-weight: 600 }
    .end { text-anchor: end }
    @media (prefers-color-scheme: dark) {
      .panel { fill: #0d1117; stroke: #3d444d }
      .axis { stroke: #3d444d }
      .raw { stroke: #1f3a5f }
      .line { stroke: #4493f8 }
      .dot { fill: #4493f8 }
      text { fill: #f0f6fc }
    }
  </style>"""


def smoothed(values: Sequence[float], window: int = 20) -> list[float]:
    """Return the median of each value and the ``window - 1`` before it, as Detectron2 prints its losses.

    Example:
        >>> smoothed([5.0, 1.0, 2.0], window=2)
        [5.0, 3.0, 1.5]
    """
    medians = []
    for end in range(1, len(values) + 1):
        part = sorted(values[max(0, end - window) : end])
        middle = len(part) // 2
        medians.append(part[middle] if len(part) % 2 else (part[middle - 1] + part[middle]) / 2)
    return medians


def curves_svg(lines: Sequence[dict[str, Any]]) -> str:
    """Draw a log.

    Args:
        lines: as :func:`ovrisisbench.train.progress_log.read_log` gives them.
    """
    steps = [line for line in lines if "loss" in line]
    measured = [(line["step"], 100 * line["miou"]) for line in lines if line.get("miou") is not None]
    losses = [line["loss"] for line in steps]
    numbers = [line["step"] for line in steps]
    panels = [
        ("loss (median of 20 steps)", list(zip(numbers, losses, strict=True)), _median_points(numbers, losses)),
        ("learning rate", [], [(line["step"], line["lr"]) for line in steps]),
    ]
    if measured:
        panels.append(("mIoU on the test split, %", [], measured))
    last = max((line["step"] for line in lines), default=1)
    height = len(panels) * _PANEL
    body = [_panel(title, raw, line, top=index * _PANEL, last=last) for index, (title, raw, line) in enumerate(panels)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">\n'
        f'{_STYLE}\n  <rect class="panel" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _median_points(numbers: Sequence[float], losses: Sequence[float]) -> Points:
    return list(zip(numbers, smoothed(losses), strict=True))


def _panel(title: str, raw: Points, line: Points, *, top: int, last: int) -> str:
    values = [value for _, value in (*raw, *line)] or [0.0]
    low, high = min(values), max(values)
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    y0, y1 = top + _PANEL - _BELOW, top + _TOP

    def place(step: float, value: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / last
        return f"{x:.1f},{y0 + (y1 - y0) * (value - low) / (high - low):.1f}"

    parts = [
        f'  <text class="title" x="{_LEFT}" y="{top + 20}">{title}</text>',
        f'  <line class="axis" x1="{_LEFT}" y1="{y0}" x2="{_WIDTH - _RIGHT}" y2="{y0}"/>',
        f'  <text class="end" x="{_LEFT - 8}" y="{y1 + 4}">{high:.4g}</text>',
        f'  <text class="end" x="{_LEFT - 8}" y="{y0 + 4}">{low:.4g}</text>',
        f'  <text x="{_LEFT}" y="{y0 + 17}">0</text>',
        f'  <text class="end" x="{_WIDTH - _RIGHT}" y="{y0 + 17}">{last} steps</text>',
    ]
    for kind, points in (("raw", raw), ("line", line)):
        if points:
            drawn = " ".join(place(*point) for point in _thinned(points))
            parts.append(f'  <polyline class="{kind}" points="{drawn}"/>')
    if len(line) <= 40:
        dots = [place(*point).split(",") for point in line]
        parts += [f'  <circle class="dot" r="3" cx="{x}" cy="{y}"/>' for x, y in dots]
    return "\n".join(parts)


def _thinned(points: Points) -> Points:
    step = max(1, math.ceil(len(points) / _MOST_POINTS))
    return [*points[::step], points[-1]]
