"""A canvas that paints a picture from above and its semantic mask at the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Canvas", "Colour", "Point", "disc", "rectangle"]

Colour = tuple[int, int, int]
Point = tuple[float, float]
"""(x, y) in pixels, from the upper left."""

_FINER: Final = 3
"""The picture is painted this much larger and then shrunk, for smooth edges."""
_SUN: Final[Point] = (0.8, 0.6)
"""Direction of shadows."""


class Canvas:
    """A picture and its mask, painted with the same shapes.

    Args:
        height: pixels.
        width: pixels.
        ground: colour of everything that is not painted over.
        colours: label -> colour in the mask; what has no label stays black.
        rng: for the texture.
    """

    def __init__(
        self, height: int, width: int, ground: Colour, *, colours: dict[str, Colour], rng: np.random.Generator
    ) -> None:
        self.height, self.width = height, width
        self._colours = colours
        self._rng = rng
        self._picture = Image.new("RGB", (width * _FINER, height * _FINER), ground)
        self._paint = ImageDraw.Draw(self._picture)
        self._mask = Image.new("RGB", (width, height))
        self._mark = ImageDraw.Draw(self._mask)

    def polygon(self, points: Sequence[Point], fill: Colour, *, label: str | None = None, shadow: float = 0.0) -> None:
        """Paint a filled polygon.

        Args:
            points: its corners.
            fill: its colour.
            label: class in the mask; None paints the picture only.
            shadow: length of the shadow it casts, pixels.
        """
        if shadow:
            self._shadow(points, shadow)
        self._paint.polygon([(x * _FINER, y * _FINER) for x, y in points], fill=fill)
        if label is not None:
            self._mark.polygon(list(points), fill=self._colours[label])

    def line(self, points: Sequence[Point], fill: Colour, width: float = 1.0) -> None:
        """Paint a line into the picture; marks on the ground have no class."""
        scaled = [(x * _FINER, y * _FINER) for x, y in points]
        self._paint.line(scaled, fill=fill, width=max(1, round(width * _FINER)), joint="curve")

    def speckle(self, points: Sequence[Point], dark: Colour, light: Colour, count: int, size: float) -> None:
        """Scatter little discs of a random shade between two colours over a bounding box, for trees and waves."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        for _ in range(count):
            share = float(self._rng.random())
            fill = _blend(dark, light, share)
            radius = size * float(self._rng.uniform(0.5, 1.2))
            centre = (float(self._rng.uniform(min(xs), max(xs))), float(self._rng.uniform(min(ys), max(ys))))
            self.polygon(disc(centre, radius, corners=10), fill)

    def finish(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the picture and the mask, each (height, width, 3) uint8."""
        small = self._picture.resize((self.width, self.height), Image.Resampling.BOX)
        picture = np.asarray(small, np.float32)
        shade = _cloudy(self.height, self.width, self._rng)[..., None] * 14
        grain = self._rng.normal(0.0, 3.5, picture.shape).astype(np.float32)
        return np.clip(picture + shade + grain, 0, 255).astype(np.uint8), np.asarray(self._mask)

    def _shadow(self, points: Sequence[Point], length: float) -> None:
        moved = [((x + _SUN[0] * length) * _FINER, (y + _SUN[1] * length) * _FINER) for x, y in points]
        xs, ys = [x for x, _ in moved], [y for _, y in moved]
        box = (math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)) + 1, math.ceil(max(ys)) + 1)
        where = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(where).polygon([(x - box[0], y - box[1]) for x, y in moved], fill=110)
        self._picture.paste((16, 20, 28), box[:2], where)


def rectangle(centre: Point, length: float, width: float, angle: float = 0.0) -> list[Point]:
    """Return the corners of a rectangle; ``angle`` turns its length clockwise from the x axis, degrees."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return [
        (
            centre[0] + cos * u * length / 2 - sin * v * width / 2,
            centre[1] + sin * u * length / 2 + cos * v * width / 2,
        )
        for u, v in corners
    ]


def disc(centre: Point, radius: float, *, corners: int = 48, stretch: float = 1.0) -> list[Point]:
    """Return the corners of a disc, or of an ellipse that is ``stretch`` times as wide as high."""
    angles = [2 * math.pi * corner / corners for corner in range(corners)]
    return [(centre[0] + radius * stretch * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


def _blend(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _cloudy(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return smooth noise of several scales, about -1..1."""
    total = np.zeros((height, width), np.float32)
    for cells, weight in ((4, 0.5), (16, 0.3), (64, 0.25)):
        coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
        total += weight * np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    return total
