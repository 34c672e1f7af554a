"""Outlines on the ground, as (N, 2) float64 corners in metres: x to the right, y down, as in a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Outline = NDArray[np.float64]

__all__ = ["Point", "blob", "disc", "hull", "offset", "placed", "rectangle", "ribbon", "ring_part"]

Point = tuple[float, float]
"""(x, y) in metres."""

_CIRCLE = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)


def rectangle(centre: Point, length: float, width: float, angle: float = 0.0) -> Outline:
    """Return a rectangle whose length is turned by ``angle`` degrees from x towards y."""
    return placed(((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)), centre, length, width, angle)


def placed(unit: Sequence[Point] | Outline, centre: Point, length: float, width: float, angle: float) -> Outline:
    """Scale an outline given in units of length and width, turn it by ``angle`` degrees and move it to ``centre``."""
    points = np.asarray(unit, np.float64) * (length, width)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    outline: Outline = points @ np.array([[cos, sin], [-sin, cos]]) + centre
    return outline


def disc(centre: Point, radius: float, *, corners: int = 32, stretch: float = 1.0, angle: float = 0.0) -> Outline:
    """Return a disc, or an ellipse that is ``stretch`` times as long as wide."""
    turns = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    unit = np.stack([np.cos(turns) * stretch, np.sin(turns)], axis=1)
    return placed(unit, centre, radius, radius, angle)


def blob(centre: Point, radius: float, rng: np.random.Generator, *, rough: float = 0.2, corners: int = 14) -> Outline:
    """Return a round outline with an uneven border; ``rough`` is the share by which its radius varies."""
    turns = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    waves = rng.normal(0.0, 1.0, (3, 2))
    swing = sum(
        (waves[n, 0] * np.cos((n + 2) * turns) + waves[n, 1] * np.sin((n + 2) * turns)) / (n + 1.5) for n in range(3)
    )
    radii = radius * np.clip(1.0 + rough * swing * 0.6, 0.5, 1.6)
    return np.stack([np.cos(turns) * radii, np.sin(turns) * radii], axis=1) + centre


def ribbon(line: Outline, width: float) -> Outline:
    """Return the outline of a strip of ``width`` metres along a polyline (N, 2)."""
    steps = np.gradient(line, axis=0)
    normals = np.stack([-steps[:, 1], steps[:, 0]], axis=1) / np.maximum(np.linalg.norm(steps, axis=1), 1e-9)[:, None]
    return np.concatenate([line + normals * width / 2, (line - normals * width / 2)[::-1]])


def ring_part(centre: Point, inner: float, outer: float, start: float, stop: float) -> Outline:
    """Return a part of a ring between two angles in degrees."""
    turns = np.radians(np.linspace(start, stop, max(4, int(abs(stop - start) // 8) + 2)))
    unit = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.concatenate([unit * outer, (unit * inner)[::-1]]) + centre


def offset(point: Point, angle: float, distance: float) -> Point:
    """Return the point ``distance`` metres from another in the direction ``angle``, degrees."""
    return (
        point[0] + distance * math.cos(math.radians(angle)),
        point[1] + distance * math.sin(math.radians(angle)),
    )


def hull(points: Outline) -> Outline:
    """Return the convex hull of points (N, 2)."""
    ordered = sorted(map(tuple, points.tolist()))
    halves = []
    for run in (ordered, ordered[::-1]):
        half: list[tuple[float, ...]] = []
        for x, y in run:
            while len(half) > 1 and _turn(half[-2], half[-1], (x, y)) <= 0:
                half.pop()
            half.append((x, y))
        halves += half[:-1]
    return np.array(halves)


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
