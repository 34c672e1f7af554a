"""The canvas: every polygon is painted once, into one map from which the picture and the label map both come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from ovrisisbench.mini.kinds import kind_index
from ovrisisbench.mini.materials import material_index

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.mini.camera import Camera
    from ovrisisbench.mini.shapes import Outline

__all__ = ["FINER", "Canvas", "Colour"]

FINER: Final = 3
"""Samples a pixel in each direction. Odd, so that one of them is the pixel's centre, whose kind is its label."""

Colour = tuple[float, float, float]
"""Red, green, blue, 0..255."""


class Canvas:
    """A map of paints, ``FINER`` times as fine as the picture, and a map of shadows of the same size.

    A paint is a colour, the kind of thing that has it, and its material.

    Args:
        size: (height, width) of the picture in pixels.
        camera: places points of the world.
    """

    def __init__(self, size: tuple[int, int], camera: Camera) -> None:
        self.size = size
        self.camera = camera
        fine = (size[1] * FINER, size[0] * FINER)
        self._paints = Image.new("I", fine)
        self._shadows = Image.new("L", fine)
        self._draw = ImageDraw.Draw(self._paints)
        self._shade = ImageDraw.Draw(self._shadows)
        self._colours: list[Colour] = []
        self._kinds: list[int] = []
        self._materials: list[int] = []
        self.paint((0, 0, 0), "no data", "plain")

    def paint(self, colour: Colour, kind: str, material: str) -> int:
        """Make a paint and return its number."""
        self._colours.append(colour)
        self._kinds.append(kind_index(kind))
        self._materials.append(material_index(material))
        return len(self._colours) - 1

    def fill(
        self, outline: Outline, paint: int, height: float | NDArray[np.float64] = 0.0, *, lit: bool = False
    ) -> None:
        """Fill an outline of the world.

        Args:
            outline: (N, 2), metres.
            paint: its number.
            height: metres above the ground, of all corners or of each, (N,).
            lit: whether shadows that were cast there before are taken away.
        """
        self.fill_picture(self.camera.project(outline, height), paint, lit=lit)

    def fill_picture(self, corners: NDArray[np.float64], paint: int, *, lit: bool = False) -> None:
        """Fill a polygon given in pixels of the picture, (N, 2)."""
        flat = self._flat(corners)
        if flat is None:
            return
        self._draw.polygon(flat, fill=paint)
        if lit:
            self._shade.polygon(flat, fill=0)

    def fill_all(self, paint: int) -> None:
        """Fill the whole picture."""
        self._draw.rectangle((0, 0, self._paints.width, self._paints.height), fill=paint)

    def shadow(self, outline: Outline, depth: int = 255) -> None:
        """Darken an outline on the ground; ``depth`` 255 is a full shadow. No label changes."""
        self.shadow_picture(self.camera.project(outline), depth)

    def shadow_picture(self, corners: NDArray[np.float64], depth: int = 255) -> None:
        """Darken a polygon given in pixels of the picture, (N, 2)."""
        flat = self._flat(corners)
        if flat is not None:
            self._shade.polygon(flat, fill=depth)

    def samples(self) -> tuple[NDArray[np.int32], Image.Image]:
        """Return the map of paints (height * FINER, width * FINER) int32, and the shadows as a picture of that size."""
        return np.asarray(self._paints), self._shadows

    def tables(self) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the colour (P, 3), kind (P,) and material (P,) of each paint."""
        return np.array(self._colours, np.float32), np.array(self._kinds, np.uint8), np.array(self._materials, np.uint8)

    def _flat(self, corners: NDArray[np.float64]) -> list[float] | None:
        """Return corners as Pillow takes them; None if nothing of the polygon can be seen."""
        if len(corners) < 3:
            return None
        low, high = corners.min(axis=0), corners.max(axis=0)
        if high[0] < 0 or high[1] < 0 or low[0] > self.size[1] or low[1] > self.size[0]:
            return None
        # Pillow counts from the centre of the first sample.
        flat: list[float] = (corners * FINER - 0.5).ravel().tolist()
        return flat
