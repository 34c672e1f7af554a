"""Boxes and other upright solids: seen from above their top alone, seen at an angle their walls as well."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.mini.canvas import Colour
from ovrisisbench.mini.stage import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.mini.shapes import Outline

__all__ = ["Walls", "lit_by", "prism", "walls"]

Walls = Callable[[Stage, "Outline", float, float, float], None]
"""Paints what is on one wall: stage, its two corners (2, 2), lower and upper height, brightness."""


def lit_by(stage: Stage, normal: tuple[float, float], strength: float = 0.3) -> float:
    """Return the brightness of a face that looks in a direction: above 1 towards the sun, below 1 away from it."""
    length = math.hypot(*normal) * math.hypot(*stage.sun) or 1.0
    towards = -(normal[0] * stage.sun[0] + normal[1] * stage.sun[1]) / length
    return 1 + strength * towards


def prism(
    stage: Stage,
    outline: Outline,
    base: float,
    top: float,
    *,
    roof: int,
    wall: Colour,
    kind: str,
    material: str = "wall",
    on_wall: Walls | None = None,
) -> None:
    """Paint an upright solid of convex outline now.

    Args:
        stage: where.
        outline: (N, 2), metres.
        base: height of its lower side, metres.
        top: height of its upper side, metres.
        roof: paint of its upper side.
        wall: colour of its walls.
        kind: of its walls.
        material: of its walls.
        on_wall: paints more on each wall that is seen.
    """
    walls(stage, outline, base, top, wall=wall, kind=kind, material=material, on_wall=on_wall)
    stage.canvas.fill(outline, roof, top, lit=True)


def walls(
    stage: Stage,
    outline: Outline,
    base: float,
    top: float,
    *,
    wall: Colour,
    kind: str,
    material: str = "wall",
    on_wall: Walls | None = None,
) -> None:
    """Paint the walls of an upright solid that face the camera; none seen from above."""
    camera = stage.canvas.camera
    if not camera.is_oblique:
        return
    turning = _area(outline)
    heights = np.array([base, base, top, top])
    for first, second in zip(outline, [*outline[1:], outline[0]], strict=True):
        quad = np.array([first, second, second, first])
        seen = camera.project(quad, heights)
        if len(seen) < 4 or _area(seen) * turning <= 0:
            continue
        normal = (float(second[1] - first[1]) * _sign(turning), float(first[0] - second[0]) * _sign(turning))
        shade = lit_by(stage, normal, 0.28) * 0.9
        colour = (wall[0] * shade, wall[1] * shade, wall[2] * shade)
        stage.canvas.fill_picture(seen, stage.canvas.paint(colour, kind, material), lit=True)
        if on_wall is not None:
            on_wall(stage, np.array([first, second]), base, top, shade)


def _area(polygon: NDArray[np.float64]) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return float(x[:-1] @ y[1:] - y[:-1] @ x[1:] + x[-1] * y[0] - y[-1] * x[0])


def _sign(value: float) -> float:
    return 1.0 if value > 0 else -1.0
