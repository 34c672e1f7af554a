"""Hue, saturation and value in 8 bits, exactly as OpenCV computes them, without OpenCV.

Hue runs over 0..179, in steps of two degrees. The official colour jitter
goes there and back for every change, so its rounding is part of the recipe.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["hsv_from_rgb", "rgb_from_hsv"]

Pixels = NDArray[np.uint8]

_SHIFT: Final = 12
_HALF: Final = 1 << (_SHIFT - 1)


def _reciprocals(numerator: float) -> NDArray[np.int32]:
    """Return ``numerator / i`` in fixed point for i = 0..255, 0 for 0."""
    table = np.zeros(256, np.int32)
    table[1:] = np.rint((numerator * (1 << _SHIFT)) / np.arange(1, 256))
    return table


_SATURATION: Final = _reciprocals(255.0)
_HUE: Final = _reciprocals(180.0 / 6.0)

# For each sixth of the circle, which of (v, v(1-s), v(1-sf), v(1-s(1-f))) is red, green and blue.
_SECTORS: Final = np.array([[0, 3, 1], [2, 0, 1], [1, 0, 3], [1, 2, 0], [3, 1, 0], [0, 1, 2]])


def hsv_from_rgb(image: Pixels) -> Pixels:
    """Convert RGB (..., 3) uint8 to hue 0..179, saturation 0..255 and value 0..255.

    Example:
        >>> hsv_from_rgb(np.array([[0, 128, 255]], np.uint8)).tolist()
        [[105, 255, 255]]
    """
    red, green, blue = (image[..., channel].astype(np.int32) for channel in range(3))
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    saturation = (spread * _SATURATION[value] + _HALF) >> _SHIFT
    sixths = np.where(
        value == red,
        green - blue,
        np.where(value == green, blue - red + 2 * spread, red - green + 4 * spread),
    )
    hue = (sixths * _HUE[spread] + _HALF) >> _SHIFT
    hue += np.where(hue < 0, 180, 0)
    return np.stack([hue, saturation, value], axis=-1).astype(np.uint8)


def rgb_from_hsv(image: Pixels) -> Pixels:
    """Convert hue 0..179, saturation and value (..., 3) uint8 to RGB.

    OpenCV's vector code cuts off where one would round, and forms
    ``1 - s * f`` with a single rounding; both are followed.

    Example:
        >>> rgb_from_hsv(np.array([[105, 255, 255]], np.uint8)).tolist()
        [[0, 127, 255]]
    """
    scale, one = np.float32(1.0 / 255.0), np.float32(1.0)
    hue = image[..., 0].astype(np.float32) * np.float32(6.0 / 180.0)
    saturation, value = image[..., 1].astype(np.float32) * scale, image[..., 2].astype(np.float32) * scale
    sector = hue.astype(np.intp)
    fraction = hue - sector.astype(np.float32)
    levels = (
        value,
        value * (one - saturation),
        value * _one_minus(saturation, fraction),
        value * _one_minus(saturation, one - fraction),
    )
    mixed = np.take_along_axis(np.stack(levels, axis=-1), _SECTORS[sector], axis=-1)
    return (mixed * np.float32(255.0)).astype(np.uint8)


def _one_minus(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``1 - x * y`` rounded once: float64 holds the product of two float32 numbers exactly."""
    return (1.0 - x.astype(np.float64) * y.astype(np.float64)).astype(np.float32)
