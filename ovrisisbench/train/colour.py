"""Colour jitter of SSD as Detectron2's PointRend project has it, in 8 bits after every step."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ovrisisbench.train.hsv import hsv_from_rgb, rgb_from_hsv

__all__ = ["jittered", "scaled"]

Pixels = NDArray[np.uint8]

_BRIGHTNESS: Final = 32.0
_CONTRAST: Final = (0.5, 1.5)
_SATURATION: Final = (0.5, 1.5)
_HUE: Final = 18
"""Steps of OpenCV's hue, two degrees each."""


def jittered(image: Pixels, rng: Generator) -> Pixels:
    """Change brightness, contrast, saturation and hue of an RGB image (H, W, 3), each with probability one half.

    Contrast comes right after brightness or last, with equal probability.
    """
    image = _brightness(image, rng)
    if rng.integers(2):
        return _hue(_saturation(_contrast(image, rng), rng), rng)
    return _contrast(_hue(_saturation(image, rng), rng), rng)


def scaled(image: Pixels, *, factor: float = 1.0, offset: float = 0.0) -> Pixels:
    """Return ``image * factor + offset`` in float32, clipped to 0..255 and cut off, not rounded."""
    values = image.astype(np.float32) * np.float32(factor) + np.float32(offset)
    cut: Pixels = np.clip(values, 0, 255).astype(np.uint8)
    return cut


def _brightness(image: Pixels, rng: Generator) -> Pixels:
    return scaled(image, offset=rng.uniform(-_BRIGHTNESS, _BRIGHTNESS)) if rng.integers(2) else image


def _contrast(image: Pixels, rng: Generator) -> Pixels:
    return scaled(image, factor=rng.uniform(*_CONTRAST)) if rng.integers(2) else image


def _saturation(image: Pixels, rng: Generator) -> Pixels:
    if not rng.integers(2):
        return image
    hsv = hsv_from_rgb(image)
    hsv[..., 1] = scaled(hsv[..., 1], factor=rng.uniform(*_SATURATION))
    return rgb_from_hsv(hsv)


def _hue(image: Pixels, rng: Generator) -> Pixels:
    if not rng.integers(2):
        return image
    hsv = hsv_from_rgb(image)
    hsv[..., 0] = (hsv[..., 0].astype(np.int64) + rng.integers(-_HUE, _HUE, endpoint=True)) % 180
    return rgb_from_hsv(hsv)
