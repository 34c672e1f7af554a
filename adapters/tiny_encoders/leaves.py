"""Pictures of nothing: shapes of all sizes and colours that hide each other.

A small DINO that was trained on them stands where the paper's ablations have
one that was trained on natural images: it knows edges, colours and textures,
and nothing of the world seen from above. Such pictures have the statistics of
natural ones (the dead leaves model; Baradad et al., Learning to See by Looking
at Noise, NeurIPS 2021).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = ["draw_leaves"]

_LEAVES: Final = 250
_RADII: Final = (0.02, 0.35)
"""Least and largest radius, in sides of the picture; their density falls with the cube of the radius."""


def draw_leaves(count: int, *, side: int, seed: int) -> NDArray[np.uint8]:
    """Draw pictures (count, side, side, 3) of overlapping discs, boxes and triangles.

    Args:
        count: how many.
        side: in pixels.
        seed: non-negative.
    """
    return np.stack([_picture(side, np.random.default_rng((seed, number))) for number in range(count)])


def _picture(side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    image = Image.new("RGB", (side, side), _colour(rng))
    draw = ImageDraw.Draw(image)
    least, largest = _RADII
    for _ in range(_LEAVES):
        # The inverse of the distribution function of a density that falls with the cube.
        radius = side / math.sqrt(rng.uniform(1 / largest**2, 1 / least**2))
        x, y, turn = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0, 360)
        colour = _colour(rng)
        corners = int(rng.integers(3, 6))
        if corners == 5:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            draw.regular_polygon((x, y, radius), corners, rotation=turn, fill=colour)
    grain = rng.normal(0, rng.uniform(0, 10), (side, side, 1))
    return (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue
