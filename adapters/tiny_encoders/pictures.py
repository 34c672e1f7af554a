"""Drawn pictures at the size of a small tower, with the share of each kind in each of them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ovrisisbench.adapters.images.pixels import squeezed
from ovrisisbench.mini import KINDS, crops

__all__ = ["Pictures", "draw_pictures"]

_SIDES: Final = (64, 96, 128, 192, 256)
"""Sides of the crops before they are resized: from a few things to a whole tile."""


class Pictures(NamedTuple):
    """N pictures."""

    pixels: NDArray[np.uint8]
    """(N, side, side, 3)."""
    shares: NDArray[np.float32]
    """(N, kinds), in the order of :data:`~ovrisisbench.mini.KINDS`."""


def draw_pictures(count: int, *, side: int, seed: int) -> Pictures:
    """Draw crops of the mini world, none of them out of a mini data set.

    Args:
        count: how many; every fifth of them has another field of view.
        side: of the pictures in pixels, after resizing.
        seed: non-negative.
    """
    kinds = {kind: number for number, kind in enumerate(KINDS)}
    pixels = np.empty((count, side, side, 3), np.uint8)
    shares = np.zeros((count, len(kinds)), np.float32)
    for offset, width in enumerate(_SIDES):
        rows = range(offset, count, len(_SIDES))
        for row, crop in zip(rows, crops(seed=seed * len(_SIDES) + offset, count=len(rows), size=width), strict=True):
            # Resized as the adapters do it, without antialiasing.
            small = squeezed(torch.from_numpy(crop.picture).permute(2, 0, 1)[None].float(), side)
            pixels[row] = small[0].permute(1, 2, 0).round().byte().numpy()
            for kind, share in crop.shares.items():
                shares[row, kinds[kind]] = share
    return Pictures(pixels, shares)
