"""Where a point of the world lies in the picture: seen straight from above, or obliquely from a drone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.mini.shapes import Outline, Point

    Heights = NDArray[np.float64]

__all__ = ["MOST_AIM", "Camera", "Nadir", "Oblique"]

MOST_AIM: Final = 24.0
"""Metres that an oblique camera may fly on over the same ground."""
_NEAR: Final = 2.0
"""Metres in front of the lens from which things are drawn."""


class Camera(Protocol):
    """A view of the world, x to the right and y down in metres, z up; pixels as x, y from the upper left corner."""

    is_oblique: bool
    reach: float
    """Everything visible on the ground lies within this many metres of the origin, in x and in y."""

    def project(self, outline: Outline, height: float | Heights = 0.0) -> NDArray[np.float64]:
        """Return the picture coordinates of an outline, (N, 2); (0, 2) if it lies behind the camera.

        Args:
            outline: (N, 2), metres.
            height: of all corners or of each, (N,), metres.
        """
        ...

    def spot(self, point: Point, height: float = 0.0) -> tuple[float, float, float] | None:
        """Return x, y and pixels a metre at one point; None behind the camera."""
        ...

    def depth(self, point: Point) -> float:
        """Return how far away a point on the ground is; equal for all points seen from above."""
        ...

    def direction(self, vector: Point) -> Point:
        """Return the unit vector in the picture of a horizontal direction."""
        ...


class Nadir:
    """Straight down, without any perspective, as in an orthophoto.

    Args:
        size: (height, width) of the picture in pixels.
        gsd: metres a pixel.
        turn: degrees by which the world is turned.
    """

    is_oblique = False

    def __init__(self, size: tuple[int, int], gsd: float, turn: float) -> None:
        self._middle = np.array([size[1] / 2, size[0] / 2])
        self._scale = 1 / gsd
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        self._turn = np.array([[cos, sin], [-sin, cos]])
        self.reach = math.hypot(*size) / 2 * gsd + 2.0

    def project(self, outline: Outline, height: float | Heights = 0.0) -> NDArray[np.float64]:  # noqa: ARG002 - see Camera
        """See :class:`Camera`."""
        seen: NDArray[np.float64] = outline @ self._turn * self._scale + self._middle
        return seen

    def spot(self, point: Point, height: float = 0.0) -> tuple[float, float, float]:
        """See :class:`Camera`."""
        x, y = self.project(np.array([point]), height)[0]
        return float(x), float(y), self._scale

    def depth(self, point: Point) -> float:  # noqa: ARG002 - see Camera
        """See :class:`Camera`."""
        return 0.0

    def direction(self, vector: Point) -> Point:
        """See :class:`Camera`."""
        x, y = np.array(vector) @ self._turn
        length = math.hypot(x, y) or 1.0
        return float(x / length), float(y / length)


class Oblique:
    """A drone's camera that looks down at an angle, with perspective; its axis meets the ground at ``aim``.

    Args:
        size: (height, width) of the picture in pixels.
        altitude: metres above the ground.
        depression: degrees between the horizon and the axis, up to 90.
        field_of_view: degrees from the left to the right border.
        turn: degrees by which the world is turned.
        aim: metres flown on in the direction of view, 0 to ``MOST_AIM``; what lies within reach is the same.
    """

    is_oblique = True

    def __init__(  # noqa: PLR0917 - each is one plain quantity
        self,
        size: tuple[int, int],
        altitude: float,
        depression: float,
        field_of_view: float,
        turn: float,
        aim: float = 0.0,
    ) -> None:
        self._middle = np.array([size[1] / 2, size[0] / 2])
        self._focal = size[1] / 2 / math.tan(math.radians(field_of_view) / 2)
        down = math.radians(depression)
        self._sin, self._cos = math.sin(down), math.cos(down)
        self._altitude = altitude
        self._back = altitude / math.tan(down)
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        self._turn = np.array([[cos, sin], [-sin, cos]])
        self.reach = self._reach(size) + MOST_AIM
        self._back -= aim

    def project(self, outline: Outline, height: float | Heights = 0.0) -> NDArray[np.float64]:
        """See :class:`Camera`."""
        x, depth, up = self._seen(outline, height)
        if depth.min() < _NEAR:
            x, depth, up = _clipped(x, depth, up)
            if len(x) < 3:
                return np.zeros((0, 2))
        scale = self._focal / depth
        seen: NDArray[np.float64] = np.stack([x * scale, -up * scale], axis=1) + self._middle
        return seen

    def spot(self, point: Point, height: float = 0.0) -> tuple[float, float, float] | None:
        """See :class:`Camera`."""
        x, depth, up = (float(value[0]) for value in self._seen(np.array([point]), height))
        if depth < _NEAR:
            return None
        scale = self._focal / depth
        return x * scale + float(self._middle[0]), -up * scale + float(self._middle[1]), scale

    def depth(self, point: Point) -> float:
        """See :class:`Camera`."""
        return float(self._seen(np.array([point]), 0.0)[1][0])

    def direction(self, vector: Point) -> Point:
        """See :class:`Camera`."""
        x, y = np.array(vector) @ self._turn
        x, y = float(x), float(y) * self._sin
        length = math.hypot(x, y) or 1.0
        return x / length, y / length

    def _seen(self, outline: Outline, height: float | Heights) -> tuple[NDArray[np.float64], ...]:
        turned = outline @ self._turn
        away, above = turned[:, 1] - self._back, height - self._altitude
        return turned[:, 0], -away * self._cos - above * self._sin, -away * self._sin + above * self._cos

    def _reach(self, size: tuple[int, int]) -> float:
        most = 0.0
        for row in (-size[0] / 2, size[0] / 2):
            for column in (-size[1] / 2, size[1] / 2):
                # The ray of a corner, followed to the ground; one at the horizon ends where it is lost in haze.
                falls = max(self._sin * self._focal + self._cos * row, 0.12 * self._focal)
                times = self._altitude / falls
                forward = (self._cos * self._focal - self._sin * row) * times
                most = max(most, math.hypot(column * times, forward - self._back))
        return most + 4.0


def _clipped(
    x: NDArray[np.float64], depth: NDArray[np.float64], up: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Cut a polygon at the near plane."""
    corners = np.stack([x, depth, up], axis=1)
    kept = []
    for here, there in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if here[1] >= _NEAR:
            kept.append(here)
        if (here[1] >= _NEAR) != (there[1] >= _NEAR):
            kept.append(here + (there - here) * (_NEAR - here[1]) / (there[1] - here[1]))
    cut = np.array(kept).reshape(-1, 3)
    return cut[:, 0], cut[:, 1], cut[:, 2]
