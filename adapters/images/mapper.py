"""Detectron2's test mapper: the resize that all models evaluated with Detectron2 begin with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ovrisisbench.adapter.resizing import shortest_edge_size

__all__ = ["mapped", "mapped_size"]

_SHORT_SIDE = 640
_LONG_SIDE = 2560


def mapped_size(height: int, width: int) -> tuple[int, int]:
    """Return the size to which the test mapper resizes: short side 640, but no side above 2560.

    Example:
        >>> mapped_size(512, 512), mapped_size(240, 425), mapped_size(500, 100)
        ((640, 640), (640, 1133), (2560, 512))
    """
    return shortest_edge_size(height, width, short=_SHORT_SIDE, long=_LONG_SIDE)


def mapped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize an RGB image (H, W, 3) as the test mapper does: Pillow's bilinear filter on uint8.

    The filter is antialiased where it shrinks, and rounds to whole grey
    values; a resize of floats differs by up to 1 % of the logits.
    """
    height, width = mapped_size(*image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
